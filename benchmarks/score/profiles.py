"""Performance profiles: Dolan and Moré (2002), Math. Program. 91, 201-213."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coopgym.benchmarks.score.estimates import FEWEST, mean_over_seeds, student_quantile
from coopgym.benchmarks.score.grid import Algorithm
from coopgym.benchmarks.score.seed_scores import SeedScores
from coopgym.typing import FloatArray

THRESHOLDS = np.linspace(-0.5, 1.5, 101)
"""Scores at which profiles are read."""


@dataclass(frozen=True, eq=False)
class Profile:
    """Share of runs that score above each threshold, every task with the same weight."""

    algorithm: Algorithm
    thresholds: FloatArray
    """``(K,)``."""
    share: FloatArray
    """``(K,)``."""
    low: FloatArray | None
    """``(K,)`` pointwise 95 % Student band over seeds; None where there are too few of them."""
    high: FloatArray | None


def profiles(table: SeedScores, thresholds: npt.ArrayLike = THRESHOLDS) -> tuple[Profile, ...]:
    """Return the profile of every algorithm of a table, in the table's order."""
    levels = np.asarray(thresholds, dtype=np.float64)
    return tuple(_profile(table, algorithm, levels) for algorithm in table.algorithms)


def _profile(table: SeedScores, algorithm: Algorithm, levels: FloatArray) -> Profile:
    scores = table.every_seed(algorithm.name)  # (T, S)
    above = np.where(np.isfinite(scores), scores > levels[:, None, None], np.nan)  # (K, T, S)
    share = mean_over_seeds(above).mean(axis=-1)
    complete = above[..., np.isfinite(scores).all(axis=0)].mean(axis=1)  # (K, seeds with every task)
    n = complete.shape[-1]
    if n < FEWEST or table.surely(algorithm.name):
        return Profile(algorithm, levels, share, None, None)
    half = student_quantile(n) * complete.std(axis=-1, ddof=1) / np.sqrt(n)
    return Profile(algorithm, levels, share, np.maximum(share - half, 0.0), np.minimum(share + half, 1.0))
