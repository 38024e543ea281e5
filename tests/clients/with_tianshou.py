"""Tianshou collects single seats in batches, and PettingZoo's agents in their turns."""

from __future__ import annotations

from functools import partial

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box
from tianshou.algorithm import PPO
from tianshou.algorithm.modelfree.reinforce import ProbabilisticActorPolicy
from tianshou.algorithm.optim import AdamOptimizerFactory
from tianshou.data import Collector, VectorReplayBuffer
from tianshou.env import DummyVectorEnv, PettingZooEnv
from tianshou.utils.net.common import Net
from tianshou.utils.net.continuous import ContinuousActorProbabilistic, ContinuousCritic
from torch.distributions import Independent, Normal

import coopgym

EPISODES = 4


def learner(env: gymnasium.Env) -> PPO:
    assert isinstance(env.action_space, Box)
    shape = env.observation_space.shape
    actor = ContinuousActorProbabilistic(
        preprocess_net=Net(state_shape=shape, hidden_sizes=[8]), action_shape=env.action_space.shape
    )
    policy = ProbabilisticActorPolicy(
        actor=actor,
        dist_fn=lambda located: Independent(Normal(*located), 1),
        action_space=env.action_space,
        action_scaling=True,
    )
    critic = ContinuousCritic(preprocess_net=Net(state_shape=shape, hidden_sizes=[8]))
    return PPO(policy=policy, critic=critic, optim=AdamOptimizerFactory(lr=1e-3))


@pytest.mark.parametrize("game_id", coopgym.games())
def test_episodes_are_collected_with_their_infos(game_id: str) -> None:
    make = partial(gymnasium.make, f"coopgym/{game_id}", max_steps=5)
    buffer = VectorReplayBuffer(100, 2)
    collector = Collector(learner(make()), DummyVectorEnv([make, make]), buffer)
    collector.reset()
    collected = collector.collect(n_episode=EPISODES)
    assert collected.n_collected_episodes == EPISODES
    assert len(buffer) == collected.n_collected_steps
    assert np.isfinite(buffer.info.payoffs[: len(buffer)]).all()


@pytest.mark.parametrize("game_id", ["TrustDilemma-v1", "PublicGoods-v0"])
def test_agents_act_in_their_turns(game_id: str) -> None:
    env = PettingZooEnv(coopgym.aec_env(game_id, max_cycles=2, actions="symmetric"))
    observation, _ = env.reset(seed=0)
    for agent in env.agents * 2:
        assert observation["agent_id"] == agent
        observation, rewards, _, truncated, _ = env.step(env.action_space.sample())
    assert truncated
    assert len(rewards) == len(env.agents)
