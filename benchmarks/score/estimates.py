"""A number with its uncertainty and with the number of runs behind it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtrit

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


@dataclass(frozen=True)
class StandardError:
    """How far a mean strays, with the degrees of freedom of what tells it."""

    size: float
    degrees: float


def crossed_error(values: FloatArray, certain: bool = False) -> StandardError | None:
    """Return the standard error of the mean of numbers ``(P, S)`` for other partners and, unless certain, other seeds.

    Every seed meets every partner. The variance is s²_P / P + s²_S / S, s²_P that of the partners' means over seeds and
    s²_S that of the seeds' means over partners. What a single seed makes of a single partner counts in both, so that
    the error is rather too large. Degrees of freedom: Satterthwaite (1946), Biometrics Bulletin 2, 110-114.

    Args:
        values: without gaps.
        certain: whether one seed stands for all.

    Returns:
        None for fewer than `FEWEST` partners or seeds.
    """
    drawn = [values.mean(1)] if certain else [values.mean(1), values.mean(0)]
    if min(map(len, drawn)) < FEWEST:
        return None
    parts = np.array([each.var(ddof=1) / len(each) for each in drawn])
    freedom = np.array([len(each) - 1.0 for each in drawn])
    largest = parts.max()
    shares = parts / largest if largest > 0.0 else np.ones(len(parts))
    return StandardError(float(np.sqrt(parts.sum())), float(shares.sum() ** 2 / (shares**2 / freedom).sum()))


def crossed_estimate(values: npt.ArrayLike, certain: bool = False) -> Estimate | None:
    """Return the mean of numbers ``(P, S)`` by partner and seed, with an interval for other partners and other seeds.

    None when all are missing. With a single row nothing but seeds is drawn, as `mean_estimate` has it.

    Args:
        values: NaN is a missing number; its whole seed does not count.
        certain: whether one seed stands for all, so that the first is taken and only partners are drawn.

    >>> found = crossed_estimate(np.add.outer([1.0, 2.0, 3.0, 4.0, 5.0], [0.0, 0.1, 0.2, 0.3, 0.4]))
    >>> round(found.value, 2), round(float(found.low), 2), round(float(found.high), 2), found.n
    (3.2, 1.24, 5.16, 5)
    """
    numbers = np.asarray(values, dtype=np.float64)
    complete = complete_seeds(numbers[:, :1] if certain else numbers)
    if len(complete) == 1 or not complete.size:
        return mean_estimate(complete)
    mean, seeds = float(complete.mean()), complete.shape[1]
    error = crossed_error(complete, certain)
    if error is None:
        return Estimate(mean, None, None, seeds, tuple(complete.mean(0).tolist()) if seeds > 1 else ())
    half = student_quantile(error.degrees + 1.0) * error.size
    return Estimate(mean, mean - half, mean + half, seeds)


def complete_seeds(values: FloatArray) -> FloatArray:
    """Keep the seeds of ``(P, S)`` that lack nothing."""
    return values[:, np.isfinite(values).all(0)]


def linearised_ratios(gains: FloatArray, spans: FloatArray) -> FloatArray:
    """Return R + (gain - R span) / mean span of every draw, with R = Σ gains / Σ spans: their mean is R.

    Their standard error is that of a ratio of sums: Cochran (1977), Sampling Techniques, Section 6.4.

    Args:
        gains: ``(..., n)``; NaN is a missing draw.
        spans: the same, or what is broadcast to it.

    Returns:
        ``(..., n)``, NaN where a draw is missing or the spans do not sum to more than nothing.

    >>> linearised_ratios(np.array([1.0, 3.0]), np.array([2.0, 4.0])).round(4)
    array([0.5556, 0.7778])
    """
    gains, spans = np.broadcast_arrays(gains, spans)
    present = np.isfinite(gains) & np.isfinite(spans)
    gained, spanned = (np.where(present, each, 0.0) for each in (gains, spans))
    count, total = present.sum(-1, keepdims=True), spanned.sum(-1, keepdims=True)
    total = np.where(total > 0.0, total, np.nan)
    ratio = gained.sum(-1, keepdims=True) / total
    return np.where(present, ratio + (gained - ratio * spanned) * count / total, np.nan)


def rank_correlation(first: npt.ArrayLike, second: npt.ArrayLike) -> Estimate | None:
    """Return Spearman's rank correlation of paired numbers ``(n,)``; None where either has no spread.

    The interval is Fisher's with the variance of Bonett and Wright (2000), Psychometrika 65, 23-28; there is none below
    `FEWEST` pairs, nor where all ranks agree.

    >>> found = rank_correlation([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [2.0, 1.0, 4.0, 3.0, 6.0, 5.0])
    >>> round(found.value, 2), round(float(found.low), 2), round(float(found.high), 2)
    (0.83, -0.13, 0.99)
    """
    from scipy.stats import rankdata  # half a second to import, and few ask for ranks

    ranks = [rankdata(np.round(np.asarray(each, dtype=np.float64) / TIE)) for each in (first, second)]
    n = len(ranks[0])
    if n < 2 or any(np.ptp(each) == 0.0 for each in ranks):
        return None
    correlation = float(np.corrcoef(*ranks)[0, 1])
    if n < FEWEST or 1.0 - abs(correlation) < TIE:
        return Estimate(correlation, None, None, n)
    half = ndtri(0.5 + CONFIDENCE / 2) * np.sqrt((1.0 + correlation**2 / 2.0) / (n - 3.0))
    low, high = np.tanh(np.arctanh(correlation) + np.array([-half, half])).tolist()
    return Estimate(correlation, low, high, n)


def score_text(value: float) -> str:
    """Return two decimals with a proper minus sign, and none on a zero."""
    text = f"{value:.2f}"
    return "0.00" if text == "-0.00" else text.replace("-", "−")


def student_quantile(n: float, confidence: float = CONFIDENCE) -> float:
    """Return how many standard errors a two-sided interval for a mean of n numbers reaches to each side."""
    return float(stdtrit(n - 1, 0.5 + confidence / 2))


def mean_over_seeds(values: FloatArray) -> FloatArray:
    """Return the mean of the finite numbers along the last axis, NaN where there are none."""
    finite = np.isfinite(values)
    counted = finite.sum(-1)
    sums = np.where(finite, values, 0.0).sum(-1)
    return np.divide(sums, counted, out=np.full(counted.shape, np.nan), where=counted > 0)
