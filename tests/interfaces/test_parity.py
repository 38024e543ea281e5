"""One core behind every interface: the same actions give the same rewards, observations and endings everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import coopgym
from tests.interfaces.playing import (
    COMPILER,
    GAMES,
    MODES,
    PLAYERS,
    FloatArray,
    aec_env,
    by_agent,
    every_game,
    every_mode,
    every_view,
    joint_env,
    parallel_env,
    random_actions,
    seat_env,
    torch_env,
    vector_env,
)
from tests.support.recordings import DATA, assert_close, recording

AGREEMENT = 1e-6
"""Largest difference between interfaces: all compute in double precision, in different orders."""


# Recorded play


@pytest.mark.parametrize(
    ("game_id", "mode", "names"),
    [
        pytest.param(game, mode, names, marks=[pytest.mark.slow] if (g + m) % 3 or (g + n) % 2 else [])
        for g, game in enumerate(GAMES)
        for m, mode in enumerate(MODES)
        for n, names in enumerate([("parallel", "vector"), ("aec", "torch")])
    ],
    ids=str,
)
def test_recorded_play_is_the_same_through_every_interface(game_id: str, mode: str, names: tuple[str, ...]) -> None:
    recorded = recording(game_id).episode(mode, "uniform")
    wanted = {name: recorded.columns[name][0, 1:] for name in ("actions", "rewards", "terminated", "truncated")}
    released = game_id.endswith("-v0")
    tolerance = 2e-4 + 5e-6 * np.abs(wanted["rewards"]) if released else 1e-9
    played = {name: PLAYERS[name](game_id, wanted["actions"], reward=mode) for name in ("joint", *names)}
    for name, episode in played.items():
        assert_close(episode.rewards, wanted["rewards"], tolerance, f"rewards through {name}")
        np.testing.assert_array_equal(episode.terminated, wanted["terminated"], err_msg=name)
        np.testing.assert_array_equal(episode.truncated, wanted["truncated"], err_msg=name)
        assert_close(episode.rewards, played["joint"].rewards, AGREEMENT, f"{name} against joint")


@pytest.mark.parametrize("keywords", [{"payoff_noise": 0.3}, {"visibility": 0.5}])
def test_noise_is_the_same_through_every_interface(keywords: dict[str, float]) -> None:
    actions = random_actions("ReputationMarket-v1", 12)
    played = [play("ReputationMarket-v1", actions, seed=4, **keywords).rewards for play in PLAYERS.values()]
    for rewards in played[1:]:
        np.testing.assert_allclose(rewards, played[0], atol=AGREEMENT)


# Recorded observations: what the reference's PettingZoo interfaces show

PRESETS = {"default": "full", "full": "full", "asymmetric": "own", "minimal": "minimal"}
DEFECTIVE = ("SynergySearch-v0", "CooperativeNegotiation-v0", "ReputationMarket-v0", "CoalitionFormation-v0")
"""Games whose rules the reference's PettingZoo interfaces skip: their recorded rewards and flags are wrong."""
RELEASED = coopgym.games("released")


def recorded_rounds(game_id: str, api: str, preset: str) -> list[list[dict[str, Any]]]:
    """One list of rows per round, an agent each."""
    chosen = (pc.field("env_id") == game_id) & (pc.field("api") == api) & (pc.field("obs_config") == preset)
    rows = pq.read_table(DATA / "pettingzoo_prefix.parquet", filters=chosen).to_pylist()
    rounds = sorted({row["round"] for row in rows})
    return [sorted((row for row in rows if row["round"] == k), key=_seat) for k in rounds]


def _seat(row: dict[str, Any]) -> int:
    return int(row["agent"].removeprefix("agent_"))


def assert_own_info(info: dict[str, Any], row: dict[str, Any]) -> None:
    for name in ("own_action", "own_trust_mean", "cooperation_rate"):
        assert info[name] == pytest.approx(row[name], rel=1e-5, abs=1e-6), name


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("game_id", RELEASED)
def test_recorded_parallel_rounds(game_id: str, preset: str) -> None:
    rounds = recorded_rounds(game_id, "parallel", preset)
    assert len(rounds) >= 2 or preset == "full" or game_id in DEFECTIVE
    env = parallel_env(game_id, view=PRESETS[preset])
    for number, rows in enumerate(rounds):
        if number == 0:
            observations, infos = env.reset(seed=0)
            rewards = terminated = truncated = None
        else:
            observations, rewards, terminated, truncated, infos = env.step(
                {row["agent"]: np.array([row["action"]], dtype=np.float32) for row in rows}
            )
        for row in rows:
            agent = row["agent"]
            np.testing.assert_allclose(observations[agent], row["observation"], rtol=1e-5, atol=1e-5)
            assert_own_info(infos[agent], row)
            assert infos[agent]["step"] == number
            if rewards is not None and game_id not in DEFECTIVE:
                assert rewards[agent] == pytest.approx(row["reward"], rel=5e-6, abs=2e-4)
                assert terminated[agent] == row["terminated"]
                assert truncated[agent] == row["truncated"]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("game_id", RELEASED)
