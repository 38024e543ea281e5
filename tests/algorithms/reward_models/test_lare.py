"""Latent rewards: where they may stand, what they recover, and that they go on where they were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import gymnasium
import numpy as np
import numpy.testing as npt
import pytest
import torch
from gymnasium.vector import AutoresetMode

import coopgym
from coopgym.algorithms import IPPO, SB3PPO
from coopgym.algorithms.reward_models.factors import FACTOR_SETS, FactorSet, register_factors
from coopgym.algorithms.reward_models.lare import LaRe
from coopgym.backend import Array
from coopgym.games.game import AnyGame
from coopgym.games.registry import make_game
from coopgym.games.step import Step
from coopgym.play.draws import NOMINAL
from coopgym.play.unroll import open_loop, unroll
from coopgym.rewards import Episodic, RewardMode, Rewards, RunningRewards, reward_layer
from coopgym.testing import check_transform
from coopgym.testing.transform import GAMES
from coopgym.typing import FloatArray

SMALL = "lare(width=8, updates=3, episodes=16)"
LEARNED = f"cooperative + episodic + {SMALL}"


@pytest.mark.parametrize(
    ("transform", "games"),
    [
        (LaRe(layers=1), GAMES),
        (LaRe(width=8, updates=4), ["PartnerHoldUp-v0"]),
        (LaRe(shared=True, width=8, steps=0), ["AppleAppStore-v1"]),
    ],
)
def test_it_is_what_it_declares(transform: LaRe, games: Sequence[str]) -> None:
    check_transform(transform, games=games)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cooperative + lare", "lare redistributes what comes at the end .*'cooperative \\+ episodic \\+ lare'"),
        ("cooperative + episodic + shaping(trust) + lare", "must follow episodic"),
        ("cooperative + episodic + lare + episodic", "episodic after episodic would hold back again"),
        ("lare", "'lare' is a transform, and a mode comes first"),
        ("private + episodic + lare", "lare mixes the rewards or observations of agents"),
        ("cooperative + episodic + lare(mine)", "unknown factors 'mine'; known sets: rules"),
        ("cooperative + episodic + lare(layers=0)", "layers=0: expected at least 1"),
        ("cooperative + episodic + lare(steps=-1)", "steps=-1: expected at least 0"),
        ("cooperative + episodic + lare(learning_rate=0)", "learning_rate=0.0: expected a number above 0"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        reward_layer(text)


@dataclass(frozen=True)
class LinearInEffort(RewardMode):
    """Everybody gets a linear function of own effort and time, another one in every seat."""

    name: ClassVar[str] = "linear in effort"

    def __call__(self, step: Step) -> Array:
        effort = step.actions / step.game.endowments
        return 2.0 * effort - 0.5 + 0.1 * np.arange(step.game.n_agents)


def steps(game: AnyGame, rewards: RunningRewards, plan: FloatArray) -> Iterator[Array]:
    rewards.reset()
    for step in unroll(game, open_loop(game, plan), batch=plan.shape[1:-1], draws=NOMINAL):
        yield rewards(step)


def test_what_is_linear_in_the_factors_is_recovered_step_by_step() -> None:
    game = make_game("TeamProduction-v1", max_steps=6)
    plans = np.random.default_rng(0).random((2, 6, 40, 4))
    rewards = Rewards(LinearInEffort(), (Episodic(), LaRe(layers=1))).running(game, (40,))
    before = np.array(list(steps(game, rewards, plans[0])))
    npt.assert_array_equal(before, 0.0)
    paid = np.array(list(steps(game, rewards, plans[1])))
    true = (2.0 * plans[1] - 0.5 + 0.1 * np.arange(4)).sum(-1)
    npt.assert_allclose(paid.sum(-1), true, atol=1e-3)
    npt.assert_allclose(paid.sum((0, -1)), true.sum(0), atol=1e-3)


def test_a_network_comes_closer_with_every_episode() -> None:
    game = make_game("TeamProduction-v1", max_steps=6)
    plans = np.random.default_rng(0).random((7, 6, 32, 4)) * np.random.default_rng(1).random((7, 1, 32, 1))
    rewards = Rewards(LinearInEffort(), (Episodic(), LaRe(width=32, updates=60, steps=3, learning_rate=3e-3))).running(
        game, (32,)
    )
    errors = []
    for plan in plans:
        paid = np.array(list(steps(game, rewards, plan)))
        errors.append(np.abs(paid.sum((0, -1)) - (2.0 * plan - 0.5 + 0.1 * np.arange(4)).sum((0, -1))).mean())
    assert errors[-1] < 0.5 * errors[1] < 0.5 * errors[0]


def test_all_get_the_same_where_it_is_shared() -> None:
    game = make_game("TeamProduction-v1", max_steps=6)
    plans = np.random.default_rng(0).random((2, 6, 40, 4))
    own, shared = (
        reward_layer(f"cooperative + episodic + lare(layers=1, shared={each})").running(game, (40,))
        for each in ("false", "true")
    )
    for plan in plans:
        apart, alike = (np.array(list(steps(game, rewards, plan))) for rewards in (own, shared))
    assert np.ptp(apart, axis=-1).max() > 0.01
    npt.assert_allclose(alike, np.broadcast_to(apart.mean(-1, keepdims=True), apart.shape), rtol=1e-5)


@pytest.mark.parametrize("game", ["TrustDilemma-v1", "PartnerHoldUp-v1"])
def test_a_replica_learns_from_its_own_episodes(game: str) -> None:
    together, alone = (coopgym.torch_env(game, (n, 4), reward=LEARNED, max_steps=8) for n in (2, 1))
    together.reset(seed=0)
    alone.reset(seed=range(4, 8))
    for t in range(30):
        actions = torch.rand(2, 4, 2, generator=torch.Generator().manual_seed(t))
        paid, expected = together.step(actions)[1][1:], alone.step(actions[1:])[1]
        torch.testing.assert_close(paid, expected)
    assert paid.abs().max() > 0.0


def test_single_environments_learn_as_they_are_played() -> None:
    env = gymnasium.make("coopgym/TrustDilemma-v1", reward=LEARNED, max_steps=5)
    returns = []
    for seed in range(3):
        env.reset(seed=seed)
        returns.append(sum(float(env.step(seed / 2 * env.action_space.high)[1]) for _ in range(5)))
    assert returns[0] == 0.0
    assert returns[1] != 0.0
    assert returns[2] != returns[1]


def test_parallel_environments_take_it() -> None:
    env = coopgym.parallel_env("TrustDilemma-v1", reward=LEARNED, max_steps=3)
    paid = []
    for _ in range(2):
        env.reset(seed=0)
        while env.agents:
            actions = {agent: env.action_space(agent).high for agent in env.agents}
            paid.append(sum(env.step(actions)[1].values()))
    assert paid[:3] == [0.0, 0.0, 0.0]
    assert all(paid[3:])


@pytest.mark.parametrize("autoreset", ["NextStep", "SameStep"])
def test_vector_environments_take_it(autoreset: str) -> None:
    envs = gymnasium.make_vec(
        "coopgym/TrustDilemma-v1", 4, reward=LEARNED, max_steps=3, autoreset_mode=AutoresetMode(autoreset)
    )
    envs.reset(seed=0)
    rng = np.random.default_rng(0)
    low, high = envs.action_space.low, envs.action_space.high
    paid = [envs.step((low + rng.random(low.shape) * (high - low)).astype(low.dtype))[1] for _ in range(12)]
    npt.assert_array_equal(paid[:3], 0.0)
    assert np.any(np.array(paid[-4:]) != 0.0)


def test_learners_of_other_libraries_take_it() -> None:
    pytest.importorskip("stable_baselines3")
    result = SB3PPO(num_envs=2, hidden=(4,), batch_size=20).train(
        "TrustDilemma-v1", [LEARNED], (0,), 60, game_parameters={"max_steps": 10}
    )
    rewards = [value for _, metric, value in result.curves(0) if metric == "reward"]
    assert rewards[0] == 0.0 != rewards[-1]


def test_a_learned_reward_is_not_compiled() -> None:
    with pytest.raises(ValueError, match="a reward that is learned cannot be compiled; leave compile=False"):
        coopgym.torch_env("TrustDilemma-v1", 2, reward=LEARNED, compile=True)


def test_torch_settings_around_it_do_not_matter() -> None:
    def paid() -> torch.Tensor:
        env = coopgym.torch_env("TrustDilemma-v1", (1, 3), reward=LEARNED, max_steps=4)
        env.reset(seed=0)
        actions = torch.full((1, 3, 2), 0.3, dtype=torch.float32)
        return torch.stack([env.step(actions)[1] for _ in range(9)])

    expected, before = paid(), torch.get_default_dtype()
    with torch.inference_mode():
        torch.testing.assert_close(paid(), expected)
    torch.set_default_dtype(torch.float64)
    try:
        torch.testing.assert_close(paid(), expected)
    finally:
        torch.set_default_dtype(before)


@pytest.mark.parametrize(
    ("game", "block"), [("TrustDilemma-v1", None), ("PartnerHoldUp-v1", 7), ("SynergySearch-v1", 7)]
)
def test_a_resumed_training_goes_on_to_the_same_numbers(tmp_path: Path, game: str, block: int | None) -> None:
    learner = IPPO(hidden=(4,), num_envs=3, rollout_steps=block, n_epochs=1)
    rewards = [LEARNED, "integrated", "integrated + oni(model=ranking)"]

    def run(**options: object) -> dict[str, object]:
        parameters = {"max_steps": 10}
        result = learner.train(game, rewards, (0, 1), 180, game_parameters=parameters, evaluations=2, **options)  # type: ignore[arg-type]
        return result.record

    def stop(done: int, planned: int) -> None:
        if done >= planned // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(checkpoint=tmp_path, checkpoint_every=1, progress=stop)
    assert run(checkpoint=tmp_path, checkpoint_every=1) == run()


def test_a_replica_is_trained_alike_beside_others() -> None:
    learner = IPPO(hidden=(16,), num_envs=8)
    both, one = (
        learner.train("TrustDilemma-v1", [LEARNED], seeds, 160, game_parameters={"max_steps": 10})
        for seeds in ((0, 1), (1,))
    )
    beside, alone = both.curves((reward_layer(LEARNED).name, 1)), one.curves(0)
    assert [point[:2] for point in beside] == [point[:2] for point in alone]
    # Some processors round products of matrices otherwise beside others.
    npt.assert_allclose([value for *_, value in beside], [value for *_, value in alone], rtol=1e-4, atol=1e-6)


def test_factors_of_ones_own_are_named_in_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FACTOR_SETS, "rules", FACTOR_SETS["rules"])
    name = register_factors(FactorSet((("loyal", "loyalty"),)))
    monkeypatch.setitem(FACTOR_SETS, name, FACTOR_SETS[name])
    layer = reward_layer(f"cooperative + episodic + lare({name})")
    layer.running(make_game("PublicGoods-v1"), ())
    with pytest.raises(ValueError, match="factor 'loyal' in TrustDilemma-v1"):
        layer.running(make_game("TrustDilemma-v1"), ())
