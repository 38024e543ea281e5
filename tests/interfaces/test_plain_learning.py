"""What newcomers try first learns: standard PPO on the line that the README shows, with nothing rescaled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest

import coopgym  # noqa: F401  # registers the games

GAMES = ("TrustDilemma-v1", "TeamProduction-v1", "PublicGoods-v1", "GiftExchange-v1", "SLCD-v1")
BUDGET, PART, SEEDS = 20_000, 0.8, (1, 2)
Act = Callable[[Any], Any]


def plain(game_id: str) -> gymnasium.Env[Any, Any]:
    return gymnasium.make(f"coopgym/{game_id}", reward="cooperative")


def episode_return(game_id: str, act: Act) -> float:
    env, total, over = plain(game_id), 0.0, False
    observation, _ = env.reset(seed=0)
    while not over:
        observation, reward, terminated, truncated, _ = env.step(np.asarray(act(observation), dtype=np.float32))
        total, over = total + float(reward), terminated or truncated
    return total


def stable_baselines(game_id: str, seed: int) -> Act:
    ppo = pytest.importorskip("stable_baselines3").PPO
    model = ppo("MlpPolicy", plain(game_id), seed=seed, device="cpu").learn(BUDGET)
    return lambda observation: model.predict(observation, deterministic=True)[0]


def single_file(game_id: str, seed: int) -> Act:
    pytest.importorskip("torch")
    from tests.interfaces.plain_ppo import PlainPPO

    return PlainPPO(plain(game_id), seed).learn(BUDGET).act


@pytest.mark.slow
@pytest.mark.parametrize("learner", [stable_baselines, single_file])
@pytest.mark.parametrize("game_id", GAMES)
def test_standard_ppo_learns_on_the_plain_line(game_id: str, learner: Callable[[str, int], Act]) -> None:
    nothing, *others = (episode_return(game_id, lambda _, level=level: [level]) for level in np.linspace(-1.0, 1.0, 21))
    # Nine updates leave a seed short now and then (PublicGoods, 79 %): the mean over seeds is held.
    learned = np.mean([episode_return(game_id, learner(game_id, seed)) for seed in SEEDS])
    assert learned - nothing >= PART * (max(others) - nothing)