def test_recorded_aec_rounds(game_id: str, preset: str) -> None:
    env = aec_env(game_id, view=PRESETS[preset])
    env.reset(seed=0)
    for rows in recorded_rounds(game_id, "aec", preset):
        for row in rows:
            if row["action"] is None:
                continue
            observation, reward, terminated, truncated, info = env.last()
            assert env.agent_selection == row["agent"]
            # The last N entries are what earlier movers of this round have revealed.
            np.testing.assert_allclose(observation, row["observation"], rtol=1e-5, atol=1e-5)
            assert_own_info(info, row)
            if game_id not in DEFECTIVE:
                assert reward == pytest.approx(row["reward"], rel=5e-6, abs=2e-4)
                assert (terminated, truncated) == (row["terminated"], row["truncated"])
            env.step(np.array([row["action"]], dtype=np.float32))


def test_moves_of_the_formal_edition_stay_simultaneous() -> None:
    env, twin = aec_env("PublicGoods-v1"), parallel_env("PublicGoods-v1")
    env.reset(seed=0)
    expected, _ = twin.reset(seed=0)
    env.step(np.array([50.0]))
    np.testing.assert_array_equal(env.observe("agent_1"), expected["agent_1"])
    assert env.observation_space("agent_1") == twin.observation_space("agent_1")


# Observations


@every_view
@every_game
def test_seats_see_the_same_through_every_interface(game_id: str, view: str) -> None:
    torch = pytest.importorskip("torch")
    actions, seat = random_actions(game_id, 3), coopgym.spec(game_id).n_agents - 1
    levels = actions / coopgym.spec(game_id).endowments
    partners = [_Scripted(levels[:, j]) for j in range(seat)]
    parallel = parallel_env(game_id, view=view)
    batch = torch_env(game_id, 2, view=view, dtype=torch.float64)
    alone = seat_env(game_id, view=view, seat=seat, partners=partners)
    joint = joint_env(game_id, view=view)
    rows = vector_env(game_id, 2, control="joint", view=view)

    together, tensors = parallel.reset(seed=5)[0], batch.reset(seed=5)
    mine, everything, wide = alone.reset(seed=5)[0], joint.reset(seed=5)[0], rows.reset(seed=5)[0]
    for step in range(4):
        np.testing.assert_allclose(np.stack([*together.values()]), tensors[0], rtol=1e-6, atol=AGREEMENT)
        np.testing.assert_allclose(mine, together[f"agent_{seat}"], rtol=1e-6, atol=AGREEMENT)
        np.testing.assert_array_equal(everything, wide[0])
        np.testing.assert_array_equal(parallel.state(), np.concatenate([*together.values()]))
        if view != "full":
            np.testing.assert_array_equal(everything, parallel.state())
        if step < 3:
            action = actions[step]
            together = parallel.step(by_agent(parallel, action))[0]
            tensors = batch.step(torch.tensor(np.stack([action, action])))[0]
            mine, everything = alone.step(action[[seat]])[0], joint.step(action)[0]
            wide = rows.step(np.stack([action, action]))[0]


class _Scripted:
    """Plays given shares of its endowment, one per step."""

    def __init__(self, shares: FloatArray) -> None:
        self.shares = shares

    def begin(self, seat: Any, episodes: int, rng: Any) -> None:
        self.seat, self.step = seat, -1

    def act(self, observation: FloatArray) -> FloatArray:
        self.step += 1
        return np.full(len(observation), self.shares[self.step])


# Seats


@every_mode
@every_game
def test_a_seat_among_constants_equals_joint_play(game_id: str, mode: str) -> None:
    spec = coopgym.spec(game_id)
    seat, levels = spec.n_agents - 1, (0.3, 0.8)
    partners = [f"Constant_{round(100 * levels[j % 2])}" for j in range(seat)]
    actions = np.tile([levels[j % 2] for j in range(spec.n_agents)] * spec.endowments, (5, 1))
    actions[:, seat] = random_actions(game_id, 5)[:, seat]
    joint = PLAYERS["joint"](game_id, actions, seed=2, reward=mode).rewards[:, seat]
    alone = seat_env(game_id, seat=seat, partners=partners, reward=mode)
    rows = vector_env(game_id, 2, seat=seat, partners=partners, reward=mode)
    alone.reset(seed=2)
    rows.reset(seed=2)
    for level, expected in zip(actions[: len(joint), seat], joint, strict=True):
        _, reward, *_, info = alone.step([level])
        assert reward == info["rewards"][seat] == pytest.approx(expected, rel=1e-12)
        assert rows.step([[level], [level / 2]])[1][0] == pytest.approx(expected, rel=1e-12)


