"""The noise floor of a study: how far apart one learner lies from itself under another name and stream."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import pyarrow as pa
from scipy.special import stdtrit

from coopgym.benchmarks.score.estimates import CONFIDENCE, Estimate, mean_estimate
from coopgym.benchmarks.score.grid import run_grid, self_play


@dataclass(frozen=True)
class NoiseFloor:
    """Differences that nothing but chance made, on one game, pooled over reward modes and seeds."""

    game: str
    difference: Estimate
    """Duplicate minus original; its interval should hold zero."""
    spread: float
    """Root mean square of the differences."""

    def of_mean(self, n: int) -> float:
        """Return the size of a mean of n paired differences that chance exceeds in one of twenty cases."""
        return float(stdtrit(self.difference.n, 0.5 + CONFIDENCE / 2)) * self.spread / sqrt(n)


def noise_floors(runs: pa.Table, original: str, duplicate: str, measure: str = "welfare") -> dict[str, NoiseFloor]:
    """Measure the noise floor on every game that both names of a duplicated learner played.

    Args:
        runs: the ``runs`` table.
        original: a learner.
        duplicate: the same learner with the same settings, entered under another label.
        measure: a column of numbers.

    Returns:
        Floors by configured game, in units of the measure.

    Raises:
        ValueError: one of the two is not among the runs.
    """
    grid = run_grid(self_play(runs))
    names = [algorithm.name for algorithm in grid.algorithms]
    for name in (original, duplicate):
        if name not in names:
            raise ValueError(f"no runs of {name!r}; a noise floor needs a learner that a study entered under two names")
    values = grid.column(measure)
    differences = values[names.index(duplicate)] - values[names.index(original)]
    floors = {}
    for game in dict.fromkeys(task.game for task in grid.tasks):
        pooled = differences[[task.game == game for task in grid.tasks]]
        found = mean_estimate(pooled)
        if found is not None:
            floors[game] = NoiseFloor(game, found, float(np.sqrt(np.nanmean(pooled**2))))
    return floors
