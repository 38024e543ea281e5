"""Rewards inside policies: sums telescope, potentials of logits vanish, and clones play like whom they copy."""

from __future__ import annotations

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.agents import make_agent
from coopgym.algorithms.reward_models.endogenous import CloneAgent, Cloning, clone, endogenous_reward, soft_value
from coopgym.games.registry import make_game
from coopgym.play import play
from coopgym.rewards.distances import starc_distance

seeds, temperatures = st.integers(0, 2**32 - 1), st.floats(0.1, 5.0)


@given(seeds, temperatures)
def test_an_episode_comes_to_its_log_probability_and_the_value_of_the_start(seed: int, alpha: float) -> None:
    rng = np.random.default_rng(seed)
    logits, actions = rng.normal(scale=3.0, size=(4, 12, 5)), rng.integers(5, size=(4, 12))
    found = endogenous_reward(logits, actions, alpha)
    npt.assert_allclose(found.reward.sum(-1), alpha * found.log_prob.sum(-1) + found.value[..., 0], rtol=0, atol=1e-9)
    npt.assert_allclose(np.exp(logits / alpha).sum(-1), np.exp(found.value[..., :-1] / alpha), rtol=1e-9)


@settings(max_examples=30, deadline=None)
@given(seeds, st.floats(0.1, 0.95))
def test_potentials_in_logits_are_shaping_and_move_no_distance(seed: int, gamma: float) -> None:
    rng = np.random.default_rng(seed)
    transition, logits, potential = rng.dirichlet(np.ones(5), size=(5, 3)), rng.normal(size=(5, 3)), rng.normal(size=5)

    def table(quality: np.ndarray) -> np.ndarray:
        return quality[..., None] - gamma * soft_value(quality)

    plain, moved = table(logits), table(logits + potential[:, None])
    npt.assert_allclose(moved - plain, potential[:, None, None] - gamma * potential + 0.0 * plain, atol=1e-12)
    assert starc_distance(plain, moved, transition, gamma) == pytest.approx(0.0, abs=1e-9)
    log_policy = (logits - soft_value(logits)[:, None])[..., None] + 0.0 * plain
    assert starc_distance(plain, log_policy, transition, gamma) == pytest.approx(0.0, abs=1e-9)


def test_soft_optimal_policies_give_their_own_reward_back() -> None:
    rng, gamma = np.random.default_rng(0), 0.9
    transition, reward = rng.dirichlet(np.ones(4), size=(4, 3)), rng.normal(size=(4, 3, 4))
    quality = np.zeros((4, 3))
    for _ in range(500):
        quality = (transition * (reward + gamma * soft_value(quality))).sum(-1)
    inside = quality[..., None] - gamma * soft_value(quality)
    assert starc_distance(inside, reward, transition, gamma) == pytest.approx(0.0, abs=1e-9)


def test_tokens_are_actions_and_a_temperature_is_positive() -> None:
    log_probabilities = np.log([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]])
    found = endogenous_reward(log_probabilities, [0, 1])
    npt.assert_allclose(found.reward, np.log([0.5, 0.8]), atol=1e-12)
    with pytest.raises(ValueError, match=r"alpha=0\.0: expected a positive number"):
        endogenous_reward(log_probabilities, [0, 1], alpha=0.0)


def test_a_clone_plays_like_whom_it_copies() -> None:
    game = make_game("TrustDilemma-v1", max_steps=60)
    copied = [make_agent("Noisy(agent=Constant(level=0.7), noise=0.1)"), make_agent("Constant_20")]
    seen = play(game, copied, views="own", episodes=50, record=True)
    assert seen.trajectory is not None
    observations = seen.trajectory.observations.reshape(-1, *seen.trajectory.observations.shape[2:])
    clones = clone(observations, seen.trajectory.shares.reshape(-1, 2))
    played = play(game, [CloneAgent(clones), CloneAgent(clones)], views="own", episodes=50)
    npt.assert_allclose(played.cooperation.mean(0), seen.cooperation.mean(0), atol=0.05)
    npt.assert_allclose(np.exp(clones.log_probabilities(observations)).sum(-1), 1.0, atol=1e-9)


def test_what_cannot_be_cloned_is_refused() -> None:
    with pytest.raises(ValueError, match="no steps to clone"):
        clone(np.zeros((0, 2, 3)), np.zeros((0, 2)))
    with pytest.raises(ValueError, match="degree=21: expected at least 1 and less than levels=21"):
        Cloning(degree=21)
