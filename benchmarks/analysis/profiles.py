"""Performance profiles: Dolan and Moré (2002), Math. Program. 91, 201-213."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.analysis.bootstrap import Bootstrap, interval, resampled
from benchmarks.analysis.estimates import FloatArray, IntArray
from benchmarks.analysis.grid import Entrant
from benchmarks.analysis.replicates import Replicates
from benchmarks.analysis.scores import ScoreTable

THRESHOLDS = np.linspace(-0.5, 1.5, 101)
"""Scores at which profiles are read."""


@dataclass(frozen=True, eq=False)
class Profile:
    """Share of runs that score above each threshold, every task with the same weight."""

    entrant: Entrant
    thresholds: FloatArray
    """``(K,)``."""
    share: FloatArray
    """``(K,)``."""
    low: FloatArray | None
    """``(K,)`` pointwise band; None where every task has a single run."""
    high: FloatArray | None


def profiles(table: ScoreTable, settings: Bootstrap, thresholds: npt.ArrayLike = THRESHOLDS) -> tuple[Profile, ...]:
    """Return the profile of every algorithm of a table, in the table's order.

    Raises:
        ValueError: an algorithm has no score on one of the tasks.
    """
    levels = np.asarray(thresholds, dtype=np.float64)
    return tuple(_profile(entrant, table.replicates(entrant.name), levels, settings) for entrant in table.algorithms)


def _profile(entrant: Entrant, replicates: Replicates, levels: FloatArray, settings: Bootstrap) -> Profile:
    descending = np.argsort(-replicates.scores, kind="stable")
    above = np.searchsorted(-replicates.scores[descending], -levels)  # (K,) runs that score more

    def share(replicates: Replicates, counts: IntArray) -> FloatArray:
        best_so_many = np.cumsum(replicates.weights(counts)[:, descending], axis=1)
        return np.pad(best_so_many, ((0, 0), (1, 0)))[:, above]

    point = share(replicates, replicates.once)[0]
    if not replicates.replicated:
        return Profile(entrant, levels, point, None, None)
    distribution = resampled(replicates, share, settings, settings.generator(entrant.name))
    return Profile(entrant, levels, point, *interval(replicates, share, distribution, settings))
