"""The released edition against recorded trajectories, and against the properties its reader relies on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.backend import NUMPY, Backend, torch_backend
from coopgym.games.game import ResetOptions, Transition
from coopgym.games.released import RELEASED, ReleasedGame
from coopgym.games.released.mechanisms.ordered_coalition import Membership, MembershipRules, update_membership
from coopgym.games.state import State, state_arrays
from coopgym.play import NOMINAL, unroll

DATA = Path(__file__).parents[1] / "data"
Game = ReleasedGame[Any, Any]
BY_ID = {kind.id: kind for kind in RELEASED}
every_game = pytest.mark.parametrize("kind", RELEASED, ids=lambda kind: kind.id)


def make(kind: type[Game], backend: Backend = NUMPY, **keywords: Any) -> Game:
    return kind.configure(backend, **keywords)


def hidden(kind: type[Game], gamma: Any) -> dict[str, Any]:
    """The reset option that fixes the hidden synergy weight, in the one game that has it."""
    return {"gamma": gamma} if kind.id == "SynergySearch-v0" else {}


def start(game: Game, batch: tuple[int, ...] = (), seed: int = 0, **options: Any) -> Any:
    rng = np.random.default_rng(seed)
    draws = rng.random((*batch, game.reset_uniforms)), rng.standard_normal((*batch, game.reset_normals))
    uniforms, normals = (game.backend.array(draw) for draw in draws)
    return game.initial_state(batch, ResetOptions(**options), uniforms, normals)


def rewards(transition: Transition, mode: str) -> Any:
    base = transition.payoffs
    if mode != "private":
        base = base + (transition.weights @ base[..., None])[..., 0]
    if mode == "cooperative":
        base = base.mean(-1)[..., None] + 0.0 * base
    scaled = base if transition.multiplier is None else base * transition.multiplier
    return scaled if transition.penalty is None else scaled - transition.penalty


def rollout(game: Game, state: Any, actions: Any) -> Iterator[tuple[Any, Transition]]:
    """Play ``actions`` with time first and yield the state before and the transition of each step."""
    for step in unroll(game, lambda t, _: actions[t], start=state, draws=NOMINAL, horizon=len(actions), past_end=True):
        yield step.before, step.transition


def random_actions(game: Game, steps: int, batch: tuple[int, ...] = (), seed: int = 7) -> npt.NDArray[np.float64]:
    share = np.random.default_rng(seed).random((steps, *batch, game.n_agents))
    return np.asarray(share * game.spec.endowments)


# Recorded trajectories


@dataclass(frozen=True)
class Recording:
    """All episodes of one game, each array ``(episodes, steps + 1, ...)`` and padded with its last row."""

    modes: list[str]
    lengths: npt.NDArray[np.int64]
    columns: dict[str, npt.NDArray[Any]]

    def at(self, column: str, step: int) -> npt.NDArray[Any]:
        return self.columns[column][:, step]


def recording(game_id: str) -> Recording:
    table = pq.read_table(DATA / "trajectories.parquet", filters=pc.field("env_id") == game_id).combine_chunks()
    steps = table.column("step").to_numpy()
    first = np.flatnonzero(steps == 0)
    lengths = np.diff(np.append(first, len(steps))) - 1
    rows = first[:, None] + np.minimum(np.arange(lengths.max() + 1), lengths[:, None])
    columns = {}
    for name in ("terminated", "truncated", "mean_trust", "gamma"):
        columns[name] = table.column(name).to_numpy()[rows]
    for name in ("trust", "reputation", "observation", "aux"):
        entries = table.column(name).chunk(0).flatten().to_numpy(zero_copy_only=False)
        columns[name] = entries.reshape(len(steps), -1)[rows]
    for name in ("actions", "rewards"):  # the rows of step 0 have none
        played = table.column(name).chunk(0).flatten().to_numpy().reshape(len(steps) - len(first), -1)
        padded = np.insert(played, first - np.arange(len(first)), np.nan, axis=0)
        columns[name] = padded[rows]
    return Recording(table.column("reward_mode").take(first).to_pylist(), lengths, columns)


def assert_close(actual: Any, expected: Any, tolerance: Any, what: str) -> None:
    error = np.abs(np.asarray(actual) - expected)
    assert (error <= tolerance).all(), f"{what}: error {error.max():g}"


def assert_state(game: Game, state: Any, recorded: Recording, step: int, live: Any) -> None:
    n_episodes = len(live)
    flags = {"CooperativeNegotiation-v0": slice(2, 5), "CoalitionFormation-v0": slice(game.n_agents, None)}
    observed, auxiliary = game.observe_jointly(state, "full"), game.extra_state(state)
    wanted = {name: recorded.at(name, step)[live] for name in ("trust", "reputation", "observation", "aux")}
    assert_close(state.trust.reshape(n_episodes, -1)[live], wanted["trust"], 1e-6, f"trust at {step}")
    assert_close(state.damage.reshape(n_episodes, -1)[live], wanted["reputation"], 1e-6, f"reputation at {step}")
    assert observed.shape[-1] == wanted["observation"].shape[-1]
    scale = np.maximum(1.0, np.abs(wanted["observation"]))
    assert_close(observed[live], wanted["observation"], 1e-5 * scale, f"observation at {step}")
    assert auxiliary.shape[-1] == wanted["aux"].shape[-1]
    assert_close(auxiliary[live], wanted["aux"], 1e-5, f"auxiliary state at {step}")
    exact = flags.get(game.id, slice(0, 0))
    np.testing.assert_array_equal(auxiliary[live][:, exact], wanted["aux"][:, exact])


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        pytest.param(kind, dtype, marks=[pytest.mark.slow] if (g + d) % 2 else [], id=f"{kind.id}-{dtype.__name__}")
        for g, kind in enumerate(RELEASED)
        for d, dtype in enumerate((np.float64, np.float32))
    ],
)
def test_recorded_trajectories_are_reproduced(kind: type[Game], dtype: Any) -> None:
    recorded = recording(kind.id)
    game = make(kind, Backend(np, dtype))
    batch = (len(recorded.modes),)
    state = start(game, batch, **hidden(kind, recorded.at("gamma", 0)))
    assert_state(game, state, recorded, 0, np.ones(batch, dtype=bool))
    actions = [recorded.at("actions", step) for step in range(1, recorded.lengths.max() + 1)]
    for step, (_, transition) in enumerate(rollout(game, state, actions), start=1):
        live = step <= recorded.lengths
        assert_state(game, transition.state, recorded, step, live)
        np.testing.assert_array_equal(transition.terminated[live], recorded.at("terminated", step)[live])
        np.testing.assert_array_equal(transition.truncated[live], recorded.at("truncated", step)[live])
        wanted = recorded.at("rewards", step)
        for mode in ("private", "integrated", "cooperative"):
            chosen = live & (np.array(recorded.modes) == mode)
            tolerance = 2e-4 + 5e-6 * np.abs(wanted[chosen])
            assert_close(rewards(transition, mode)[chosen], wanted[chosen], tolerance, f"{mode} reward at {step}")


@every_game
def test_recorded_per_agent_observations_are_reproduced(kind: type[Game]) -> None:
    rows = pq.read_table(
        DATA / "pettingzoo_prefix.parquet",
        filters=(pc.field("env_id") == kind.id) & (pc.field("api") == "parallel"),
    ).to_pylist()
    game = make(kind)
    views = {"default": "full", "full": "full", "asymmetric": "own", "minimal": "minimal"}
    for preset, view in views.items():
        recorded = [row for row in rows if row["obs_config"] == preset]
        rounds = np.array([row["round"] for row in recorded])
        by_round = [[row for row in recorded if row["round"] == number] for number in range(rounds.max(initial=-1) + 1)]
        actions = [np.array([row["action"] for row in now]) for now in by_round[1:]]
        states = [start(game), *(transition.state for _, transition in rollout(game, start(game), actions))]
        for now, state in zip(by_round, states, strict=False):
            np.testing.assert_allclose(
                game.observe(state, view), [row["observation"] for row in now], rtol=1e-5, atol=1e-5
            )


FIRST_STEP = {
    "TrustDilemma-v0": ((146.1365, 146.1365), (196.5536, 196.5536), (196.5536, 196.5536), (0.575, 0.575)),
    "PartnerHoldUp-v0": ((159.8538, 126.0290), (186.0993, 206.8751), (196.4872, 196.4872), (0.595, 0.595)),
    "PlatformEcosystem-v0": ((193.4740, 138.7926), (281.1910, 230.4993), (240.6376, 240.6376), (0.632, 0.632)),
    "DynamicPartnerSelection-v0": ((125.3562, 125.3562), (265.7551, 265.7551), (265.7551, 265.7551), (0.56, 0.56)),
    "RecoveryRace-v0": ((143.6365, 143.6365), (164.9665, 164.9665), (164.9665, 164.9665), (0.27, 0.27)),
    "SynergySearch-v0": ((142.3865, 142.3865), (184.7465, 184.7465), (184.7465, 184.7465), (0.595, 0.595)),
    "SLCD-v0": ((146.5115, 143.2615), (208.6755, 228.6894), (218.6825, 218.6825), (0.678, 0.678)),
    "RenaultNissan-v0": ((142.4358, 150.8063), (197.9964, 218.7174), (208.3569, 208.3569), (0.7224, 0.7224)),
    "CooperativeNegotiation-v0": ((143.6365, 143.6365), (187.8766, 187.8766), (187.8766, 187.8766), (0.56, 0.56)),
    "ReputationMarket-v0": ((125.7729, 125.7729), (222.6180, 222.6180), (222.6180, 222.6180), (0.55, 0.55)),
    "TeamProduction-v0": ((94.2244, 94.2244), (179.7324, 179.7324), (179.7324, 179.7324), (0.549995, 0.549995)),
    "LoyaltyTeam-v0": ((113.0693, 113.0693), (215.6789, 215.6789), (215.6789, 215.6789), (0.549995, 0.549995)),
    "CoalitionFormation-v0": ((122.5887, 122.5887), (308.0027, 308.0027), (308.0027, 308.0027), (0.549995, 0.549995)),
    "ApacheProject-v0": ((108.6818, 108.6818), (1390.8450, 1390.845), (1390.8450, 1390.845), (0.549995, 0.549995)),
    "PublicGoods-v0": ((112.0943, 112.0943), (247.7273, 247.7273), (247.7273, 247.7273), (0.549995, 0.549995)),
    "ReciprocalDilemma-v0": ((145.4045, 145.4045), (185.3907, 185.3907), (185.3907, 185.3907), (0.55, 0.55)),
    "GiftExchange-v0": ((143.5917, 129.8415), (172.0123, 185.4055), (178.2397, 179.1463), (0.55, 0.55)),
    "IndirectReciprocity-v0": ((138.0613, 138.0613), (229.1817, 229.1817), (229.1817, 229.1817), (0.55, 0.55)),
    "GraduatedSanction-v0": ((135.1661, 135.1661), (265.2635, 265.2635), (265.2635, 265.2635), (0.55, 0.55)),
    "AppleAppStore-v0": ((137.6239, 124.0987), (175.0467, 205.4731), (189.7836, 191.1589), (0.64, 0.64)),
}
"""Rewards of the first two agents per mode, and T_01 and T_10, after all play half of their endowment once."""


@every_game
def test_first_step(kind: type[Game]) -> None:
    game = make(kind)
    private, integrated, cooperative, trust = FIRST_STEP[kind.id]
    state = start(game, **hidden(kind, 0.55))
    transition = game.step(state, 0.5 * game.spec.endowments)
    for mode, expected in (("private", private), ("integrated", integrated), ("cooperative", cooperative)):
        np.testing.assert_allclose(rewards(transition, mode)[:2], expected, atol=1.5e-4)
    np.testing.assert_allclose((transition.state.trust[0, 1], transition.state.trust[1, 0]), trust, atol=1e-6)


# Dimensions and bounds

DIMENSIONS = {
    "TrustDilemma-v0": (15, 12, 10, 3),
    "PartnerHoldUp-v0": (15, 12, 10, 3),
    "PlatformEcosystem-v0": (81, 45, 25, 6),
    "DynamicPartnerSelection-v0": (121, 60, 30, 7),
    "RecoveryRace-v0": (15, 12, 10, 3),
    "SynergySearch-v0": (15, 12, 10, 3),
    "SLCD-v0": (15, 12, 10, 3),
    "RenaultNissan-v0": (15, 12, 10, 3),
    "CooperativeNegotiation-v0": (18, 12, 10, 3),
    "ReputationMarket-v0": (86, 45, 25, 6),
    "TeamProduction-v0": (53, 32, 20, 5),
    "LoyaltyTeam-v0": (53, 32, 20, 5),
    "CoalitionFormation-v0": (115, 60, 30, 7),
    "ApacheProject-v0": (4841, 1760, 200, 41),
    "PublicGoods-v0": (81, 45, 25, 6),
    "ReciprocalDilemma-v0": (15, 12, 10, 3),
    "GiftExchange-v0": (15, 12, 10, 3),
    "IndirectReciprocity-v0": (53, 32, 20, 5),
    "GraduatedSanction-v0": (115, 60, 30, 7),
    "AppleAppStore-v0": (31, 21, 15, 4),
}
"""Entries of the joint observation and of a seat's full, own and minimal view."""


