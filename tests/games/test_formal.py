"""The formal edition against recorded trajectories, documented numbers and computed equilibria."""

from __future__ import annotations

import numpy as np
import pytest

from coopgym.backend import torch_backend
from coopgym.games.formal import FORMAL
from coopgym.games.state import State, state_arrays
from coopgym.play.engine import Engine
from tests.games.formal_play import (
    BY_ID,
    MODES,
    Game,
    constant,
    every_game,
    make,
    random_actions,
    rewards,
    rollout,
    start,
)
from tests.support.recordings import Recording, assert_close, recording

# Recorded trajectories: tolerances for engines in double precision (observations are stored in single precision)

EXACT = 1e-9
OBSERVED = 1e-6
DISSOLVABLE = ("TrustDilemma-v1", "PartnerHoldUp-v1")
REPLAYS = [(kind.id, False) for kind in FORMAL] + [(game_id, True) for game_id in DISSOLVABLE]
FLAGS = {
    "TrustDilemma-v1": slice(0, 1),
    "PartnerHoldUp-v1": slice(1, 2),
    "PlatformEcosystem-v1": slice(0, 5),
    "CooperativeNegotiation-v1": slice(0, 1),
    "CoalitionFormation-v1": slice(0, 12),
    "AppleAppStore-v1": slice(0, 3),
}
"""Memberships, timers, agreements and dissolutions in the auxiliary state."""


def replayed(game_id: str, ends_early: bool) -> Recording:
    recorded = recording(game_id)
    return recorded.where(np.array([script.endswith("_end") == ends_early for script in recorded.scripts]))


def assert_state(game: Game, state: State, recorded: Recording, step: int) -> None:
    live = recorded.live(step)
    episodes = len(live)
    seen = game.observe(state, "own").reshape(episodes, -1)[live]
    auxiliary = game.extra_state(state)[live]
    wanted = {name: recorded.at(name, step)[live] for name in ("trust", "reputation", "observation", "aux")}
    assert_close(state.trust.reshape(episodes, -1)[live], wanted["trust"], EXACT, f"trust at {step}")
    assert_close(state.damage.reshape(episodes, -1)[live], wanted["reputation"], EXACT, f"damage at {step}")
    # ApacheProject's recording keeps the first three agents.
    assert_close(seen[:, : wanted["observation"].shape[-1]], wanted["observation"], OBSERVED, f"observation at {step}")
    assert_close(auxiliary, wanted["aux"], EXACT, f"auxiliary state at {step}")
    exact = FLAGS.get(game.id, slice(0, 0))
    np.testing.assert_array_equal(auxiliary[:, exact], wanted["aux"][:, exact])
    mean_trust = game.diagnostics(state)["mean_trust"]
    assert_close(mean_trust[live], recorded.at("mean_trust", step)[live], EXACT, f"mean trust at {step}")


@pytest.mark.parametrize(("game_id", "ends_early"), REPLAYS)
def test_recorded_trajectories_are_reproduced(game_id: str, ends_early: bool) -> None:
    recorded = replayed(game_id, ends_early)
    game = make(game_id, **({"end_on_dissolution": True} if ends_early else {}))
    engine = Engine(game, recorded.modes, (len(recorded.modes),))
    engine.reset(recorded.seeds)
    assert_state(game, engine.state, recorded, 0)
    if game_id == "SynergySearch-v1":
        assert_close(engine.state.gamma, recorded.at("gamma", 0), EXACT, "hidden synergy weight")
    for step in range(1, recorded.lengths.max() + 1):
        transition, reward = engine.step(recorded.at("actions", step))
        live = recorded.live(step)
        assert_state(game, transition.state, recorded, step)
        assert_close(transition.payoffs[live], recorded.at("payoffs", step)[live], EXACT, f"payoffs at {step}")
        assert_close(reward[live], recorded.at("rewards", step)[live], EXACT, f"rewards at {step}")
        np.testing.assert_array_equal(transition.terminated[live], recorded.at("terminated", step)[live])
        np.testing.assert_array_equal(transition.truncated[live], recorded.at("truncated", step)[live])


def test_every_recorded_row_is_replayed() -> None:
    assert sum((replayed(*case).lengths + 1).sum() for case in REPLAYS) == 33_438


# Documented numbers

