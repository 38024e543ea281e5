"""Contexts, sets, outcomes and logs: what is learned from what is seen, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.oracles.bandits import (
    EXP3,
    UCB1,
    EpsilonGreedy,
    FollowPerturbedLeader,
    LinUCB,
    OnlineLearner,
    OutcomeUCB,
    PerContext,
    PolicyClass,
    SampledSemiBandit,
    SemiBandit,
    SetLearner,
    StochasticArms,
    off_policy_value,
    play_bandit,
    play_sets,
    sets_of,
)

seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("make", [UCB1, EXP3, EpsilonGreedy])
def test_cells_of_a_context_learn_as_if_each_were_played_alone(make: type[OnlineLearner]) -> None:
    rng = np.random.default_rng(0)
    learner = PerContext(cells=(2,), make=make)
    learner.reset(arms=3, horizon=40, replicas=2)
    alone = make()
    alone.reset(arms=3, horizon=40)
    for t in range(40):
        # Replica 0 sees the lower cell every other round, replica 1 another cell in every round.
        lower = t % 2 == 0
        numbers, context = rng.random((2, learner.draws)), np.array([[0.1 if lower else 0.9], [rng.random()]])
        chosen = learner.act(numbers, context)
        rewards = np.where(chosen == 1, 0.9, 0.2)
        if lower:
            own = alone.act(numbers[:1])
            assert own[0] == chosen[0]
            alone.update(own, rewards[:1])
        learner.update(chosen, rewards)
    np.testing.assert_allclose(learner.inner.probabilities()[0], alone.probabilities()[0])


def test_restarted_replicas_forget_their_cells() -> None:
    learner = PerContext(cells=(2, 2))
    learner.reset(arms=2, horizon=20, replicas=2)
    for _ in range(6):
        chosen = learner.act(np.zeros((2, 0)), np.full((2, 2), 0.7))
        learner.update(chosen, np.full(2, 0.5))
    assert isinstance(learner.inner, UCB1)
    learner.restart(np.array([True, False]))
    assert learner.inner.counts.reshape(2, 4, 2).sum((1, 2)).tolist() == [0.0, 6.0]
    assert learner.round.tolist() == [0, 6]


def test_linear_optimism_finds_what_no_fixed_arm_earns() -> None:
    rng = np.random.default_rng(0)
    parameters = rng.normal(size=(4, 3)) / 3.0
    learner = LinUCB(features=3)
    learner.reset(arms=4, horizon=600, replicas=10)
    late = []
    for t in range(600):
        x = rng.normal(size=(10, 3))
        means = x @ parameters.T
        chosen = learner.choose(x)
        learner.update(chosen, means[np.arange(10), chosen] + 0.05 * rng.normal(size=10))
        if t >= 300:
            late.append((means.max(1) - means[np.arange(10), chosen]).mean())
    assert np.mean(late) < 0.01
    np.testing.assert_allclose(learner.theta.mean(0), parameters, atol=0.1)


@settings(max_examples=30)
@given(seed=seeds, arms=st.integers(1, 3), features=st.integers(1, 4))
def test_the_inverse_stays_that_of_the_gram_matrix(seed: int, arms: int, features: int) -> None:
    rng = np.random.default_rng(seed)
    learner = LinUCB(features=features, regularisation=0.5)
    learner.reset(arms, horizon=20)
    gram = np.tile(0.5 * np.eye(features), (arms, 1, 1))
    for _ in range(20):
        x = rng.normal(size=(1, arms, features))
        chosen = learner.choose(x)
        learner.update(chosen, rng.random(1))
        gram[chosen[0]] += np.outer(x[0, chosen[0]], x[0, chosen[0]])
    np.testing.assert_allclose(learner.inverse[0], np.linalg.inv(gram), rtol=1e-8, atol=1e-10)


def test_the_best_policy_of_a_class_is_followed_after_exploring() -> None:
    rng = np.random.default_rng(0)
    learner = PolicyClass(lambda x: np.stack([x[:, 0], 1 - x[:, 0], 0 * x[:, 0]], 1).astype(int), count=3)
    learner.reset(arms=2, horizon=2000, replicas=20)
    assert 0 < learner.explored < 1000
    for _ in range(2000):
        x = rng.integers(0, 2, (20, 1)).astype(float)
        chosen = learner.act(rng.random((20, 1)), x)
        learner.update(chosen, np.where(chosen == x[:, 0], 0.8, 0.3))
    assert (learner.best() == 0).all()
    assert learner.probabilities(np.ones((20, 1)))[:, 1].tolist() == [1.0] * 20


def test_contexts_are_checked() -> None:
    learner = PerContext(cells=(3,))
    learner.reset(arms=2, horizon=5)
    for context, message in ((None, "context of shape None"), (np.array([[1.5]]), r"numbers in \[0, 1\]")):
        with pytest.raises(ValueError, match=message):
            learner.act(np.zeros((1, 0)), context)
    with pytest.raises(ValueError, match="LinUCB: expected a learner without context"):
        PerContext(make=LinUCB)
    linear = LinUCB(features=2)
    linear.reset(arms=2, horizon=5)
    with pytest.raises(ValueError, match=r"context of shape \(1, 3\): expected \(1, 2, 2\), or \(1, 2\) for all arms"):
        linear.choose(np.zeros((1, 3)))


COSTS = np.array([0.9, 0.8, 0.2, 0.7, 0.1])
"""Of five atoms; the best pair costs 0.3."""


@pytest.mark.parametrize(
    "learner",
    [FollowPerturbedLeader(sets_of(5, 2)), SemiBandit(sets_of(5, 2)), SampledSemiBandit(atoms=5, size=2)],
    ids=["leader", "listed", "sampled"],
)
def test_the_best_set_is_found(learner: SetLearner) -> None:
    rng = np.random.default_rng(0)
    costs = np.clip(COSTS + 0.1 * rng.normal(size=(1500, 5)), 0.0, 1.0)
    paid = play_sets(learner, costs, replicas=20)
    uniform = 2.0 * COSTS.mean()
    assert paid[-300:].mean() < 0.3 + 0.25 * (uniform - 0.3)
    assert paid.sum(0).mean() - 0.3 * 1500 < 2.0 * np.sqrt(5 * 1500 * 2)


@pytest.mark.parametrize("size", [1, 3])
def test_waiting_times_estimate_inverse_probabilities(size: int) -> None:
    learner = SampledSemiBandit(atoms=4, size=size, eta=1.0, resamples=60)
    learner.reset(horizon=1, replicas=4000)
    start = np.array([0.0, 0.3, 0.6, 0.9])
    learner.costs[:] = start
    learner.update(np.where(learner.act(np.random.default_rng(0).random((4000, learner.draws))), 1.0, np.nan))
    # Every atom costs 1, so that unbiased estimates grow by 1 on average.
    spread = learner.costs.std(0) / np.sqrt(4000)
    assert (np.abs(learner.costs.mean(0) - start - 1.0) < 4.0 * spread + 0.01).all()


def test_sets_are_checked_and_unchosen_atoms_stay_unseen() -> None:
    with pytest.raises(ValueError, match=r"6,724,520 sets of 6 of 44|7,059,052 sets of 6 of 44"):
        sets_of(44, 6)
    with pytest.raises(ValueError, match="zeros and ones with a one in every row"):
        SemiBandit([[0, 0], [1, 0]])
    learner = SemiBandit(sets_of(3, 2))
    learner.reset(horizon=4)
    learner.act(np.array([[0.0]]))
    with pytest.raises(ValueError, match="of the atoms of the chosen set, NaN elsewhere"):
        learner.update(np.array([[0.1, 0.2, 0.3]]))
    with pytest.raises(ValueError, match=r"numbers in \[0, 1\]"):
        learner.update(np.array([[0.1, 1.2, np.nan]]))


def test_pooled_outcomes_cost_less_than_arms_of_their_own() -> None:
    outcome_of = tuple(k % 3 for k in range(60))
    arms = StochasticArms([(0.2, 0.5, 0.8)[outcome] for outcome in outcome_of])
    pooled = play_bandit(OutcomeUCB(outcome_of=outcome_of), arms, 2000, replicas=20)
    alone = play_bandit(UCB1(), arms, 2000, replicas=20)
    assert pooled.of_declared is not None
    assert pooled.of_declared < 1.0
    assert pooled.expected_regret.mean() < 0.25 * alone.expected_regret.mean()
    with pytest.raises(ValueError, match="numbered from 0, no gaps"):
        OutcomeUCB(outcome_of=(0, 2))


def test_inverse_propensities_are_unbiased_and_models_only_help() -> None:
    rng = np.random.default_rng(0)
    n, means = 40_000, np.array([0.2, 0.5, 0.7])
    logging = np.array([0.5, 0.3, 0.2])
    played = rng.choice(3, size=n, p=logging)
    rewards = (rng.random(n) < means[played]).astype(float)
    wrong = np.tile([0.9, 0.9, 0.1], (n, 1))
    value = off_policy_value(played, rewards, logging[played], np.full(n, 2), wrong)
    assert value.ips == pytest.approx(0.7, abs=0.03)
    assert value.snips == pytest.approx(0.7, abs=0.03)
    assert value.doubly_robust == pytest.approx(0.7, abs=0.03)
    assert value.direct == pytest.approx(0.1)
    assert value.effective_samples == pytest.approx(0.2 * n, rel=0.05)


def test_logs_without_support_are_refused() -> None:
    with pytest.raises(ValueError, match="no support: 2 of 3 rounds could have brought only another action"):
        off_policy_value([0, 0, 1], [0.1, 0.2, 0.3], [1.0, 1.0, 0.5], [1, 1, 1])
    with pytest.raises(ValueError, match="no support: all 2 rounds brought only another action"):
        off_policy_value([0, 0], [0.1, 0.2], [0.5, 0.5], [1, 1])
    with pytest.raises(ValueError, match="propensities: expected numbers above 0"):
        off_policy_value([0], [0.1], [0.0], [0])
    with pytest.raises(ValueError, match="four lists of the same length"):
        off_policy_value([0, 1], [0.1], [0.5], [0])