@every_game
@pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
def test_observations_have_the_documented_size_and_stay_in_bounds(kind: type[Game], batch: tuple[int, ...]) -> None:
    game = make(kind)
    n, sizes = game.n_agents, DIMENSIONS[kind.id]
    state = start(game, batch)
    for _, transition in rollout(game, state, random_actions(game, 4, batch)):
        state = transition.state
        for view, size in zip(("full", "own", "minimal"), sizes[1:], strict=True):
            seen, together = game.observe(state, view), game.observe_jointly(state, view)
            low, high = game.observation_bounds(view)
            assert seen.shape == (*batch, n, size)
            assert low.shape == high.shape == (n, size)
            assert ((low <= seen) & (seen <= high)).all()
            joint_low, joint_high = game.joint_observation_bounds(view)
            assert together.shape == (*batch, sizes[0] if view == "full" else n * size)
            assert joint_low.shape == joint_high.shape == together.shape[-1:]
            assert ((joint_low <= together) & (together <= joint_high)).all()
            assert np.isfinite(joint_high).all()


@every_game
def test_blocks_name_the_columns(kind: type[Game]) -> None:
    game = make(kind)
    n = game.n_agents
    *_, (_, transition) = rollout(game, start(game), random_actions(game, 3))
    state = transition.state
    for view in game.views:
        seen = game.observe(state, view)
        for seat in (0, n - 1):
            others = [j for j in range(n) if j != seat]
            columns = game.observation_columns(view, seat)
            np.testing.assert_array_equal(seen[seat, columns["own_action"]], state.last_action[[seat]])
            np.testing.assert_array_equal(seen[seat, columns["trust"]], state.trust[seat, others])
            assert sorted({column for columns in columns.values() for column in columns}) == list(range(seen.shape[-1]))
            if view != "minimal":
                np.testing.assert_array_equal(seen[seat, columns["partner_actions"]], state.last_action[others])
                np.testing.assert_array_equal(seen[seat, columns["damage"]], state.damage[seat, others])
                np.testing.assert_array_equal(seen[seat, columns["dependence"]], game.interdependence[seat, others])
                np.testing.assert_allclose(seen[seat, columns["time"]], 3 / game.spec.horizon)
    np.testing.assert_allclose(game.action_scale * state.last_action, game.cooperation(state), rtol=1e-6)


