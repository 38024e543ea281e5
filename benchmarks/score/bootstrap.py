"""Stratified bootstrap: runs are drawn anew within each task, all resamples at once.

A resample is a row of counts, how often each run was drawn. Statistics read scores together with counts, so the same
function gives the estimate (every run once), its bootstrap distribution and its jackknife (one run left out).

Tables do not take their intervals from here: with three to seven seeds they hold the truth too rarely
(`coopgym.benchmarks.score.coverage`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from scipy.special import ndtr, ndtri

from coopgym.benchmarks.score.estimates import CONFIDENCE, Estimate
from coopgym.benchmarks.score.replicates import Replicates
from coopgym.typing import FloatArray, IntArray

Statistic: TypeAlias = Callable[[Replicates, IntArray], FloatArray]
"""From replicates and counts ``(B, N)`` to one number, or several, per row of counts: ``(B,)`` or ``(B, K)``."""

Method = Literal["percentile", "bca"]
BLOCK = 1 << 14
"""Counts held at a time: few enough to stay in a core's cache."""


@dataclass(frozen=True)
class Bootstrap:
    """How intervals are made."""

    resamples: int = 2000
    confidence: float = CONFIDENCE
    method: Method = "percentile"
    """Percentile interval, or bias-corrected and accelerated: Efron (1987), J. Am. Stat. Assoc. 82, 171-185."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.resamples < 1 or not 0 < self.confidence < 1 or self.method not in get_args(Method):
            raise ValueError(
                f"resamples={self.resamples}, confidence={self.confidence}, method={self.method!r}: expected at least "
                f"one resample, a confidence between 0 and 1, and one of {', '.join(get_args(Method))}"
            )

    @property
    def caption(self) -> str:
        """What the intervals are, for the caption of a table or figure."""
        name = "BCa" if self.method == "bca" else "percentile"
        return (
            f"{self.confidence:.0%} {name} bootstrap interval, "
            f"{self.resamples:,} resamples of seeds within each game and reward mode"
        )

    def generator(self, *names: str) -> np.random.Generator:
        """Return the generator for a purpose; what else is computed does not change it."""
        digest = hashlib.sha256("\0".join(names).encode()).digest()
        return np.random.default_rng([self.seed, int.from_bytes(digest[:16], "big")])


def resampled_counts(replicates: Replicates, resamples: int, rng: np.random.Generator) -> Iterator[IntArray]:
    """Draw as many runs as there are within each task, with replacement, and count them.

    Yields:
        ``(B, N)`` counts, in blocks that add up to ``resamples`` rows.
    """
    n_runs = len(replicates.scores)
    sizes = np.repeat(replicates.sizes, replicates.sizes).astype(np.float64)
    starts = np.repeat(replicates.starts, replicates.sizes)
    rows = max(1, BLOCK // n_runs)
    cells = starts + n_runs * np.arange(rows)[:, None]
    for begin in range(0, resamples, rows):
        block = min(rows, resamples - begin)
        drawn = rng.random((block, n_runs))
        drawn *= sizes  # stays below the size: the largest float under 1 times n rounds to less than n
        flat = drawn.astype(np.int64)
        flat += cells[:block]
        yield np.bincount(flat.ravel(), minlength=block * n_runs).reshape(block, n_runs)


def interquartile_mean(replicates: Replicates, counts: IntArray) -> FloatArray:
    """Return the mean of the middle half of all runs, each counting as often as ``counts`` ``(B, N)`` say, ``(B,)``.

    A quarter of the runs, rounded down, is cut off at each end, like ``scipy.stats.trim_mean(scores, 0.25)``.

    >>> replicates = Replicates.of([-9.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 90.0], axes=("runs",))
    >>> interquartile_mean(replicates, np.ones((1, 8)))  # of 2, 3, 4 and 5
    array([3.5])
    """
    order = np.argsort(replicates.scores, kind="stable")
    scores = replicates.scores[order]
    reached = np.cumsum(counts.take(order, axis=1), axis=1)
    total = reached[:, -1:]
    cut = total // 4
    kept = np.minimum(np.maximum(reached, cut), total - cut)
    middle = np.diff(kept, axis=1) @ scores[1:] + (kept[:, 0] - cut[:, 0]) * scores[0]
    return middle / (total - 2 * cut)[:, 0]


def resampled(
    replicates: Replicates, statistic: Statistic, settings: Bootstrap, rng: np.random.Generator
) -> FloatArray:
    """Return the bootstrap distribution of a statistic: ``(resamples,)`` or ``(resamples, K)``."""
    return np.concatenate(
        [statistic(replicates, counts) for counts in resampled_counts(replicates, settings.resamples, rng)]
    )


def estimate(replicates: Replicates, statistic: Statistic, settings: Bootstrap, rng: np.random.Generator) -> Estimate:
    """Return a statistic with its interval; without one when no task has more than one run.

    >>> replicates, settings = Replicates.of([0.2, 0.4, 0.6, 0.8], axes=("runs",)), Bootstrap(resamples=500)
    >>> found = estimate(replicates, interquartile_mean, settings, settings.generator("example"))
    >>> found.value, bool(found.low < 0.5 < found.high)
    (0.5, True)
    """
    return estimates(replicates, {"": statistic}, settings, rng)[""]


def estimates(
    replicates: Replicates, statistics: Mapping[str, Statistic], settings: Bootstrap, rng: np.random.Generator
) -> dict[str, Estimate]:
    """Return several statistics, one number each, with their intervals from the same resamples."""

    def together(replicates: Replicates, counts: IntArray) -> FloatArray:
        return np.stack([statistic(replicates, counts) for statistic in statistics.values()], axis=1)

    values = together(replicates, replicates.once)[0].tolist()
    n = int(replicates.sizes.min())
    if not replicates.replicated:
        return {name: Estimate(value, None, None, n) for name, value in zip(statistics, values, strict=True)}
    bounds = interval(replicates, together, resampled(replicates, together, settings, rng), settings)
    numbers = zip(statistics, values, *(bound.tolist() for bound in bounds), strict=True)
    return {name: Estimate(value, low, high, n) for name, value, low, high in numbers}


def interval(
    replicates: Replicates, statistic: Statistic, distribution: FloatArray, settings: Bootstrap
) -> tuple[FloatArray, FloatArray]:
    """Return lower and upper bounds ``()`` or ``(K,)`` from a bootstrap distribution ``(R,)`` or ``(R, K)``."""
    tail = (1 - settings.confidence) / 2
    if settings.method == "percentile":
        low, high = np.quantile(distribution, [tail, 1 - tail], axis=0)
        return low, high
    columns = distribution.reshape(len(distribution), -1)
    levels = _corrected_levels(replicates, statistic, columns, np.array([tail, 1 - tail]))
    bounds = [np.quantile(column, level) for column, level in zip(columns.T, levels.T, strict=True)]
    low, high = np.array(bounds).T.reshape(2, *distribution.shape[1:])
    return low, high


def _corrected_levels(
    replicates: Replicates, statistic: Statistic, distribution: FloatArray, tails: FloatArray
) -> FloatArray:
    """Return the percentiles ``(2, K)`` at which the BCa interval reads a distribution ``(R, K)``."""
    value = statistic(replicates, replicates.once).ravel()
    smallest = 0.5 / len(distribution)
    below = (distribution < value).mean(0) + 0.5 * (distribution == value).mean(0)
    bias = ndtri(np.clip(below, smallest, 1 - smallest))
    shifted = bias + ndtri(tails)[:, None]
    return ndtr(bias + shifted / (1 - _acceleration(replicates, statistic) * shifted))


def _acceleration(replicates: Replicates, statistic: Statistic) -> FloatArray:
    """Skewness of the runs' influence on a statistic: Davison and Hinkley (1997), Bootstrap Methods, Eq. 5.26."""
    sizes = np.repeat(replicates.sizes, replicates.sizes)
    movable = np.flatnonzero(sizes > 1)
    counts = np.repeat(replicates.once, len(movable), axis=0)
    counts[np.arange(len(movable)), movable] = 0
    without = statistic(replicates, counts).reshape(len(movable), -1)
    groups = np.repeat(np.arange(len(replicates.sizes)), replicates.sizes)[movable]
    member = groups[:, None] == np.unique(groups)  # (movable, tasks with several runs)
    means = (member.T @ without) / member.sum(0)[:, None]
    influence = (1 - 1 / sizes[movable])[:, None] * (member @ means - without)
    spread = (influence**2).sum(0)
    return np.divide((influence**3).sum(0), 6 * spread**1.5, out=np.zeros_like(spread), where=spread > 0)
