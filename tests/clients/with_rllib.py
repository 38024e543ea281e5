"""RLlib trains a policy that all seats share, and one for every seat."""

from __future__ import annotations

from collections.abc import Iterator

import gymnasium
import numpy as np
import pytest
import ray
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.env.wrappers.pettingzoo_env import ParallelPettingZooEnv
from ray.tune.registry import register_env

import coopgym


@pytest.fixture(scope="module", autouse=True)
def _cluster() -> Iterator[None]:
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def config(game_id: str) -> PPOConfig:
    register_env(game_id, lambda keywords: ParallelPettingZooEnv(coopgym.parallel_env(game_id, **keywords)))
    return (
        PPOConfig()
        .environment(game_id, env_config={"max_cycles": 8, "actions": "symmetric"})
        .env_runners(num_env_runners=0)
        .learners(num_learners=0)
        .training(train_batch_size_per_learner=32, minibatch_size=16, num_epochs=1)
    )


@pytest.mark.parametrize("game_id", ["TrustDilemma-v1", "TeamProduction-v1", "PartnerHoldUp-v0"])
@pytest.mark.parametrize("shared", [True, False], ids=["shared", "per seat"])
def test_one_iteration(game_id: str, shared: bool) -> None:
    seats = coopgym.spec(game_id).agents
    policies = {"everyone"} if shared else set(seats)
    settings = config(game_id).multi_agent(
        policies=policies, policy_mapping_fn=lambda agent, *_, **__: "everyone" if shared else agent
    )
    algorithm = settings.build_algo()
    result = algorithm.train()
    algorithm.stop()
    assert np.isfinite(result["env_runners"]["episode_return_mean"])
    assert result["env_runners"]["episode_len_mean"] <= 8
    assert policies <= result["learners"].keys()


def test_one_iteration_of_a_single_seat() -> None:
    register_env("seat", lambda _: gymnasium.make("coopgym/TrustDilemma-v1", max_steps=8))
    algorithm = config("TrustDilemma-v1").environment("seat").build_algo()
    result = algorithm.train()
    algorithm.stop()
    assert result["env_runners"]["episode_len_mean"] == 8


def test_one_iteration_with_newcomers() -> None:
    settings = config("PlatformEcosystem-v1").environment(
        "PlatformEcosystem-v1", env_config={"max_cycles": 40, "actions": "symmetric", "entry": True, "norm": 1.0}
    )
    settings.training(train_batch_size_per_learner=200, minibatch_size=50)
    settings.multi_agent(policies={"everyone"}, policy_mapping_fn=lambda *_, **__: "everyone")
    algorithm = settings.build_algo()
    result = algorithm.train()
    algorithm.stop()
    assert np.isfinite(result["env_runners"]["episode_return_mean"])
    assert result["env_runners"]["episode_len_mean"] == 40