# Batches and backends


@every_game
def test_a_batch_equals_its_environments(kind: type[Game]) -> None:
    game, size = make(kind), 5
    actions = random_actions(game, 25, (size,))
    together = [transition for _, transition in rollout(game, start(game, (size,), **hidden(kind, 0.4)), actions)]
    for row in (slice(0, 1), slice(1, 4), slice(4, 5)):
        part = game.initial_state((row.stop - row.start,), ResetOptions(**hidden(kind, 0.4)))
        for whole, (_, split) in zip(together, rollout(game, part, actions[:, row]), strict=True):
            assert_same_transition(whole, split, row)
    alone = game.initial_state((), ResetOptions(**hidden(kind, 0.4)))
    for whole, (_, single) in zip(together, rollout(game, alone, actions[:, 2]), strict=True):
        assert_same_transition(whole, single, 2)


def assert_same_transition(whole: Transition, part: Transition, row: Any) -> None:
    for field in fields(Transition):
        expected, actual = getattr(whole, field.name), getattr(part, field.name)
        if isinstance(expected, State):
            for name in state_arrays(expected):
                np.testing.assert_array_equal(getattr(expected, name)[row], getattr(actual, name))
        elif expected is None:
            assert actual is None
        else:
            np.testing.assert_allclose(actual, expected[row], rtol=1e-12)


