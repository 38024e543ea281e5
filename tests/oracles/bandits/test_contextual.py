"""Learners that look before they choose, what logs tell of other policies, and arms that share outcomes."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.oracles.bandits import (
    EXP3,
    UCB1,
    LinUCB,
    OnlineHedge,
    OutcomeUCB,
    PerContext,
    PolicyClass,
    StochasticArms,
    logged_rounds,
    off_policy_value,
    play_bandit,
)
from coopgym.oracles.bandits.contextual import cell_of, context_cells


@given(contexts=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20), cells=st.integers(1, 50))
@settings(max_examples=40, deadline=None)
def test_every_context_is_in_the_cell_around_it(contexts: list[float], cells: int) -> None:
    places = cell_of(np.array(contexts), cells)
    assert ((places >= 0) & (places < cells)).all()
    assert (np.abs((places + 0.5) / cells - contexts) <= 0.5 / cells + 1e-9).all()


def test_one_round_asks_for_one_cell() -> None:
    assert context_cells(1, 1.0, arms=3) == 1


def test_more_rounds_and_steeper_rewards_ask_for_more_cells() -> None:
    assert context_cells(100_000, 1.0, 4) > context_cells(5000, 1.0, 4)
    assert context_cells(5000, 4.0, 4) > context_cells(5000, 1.0, 4)


@pytest.mark.parametrize("make", [UCB1, EXP3])
def test_a_learner_per_cell_plays_in_each_as_it_would_alone(make: Callable[[], UCB1 | EXP3]) -> None:
    rng = np.random.default_rng(0)
    together, alone = PerContext(cells=(2, 2), make=make), make()
    together.reset(3, 60, replicas=2)
    alone.reset(3, 60, replicas=2)
    for t in range(60):
        context, numbers, rewards = rng.random((2, 2)), rng.random((2, together.draws)), rng.random(3)
        context[0] = 0.25 if t % 2 else [0.75, 0.3]
        chosen = together.act(numbers, context)
        if t % 2:
            expected = alone.act(numbers)
            assert chosen[0] == expected[0]
            alone.update(expected, rewards[expected])
        together.update(chosen, rewards[chosen])


def test_restarting_a_replica_forgets_all_its_cells() -> None:
    learner = PerContext(cells=(2,), make=UCB1)
    learner.reset(2, 20, replicas=2)
    for t in range(10):
        chosen = learner.act(np.zeros((2, 0)), np.full((2, 1), t % 2))
        learner.update(chosen, np.ones(2))
    learner.restart(np.array([True, False]))
    assert isinstance(learner.inner, UCB1)
    assert learner.inner.counts.sum(1).tolist() == [0.0, 0.0, 5.0, 5.0]
    assert learner.round.tolist() == [0, 10]


def test_linear_bounds_are_those_of_ridge_regression() -> None:
    rng, learner = np.random.default_rng(0), LinUCB(features=3, alpha=0.7, regularisation=2.0)
    learner.reset(2, 40)
    matrix, vector = 2.0 * np.tile(np.eye(3), (2, 1, 1)), np.zeros((2, 3))
    for _ in range(40):
        context, reward = rng.random((1, 2, 3)), rng.random(1)
        arm = int(learner.choose(context)[0])
        learner.update(np.array([arm]), reward)
        x = context[0, arm]
        matrix[arm] += np.outer(x, x)
        vector[arm] += reward * x
    theta = np.linalg.solve(matrix, vector[..., None])[..., 0]
    np.testing.assert_allclose(learner.theta[0], theta, rtol=1e-9)
    spread = np.einsum("ki,kij,kj->k", context[0], np.linalg.inv(matrix), context[0])
    np.testing.assert_allclose(learner.index(context)[0], (theta * context[0]).sum(1) + 0.7 * np.sqrt(spread))


def linear_regrets(horizon: int) -> tuple[np.ndarray, float]:
    """Regret of LinUCB in each round, and of the best arm held, where rewards are linear in what is seen."""
    rng, parameters = np.random.default_rng(0), np.array([[0.9, 0.1], [0.1, 0.9], [0.45, 0.45]])
    learner, lost, by_arm = LinUCB(features=2), np.zeros(horizon), np.zeros(3)
    learner.reset(3, horizon)
    for t in range(horizon):
        x = rng.dirichlet([0.5, 0.5])
        means = parameters @ x
        arm = learner.choose(x[None])
        learner.update(arm, np.clip(means[arm] + 0.05 * rng.standard_normal(1), 0.0, 1.0))
        lost[t] = means.max() - means[arm[0]]
        by_arm += means.max() - means
    return lost, float(by_arm.min())


def test_linear_rewards_are_learned_where_no_fixed_arm_is_good() -> None:
    lost, fixed = linear_regrets(1500)
    assert lost.sum() < 0.1 * fixed
    assert lost[750:].sum() < 0.5 * lost[:750].sum()


def test_features_are_counted_when_the_first_context_comes_and_stay_known() -> None:
    learner = LinUCB()
    learner.reset(2, 10, replicas=3)
    learner.update(learner.choose(np.ones((3, 4))), np.ones(3))
    assert learner.theta.shape == (3, 2, 5)
    learner.restart(np.array([True, False, False]))
    assert not learner.sums[0].any()
    assert learner.sums[1].any()
    with pytest.raises(ValueError, match="context of shape"):
        learner.choose(np.ones((3, 2)))


def test_another_play_may_have_another_context() -> None:
    learner = LinUCB()
    for width in (2, 3):
        learner.reset(arms=2, horizon=4)
        learner.update(learner.choose(np.zeros((1, width))), np.ones(1))
        assert learner.theta.shape == (1, 2, width + 1)
    with pytest.raises(ValueError, match=r"context of shape \(1, 3\)"):
        learner.choose(np.zeros((1, 2)))


def test_a_class_of_policies_is_searched_for_the_best() -> None:
    rng = np.random.default_rng(0)
    learner = PolicyClass(lambda x: np.stack([x[:, 0] > 0.5, x[:, 0] <= 0.5], 1).astype(int), count=2, exploration=100)
    learner.reset(2, 200, replicas=50)
    for _ in range(200):
        x = rng.random((50, 1))
        arms = learner.act(rng.random((50, 1)), x)
        learner.update(arms, 0.3 + 0.4 * (arms == (x[:, 0] > 0.5)))
    assert learner.best().tolist() == [0] * 50
    assert (arms == (x[:, 0] > 0.5)).all()


def test_estimates_of_another_policy_are_unbiased_and_a_model_cuts_their_variance() -> None:
    rng, n, truth = np.random.default_rng(0), 400, np.array([0.2, 0.5, 0.8])
    ips, robust = [], []
    for _ in range(200):
        likely = np.array([0.6, 0.3, 0.1])
        actions = rng.choice(3, n, p=likely)
        rewards = (rng.random(n) < truth[actions]).astype(float)
        value = off_policy_value(actions, rewards, likely[actions], np.full(n, 2), np.tile(truth, (n, 1)))
        ips.append(value.ips)
        robust.append(value.doubly_robust)
        assert value.effective_samples == pytest.approx((actions == 2).sum())
    for estimates in (ips, robust):
        assert np.mean(estimates) == pytest.approx(0.8, abs=4.0 * np.std(estimates) / np.sqrt(200))
    assert np.std(robust) < np.std(ips)


def episode(shares: list[float], logprobs: list[float]) -> Any:
    rounds = len(shares)
    return SimpleNamespace(
        actions=np.array(shares)[:, None],
        logprobs=np.array(logprobs)[:, None],
        rewards=np.arange(rounds, dtype=float)[:, None],
        observations=np.zeros((rounds + 1, 1, 2)),
    )


def test_logs_of_episodes_are_read_as_levels_and_propensities() -> None:
    told = logged_rounds([episode([0.5, 1.0], [np.log(0.5), np.log(0.25)]), episode([0.0], [0.0])], 0, [0.0, 0.5, 1.0])
    assert told.actions.tolist() == [1, 2, 0]
    np.testing.assert_allclose(told.propensities, [0.5, 0.25, 1.0])
    assert told.observations.shape == (3, 2)
    with pytest.raises(ValueError, match="1 of 1 recorded actions have no action_logprob"):
        logged_rounds([episode([0.5], [np.nan])], 0, [0.0, 0.5])
    with pytest.raises(ValueError, match=r"share 0\.7 is none of the 2 levels"):
        logged_rounds([episode([0.7], [-1.0])], 0, [0.0, 0.5])
    with pytest.raises(ValueError, match="at least one"):
        logged_rounds([], 0, [0.0, 0.5])


def test_without_support_there_is_no_number() -> None:
    with pytest.raises(ValueError, match="no support: 2 of 3 rounds"):
        off_policy_value([0, 0, 1], [0.1, 0.2, 0.3], [1.0, 1.0, 1.0], [1, 1, 1])
    with pytest.raises(ValueError, match="no support: all 2 rounds"):
        off_policy_value([0, 0], [0.1, 0.2], [0.5, 0.5], [1, 1])
    with pytest.raises(ValueError, match="propensities"):
        off_policy_value([0], [0.1], [0.0], [0])
    with pytest.raises(ValueError, match="same length"):
        off_policy_value([0, 1], [0.1], [0.5], [0])


def test_few_outcomes_are_learned_sooner_than_many_arms() -> None:
    outcomes = np.arange(100) % 4
    arms, horizon = StochasticArms(np.array([0.2, 0.4, 0.6, 0.8])[outcomes]), 2000
    by_outcome = play_bandit(OutcomeUCB(outcome_of=tuple(outcomes.tolist())), arms, horizon, 20)
    by_arm = play_bandit(UCB1(), arms, horizon, 20)
    assert by_outcome.of_declared is not None
    assert by_outcome.of_declared < 1.0
    assert by_outcome.expected_regret.mean() < 0.3 * by_arm.expected_regret.mean()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PerContext(cells=()), r"cells=\(\)"),
        (lambda: PerContext(make=OnlineHedge), "OnlineHedge"),
        (lambda: LinUCB(features=0), "features=0"),
        (lambda: LinUCB(alpha=-1.0), "alpha"),
        (lambda: LinUCB(regularisation=0.0), "regularisation"),
        (lambda: PolicyClass(lambda x: x, count=0), "count=0"),
        (lambda: OutcomeUCB(outcome_of=(0, 2)), "without gaps"),
        (lambda: OutcomeUCB(outcome_of=(0, 1)).reset(3, 10), "each of 3 arms"),
    ],
)
def test_bad_input_is_told(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
