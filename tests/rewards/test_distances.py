"""STARC distances: what they overlook, what they see, and that samples come to the tables' numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.rewards.distances import (
    canonical_reward,
    dard_distance,
    epic_distance,
    stage_distance,
    starc_distance,
)
from coopgym.rewards.sampled_distances import EpisodeMoments, Sample
from coopgym.typing import FloatArray

few = settings(max_examples=40, deadline=None)
GAMMA = 0.9


@dataclass(frozen=True)
class Problem:
    """A random decision process and random rewards ``(S, A, S)`` for it."""

    transition: FloatArray
    rewards: FloatArray
    potential: FloatArray

    @property
    def shaping(self) -> FloatArray:
        return GAMMA * self.potential - self.potential[:, None, None]


def problem(seed: int, states: int = 5, actions: int = 3) -> Problem:
    rng = np.random.default_rng(seed)
    return Problem(
        rng.dirichlet(np.full(states, 0.5), size=(states, actions)),
        rng.normal(size=(3, states, actions, states)),
        rng.normal(scale=3.0, size=states),
    )


problems = st.builds(problem, st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(2, 4))


@few
@given(problems, st.floats(0.01, 100.0))
def test_scale_and_potentials_are_overlooked(given: Problem, scale: float) -> None:
    reward = given.rewards[0]
    altered = scale * reward + given.shaping
    assert starc_distance(reward, altered, given.transition, GAMMA) < 1e-9
    assert epic_distance(reward, altered, GAMMA) < 1e-9
    assert dard_distance(reward, altered, given.transition, GAMMA) < 1e-9


@few
@given(problems)
def test_a_potential_of_another_discount_is_seen(given: Problem) -> None:
    shaped = given.rewards[0] + given.potential - given.potential[:, None, None]
    assert starc_distance(given.rewards[0], shaped, given.transition, GAMMA) > 1e-4


@few
@given(problems)
def test_only_the_expectation_over_next_states_counts(given: Problem) -> None:
    reward, noise = given.rewards[:2]
    spread = reward + noise - (given.transition * noise).sum(-1, keepdims=True)
    assert starc_distance(reward, spread, given.transition, GAMMA) < 1e-9
    assert epic_distance(reward, spread, GAMMA) > 1e-3


@few
@given(problems)
def test_opposites_are_two_apart_and_nothing_is_one_from_anything(given: Problem) -> None:
    reward = given.rewards[0]
    npt.assert_allclose(starc_distance(reward, -reward, given.transition, GAMMA), 2.0, atol=1e-9)
    npt.assert_allclose(starc_distance(reward, given.shaping, given.transition, GAMMA), 1.0, atol=1e-9)
    assert starc_distance(0.0 * reward, given.shaping, given.transition, GAMMA) == 0.0


@few
@given(problems)
def test_it_is_a_distance(given: Problem) -> None:
    distance = starc_distance(given.rewards[:, None], given.rewards, given.transition, GAMMA)
    npt.assert_array_equal(distance, distance.T)
    assert (np.diag(distance) == 0.0).all()
    assert distance.max() <= 2.0 + 1e-12
    assert (distance[:, :, None] <= distance[:, None, :] + distance[None, :, :].swapaxes(1, 2) + 1e-12).all()


@few
@given(problems)
def test_canonical_rewards_have_mean_zero_over_actions_and_make_the_same_advantages(given: Problem) -> None:
    canonical = canonical_reward(given.rewards, given.transition, GAMMA)
    npt.assert_allclose(canonical.mean(-1), 0.0, atol=1e-12)
    again = canonical_reward(np.broadcast_to(canonical[..., None], given.rewards.shape), given.transition, GAMMA)
    npt.assert_allclose(again, canonical, atol=1e-12)


@few
@given(st.integers(0, 2**32 - 1))
def test_a_stage_game_is_a_process_of_one_state(seed: int) -> None:
    tables = np.random.default_rng(seed).normal(size=(2, 3, 4))
    one_state = tables.reshape(2, 1, 12, 1)
    expected = starc_distance(one_state[0], one_state[1], np.ones((1, 12, 1)), GAMMA)
    npt.assert_allclose(stage_distance(tables[0], tables[1]), expected, atol=1e-12)
    correlation = np.corrcoef(tables[0].ravel(), tables[1].ravel())[0, 1]
    npt.assert_allclose(expected, np.sqrt(2.0 - 2.0 * correlation), atol=1e-12)


def test_a_batch_is_so_many_processes() -> None:
    several = [problem(seed) for seed in range(4)]
    transition = np.stack([each.transition for each in several])
    first, second = (np.stack([each.rewards[k] for each in several]) for k in range(2))
    for distance in (starc_distance, dard_distance):
        npt.assert_allclose(
            distance(first, second, transition, GAMMA),
            [distance(each.rewards[0], each.rewards[1], each.transition, GAMMA) for each in several],
            atol=1e-12,
        )
    npt.assert_allclose(
        epic_distance(first, second, GAMMA),
        [epic_distance(each.rewards[0], each.rewards[1], GAMMA) for each in several],
        atol=1e-12,
    )


# Samples


@dataclass(frozen=True)
class Chain:
    """A process in which actions lead to known states, played for some steps from any state, at uniform actions."""

    steps: int = 4
    states: int = 3
    actions: int = 2

    def sample(self, episodes: int, seed: int) -> Sample:
        """Play; a state and a time have a feature of their own."""
        rng = np.random.default_rng(seed)
        actions = rng.integers(self.actions, size=(self.steps, episodes))
        states = np.empty((self.steps + 1, episodes), dtype=np.int64)
        states[0] = rng.integers(self.states, size=episodes)
        for t in range(self.steps):
            states[t + 1] = self.leads[states[t], actions[t]]
        at = np.eye(self.states * self.steps + self.states)[states + self.states * np.arange(self.steps + 1)[:, None]]
        known = at[..., : self.states * self.steps]
        rewards = np.moveaxis(self.rewards[:, states[:-1], actions], 0, -1)
        return Sample(known[:-1], known[1:], rewards, np.ones(rewards.shape[:2], dtype=bool))

    @property
    def leads(self) -> FloatArray:
        """``(S, A)`` next states: a permutation for each action, so that all states are met equally often."""
        return np.array([[1, 2], [2, 0], [0, 1]])

    @property
    def rewards(self) -> FloatArray:
        """``(K, S, A)``; the last one is the first, shaped by the state."""
        own = np.random.default_rng(3).normal(size=(2, self.states, self.actions))
        return np.concatenate([own, own.sum(0, keepdims=True)])

    def exact(self) -> FloatArray:
        """Distances ``(K, K)`` in the process of states and times, which ends in a state of its own."""
        count = self.states * self.steps + 1
        transition = np.zeros((count, self.actions, count))
        reward = np.zeros((3, count, self.actions, count))
        for t in range(self.steps):
            for s in range(self.states):
                here = t * self.states + s
                after = (t + 1) * self.states + self.leads[s] if t + 1 < self.steps else count - 1
                transition[here, np.arange(self.actions), after] = 1.0
                reward[:, here] = self.rewards[:, s, :, None]
        transition[-1, :, -1] = 1.0
        weights = np.full((count, self.actions), 1.0)
        weights[-1] = 0.0
        return starc_distance(reward[:, None], reward, transition, GAMMA, weights)


def distances(sample: Sample, counts: FloatArray | None = None) -> FloatArray:
    episodes = sample.alive.shape[1]
    return EpisodeMoments.of(sample, GAMMA).distances(np.ones((1, episodes)) if counts is None else counts)[0]


def test_samples_come_to_the_distances_of_the_tables() -> None:
    chain = Chain()
    errors = [np.abs(distances(chain.sample(episodes, seed=1)) - chain.exact()).max() for episodes in (50, 20_000)]
    assert errors[1] < 0.01
    assert errors[1] < errors[0]


def test_counts_stand_for_episodes_that_are_there_so_often() -> None:
    sample = Chain().sample(40, seed=2)
    arrays = (sample.features, sample.following, sample.rewards)
    twice = [np.concatenate([each, each[:, :10]], axis=1) for each in arrays]
    counts = np.ones((1, 40))
    counts[0, :10] = 2.0
    repeated = Sample(twice[0], twice[1], twice[2], np.ones((4, 50), dtype=bool))
    npt.assert_allclose(distances(sample, counts), distances(repeated), atol=1e-6)


def test_what_comes_after_the_end_does_not_count() -> None:
    sample, last = Chain().sample(60, seed=4), np.arange(60) % 4
    alive, goes_on = np.arange(4)[:, None] <= last, np.arange(4)[:, None] < last
    following = sample.following * goes_on[..., None]
    cut = Sample(sample.features, following, sample.rewards, alive)
    spoilt = [np.where(alive[..., None], each, 1e6) for each in (sample.features, following, sample.rewards)]
    npt.assert_allclose(distances(Sample(spoilt[0], spoilt[1], spoilt[2], alive)), distances(cut), atol=1e-9)


def test_too_few_steps_explain_everything_and_are_refused() -> None:
    with pytest.raises(ValueError, match="4 steps are too few to fit values to 4 features; play more episodes"):
        EpisodeMoments.of(Chain().sample(1, seed=0), GAMMA)


def tried(episodes: int, seed: int = 0) -> Sample:
    """Two actions tried at every step, each a state of its own, against another agent who only adds to rewards."""
    rng = np.random.default_rng(seed)
    steps, other = 4, rng.normal(size=(4, episodes, 1, 1))
    known = np.eye(steps + 1)[np.arange(steps + 1), :steps][:, None].repeat(episodes, axis=1)
    own = np.array([[1.0, 0.5], [-1.0, -1.5]])  # (A, K)
    rewards = np.broadcast_to(own, (steps, episodes, 2, 2)) + other * [0.0, 3.0]
    following = np.repeat(known[1:, :, None], 2, axis=2)
    return Sample(known[:-1], following, rewards, np.ones((steps, episodes), dtype=bool))


def test_where_actions_are_tried_what_others_bring_on_their_own_drops_out() -> None:
    npt.assert_allclose(distances(tried(40)), 0.0, atol=1e-9)
    sample = tried(40)
    opposite = sample.rewards * [1.0, -1.0]
    npt.assert_allclose(
        distances(Sample(sample.features, sample.following, opposite, sample.alive))[0, 1], 2.0, atol=1e-9
    )


@few
@given(st.integers(0, 2**32 - 1))
def test_where_actions_are_tried_potentials_of_the_features_are_overlooked(seed: int) -> None:
    sample, weights = tried(20, seed), np.random.default_rng(seed).normal(size=4)
    shaping = GAMMA * (sample.following @ weights) - (sample.features @ weights)[..., None]
    shaped = sample.rewards + shaping[..., None] * [0.0, 1.0]
    moved = Sample(sample.features, sample.following, shaped, sample.alive)
    npt.assert_allclose(distances(moved), distances(sample), atol=1e-4)