@every_game
def test_torch_agrees_with_numpy_and_is_differentiable(kind: type[Game]) -> None:
    torch = pytest.importorskip("torch")
    game = make(kind)
    twin = game.to(torch_backend(dtype=torch.float64))
    actions = random_actions(game, 25, (4,))
    played = rollout(game, start(game, (4,), **hidden(kind, 0.5)), actions)
    mirrored = rollout(twin, start(twin, (4,), **hidden(kind, 0.5)), torch.as_tensor(actions))
    for (_, expected), (_, actual) in zip(played, mirrored, strict=True):
        for mode in ("private", "integrated", "cooperative"):
            np.testing.assert_allclose(rewards(actual, mode), rewards(expected, mode), rtol=1e-6, atol=1e-6)
        np.testing.assert_array_equal(actual.terminated, expected.terminated)
        np.testing.assert_allclose(twin.extra_state(actual.state), game.extra_state(expected.state), atol=1e-6)
        for view in game.views:
            np.testing.assert_allclose(twin.observe(actual.state, view), game.observe(expected.state, view), atol=1e-6)
        seen = game.observe_jointly(expected.state, "full")
        np.testing.assert_allclose(twin.observe_jointly(actual.state, "full"), seen, atol=1e-6)

    leaf = torch.tensor(actions[0], requires_grad=True)
    transition = twin.step(start(twin, (4,), **hidden(kind, 0.5)), leaf)
    rewards(transition, "integrated").sum().backward()
    assert torch.isfinite(leaf.grad).all()
    assert (leaf.grad != 0).any()


