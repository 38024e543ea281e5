"""Probability of improvement: how probable it is that a run of one algorithm beats a run of another."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.sparse import csr_array

from benchmarks.analysis.bootstrap import Bootstrap, estimate
from benchmarks.analysis.estimates import Estimate, FloatArray, IntArray
from benchmarks.analysis.replicates import Replicates
from benchmarks.analysis.scores import ScoreTable


@dataclass(frozen=True)
class Improvement:
    """How probable it is that a run of the first algorithm beats one of the second on the same task."""

    first: str
    second: str
    probability: Estimate


def improvements(table: ScoreTable, settings: Bootstrap) -> tuple[Improvement, ...]:
    """Compare every pair of algorithms; the probability of the swapped pair is what is missing to 1.

    Raises:
        ValueError: an algorithm has no score on one of the tasks.
    """
    replicates = {name: table.replicates(name) for name in table.names}
    found = []
    for first, second in combinations(table.names, 2):
        rng = settings.generator(first, second)
        probability = probability_of_improvement(replicates[first], replicates[second], settings, rng)
        found.append(Improvement(first, second, probability))
    return tuple(found)


def probability_of_improvement(
    first: Replicates, second: Replicates, settings: Bootstrap, rng: np.random.Generator
) -> Estimate:
    """Return P(X > Y) + P(X = Y)/2 for runs X and Y of two algorithms on one task, averaged over tasks.

    On a task with n and m runs it is U/(nm): Mann and Whitney (1947), Ann. Math. Stat. 18, 50-60. The runs of the two
    are drawn independently of each other.

    Raises:
        ValueError: the two do not have the same number of tasks.
    """
    n_tasks, split = len(first.sizes), len(first.scores)
    if len(second.sizes) != n_tasks:
        raise ValueError(f"{n_tasks} tasks against {len(second.sizes)}; expected the same tasks in the same order")
    wins = _wins(first, second)

    def probability(both: Replicates, counts: IntArray) -> FloatArray:
        weights = 2 * both.weights(counts)  # both halves hold every task, so each half sums to one
        return n_tasks * ((weights[:, :split] @ wins) * weights[:, split:]).sum(-1)

    both = Replicates(np.concatenate([first.scores, second.scores]), np.concatenate([first.sizes, second.sizes]))
    return estimate(both, probability, settings, rng)


def _wins(first: Replicates, second: Replicates) -> csr_array:
    """``(N, M)`` 1, ½ or 0 for each run of the first against each of the second; nothing is stored across tasks."""
    tasks = np.arange(len(first.sizes))
    one, other = np.nonzero(np.repeat(tasks, first.sizes)[:, None] == np.repeat(tasks, second.sizes))
    wins = 0.5 + 0.5 * np.sign(first.scores[one] - second.scores[other])
    return csr_array((wins, (one, other)), shape=(len(first.scores), len(second.scores)))
