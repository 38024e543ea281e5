"""The adaptive teacher's score, its gradient and the reward that it comes to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.oracles.finite.linear_programme import SolverError
from coopgym.oracles.tabular import AdaptiveScore, Expert
from coopgym.typing import FloatArray
from tests.oracles.tabular.processes import random_policy, random_process

SEEDS = st.integers(0, 10_000)
START = np.full(5, 0.2)


def score_of(seed: int) -> AdaptiveScore:
    return AdaptiveScore(Expert(random_process(seed)), random_policy(seed + 1), START)


def as_published(score: AdaptiveScore, reward: FloatArray) -> float:
    """The sum of the paper, term by term."""
    learner, total = score.learner, 0.0
    for s, a in np.ndindex(*reward.shape):
        own = score.advantage[s, a] - learner[s] @ score.advantage[s]
        paid = reward[s, a] - learner[s] @ reward[s]
        total += score.teacher_visits[s] * score.learner_visits[s] * learner[s, a] ** 2 * own * paid
    return float(total)


@given(SEEDS)
def test_the_gradient_is_that_of_the_published_sum(seed: int) -> None:
    score, reward, step = score_of(seed), random_process(seed + 2).reward, 1e-4
    assert score(reward) == pytest.approx(as_published(score, reward), abs=1e-12)
    for place in np.ndindex(*reward.shape):
        bump = np.zeros_like(reward)
        bump[place] = step
        slope = (as_published(score, reward + bump) - as_published(score, reward - bump)) / (2 * step)
        assert score.gradient[place] == pytest.approx(slope, abs=1e-9)


@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_no_feasible_reward_scores_higher(seed: int) -> None:
    score, rng = score_of(seed), np.random.default_rng(seed)
    original = score.expert.mdp.reward
    best = score.best_reward(bound=2.0, begin=original)
    assert score.expert.keeps_optimum(best)
    assert np.abs(best - original).max() <= 2.0 + 1e-9
    tried = [original + rng.uniform(-2.0, 2.0, original.shape) * share for share in np.linspace(0.0, 1.0, 40)]
    feasible = [reward for reward in tried if score.expert.violation(reward) == 0.0]
    assert feasible
    assert all(score(reward) <= score(best) + 1e-9 for reward in feasible)


def test_terminal_states_do_not_count() -> None:
    score = AdaptiveScore(Expert(random_process(1)), random_policy(2), START, terminal=[4])
    assert score.teacher_visits[4] == score.learner_visits[4] == 0.0
    assert score.teacher_visits.sum() == pytest.approx(1.0)
    assert not score.gradient[4].any()


def test_states_that_cannot_keep_the_optimum_are_refused() -> None:
    with pytest.raises(SolverError, match="an adapted reward that keeps the optimum"):
        score_of(0).best_reward(states=[0])