@every_game
@pytest.mark.parametrize("batch", [(), (2,)])
def test_single_precision_torch_keeps_its_type(kind: type[Game], batch: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    game = make(kind, torch_backend())
    before = start(game, batch)
    actions = torch.as_tensor(random_actions(game, 1, batch)[0], dtype=torch.float32)
    transition = game.step(before, actions)
    assert rewards(transition, "cooperative").dtype == torch.float32
    assert game.observe(transition.state, "full").dtype == torch.float32
    for name in state_arrays(before):
        assert getattr(transition.state, name).dtype == getattr(before, name).dtype, name
        assert getattr(transition.state, name).shape == getattr(before, name).shape, name
    info = game.step_diagnostics(before, actions, transition)
    assert tuple(np.shape(info["mean_trust"])) == batch
    assert set(game.diagnostics(before)) <= set(info)


# Parameters

KEYWORDS: dict[str, dict[str, Any]] = {
    "TrustDilemma-v0": {"trust_sensitivity": 0.5, "trust_building_rate": 0.2, "trust_erosion_rate": 0.3},
    "PartnerHoldUp-v0": {"strong_dependency": 0.2, "weak_dependency": 0.9},
    "PlatformEcosystem-v0": {
        "n_developers": 2,
        "platform_share": 0.5,
        "platform_dependency": 0.1,
        "developer_dependency": 0.6,
    },
    "DynamicPartnerSelection-v0": {"n_agents": 3, "reputation_weight": 0.1},
    "RecoveryRace-v0": {"initial_trust": 0.1, "initial_reputation_damage": 0.2, "recovery_target": 0.5},
    "SynergySearch-v0": {"gamma_range": [0.3, 0.4], "reveal_gamma_in_obs": True},
    "SLCD-v0": {"trust_enabled": False},
    "RenaultNissan-v0": {"phase": "Crisis"},
    "CooperativeNegotiation-v0": {
        "agreement_threshold": 5.0,
        "breach_penalty_multiplier": 1.0,
        "negotiation_rounds": 3,
    },
    "ReputationMarket-v0": {"n_agents": 4, "reputation_visibility": 0.5, "tier_enabled": False},
    "TeamProduction-v0": {"n_agents": 3, "omega": 10.0, "beta": 1.0, "c": 2.0},
    "LoyaltyTeam-v0": {"n_agents": 3, "omega": 10.0, "beta": 0.5, "c": 2.0, "phi_B": 0.1, "phi_C": 0.2},
    "CoalitionFormation-v0": {
        "n_agents": 4,
        "min_coalition_size": 2,
        "exit_threshold": 0.2,
        "reentry_cooldown": 2,
        "omega": 10.0,
        "beta": 0.5,
    },
    "ApacheProject-v0": {"phase": "emergence"},
    "PublicGoods-v0": {"n_agents": 3, "multiplier": 1.5, "endowment": 20.0, "phi_B": 0.0, "phi_C": 0.0},
    **{
        game_id: {"trust_params": {"kappa": 0.1, "initial_trust": 0.9}, "value_params": {"theta": 10.0, "gamma": 0.1}}
        for game_id in (
            "ReciprocalDilemma-v0",
            "GiftExchange-v0",
            "IndirectReciprocity-v0",
            "GraduatedSanction-v0",
            "AppleAppStore-v0",
        )
    },
}
"""Every documented keyword with a value other than its default."""


@every_game
def test_every_keyword_is_accepted(kind: type[Game]) -> None:
    keywords = {**KEYWORDS[kind.id], "max_steps": 3}
    assert set(keywords) == {field.name for field in fields(kind.Parameters)}
    game = make(kind, **keywords)
    actions = random_actions(game, 3)
    *_, (before, transition) = rollout(game, start(game), actions)
    assert transition.truncated
    assert np.isfinite(rewards(transition, "integrated")).all()
    assert game.step_diagnostics(before, actions[-1], transition)["step"] == 3
    assert hash(game.parameters)


@every_game
def test_an_unknown_keyword_is_an_error(kind: type[Game]) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'lambda_plus'"):
        make(kind, lambda_plus=0.1)


@pytest.mark.parametrize(
    ("game_id", "keywords", "error"),
    [
        ("RenaultNissan-v0", {"phase": "merger"}, ValueError),
        ("ApacheProject-v0", {"phase": "attic"}, ValueError),
        ("SynergySearch-v0", {"gamma_range": (0.9, 0.2)}, ValueError),
        ("SynergySearch-v0", {"gamma_range": (0.2, 0.4, 0.6)}, ValueError),
        ("RecoveryRace-v0", {"recovery_target": 0.2}, ValueError),
        ("TrustDilemma-v0", {"trust_building_rate": 0.0}, ValueError),
        ("ReciprocalDilemma-v0", {"trust_params": {"lambda": 0.1}}, TypeError),
        ("ReciprocalDilemma-v0", {"trust_params": {"lambda_plus": 1.5}}, ValueError),
        ("ReciprocalDilemma-v0", {"value_params": {"beta": 0.0}}, ValueError),
        ("ReciprocalDilemma-v0", {"value_params": {"specification": "linear"}}, ValueError),
    ],
)
def test_senseless_values_are_errors(game_id: str, keywords: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        make(BY_ID[game_id], **keywords)


def test_inert_parameters_change_no_reward() -> None:
    inert = {
        "TeamProduction-v0": {"omega": 1.0, "beta": 0.2, "c": 3.0},
        "LoyaltyTeam-v0": {"omega": 1.0, "phi_B": 0.0, "phi_C": 2.0},
        "CoalitionFormation-v0": {"omega": 1.0, "beta": 0.2},
        "PublicGoods-v0": {"multiplier": 5.0, "phi_B": 0.0},
        "DynamicPartnerSelection-v0": {"reputation_weight": 0.0},
        "CooperativeNegotiation-v0": {"negotiation_rounds": 1},
    }
    for game_id, keywords in inert.items():
        game, changed = make(BY_ID[game_id]), make(BY_ID[game_id], **keywords)
        actions = random_actions(game, 20)
        pairs = zip(rollout(game, start(game), actions), rollout(changed, start(changed), actions), strict=True)
        for (_, expected), (_, actual) in pairs:
            np.testing.assert_array_equal(rewards(actual, "integrated"), rewards(expected, "integrated"))


def test_value_overrides_reach_the_payoffs() -> None:
    game = make(BY_ID["ReciprocalDilemma-v0"], value_params={"specification": "power", "beta": 0.5, "gamma": 0.0})
    payoffs = game.step(start(game), np.array([16.0, 25.0])).payoffs
    np.testing.assert_allclose(payoffs, (100 - 16 + 4, 100 - 25 + 5))


# Rules of single games


def test_synergy_weight_follows_the_seed_and_the_option() -> None:
    game = make(BY_ID["SynergySearch-v0"])
    for seed, gamma in ((0, 0.645873181125018), (1, 0.5582751372901797), (2, 0.3831284939745215)):
        assert start(game, seed=seed).gamma == gamma == np.random.default_rng(seed).uniform(0.2, 0.9)
    np.testing.assert_array_equal(start(game, (2,), gamma=[0.3, 0.4]).gamma, [0.3, 0.4])
    with pytest.raises(ValueError, match="uniforms"):
        game.initial_state()


def test_revealed_synergy_weight_is_shown() -> None:
    game = make(BY_ID["SynergySearch-v0"], reveal_gamma_in_obs=True)
    state = start(game, gamma=0.7)
    assert game.observe_jointly(state, "full")[-1] == 0.7
    transition = game.step(state, np.array([50.0, 50.0]))
    info = game.step_diagnostics(state, np.array([50.0, 50.0]), transition)
    assert (info["true_gamma"], info["gamma_type"]) == (0.7, 1)
    assert game.joint_observation_bounds("full")[1][-1] == 0.9


def test_disabled_trust_is_full_for_ever() -> None:
    game = make(BY_ID["SLCD-v0"], trust_enabled=False)
    for _, transition in rollout(game, start(game), random_actions(game, 10)):
        np.testing.assert_array_equal(transition.state.trust, np.ones((2, 2)))
        np.testing.assert_array_equal(transition.state.damage, np.zeros((2, 2)))
        np.testing.assert_array_equal(transition.weights, game.spec.interdependence)


def test_reset_options() -> None:
    game = make(BY_ID["LoyaltyTeam-v0"])
    given = {"initial_trust": [0.2, 0.8], "initial_reputation": 0.1}
    state = start(game, (2,), **given, initial_state={"loyalty": [0.1, 0.2, 0.3, 0.4], "t": 5})
    others = 1.0 - np.eye(4)
    np.testing.assert_allclose(state.trust, others * np.array([0.2, 0.8])[:, None, None] + np.eye(4))
    np.testing.assert_allclose(state.damage[1], 0.1 * others)
    np.testing.assert_allclose(state.loyalty, [[0.1, 0.2, 0.3, 0.4]] * 2)
    assert state.loyalty.dtype == np.float32
    np.testing.assert_array_equal(state.t, [5, 5])
    per_environment = start(game, (2,), initial_state={"loyalty": [[0.1], [0.9]]}).loyalty
    np.testing.assert_allclose(per_environment, [[0.1] * 4, [0.9] * 4])
    with pytest.raises(ValueError, match="no state"):
        start(game, initial_state={"reputation": 0.5})
    with pytest.raises(ValueError, match="cannot fill"):
        start(game, initial_state={"loyalty": [0.5, 0.5, 0.5]})


def test_given_scores_are_shown_at_once() -> None:
    game = make(BY_ID["ReputationMarket-v0"])
    state = start(game, initial_state={"public_scores": 0.9})
    np.testing.assert_allclose(game.observe_jointly(state, "full")[-5:], 0.9, rtol=1e-6)


def test_blurred_scores_lag_one_step() -> None:
    game = make(BY_ID["ReputationMarket-v0"], reputation_visibility=0.8)
    assert game.reset_normals == game.step_normals == 5
    noise = np.array([0.0, 1.0, -1.0, 9.0, -9.0])
    state = game.initial_state((), None, None, noise)
    np.testing.assert_allclose(game.observe_jointly(state, "full")[-5:], [0.5, 0.7, 0.3, 1.0, 0.0], rtol=1e-6)
    after = game.step(state, np.full(5, 100.0), noise).state
    np.testing.assert_allclose(after.public_scores, 0.55, rtol=1e-6)
    np.testing.assert_allclose(game.observe_jointly(after, "full")[-5:], [0.5, 0.7, 0.3, 1.0, 0.0], rtol=1e-6)
    with pytest.raises(ValueError, match="normals"):
        game.step(state, np.full(5, 100.0))


def test_tier_thresholds_are_met_in_single_precision() -> None:
    game = make(BY_ID["ReputationMarket-v0"])
    idle = [transition.multiplier[0] for _, transition in rollout(game, start(game), np.zeros((6, 5)))]
    np.testing.assert_allclose(idle, [0.7, 0.7, 0.7, 0.7, 0.4, 0.4])
    keen = [transition.multiplier[0] for _, transition in rollout(game, start(game), np.full((6, 5), 100.0))]
    np.testing.assert_allclose(keen, [1.0] * 5 + [1.3])


def test_an_idle_coalition_excludes_the_first_in_the_list() -> None:
    game = make(BY_ID["CoalitionFormation-v0"])
    sizes = []
    for before, transition in rollout(game, start(game), np.zeros((20, 6))):
        info = game.step_diagnostics(before, np.zeros(6), transition)
        sizes.append(info["coalition_size"])
        assert not transition.terminated
    assert sizes == [6] * 13 + [3] * 7
    assert info["excluded_agents"].nonzero()[0].tolist() == [0, 1, 2]
    assert info["coalition_members"].nonzero()[0].tolist() == [3, 4, 5]
    assert info["coalition_stability"] == 0.5


@settings(max_examples=200, deadline=None)
@given(st.data(), st.integers(0, 5), st.integers(0, 4), st.sampled_from([1, 2**24]))
def test_membership_equals_a_walk_through_the_lists(
    data: st.DataObject, smallest: int, cooldown: int, first: int
) -> None:
    n_agents = 5
    scores = st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.4, 0.9]), min_size=n_agents, max_size=n_agents)
    rules = MembershipRules(smallest, exit_loyalty=0.15, cooldown=cooldown, reentry_loyalty=0.4)
    members, excluded, timers = list(range(n_agents)), [], {}
    membership = Membership(np.ones(n_agents, dtype=bool), np.arange(n_agents), np.zeros(n_agents, dtype=np.int64))
    for step, loyalty in enumerate(data.draw(st.lists(scores, min_size=1, max_size=12)), start=first):
        for agent in list(members):
            if loyalty[agent] < 0.15 and len(members) > smallest:
                members.remove(agent)
                excluded.append(agent)
                timers[agent] = cooldown
        for agent in list(excluded):
            timers[agent] -= 1
            if timers[agent] <= 0 and loyalty[agent] >= 0.4:
                excluded.remove(agent)
                members.append(agent)
                del timers[agent]
        membership = update_membership(membership, np.array(loyalty), np.int64(step), rules)
        order = np.argsort(membership.arrival)
        assert [agent for agent in order if membership.members[agent]] == members
        assert [agent for agent in order if not membership.members[agent]] == excluded
        assert membership.timers.tolist() == [timers.get(agent, 0) for agent in range(n_agents)]


