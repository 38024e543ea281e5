"""Learners of costs that somebody else has chosen: weighted majority, Hedge, EXP3, EXP4."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from coopgym.oracles.bandits import (
    EXP3,
    EXP4,
    UCB1,
    Instance,
    OnlineHedge,
    OnlineLearner,
    RewardTable,
    WeightedMajority,
    play_bandit,
)
from coopgym.oracles.finite.no_regret import Hedge
from coopgym.oracles.finite.zero_sum import minimax

OBLIVIOUS = Instance(3, process="oblivious")
costs = st.tuples(st.integers(1, 20), st.integers(2, 5)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.floats(0.0, 1.0))
)
matrices = st.tuples(st.integers(1, 5), st.integers(1, 5)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.floats(-10.0, 10.0, width=16))
)


@given(
    advice=st.tuples(st.integers(1, 30), st.integers(1, 5)).flatmap(
        lambda shape: arrays(np.int64, (shape[0], shape[1] + 1), elements=st.integers(0, 1))
    ),
    epsilon=st.floats(0.05, 0.9),
)
@settings(max_examples=25, deadline=None)
def test_weighted_majority_never_errs_more_than_its_bound(advice: np.ndarray, epsilon: float) -> None:
    experts, labels = advice[:, :-1], advice[:, -1]
    learner = WeightedMajority(experts=experts.shape[1], epsilon=epsilon)
    learner.reset(arms=2, horizon=len(labels))
    for said, label in zip(experts, labels, strict=True):
        right = np.eye(2)[[label]]
        answer = learner.choose(said[None].astype(float))
        learner.update(answer, right[0, answer], right)
    best = int((experts != labels[:, None]).sum(0).min())
    assert int(learner.wrong.min()) == best
    assert int(learner.mistakes[0]) <= learner.mistake_bound(best) + 1e-9


@given(table=costs, epsilon=st.one_of(st.none(), st.floats(0.01, 0.5)))
@settings(max_examples=25, deadline=None)
def test_hedge_never_pays_more_in_the_mean_than_its_bound(table: np.ndarray, epsilon: float | None) -> None:
    learner = OnlineHedge(epsilon)
    learner.reset(arms=table.shape[1], horizon=len(table))
    paid = 0.0
    for row in table:
        paid += float(learner.probabilities()[0] @ row)
        learner.update(np.array([0]), 1.0 - row[:1], 1.0 - row[None])
    best, rate = float(table.sum(0).min()), learner.rate
    assert paid - best <= math.log(table.shape[1]) / rate + rate * best + 1e-9
    declared = learner.declared_bound(len(table), Instance(table.shape[1], process="adaptive"))
    assert declared is not None
    assert paid - best <= declared + 1e-9


@given(payoff=matrices, rounds=st.integers(1, 40))
@example(payoff=np.full((3, 1), -1.0), rounds=6)
@settings(max_examples=20, deadline=None)
def test_averages_against_a_best_responder_are_minimax_up_to_the_bound(payoff: np.ndarray, rounds: int) -> None:
    play, value = Hedge(rounds).against_best_response(payoff), minimax(payoff).value
    slack = play.bound + 1e-6 * max(1.0, float(np.ptp(payoff)))
    assert float((play.row @ payoff).min()) >= value - slack
    assert float((payoff @ play.column).max()) <= value + slack
    assert play.row.sum() == pytest.approx(1.0)
    assert play.column.sum() == pytest.approx(1.0)


def drifting(rounds: int) -> np.ndarray:
    """Rewards of four arms that take turns at being best, ``(T, K)``."""
    t = np.arange(rounds)[:, None] / rounds
    return 0.5 + 0.4 * np.sin(2.0 * np.pi * (2.0 * t + np.arange(4) / 4.0)) + np.linspace(0.0, 0.1, 4)


def test_hedge_and_exp3_keep_their_declared_bounds_on_drifting_rewards() -> None:
    for learner in (OnlineHedge(), EXP3()):
        ledger = play_bandit(learner, RewardTable(drifting(300)), 300, replicas=20)
        assert ledger.of_declared is not None
        assert ledger.of_declared < 1.0


def test_what_is_made_against_a_deterministic_learner_costs_it_half_of_all_rounds_and_leaves_exp3_alone() -> None:
    rounds, arms = 1000, 2
    table, learner = np.ones((rounds, arms)), UCB1()
    learner.reset(arms, rounds)
    for row in table:
        chosen = learner.choose()
        row[chosen] = 0.0
        learner.update(chosen, np.zeros(1))
    fooled = play_bandit(UCB1(), RewardTable(table), rounds)
    assert fooled.earned.tolist() == [0.0]
    assert fooled.external_regret[0] >= rounds / arms
    ledger = play_bandit(EXP3(), RewardTable(table), rounds, replicas=20)
    assert ledger.of_declared is not None
    assert ledger.of_declared < 1.0


def test_experts_that_advise_one_arm_each_make_exp4_play_as_exp3() -> None:
    rng = np.random.default_rng(0)
    exp3, exp4 = EXP3(eta=0.1), EXP4(eta=0.1, experts=3)
    for learner in (exp3, exp4):
        learner.reset(3, 100, replicas=2)
    advice = np.tile(np.eye(3), (2, 1, 1))
    for _ in range(50):
        numbers, rewards = rng.random((2, 1)), rng.random(3)
        chosen = exp3.act(numbers)
        np.testing.assert_array_equal(exp4.act(numbers, advice), chosen)
        for learner in (exp3, exp4):
            learner.update(chosen, rewards[chosen])
    np.testing.assert_allclose(exp4.weights(), exp3.probabilities(), rtol=1e-12)
    assert exp4.bound_to_best_expert(100, 3) == pytest.approx(exp3.declared_bound(100, OBLIVIOUS))


def test_importance_weighted_costs_are_unbiased() -> None:
    learner = EXP3(eta=0.3)
    replicas, row = 40_000, np.array([0.2, 0.9, 0.5])
    learner.reset(3, 10, replicas)
    learner.costs[:] = [0.0, 2.0, 1.0]
    before = learner.costs.copy()
    chosen = learner.act(np.random.default_rng(0).random((replicas, 1)))
    learner.update(chosen, 1.0 - row[chosen])
    np.testing.assert_allclose((learner.costs - before).mean(0), row, atol=0.03)


def test_only_a_learner_that_declares_it_sees_what_other_arms_bring() -> None:
    hedge, exp3 = OnlineHedge(), EXP3()
    for learner in (hedge, exp3):
        learner.reset(2, 10)
    with pytest.raises(ValueError, match="needs the rewards of all arms"):
        hedge.update(np.array([0]), np.array([1.0]))
    with pytest.raises(ValueError, match="must not see what other arms bring"):
        exp3.update(np.array([0]), np.array([1.0]), np.ones((1, 2)))


@pytest.mark.parametrize(
    "make",
    [OnlineHedge, EXP3, lambda: EXP4(experts=2), lambda: WeightedMajority(experts=2)],
)
def test_restarted_replicas_begin_again_and_others_go_on(make: Callable[[], OnlineLearner]) -> None:
    learner = make()
    learner.reset(2, 50, replicas=2)
    context = {
        EXP4: np.tile(np.array([[0.9, 0.1], [0.2, 0.8]]), (2, 1, 1)),
        WeightedMajority: np.tile([0.0, 1.0], (2, 1)),
    }
    seen = context.get(type(learner))
    fresh = learner.probabilities(seen).copy()
    for _ in range(5):
        learner.act(np.array([[0.1], [0.1]]), seen)
        feedback = np.tile([0.0, 1.0], (2, 1))
        learner.update(np.zeros(2, dtype=np.int64), np.zeros(2), feedback if learner.full_feedback else None)
    gone = learner.probabilities(seen).copy()
    assert not np.allclose(gone, fresh)
    learner.restart(np.array([True, False]))
    np.testing.assert_allclose(learner.probabilities(seen), [fresh[0], gone[1]])


@pytest.mark.slow
def test_regret_of_exp3_grows_with_the_root_of_time() -> None:
    horizons = np.array([500, 2000, 8000])
    regrets = []
    for horizon in horizons:
        ledger = play_bandit(EXP3(), RewardTable(drifting(int(horizon))), int(horizon), replicas=200)
        assert ledger.of_declared is not None
        assert ledger.of_declared < 1.0
        regrets.append(max(ledger.external_regret.mean(), 1.0))
    assert np.polyfit(np.log(horizons), np.log(regrets), 1)[0] < 0.65


@pytest.mark.slow
def test_exp4_keeps_its_bound_to_the_best_expert() -> None:
    rng, (horizon, experts, arms, replicas) = np.random.default_rng(0), (2000, 8, 4, 100)
    learner = EXP4(experts=experts)
    learner.reset(arms, horizon, replicas)
    paid, by_expert = np.zeros(replicas), np.zeros(experts)
    good = np.eye(arms)[np.arange(horizon) % arms]
    for t in range(horizon):
        row = np.clip(0.8 - 0.6 * good[t] + 0.1 * rng.standard_normal(arms), 0.0, 1.0)
        advice = rng.dirichlet(np.ones(arms), experts)
        advice[0] = 0.5 * good[t] + 0.5 / arms
        chosen = learner.act(rng.random((replicas, 1)), np.tile(advice, (replicas, 1, 1)))
        learner.update(chosen, 1.0 - row[chosen])
        paid += row[chosen]
        by_expert += advice @ row
    assert by_expert.argmin() == 0
    assert paid.mean() - by_expert.min() <= learner.bound_to_best_expert(horizon, arms)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: OnlineHedge(epsilon=0.6), r"epsilon=0\.6"),
        (lambda: EXP3(eta=0.0), r"eta=0\.0"),
        (lambda: EXP3(gamma=1.0), r"gamma=1\.0"),
        (lambda: EXP4(experts=0), "experts=0"),
        (lambda: EXP4(experts=2, gamma=0.1).bound_to_best_expert(10, 2), r"gamma=0\.1"),
        (lambda: WeightedMajority(epsilon=1.0), r"epsilon=1\.0"),
        (lambda: WeightedMajority().reset(3, 10), "arms=3"),
        (lambda: play_bandit(EXP4(), RewardTable([[0.5, 0.5]]), 1), "needs a context"),
    ],
)
def test_bad_input_is_told(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_advice_must_be_distributions_of_the_right_shape() -> None:
    learner = EXP4(experts=2)
    learner.reset(3, 10)
    with pytest.raises(ValueError, match=r"expected \(replicas, experts, arms\) = \(1, 2, 3\)"):
        learner.act(np.zeros((1, 1)), np.full((1, 3, 3), 1.0 / 3.0))
    with pytest.raises(ValueError, match="sums to one"):
        learner.act(np.zeros((1, 1)), np.full((1, 2, 3), 0.5))
