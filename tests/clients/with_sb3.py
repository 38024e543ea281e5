"""Stable-baselines3 and its contributions learn on single seats, joint controllers and all seats at once."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from sb3_contrib import TRPO, RecurrentPPO
from stable_baselines3 import A2C, PPO, SAC, TD3
from stable_baselines3.common.env_checker import check_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecMonitor, VecNormalize

import coopgym
from coopgym.interfaces.sb3 import seat_vec_env

every_game = pytest.mark.parametrize("game_id", coopgym.games())
QUICK: dict[str, Any] = {"n_steps": 16, "batch_size": 16, "n_epochs": 1}


@every_game
def test_environments_pass_the_check(game_id: str) -> None:
    for control in ("seat", "joint"):
        check_env(gymnasium.make(f"coopgym/{game_id}", control=control, actions="symmetric"), skip_render_check=True)


@pytest.mark.parametrize("learner", [PPO, TRPO, A2C, SAC, TD3, RecurrentPPO])
@pytest.mark.parametrize("control", ["seat", "joint"])
def test_every_kind_of_learner_learns(learner: Any, control: str) -> None:
    policy = "MlpLstmPolicy" if learner is RecurrentPPO else "MlpPolicy"
    quick = {"n_steps": 16} if learner in (PPO, TRPO, A2C, RecurrentPPO) else {"learning_starts": 10}
    env = gymnasium.make("coopgym/TrustDilemma-v1", control=control, max_steps=8)
    model = learner(policy, env, device="cpu", **quick).learn(32)
    assert model.num_timesteps >= 32
    assert model.ep_info_buffer[0]["l"] == 8


@every_game
def test_all_seats_learn_with_one_policy(game_id: str) -> None:
    env = seat_vec_env(game_id, 2, reward="cooperative", max_steps=8)
    model = PPO("MlpPolicy", env, device="cpu", **QUICK).learn(16 * env.num_envs)
    told = model.ep_info_buffer
    assert {episode["l"] for episode in told} <= set(range(1, 9))
    assert np.isfinite([episode["r"] for episode in told]).all()


def test_slots_are_evaluated_and_wrapped_without_a_warning() -> None:
    env = seat_vec_env("TeamProduction-v1", 1, max_steps=8)
    model = PPO("MlpPolicy", VecNormalize(env), device="cpu", **QUICK)
    mean, spread = evaluate_policy(model, seat_vec_env("TeamProduction-v1", 1, max_steps=8), n_eval_episodes=4)
    assert np.isfinite((mean, spread)).all()
    with pytest.warns(UserWarning, match="already wrapped with a `Monitor`"):
        VecMonitor(env)