def test_recovery_needs_174_steps_of_full_cooperation() -> None:
    game = make(BY_ID["RecoveryRace-v0"], max_steps=200)
    steps = []
    for before, transition in rollout(game, start(game), np.full((180, 2), 100.0)):
        info = game.step_diagnostics(before, np.full(2, 100.0), transition)
        steps.append(bool(transition.terminated))
        assert info["recovery_step"] == (174 if len(steps) >= 174 else 0)
    assert steps.index(True) == 173


def test_nothing_survives_a_reset() -> None:
    for kind in RELEASED:
        game = make(kind)
        first = game.observe_jointly(start(game), "full")
        for _ in rollout(game, start(game), random_actions(game, 12)):
            pass
        np.testing.assert_array_equal(game.observe_jointly(start(game), "full"), first)


# Diagnostics

BASE = {"step", "mean_trust", "mean_reputation_damage", "total_value", "mean_cooperation", "cooperation_rate"}
BASE |= {"mean_effective_trust", "cooperation"}
BASE_STEP = {"actions", "payoffs", "welfare"}
TEAM = {"team_output", "nash_equilibrium", "social_optimum", "mean_loyalty", "loyalty_scores", "team_cohesion"}
TEAM |= {"free_rider_count", "free_rider_indices", "efficiency_ratio"}
CONDUCT = TEAM | {"recent_cooperation"}
RECIPROCITY = {"cooperation_signals", "reciprocity_effects", "memory_averages", "tr4_memory_window"}
HOLD_UP = {"trust_asymmetry", "power_asymmetry", "strong_agent_payoff", "weak_agent_payoff"}
HOLD_UP |= {"weak_trust_in_strong", "strong_trust_in_weak"}
PLATFORM = {"platform_investment", "mean_developer_investment", "developer_investment_std"}
PLATFORM |= {"developer_trust_in_platform", "developer_exits"}
NEGOTIATION = {"agreement_reached", "current_agreement", "breach_occurred", "total_agreements", "total_breaches"}
NEGOTIATION |= {"proposal_convergence"}
MARKET = {"public_reputations", "reputation_ranking", "agent_tiers", "mean_reputation", "reputation_inequality"}
APACHE = {"phase", "phase_years", "phase_loyalty", "expected_effort", "effort_deviation", "validation_accuracy"}
COALITION = {"coalition_size", "coalition_members", "excluded_agents", "coalition_stability"}
GOODS = {"total_contribution", "public_good", "contribution_rate", "social_efficiency"}