FIRST_STEP: dict[str, tuple[tuple[float, ...], tuple[float, ...], float, tuple[float, float]]] = {
    "TrustDilemma-v1": ((1.754546,) * 2, (2.28091,) * 2, 1.754546, (0.540279, 0.540279)),
    "PartnerHoldUp-v1": ((1.964326, 1.36793), (2.227653, 2.286253), 1.666128, (0.577761, 0.577761)),
    "PlatformEcosystem-v1": (
        (2.392178, 1.471223, 1.471223),
        (3.274912, 2.547703, 2.547703),
        1.655414,
        (0.619340, 0.619340),
    ),
    "DynamicPartnerSelection-v1": ((1.865819,) * 3, (3.731638,) * 3, 1.865819, (0.532223, 0.532223)),
    "RecoveryRace-v1": ((1.741286,) * 2, (1.980713,) * 2, 1.741286, (0.257283, 0.257283)),
    "SynergySearch-v1": ((1.80313,) * 2, (2.298991,) * 2, 1.803130, (0.570795, 0.570795)),
    "SLCD-v1": ((1.933131, 1.624545), (2.608942, 2.705166), 1.778838, (0.660639, 0.660639)),
    "RenaultNissan-v1": ((1.747845, 1.879865), (2.418957, 2.68737), 1.813855, (0.708511, 0.708511)),
    "CooperativeNegotiation-v1": ((1.865819,) * 2, (2.378919,) * 2, 1.865819, (0.520713, 0.520713)),
    "ReputationMarket-v1": ((1.670719,) * 3, (2.840223,) * 3, 1.670719, (0.526852, 0.526852)),
    "TeamProduction-v1": ((1.720631,) * 3, (3.140151,) * 3, 1.720631, (0.518997, 0.518997)),
    "LoyaltyTeam-v1": ((1.594968,) * 3, (2.51731,) * 3, 1.594968, (0.523106, 0.523106)),
    "CoalitionFormation-v1": ((1.7537,) * 3, (3.215593,) * 3, 1.753700, (0.523106, 0.523106)),
    "ApacheProject-v1": ((1.570389,) * 3, (0.699364,) * 3, 1.570389, (0.523106, 0.523106)),
    "PublicGoods-v1": ((1.532986,) * 3, (2.61914,) * 3, 1.532986, (0.523106, 0.523106)),
    "ReciprocalDilemma-v1": ((1.74436,) * 2, (2.245193,) * 2, 1.744360, (0.518997, 0.518997)),
    "GiftExchange-v1": ((1.869486, 1.483185), (2.208511, 2.137505), 1.676335, (0.523106, 0.500000)),
    "IndirectReciprocity-v1": ((1.741963,) * 3, (2.863637,) * 3, 1.741963, (0.518997, 0.518997)),
    "GraduatedSanction-v1": ((1.684886,) * 3, (3.185117,) * 3, 1.684886, (0.509869, 0.509869)),
    "AppleAppStore-v1": (
        (1.956141, 1.939772, 1.918803),
        (2.564824, 3.121048, 3.088129),
        1.938239,
        (0.615198, 0.615198),
    ),
}
"""Rewards of the first agents per mode, and T_01 and T_10, after all play half of their endowment once."""


@every_game
def test_first_step(kind: type[Game]) -> None:
    game = make(kind.id)
    private, integrated, cooperative, trust = FIRST_STEP[kind.id]
    state = start(game, gamma=2.5 if kind.id == "SynergySearch-v1" else None)
    transition = game.step(state, 0.5 * game.spec.endowments)
    shown = len(private)
    np.testing.assert_allclose(rewards(game, transition, "private")[:shown], private, atol=1e-6)
    np.testing.assert_allclose(rewards(game, transition, "integrated")[:shown], integrated, atol=1e-6)
    np.testing.assert_allclose(rewards(game, transition, "cooperative"), cooperative, atol=1e-6)
    np.testing.assert_allclose((transition.state.trust[0, 1], transition.state.trust[1, 0]), trust, atol=1e-6)


DIMENSIONS = {
    "TrustDilemma-v1": (9, 12),
    "PartnerHoldUp-v1": (10, 13),
    "PlatformEcosystem-v1": (31, 76),
    "DynamicPartnerSelection-v1": (43, 139),
    "RecoveryRace-v1": (9, 12),
    "SynergySearch-v1": (9, 14),
    "SLCD-v1": (8, 11),
    "RenaultNissan-v1": (8, 11),
    "CooperativeNegotiation-v1": (10, 13),
    "ReputationMarket-v1": (31, 81),
    "TeamProduction-v1": (20, 45),
    "LoyaltyTeam-v1": (22, 50),
    "CoalitionFormation-v1": (41, 122),
    "ApacheProject-v1": (238, 4802),
    "PublicGoods-v1": (28, 77),
    "ReciprocalDilemma-v1": (10, 23),
    "GiftExchange-v1": (11, 20),
    "IndirectReciprocity-v1": (31, 84),
    "GraduatedSanction-v1": (44, 175),
    "AppleAppStore-v1": (20, 43),
}
"""Entries of a seat's own and full view."""


