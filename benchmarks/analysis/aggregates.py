"""Statistics over runs and tasks that outliers do not rule: Agarwal et al. (2021), arXiv:2108.13264."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.analysis.bootstrap import Bootstrap, Statistic, estimates
from benchmarks.analysis.estimates import Estimate, FloatArray, IntArray
from benchmarks.analysis.grid import Entrant
from benchmarks.analysis.replicates import Replicates
from benchmarks.analysis.scores import ScoreTable


def interquartile_mean(replicates: Replicates, counts: IntArray) -> FloatArray:
    """Return the mean of the middle half of all runs, every run counting the same, ``(B,)``.

    A quarter of the runs, rounded down, is cut off at each end, like ``scipy.stats.trim_mean(scores, 0.25)``.
    """
    order = np.argsort(replicates.scores, kind="stable")
    scores = replicates.scores[order]
    reached = np.cumsum(counts.take(order, axis=1), axis=1)
    total = reached[:, -1:]
    cut = total // 4
    kept = np.minimum(np.maximum(reached, cut), total - cut)
    middle = np.diff(kept, axis=1) @ scores[1:] + (kept[:, 0] - cut[:, 0]) * scores[0]
    return middle / (total - 2 * cut)[:, 0]


def mean(replicates: Replicates, counts: IntArray) -> FloatArray:
    """Return the mean over tasks of the means over runs, ``(B,)``."""
    return replicates.weights(counts) @ replicates.scores


def median(replicates: Replicates, counts: IntArray) -> FloatArray:
    """Return the median over tasks of the means over runs, ``(B,)``."""
    shares = np.add.reduceat(replicates.weights(counts) * replicates.scores, replicates.starts, axis=1)
    return np.median(shares, axis=1) * len(replicates.sizes)


def optimality_gap(replicates: Replicates, counts: IntArray) -> FloatArray:
    """Return the mean over tasks and runs of how much scores fall short of 1; what exceeds 1 makes up for nothing."""
    return replicates.weights(counts) @ np.maximum(1.0 - replicates.scores, 0.0)


STATISTICS: Mapping[str, Statistic] = {
    "iqm": interquartile_mean,
    "median": median,
    "mean": mean,
    "optimality_gap": optimality_gap,
}
"""Statistics of `Aggregate` by field."""


@dataclass(frozen=True)
class Aggregate:
    """How an algorithm does over all runs and tasks of a table."""

    entrant: Entrant
    iqm: Estimate
    median: Estimate
    mean: Estimate
    optimality_gap: Estimate


def aggregate(table: ScoreTable, settings: Bootstrap) -> tuple[Aggregate, ...]:
    """Aggregate every algorithm of a table, in the table's order.

    Raises:
        ValueError: an algorithm has no score on one of the tasks.
    """
    return tuple(
        Aggregate(
            entrant,
            **estimates(table.replicates(entrant.name), STATISTICS, settings, settings.generator(entrant.name)),
        )
        for entrant in table.algorithms
    )