KEYS: dict[str, tuple[set[str], set[str]]] = {
    "TrustDilemma-v0": (set(), {"defection_counts", "cooperation_counts", "cooperation_rates"}),
    "PartnerHoldUp-v0": (HOLD_UP, set()),
    "PlatformEcosystem-v0": (PLATFORM, set()),
    "DynamicPartnerSelection-v0": (set(), {"reputation_scores", "reputation_ranking"}),
    "RecoveryRace-v0": (set(), {"peak_trust", "recovery_step", "trust_ceiling", "recovery_progress"}),
    "SynergySearch-v0": (set(), {"true_gamma", "gamma_type"}),
    "SLCD-v0": ({"agent_names", "samsung_investment", "sony_investment"}, set()),
    "RenaultNissan-v0": ({"phase", "period", "agent_names"}, set()),
    "CooperativeNegotiation-v0": (set(), NEGOTIATION),
    "ReputationMarket-v0": (set(), MARKET),
    "TeamProduction-v0": (TEAM, set()),
    "LoyaltyTeam-v0": (CONDUCT | {"loyalty_lift"}, set()),
    "CoalitionFormation-v0": (CONDUCT | COALITION, set()),
    "ApacheProject-v0": (CONDUCT | APACHE, set()),
    "PublicGoods-v0": (CONDUCT | GOODS, set()),
    "ReciprocalDilemma-v0": (RECIPROCITY, set()),
    "GiftExchange-v0": (RECIPROCITY, set()),
    "IndirectReciprocity-v0": (RECIPROCITY, set()),
    "GraduatedSanction-v0": (RECIPROCITY, set()),
    "AppleAppStore-v0": (RECIPROCITY, set()),
}
"""Keys a game adds to every ``info``, and those only a step has."""