@every_game
@pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
def test_observations_have_the_documented_size(kind: type[Game], batch: tuple[int, ...]) -> None:
    game, state = make(kind.id), start(make(kind.id), batch)
    n = game.n_agents
    own, full = DIMENSIONS[kind.id]
    for view, size in (("own", own), ("full", full), ("minimal", n + 1)):
        # A joint controller sees every seat's view, but the world only once where every seat sees all of it.
        together = full - n if view == "full" else n * size
        assert game.observe(state, view).shape == (*batch, n, size)
        assert game.observe_jointly(state, view).shape == (*batch, together)
        assert [bound.shape for bound in game.observation_bounds(view)] == [(n, size)] * 2
        assert [bound.shape for bound in game.joint_observation_bounds(view)] == [(together,)] * 2


@every_game
def test_blocks_name_the_columns(kind: type[Game]) -> None:
    game = make(kind.id)
    n = game.n_agents
    *_, (_, transition) = rollout(game, start(game), random_actions(game, 3))
    state = transition.state
    for view in game.views:
        seen = game.observe(state, view)
        for seat in (0, n - 1):
            others = [j for j in range(n) if j != seat]
            blocks = game.observation_columns(view, seat)
            shown = {
                "own_action": state.last_action[[seat]],
                "trust": state.trust[seat, others],
                "time": [3 / game.spec.horizon],
            }
            if view != "minimal":
                shown["partner_actions"] = state.last_action[others]
            if view == "own":
                shown["trust_received"] = state.trust[others, seat]
                shown["damage"] = state.damage[seat, others]
                shown["standing"] = state.damage[others, seat]
                shown["dependence"] = game.interdependence[seat, others]
            if view == "full":
                shown["seat"] = np.eye(n)[seat]
                shown["actions"] = state.last_action
            for name, values in shown.items():
                np.testing.assert_array_equal(seen[seat, blocks[name]], values, err_msg=f"{view} view: {name}")
            assert sorted({column for columns in blocks.values() for column in columns}) == list(range(seen.shape[-1]))


BASE = {"mean_trust", "mean_effective_trust", "mean_reputation_damage", "cooperation"}
BASE_STEP = {"payoffs", "welfare", "weights_mean", "signals", "psi"}
TEAM = {"team_output", "nash_effort", "optimal_effort", "efficiency_ratio", "free_riders"}
LOYALTY = {"loyalty", "cohesion"}
PLATFORM = {"members", "links"}

KEYS: dict[str, tuple[set[str], set[str]]] = {
    "TrustDilemma-v1": ({"gone", "gate"}, set()),
    "PartnerHoldUp-v1": (
        {"asset", "supplier_share", "supplier_trust", "buyer_trust", "power_asymmetry", "gone"},
        set(),
    ),
    "PlatformEcosystem-v1": (PLATFORM, {"exits", "returns"}),
    "DynamicPartnerSelection-v1": ({"score", "time_shares", "best_partner", "unmatched"}, set()),
    "RecoveryRace-v1": ({"recovered", "recovery_step", "peak_trust", "trust_ceiling"}, set()),
    "SynergySearch-v1": (set(), set()),
    "SLCD-v1": ({"agent_names", "samsung_investment", "sony_investment"}, set()),
    "RenaultNissan-v1": ({"agent_names", "phase", "period"}, set()),
    "CooperativeNegotiation-v1": (
        {"agreement", "agreed_level", "total_agreements", "total_breaches"},
        {"breach", "damages"},
    ),
    "ReputationMarket-v1": ({"score", "tiers", "market_shares"}, set()),
    "TeamProduction-v1": (TEAM, set()),
    "LoyaltyTeam-v1": (TEAM | LOYALTY, set()),
    "CoalitionFormation-v1": (TEAM | LOYALTY | {"members", "coalition_alive"}, {"exclusions", "reentries"}),
    "ApacheProject-v1": (TEAM | LOYALTY | {"phase", "expected_effort"}, set()),
    "PublicGoods-v1": (LOYALTY | {"public_good", "contribution_rate"}, set()),
    "ReciprocalDilemma-v1": ({"memory"}, {"effects"}),
    "GiftExchange-v1": ({"memory", "wage_in_force", "effort"}, {"effects"}),
    "IndirectReciprocity-v1": ({"memory", "image", "recipient", "donor"}, {"effects"}),
    "GraduatedSanction-v1": ({"memory", "record"}, {"effects", "violations", "fines", "enforcement_cost"}),
    "AppleAppStore-v1": ({"memory"} | PLATFORM, {"effects", "exits", "returns"}),
}
"""Keys a game adds to every ``info``, and those only a step has."""


