"""SuperSuit turns parallel environments into batches on which stable-baselines3 learns, in every game."""

from __future__ import annotations

import pytest
import supersuit
from stable_baselines3 import PPO

import coopgym


@pytest.mark.parametrize("game_id", coopgym.games())
def test_a_shared_policy_learns(game_id: str) -> None:
    env = supersuit.pettingzoo_env_to_vec_env_v1(coopgym.parallel_env(game_id, max_cycles=8, actions="symmetric"))
    env = supersuit.concat_vec_envs_v1(env, 2, num_cpus=1, base_class="stable_baselines3")
    model = PPO("MlpPolicy", env, n_steps=16, batch_size=16, n_epochs=1, device="cpu").learn(16 * env.num_envs)
    assert model.num_timesteps == 16 * env.num_envs
    env.close()


@pytest.mark.parametrize("game_id", ["TrustDilemma-v1", "PublicGoods-v0"])
def test_wrappers_keep_infos(game_id: str) -> None:
    env = supersuit.frame_stack_v1(coopgym.parallel_env(game_id, max_cycles=8, actions="share"), 3)
    env = supersuit.clip_reward_v0(env, -1.0, 1.0)
    observations, infos = env.reset(seed=0)
    assert observations["agent_0"] in env.observation_space("agent_0")
    _, rewards, _, _, later = env.step({agent: env.action_space(agent).sample() for agent in env.agents})
    assert max(map(abs, rewards.values())) <= 1.0
    assert infos["agent_0"].keys() == later["agent_0"].keys()