@every_game
def test_info_keys(kind: type[Game]) -> None:
    game = make(kind)
    always, step_only = KEYS[kind.id]
    for batch in ((), (3,)):
        state = start(game, batch)
        assert set(game.diagnostics(state)) == BASE | always
        actions = random_actions(game, 4, batch)
        for before, transition in rollout(game, state, actions):
            info = game.step_diagnostics(before, transition.state.last_action, transition)
        assert set(info) == BASE | BASE_STEP | always | step_only
        assert np.shape(info["mean_trust"]) == batch


def play_info(game_id: str, actions: Any, **keywords: Any) -> dict[str, Any]:
    game = make(BY_ID[game_id], **keywords)
    for before, transition in rollout(game, start(game), np.asarray(actions, dtype=float)):
        info = game.step_diagnostics(before, transition.state.last_action, transition)
    return info


def test_counted_cooperation() -> None:
    info = play_info("TrustDilemma-v0", [[40, 39], [50, 60], [80, 0]])
    assert info["cooperation_counts"].tolist() == [3, 1]
    assert info["defection_counts"].tolist() == [0, 2]
    assert info["cooperation_rates"] == pytest.approx([1.0, 1 / 3])
    assert info["step"] == 3


def test_negotiated_agreement_and_breach() -> None:
    info = play_info("CooperativeNegotiation-v0", [[50, 58], [80, 56]])
    assert info["current_agreement"].tolist() == [50.0, 58.0]
    assert (info["breach_occurred"], info["agreement_reached"]) == (True, False)
    assert (info["total_agreements"], info["total_breaches"]) == (1, 1)
    assert info["proposal_convergence"] == pytest.approx(0.76)
    assert play_info("CooperativeNegotiation-v0", [[0, 100]])["current_agreement"].tolist() == [0.0, 0.0]


def test_hold_up_reports_private_payoffs() -> None:
    info = play_info("PartnerHoldUp-v0", [[60, 40]])
    assert (info["strong_agent_payoff"], info["weak_agent_payoff"]) == pytest.approx(tuple(info["payoffs"]))
    assert info["power_asymmetry"] == pytest.approx(0.5)


def test_team_benchmarks() -> None:
    info = play_info("TeamProduction-v0", [[25, 25, 10, 50]])
    assert info["nash_equilibrium"] == pytest.approx(34.24, abs=0.01)
    assert info["social_optimum"] == pytest.approx(3478.57, abs=0.01)
    assert info["free_rider_indices"].tolist() == [False, False, True, False]
    assert info["free_rider_count"] == 1
    goods = play_info("PublicGoods-v0", [[50] * 5])
    assert (goods["nash_equilibrium"], goods["social_optimum"]) == (0.0, 50.0)
    assert goods["social_efficiency"] == pytest.approx(1.0)


def test_reciprocity_pairs() -> None:
    info = play_info("GiftExchange-v0", [[50, 40], [50, 40], [80, 10]])
    np.testing.assert_allclose(info["memory_averages"], [[0.0, 25.0], [65.0, 0.0]])
    np.testing.assert_allclose(info["cooperation_signals"], [[0.0, -15.0], [15.0, 0.0]])
    assert info["reciprocity_effects"][1, 0] > 0 > info["reciprocity_effects"][0, 1]
    assert info["tr4_memory_window"] == 3


def test_ranking_and_tiers() -> None:
    info = play_info("ReputationMarket-v0", [[0, 100, 100, 50, 0]] * 6)
    assert info["reputation_ranking"].tolist() == [1, 2, 3, 0, 4]
    assert info["agent_tiers"].tolist() == [0, 3, 3, 2, 0]


def test_collapse_is_reported() -> None:
    info = play_info("PlatformEcosystem-v0", [[0] * 5] * 8)
    assert info["developer_trust_in_platform"] < 0.15
    assert info["developer_exits"] == 4