@every_game
@pytest.mark.parametrize("batch", [(), (3,)])
def test_info_keys(kind: type[Game], batch: tuple[int, ...]) -> None:
    game = make(kind.id)
    always, step_only = KEYS[kind.id]
    state = start(game, batch)
    assert set(game.diagnostics(state)) == BASE | always
    *_, (before, transition) = rollout(game, state, random_actions(game, 4, batch))
    info = game.step_diagnostics(before, random_actions(game, 1, batch)[0], transition)
    assert set(info) == BASE | BASE_STEP | always | step_only
    for name in ("mean_trust", "welfare", "weights_mean"):
        assert np.shape(info[name]) == batch
    for name in ("payoffs", "signals", "psi", "cooperation"):
        assert np.shape(info[name]) == (*batch, game.n_agents)


def test_the_hidden_synergy_weight_is_reported_on_request_only() -> None:
    game = make("SynergySearch-v1", privileged=True)
    assert game.diagnostics(start(game, gamma=2.7))["gamma"] == 2.7


@every_game
def test_an_episode_is_truncated_at_its_horizon_and_never_earlier(kind: type[Game]) -> None:
    game = make(kind.id)
    for share in (0.0, 1.0):
        ends = [
            (bool(transition.terminated), bool(transition.truncated))
            for _, transition in rollout(game, start(game), constant(game, game.spec.horizon, share))
        ]
        assert ends == [(False, False)] * (game.spec.horizon - 1) + [(False, True)]


def test_closed_form_efforts_of_a_team() -> None:
    info = make("TeamProduction-v1").diagnostics(start(make("TeamProduction-v1")))
    assert info["nash_effort"] == pytest.approx(50 * (1.55 * 0.55 / 4) ** (1 / 0.45))
    assert info["optimal_effort"] == pytest.approx(50 * (1.55 * 0.55) ** (1 / 0.45))


# Backends


@every_game
def test_torch_agrees_with_numpy(kind: type[Game]) -> None:
    torch = pytest.importorskip("torch")
    game = make(kind.id)
    twin = game.to(torch_backend(dtype=torch.float64))
    actions = random_actions(game, 20, (4,))
    played = rollout(game, start(game, (4,)), actions)
    mirrored = rollout(twin, start(twin, (4,)), torch.as_tensor(actions))
    for (_, expected), (_, actual) in zip(played, mirrored, strict=True):
        for mode in MODES:
            np.testing.assert_allclose(rewards(twin, actual, mode), rewards(game, expected, mode), atol=1e-9)
        np.testing.assert_array_equal(actual.truncated, expected.truncated)
        np.testing.assert_allclose(twin.extra_state(actual.state), game.extra_state(expected.state), atol=1e-9)
        for view in game.views:
            np.testing.assert_allclose(twin.observe(actual.state, view), game.observe(expected.state, view), atol=1e-9)


@every_game
@pytest.mark.parametrize("batch", [(), (2,)])
def test_single_precision_torch_keeps_its_type(kind: type[Game], batch: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    game = make(kind.id, torch_backend())
    before = start(game, batch)
    actions = torch.as_tensor(random_actions(game, 1, batch)[0], dtype=torch.float32)
    transition = game.step(before, actions)
    assert rewards(game, transition, "integrated").dtype == torch.float32
    for name in state_arrays(before):
        old, new = getattr(before, name), getattr(transition.state, name)
        assert (old.dtype, old.shape) == (new.dtype, new.shape), name
    info = game.step_diagnostics(before, actions, transition)
    assert set(game.diagnostics(before)) <= set(info)
    assert tuple(np.shape(info["mean_trust"])) == batch


def test_the_edition_holds_twenty_games() -> None:
    assert len(FORMAL) == len(BY_ID) == len(FIRST_STEP) == len(DIMENSIONS) == len(KEYS) == 20
