"""A number with its uncertainty and with the number of runs behind it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.summary import Interval

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
TextArray = npt.NDArray[np.str_]


@dataclass(frozen=True)
class Estimate:
    """A statistic of n replicates; without an interval where they cannot tell how certain it is."""

    value: float
    low: float | None
    high: float | None
    n: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of zero; False without an interval."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def mean_estimate(values: npt.ArrayLike) -> Estimate | None:
    """Return the mean and its 95 % Student interval of numbers of any shape; NaN is a missing one.

    None when all are missing, and no interval when there is a single one.
    """
    numbers = np.asarray(values, dtype=np.float64)
    present = numbers[np.isfinite(numbers)]
    if not len(present):
        return None
    found = Interval.of(present.tolist())
    return Estimate(found.mean, found.low, found.high, found.n)


def mean_over_seeds(values: FloatArray) -> FloatArray:
    """Return the mean of the finite numbers along the last axis, NaN where there are none."""
    finite = np.isfinite(values)
    counted = finite.sum(-1)
    sums = np.where(finite, values, 0.0).sum(-1)
    return np.divide(sums, counted, out=np.full(counted.shape, np.nan), where=counted > 0)