def test_seats_of_a_stable_baselines_batch_equal_joint_play() -> None:
    sb3 = pytest.importorskip("coopgym.interfaces.sb3")
    actions = random_actions("GiftExchange-v1", 8)
    env = sb3.seat_vec_env("GiftExchange-v1", 2, reward="private")
    env.reset()
    expected = PLAYERS["joint"]("GiftExchange-v1", actions, reward="private").rewards
    for action, rewards in zip(actions, expected, strict=True):
        normalised = 2.0 * action / coopgym.spec("GiftExchange-v1").endowments - 1.0
        _, reward, _, _ = env.step(np.concatenate([normalised, [0.0, 0.0]])[:, None])
        np.testing.assert_allclose(reward[:2], rewards, rtol=1e-5)


# Randomness


@pytest.mark.parametrize(
    ("game_id", "keywords"),
    [
        ("SynergySearch-v1", {}),
        ("SynergySearch-v0", {}),
        ("ReputationMarket-v1", {"visibility": 0.5}),
        ("ReputationMarket-v0", {"reputation_visibility": 0.5}),
        ("TeamProduction-v1", {"payoff_noise": 0.1}),
    ],
)
def test_row_k_of_a_batch_is_a_single_environment_with_seed_plus_k(game_id: str, keywords: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    actions, seed, size = random_actions(game_id, 4), 11, 3
    vector = vector_env(game_id, size, control="joint", view="full", **keywords)
    batch = torch_env(game_id, size, view="full", dtype=torch.float64, **keywords)
    singles = [joint_env(game_id, view="full", **keywords) for _ in range(size)]
    seen = vector.reset(seed=seed)[0]
    batch.reset(seed=seed)
    shown = [env.reset(seed=seed + k)[0] for k, env in enumerate(singles)]
    np.testing.assert_array_equal(seen, shown)
    for action in actions:
        seen, _, _, _, info = vector.step(np.stack([action] * size))
        rewards = batch.step(torch.tensor(np.stack([action] * size)))[1]
        alone = [env.step(action) for env in singles]
        np.testing.assert_array_equal(seen, [step[0] for step in alone])
        expected = np.stack([step[4]["rewards"] for step in alone])
        np.testing.assert_allclose(info["rewards"], expected, rtol=1e-12)
        np.testing.assert_allclose(rewards, expected, atol=AGREEMENT)
    assert len(np.unique(expected[:, 0])) == size or "visibility" in str(keywords)


def test_seeds_may_be_given_row_by_row() -> None:
    env = vector_env("SynergySearch-v1", 3, control="joint", view="full")
    forward, _ = env.reset(seed=[7, 8, 9])
    backward, _ = env.reset(seed=[9, 8, 7])
    np.testing.assert_array_equal(forward, backward[::-1])
    np.testing.assert_array_equal(forward, env.reset(seed=7)[0])


def test_episodes_without_a_seed_go_on_with_the_stream() -> None:
    def draws(seed: int) -> list[float]:
        env = joint_env("SynergySearch-v1", privileged=True)
        return [env.reset(seed=seed if k == 0 else None)[1]["gamma"] for k in range(4)]

    assert draws(3) == draws(3)
    assert len({*draws(3), *draws(4)}) == 8


def test_nothing_is_carried_across_resets() -> None:
    for game_id in GAMES:
        env, actions = joint_env(game_id, view="full"), random_actions(game_id, 6)
        runs = []
        for _ in range(2):
            first, _ = env.reset(seed=1)
            runs.append([first, *(env.step(action)[0] for action in actions)])
        np.testing.assert_array_equal(runs[0], runs[1], err_msg=game_id)


# Torch batches


def assert_compiled_agrees(game_id: str, steps: int) -> None:
    torch = pytest.importorskip("torch")
    keywords = {"dtype": torch.float64, "reward": MODES, "max_steps": 4}
    plain = torch_env(game_id, (3, 2), **keywords)
    fused = torch_env(game_id, (3, 2), compile=True, **keywords)
    np.testing.assert_allclose(fused.reset(seed=0), plain.reset(seed=0))
    shares = torch.rand((steps, *plain.batch, plain.game.n_agents), generator=torch.Generator().manual_seed(0))
    for share in shares.double():
        actions = share * plain.game.endowments
        expected, actual = plain.step(actions), fused.step(actions)
        for one, other in zip(expected[:4], actual[:4], strict=True):
            np.testing.assert_allclose(other, one, atol=AGREEMENT)
        np.testing.assert_allclose(actual[4]["payoffs"], expected[4]["payoffs"], atol=AGREEMENT)


@pytest.mark.filterwarnings(COMPILER)
def test_compiled_agrees_with_eager() -> None:
    assert_compiled_agrees("SLCD-v1", steps=6)


@pytest.mark.slow
@pytest.mark.filterwarnings(COMPILER)
@pytest.mark.parametrize("game_id", GAMES)
def test_every_game_compiles(game_id: str) -> None:
    assert_compiled_agrees(game_id, steps=6)


def test_rows_of_a_torch_batch_can_have_their_own_rewards() -> None:
    torch = pytest.importorskip("torch")
    actions = torch.tensor(random_actions("LoyaltyTeam-v1", 1)[0]).expand(3, 1, 4)
    together = torch_env("LoyaltyTeam-v1", (3, 1), reward=MODES, dtype=torch.float64)
    together.reset(seed=0)
    rewards = together.step(actions)[1]
    for row, mode in enumerate(MODES):
        alone = torch_env("LoyaltyTeam-v1", 1, reward=mode, dtype=torch.float64)
        alone.reset(seed=0)
        np.testing.assert_allclose(rewards[row], alone.step(actions[row])[1], rtol=1e-12)


def test_finished_rows_of_a_torch_batch_start_anew_in_the_same_step() -> None:
    torch = pytest.importorskip("torch")
    env = torch_env("TrustDilemma-v1", 2, dtype=torch.float64, end_on_dissolution=True)
    first = env.reset(seed=0)
    actions = torch.tensor([[0.0, 0.0], [60.0, 60.0]], dtype=torch.float64)
    for _ in range(4):
        observation, _, terminated, truncated, info = env.step(actions)
    assert terminated.tolist() == [True, False]
    assert not truncated.any()
    np.testing.assert_array_equal(observation[0], first[0])
    assert (info["final_observation"][0] != first[0]).any()
    np.testing.assert_array_equal(observation[1], info["final_observation"][1])


def test_masked_reset_of_a_torch_batch() -> None:
    torch = pytest.importorskip("torch")
    env = torch_env("CoalitionFormation-v1", 3, max_steps=5)
    first = env.reset(seed=0)
    for _ in range(3):
        moved = env.step(torch.full((3, 6), 30.0))[0]
    mixed = env.reset_where(torch.tensor([True, False, False]))
    np.testing.assert_array_equal(mixed[0], first[0])
    np.testing.assert_array_equal(mixed[1:], moved[1:])
    truncated = [env.step(torch.full((3, 6), 30.0))[3].tolist() for _ in range(5)]
    assert truncated == [[False] * 3, [False, True, True], [False] * 3, [False] * 3, [True, False, False]]


def test_gradients_flow_through_an_episode() -> None:
    torch = pytest.importorskip("torch")
    env = torch_env("TrustDilemma-v1", 2, dtype=torch.float64, reward="cooperative", validate=False)
    env.reset(seed=0)
    actions = torch.full((5, 2, 2), 40.0, dtype=torch.float64, requires_grad=True)
    sum(env.step(action)[1].sum() for action in actions).backward()
    # Only the last action cannot bear fruit later.
    assert (actions.grad[:-1] > actions.grad[-1]).all()


def test_the_discarded_step_of_next_step_autoreset_draws_nothing() -> None:
    """A second episode starts from the same random numbers whatever the autoreset mode."""
    keywords = {"control": "joint", "payoff_noise": 0.1, "max_steps": 2, "reward": "private"}
    seconds = []
    for mode in ("NextStep", "SameStep"):
        env = vector_env("SLCD-v1", 2, autoreset_mode=mode, **keywords)
        env.reset(seed=5)
        actions = np.full((2, 2), 50.0)
        for _ in range(3 if mode == "NextStep" else 2):
            env.step(actions)
        seconds.append(env.step(actions)[1])
    np.testing.assert_array_equal(*seconds)


def test_vector_environments_of_single_ones_work_too() -> None:
    env = vector_env("SLCD-v1", 2, vectorization_mode="sync", control="joint")
    observations, _ = env.reset(seed=0)
    assert observations.shape == (2, 16)
    env.close()
