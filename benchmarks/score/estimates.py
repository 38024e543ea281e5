"""A number with its uncertainty and with the number of runs behind it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from coopgym.typing import FloatArray

TextArray = npt.NDArray[np.str_]

CONFIDENCE = 0.95
FEWEST = 5
"""Replicates that an interval or a test needs. With fewer, intervals of skewed numbers hold the truth too rarely
(`coopgym.benchmarks.score.coverage`), and the replicates themselves say more."""
STUDENT = f"95 % Student t interval over seeds, or the seeds themselves where there are fewer than {FEWEST}"
"""What stands behind an interval, in words."""
TIE = 1e-9
"""Scores closer than this are equal: games compute in floating point, where the same play may differ in last digits."""


@dataclass(frozen=True)
class Estimate:
    """A statistic of n replicates; without an interval where they cannot tell how certain it is."""

    value: float
    low: float | None
    high: float | None
    n: int
    seeds: tuple[float, ...] = ()
    """The replicates themselves, where there are several but too few for an interval."""

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of zero; False without an interval."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def mean_estimate(values: npt.ArrayLike) -> Estimate | None:
    """Return the mean of numbers of any shape with its 95 % Student interval; NaN is a missing one.

    None when all are missing. Fewer than `FEWEST` numbers give no interval but stand for themselves.

    >>> found = mean_estimate([1.0, 2.0, 3.0, 4.0, 5.0, np.nan])
    >>> found.value, round(float(found.low), 2), round(float(found.high), 2), found.n
    (3.0, 1.04, 4.96, 5)
    >>> mean_estimate([1.0, 3.0])  # too few to tell how certain it is
    Estimate(value=2.0, low=None, high=None, n=2, seeds=(1.0, 3.0))
    """
    numbers = np.asarray(values, dtype=np.float64)
    present = numbers[np.isfinite(numbers)]
    n = len(present)
    if not n:
        return None
    mean = float(present.mean())
    if n < FEWEST:
        return Estimate(mean, None, None, n, tuple(present.tolist()) if n > 1 else ())
    half = student_quantile(n) * float(present.std(ddof=1)) / np.sqrt(n)
    return Estimate(mean, mean - half, mean + half, n)


def score_text(value: float) -> str:
    """Return two decimals with a proper minus sign, and none on a zero."""
    text = f"{value:.2f}"
    return "0.00" if text == "-0.00" else text.replace("-", "−")


def student_quantile(n: int, confidence: float = CONFIDENCE) -> float:
    """Return how many standard errors a two-sided interval for a mean of n numbers reaches to each side."""
    return float(stdtrit(n - 1, 0.5 + confidence / 2))


def mean_over_seeds(values: FloatArray) -> FloatArray:
    """Return the mean of the finite numbers along the last axis, NaN where there are none."""
    finite = np.isfinite(values)
    counted = finite.sum(-1)
    sums = np.where(finite, values, 0.0).sum(-1)
    return np.divide(sums, counted, out=np.full(counted.shape, np.nan), where=counted > 0)
