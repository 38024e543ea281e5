"""Learners that choose sets."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from coopgym.oracles.bandits import FollowPerturbedLeader, SampledSemiBandit, SemiBandit, SetLearner, play_sets, sets_of

MAKERS: tuple[Callable[[], SetLearner], ...] = (
    lambda: FollowPerturbedLeader(sets_of(5, 2)),
    lambda: SemiBandit(sets_of(5, 2)),
    lambda: SampledSemiBandit(atoms=5, size=2),
)


def steady(rounds: int, seed: int = 0) -> np.ndarray:
    """Noisy costs of five atoms, of which 1 and 3 are the cheapest, ``(T, d)``."""
    noise = 0.1 * np.random.default_rng(seed).standard_normal((rounds, 5))
    return np.clip(np.array([0.8, 0.2, 0.6, 0.3, 0.7]) + noise, 0.0, 1.0)


@pytest.mark.parametrize("make", MAKERS)
def test_the_cheapest_set_is_found(make: Callable[[], SetLearner]) -> None:
    costs = steady(1000)
    paid = play_sets(make(), costs, replicas=20)
    assert paid[-200:].mean() < costs[-200:, [1, 3]].sum(1).mean() + 0.15
    assert paid[:20].mean() > 0.6


@pytest.mark.parametrize("make", MAKERS)
def test_sets_have_their_size_and_costs_are_learned_only_where_they_may_be_seen(make: Callable[[], SetLearner]) -> None:
    learner = make()
    learner.reset(10, replicas=3)
    chosen = learner.act(np.random.default_rng(0).random((3, learner.draws)))
    assert chosen.sum(1).tolist() == [2, 2, 2]
    everything, own = np.full((3, 5), 0.5), np.where(chosen, 0.5, np.nan)
    with pytest.raises(ValueError, match="expected"):
        learner.update(own if learner.full_feedback else everything)
    learner.update(everything if learner.full_feedback else own)
    assert (learner.costs[~chosen] > 0.0).all() == learner.full_feedback


def test_estimates_of_listed_sets_are_unbiased() -> None:
    replicas, costs = 40_000, np.array([0.9, 0.1, 0.5, 0.7])
    learner = SemiBandit(sets_of(4, 2), eta=0.3)
    learner.reset(10, replicas)
    learner.costs[:] = [0.0, 2.0, 1.0, 0.0]
    before = learner.costs.copy()
    chosen = learner.act(np.random.default_rng(0).random((replicas, 1)))
    learner.update(np.where(chosen, costs, np.nan))
    np.testing.assert_allclose((learner.costs - before).mean(0), costs, atol=0.03)


def test_how_long_an_atom_is_waited_for_tells_how_likely_it_is_chosen() -> None:
    # The mean wait is (1 - (1 - q)^M) / q: short of 1 / q by as much as M waits leave.
    replicas, learner = 20_000, SampledSemiBandit(atoms=4, size=2, eta=0.5, resamples=8)
    learner.reset(10, replicas)
    learner.costs[:] = [0.0, 1.0, 2.0, 3.0]
    before = learner.costs.copy()
    chosen = learner.act(np.random.default_rng(0).random((replicas, learner.draws)))
    learner.update(np.where(chosen, 1.0, np.nan))
    likely = chosen.mean(0)
    expected = 1.0 - (1.0 - likely) ** 8
    np.testing.assert_allclose((learner.costs - before).mean(0), expected, atol=0.05)


def test_a_leader_follows_its_perturbation_first_and_costs_in_the_end() -> None:
    learner = FollowPerturbedLeader(sets_of(3, 1), epsilon=1.0)
    learner.reset(10)
    assert learner.act(np.array([[1.0, 0.5, 0.0]])[:, ::1]).tolist() == [[False, False, True]]
    learner.update(np.array([[1.0, 0.0, 1.0]]))
    learner.update(np.array([[1.0, 0.0, 1.0]]))
    # Perturbed by 1, 0 and -1, atoms have now cost 3, 0 and 1; later numbers change nothing.
    assert learner.act(np.zeros((1, 3))).tolist() == [[False, True, False]]


@pytest.mark.slow
def test_regret_of_the_perturbed_leader_stays_within_its_order() -> None:
    rng, horizon = np.random.default_rng(0), 2000
    costs = np.clip(0.5 + 0.3 * np.sin(np.arange(horizon)[:, None] / 100.0 + np.arange(6)), 0.0, 1.0)
    sets = sets_of(6, 3)
    paid = play_sets(FollowPerturbedLeader(sets), costs, replicas=50, rng=rng).sum(0)
    assert paid.mean() - (costs @ sets.T).sum(0).min() <= 3 * math.sqrt(6 * horizon)


@pytest.mark.slow
def test_regret_of_the_semi_bandit_stays_within_its_bound() -> None:
    horizon, sets = 4000, sets_of(6, 2)
    noise = 0.1 * np.random.default_rng(0).standard_normal((horizon, 6))
    costs = np.clip(np.linspace(0.3, 0.7, 6) + noise, 0.0, 1.0)
    paid = play_sets(SemiBandit(sets), costs, replicas=100).sum(0)
    # ln A / η + η T d / 2 with η = sqrt(2 ln A / (T d)), of costs that are sums over up to two atoms.
    bound = 2 * math.sqrt(2.0 * horizon * 6 * math.log(len(sets)))
    assert paid.mean() - (costs @ sets.T).sum(0).min() <= bound


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sets_of(3, 4), "size=4"),
        (lambda: sets_of(20, 10), "184,756 sets"),
        (lambda: SemiBandit([[0, 0]]), "a one in every row"),
        (lambda: SemiBandit([[0, 2]]), "zeros and ones"),
        (lambda: SemiBandit([[1, 0]], eta=-1.0), "eta"),
        (lambda: FollowPerturbedLeader([[1, 0]], epsilon=0.0), "epsilon"),
        (lambda: SampledSemiBandit(atoms=3, size=4), "size=4"),
        (lambda: SampledSemiBandit(atoms=3, size=2, resamples=0), "resamples=0"),
        (lambda: SemiBandit([[1, 0]]).reset(0), "horizon=0"),
        (lambda: play_sets(SemiBandit([[1, 0]]), np.array([[2.0, 0.0]])), r"in \[0, 1\]"),
        (lambda: play_sets(SemiBandit([[1, 0]]), np.full(10, 0.5)), r"costs of shape \(10,\): expected \(T, d\)"),
        (lambda: play_sets(SemiBandit([[1, 0]]), np.full((10, 1), 0.5)), "d = 2 atoms"),
    ],
)
def test_bad_input_is_told(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
