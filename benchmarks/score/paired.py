"""Paired comparisons: two algorithms under the same seeds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

from coopgym.benchmarks.score.estimates import (
    FEWEST,
    TIE,
    Estimate,
    complete_seeds,
    crossed_error,
    crossed_estimate,
    mean_estimate,
)
from coopgym.benchmarks.score.seed_scores import SeedScores
from coopgym.typing import FloatArray

EXACT_FLIPS = 16
"""Differences up to which all sign flips are tried."""
RANDOM_FLIPS = 20_000
"""Sign flips drawn for more differences than that."""
SIGNIFICANCE = 0.05
_ROUNDING = 1e-12
"""Differences this small, relative to the largest, are rounding."""


@dataclass(frozen=True)
class PairedTest:
    """What paired differences tell about their mean; each part is None where there are too few of them."""

    difference: Estimate | None
    """Mean with its Student interval."""
    effect_size: float | None
    """Cohen's d of paired differences: mean over standard deviation; None without spread, or where partners are drawn
    too."""
    p_t: float | None
    """Two-sided paired t test of at least `FEWEST` differences; without spread its limit, 0, or 1 for no difference."""
    p_signflip: float | None
    """Two-sided permutation test over the signs of as many: Fisher (1935), The Design of Experiments, §21; None where
    partners are drawn too."""


@dataclass(frozen=True)
class Comparison:
    """Two algorithms of a table, seed by seed over all its tasks; the difference is first minus second."""

    first: str
    second: str
    test: PairedTest
    exact: bool = False
    """Whether nothing is left to chance on either side, so that the difference is known without a test."""
    p_t_holm: float | None = None
    """``p_t`` adjusted for all tests of the table; None where there was nothing to test."""
    p_signflip_holm: float | None = None

    def different(self, significance: float = SIGNIFICANCE) -> bool:
        """Whether the two differ: for certain, or by the adjusted t test."""
        if self.exact:
            return self.test.difference is not None and abs(self.test.difference.value) > TIE
        return self.p_t_holm is not None and self.p_t_holm < significance


def paired_test(differences: npt.ArrayLike, rng: np.random.Generator | None = None) -> PairedTest:
    """Test whether paired differences ``(n,)`` have mean zero; NaN is a missing pair.

    Args:
        differences: one per pair.
        rng: draws sign flips where there are too many pairs to try all.

    Raises:
        ValueError: more than `EXACT_FLIPS` pairs and no generator.

    >>> found = paired_test([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    >>> found.difference.value, round(found.p_t, 4), found.p_signflip  # 2 of 2⁶ flips of signs are as far out
    (3.5, 0.0059, 0.03125)
    """
    numbers = np.asarray(differences, dtype=np.float64)
    present = numbers[np.isfinite(numbers)]
    present = np.where(np.abs(present) <= TIE, 0.0, present)
    found, n = mean_estimate(present), len(present)
    if found is None or n < 2:
        return PairedTest(found, None, None, None)
    deviation = float(np.std(present, ddof=1))
    spread = deviation > _ROUNDING * np.abs(present).max()
    effect = found.value / deviation if spread else None
    if n < FEWEST:
        return PairedTest(found, effect, None, None)
    p_t = float(found.value == 0) if effect is None else float(2 * stdtr(n - 1, -abs(effect) * np.sqrt(n)))
    return PairedTest(found, effect, p_t, _sign_flips(present, rng))


def crossed_test(differences: npt.ArrayLike, certain: bool = False) -> PairedTest:
    """Test whether differences ``(P, S)`` by partner and seed have mean zero, with the error of `crossed_error`.

    Args:
        differences: NaN is a missing one; its whole seed does not count.
        certain: whether one seed stands for all.

    >>> round(crossed_test(np.add.outer([1.0, 2.0, 3.0, 4.0, 5.0], np.zeros(5))).p_t, 4)
    0.0132
    """
    numbers = np.asarray(differences, dtype=np.float64)
    present = complete_seeds(numbers[:, :1] if certain else numbers)
    present = np.where(np.abs(present) <= TIE, 0.0, present)
    found = crossed_estimate(present, certain)
    error = crossed_error(present, certain) if found is not None else None
    if found is None or error is None:
        return PairedTest(found, None, None, None)
    spread = error.size > _ROUNDING * np.abs(present).max()
    p_t = float(2 * stdtr(error.degrees, -abs(found.value) / error.size)) if spread else float(found.value == 0)
    return PairedTest(found, None, p_t, None)


def compare(table: SeedScores, first: str, second: str) -> Comparison:
    """Compare two algorithms over the seeds that both have on every task.

    An agent that leaves nothing to chance stands against every seed of the other. Two such agents have a single
    difference, which is exact, unless partners are drawn for them.

    Raises:
        ValueError: one of them is not in the table.
    """
    differences = table.differences(first, second)
    certain = table.surely(first) and table.surely(second)
    if len(differences) > 1:
        return Comparison(first, second, crossed_test(differences, certain))
    by_seed = differences[0, :1] if certain else differences[0]
    return Comparison(first, second, paired_test(by_seed, _flips(first, second)), certain)


def comparisons(table: SeedScores, pairs: Iterable[tuple[str, str]] | None = None) -> tuple[Comparison, ...]:
    """Compare pairs of algorithms and adjust their p-values for one another.

    Args:
        table: with a single reward mode or several; differences are those of the scores by seed.
        pairs: which to compare; None for all.

    Raises:
        ValueError: an algorithm is not in the table.
    """
    chosen = combinations(table.names, 2) if pairs is None else pairs
    found = [compare(table, *pair) for pair in chosen]
    by_t = holm([comparison.test.p_t for comparison in found])
    by_signs = holm([comparison.test.p_signflip for comparison in found])
    return tuple(
        replace(comparison, p_t_holm=t, p_signflip_holm=signs)
        for comparison, t, signs in zip(found, by_t, by_signs, strict=True)
    )


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjust p-values so that the chance of any false alarm stays at the level: Holm (1979), Scand. J. Stat. 6, 65-70.

    None takes no part and stays None.

    >>> holm([0.01, 0.04, None, 0.03])  # 3 · 0.01, 2 · 0.03, and no less than that
    [0.03, 0.06, None, 0.06]
    """
    places = [i for i, p in enumerate(p_values) if p is not None]
    values = np.array([p_values[i] for i in places], dtype=np.float64)
    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    adjusted: list[float | None] = [None] * len(p_values)
    for rank, place in enumerate(order):
        adjusted[places[place]] = min(1.0, float(stepped[rank]))
    return adjusted


def _sign_flips(differences: FloatArray, rng: np.random.Generator | None) -> float:
    """Share of sign flips that put the mean at least as far from zero as it is."""
    n = len(differences)
    reach = abs(differences.sum()) * (1 - _ROUNDING) - _ROUNDING * np.abs(differences).max()
    if n <= EXACT_FLIPS:
        return float((np.abs(_all_signs(n) @ differences) >= reach).mean())
    if rng is None:
        raise ValueError(f"{n} pairs are too many to try all sign flips; expected a generator to draw them")
    signs = rng.choice((-1.0, 1.0), size=(RANDOM_FLIPS, n))
    return float((1 + (np.abs(signs @ differences) >= reach).sum()) / (1 + RANDOM_FLIPS))


def _flips(*names: str) -> np.random.Generator:
    """Return the generator of a pair's sign flips; what else is compared does not change it."""
    digest = hashlib.sha256("\0".join(names).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


@lru_cache(maxsize=EXACT_FLIPS)
def _all_signs(n: int) -> FloatArray:
    """All signs of n numbers up to a common one, ``(2^(n-1), n)``: turning all of them around changes no distance."""
    patterns = np.arange(2 ** (n - 1))[:, None] >> np.arange(n) & 1
    return np.where(patterns, -1.0, 1.0)
