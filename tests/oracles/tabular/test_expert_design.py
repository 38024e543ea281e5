"""Designed rewards keep the optimum and tell of it sooner, the more situations they may use."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.oracles.finite.linear_programme import SolverError
from coopgym.oracles.tabular import Expert, TabularMDP, design_rewards
from tests.oracles.tabular.processes import random_process

SEEDS = st.integers(0, 10_000)
HORIZONS = (1, 4)


@given(SEEDS, SEEDS)
def test_shaping_shifts_optimal_values_and_leaves_greedy_policies(seed: int, other: int) -> None:
    mdp, potential = random_process(seed), np.random.default_rng(other).normal(size=5)
    shaped = mdp.shaped(potential).optimal_values()
    np.testing.assert_allclose(shaped, mdp.optimal_values() - potential[:, None], atol=1e-9)
    np.testing.assert_array_equal(Expert(mdp.shaped(potential)).policy, Expert(mdp).policy)


@given(SEEDS)
def test_the_margin_is_best_minus_second_best(seed: int) -> None:
    expert = Expert(random_process(seed))
    ordered = np.sort(expert.values, -1)
    np.testing.assert_allclose(expert.margin, ordered[:, -1] - ordered[:, -2])


def test_actions_that_are_equally_good_share_the_optimum_and_have_no_margin_among_them() -> None:
    expert = Expert(TabularMDP(np.ones((1, 3, 1)), np.array([[1.0, 0.25, 1.0]]), gamma=0.5))
    assert expert.optimal.tolist() == [[True, False, True]]
    assert expert.policy.tolist() == [0]
    assert expert.margin.tolist() == [0.75]


@given(SEEDS)
def test_gaps_within_long_horizons_become_those_without_end(seed: int) -> None:
    expert = Expert(random_process(seed))
    reward = random_process(seed + 1).reward
    np.testing.assert_allclose(expert.gaps(reward, 400), expert.gaps(reward, None), atol=1e-9)


@given(SEEDS)
def test_gaps_of_the_original_reward_are_losses_of_optimal_values(seed: int) -> None:
    expert = Expert(random_process(seed))
    lost = expert.values.max(-1, keepdims=True) - expert.values
    np.testing.assert_allclose(expert.gaps(expert.mdp.reward, None), lost, atol=1e-9)
    assert expert.keeps_optimum(expert.mdp.reward)


@settings(max_examples=10, deadline=None)
@given(SEEDS)
def test_informativeness_grows_with_the_budget_and_the_optimum_stays(seed: int) -> None:
    expert = Expert(random_process(seed))
    original = expert.mdp.reward
    path = design_rewards(expert, 5, horizons=HORIZONS, begin=original)
    told = [design.informativeness for design in path]
    assert told[0] >= expert.informativeness(original, HORIZONS) - 1e-9
    assert (np.diff(told) >= -1e-7).all()
    assert told[-1] == pytest.approx(0.0, abs=1e-7)
    for design, longer in pairwise(path):
        assert set(design.states) < set(longer.states)
    for design in path:
        assert expert.keeps_optimum(design.reward)
        unchanged = np.delete(design.reward - original, design.states, axis=0)
        assert not unchanged.any()
        assert np.abs(design.reward - original).max() <= 10.0


@settings(max_examples=10, deadline=None)
@given(SEEDS)
def test_no_feasible_reward_on_the_same_states_tells_more(seed: int) -> None:
    expert = Expert(random_process(seed))
    original = expert.mdp.reward
    best = design_rewards(expert, 2, horizons=HORIZONS, begin=original)[-1]
    rng = np.random.default_rng(seed)
    for _ in range(30):
        change = np.zeros_like(original)
        change[list(best.states)] = rng.normal(size=(2, 3)) * rng.choice([0.1, 1.0, 3.0])
        if expert.violation(original + change) == 0.0:
            assert expert.informativeness(original + change, HORIZONS) <= best.informativeness + 1e-7


def test_the_audit_finds_rewards_that_move_the_optimum() -> None:
    expert = Expert(random_process(3))
    moved = expert.mdp.reward.copy()
    moved[0, (expert.policy[0] + 1) % 3] += 20.0
    assert not expert.keeps_optimum(moved)
    assert expert.violation(moved) > 1.0


def test_sparse_rewards_that_cannot_keep_the_optimum_are_refused() -> None:
    with pytest.raises(SolverError, match=r"a reward on the states \[0\] that keeps the optimum"):
        design_rewards(Expert(random_process(0)), 0, goals=[0])


@pytest.mark.parametrize(("budget", "goals", "told"), [(6, (), "budget=6"), (-1, (), "budget=-1"), (1, (9,), "goals")])
def test_budgets_and_goals_out_of_range_are_refused(budget: int, goals: tuple[int, ...], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        design_rewards(Expert(random_process(0)), budget, goals=goals)


def test_the_original_reward_keeps_what_is_required_where_optimal_actions_differ_by_a_rounding() -> None:
    rewards = np.array([[100.0, 100.0 + 4e-8, 99.0]])
    expert = Expert(TabularMDP(np.ones((1, 3, 1)), rewards, gamma=0.5))
    assert expert.optimal.tolist() == [[True, True, False]]
    assert expert.violation(rewards) == 0.0
    (design,) = design_rewards(expert, 0, begin=rewards)
    np.testing.assert_array_equal(design.reward, rewards)
