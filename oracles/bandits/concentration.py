"""Concentration of sums and means: tail bounds as functions of what is known of the terms."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from coopgym.oracles.bandits.lower_bounds import bernoulli_kl


def hoeffding(deviation: float, count: int, width: float = 1.0) -> float:
    """Return 2 exp(-2 n ε² / w²), how likely a mean of n independent terms is ε or more off (Hoeffding 1963).

    Args:
        deviation: ε, on either side.
        count: n.
        width: w of the interval in which every term is.

    >>> round(hoeffding(0.1, 200), 4)
    0.0366
    """
    _check(deviation, count)
    return min(1.0, 2.0 * math.exp(-2.0 * count * (deviation / width) ** 2))


def hoeffding_radius(confidence: float, count: int, width: float = 1.0) -> float:
    """Return w sqrt(ln(2 / δ) / (2 n)), by which a mean is off with probability δ at most.

    >>> round(hoeffding_radius(0.05, 100), 4)
    0.1358
    """
    _check_confidence(confidence)
    _check(0.0, count)
    return width * math.sqrt(math.log(2.0 / confidence) / (2.0 * count))


def chernoff(deviation: float, count: int, mean: float, *, above: bool) -> float:
    """Return exp(-n kl(μ ± ε, μ)), how likely a mean of n terms in [0, 1] is ε or more on one side (Chernoff 1952).

    Args:
        deviation: ε.
        count: n.
        mean: μ of the terms, in [0, 1].
        above: on which side.

    >>> chernoff(0.1, 100, 0.5, above=True) < hoeffding(0.1, 100) / 2
    True
    """
    _check(deviation, count)
    place = mean + deviation if above else mean - deviation
    if not 0.0 <= place <= 1.0:
        return 0.0
    return float(np.exp(-count * bernoulli_kl(place, mean)))


def multiplicative_chernoff(share: float, expected: float, *, above: bool) -> float:
    """Return how likely a sum of independent terms in [0, 1] is a share or more away from what is expected.

    exp(-δ² m / 3) above for δ of at most 1 and exp(-δ² m / 2) below.

    Args:
        share: δ in [0, 1].
        expected: m, mean of the sum.
        above: on which side.

    >>> round(multiplicative_chernoff(0.5, 80.0, above=False), 6)
    4.5e-05
    """
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"share={share!r}: expected a share in [0, 1]")
    return math.exp(-(share**2) * expected / (3.0 if above else 2.0))


def bernstein(deviation: float, count: int, variance: float, width: float = 1.0) -> float:
    """Return 2 exp(-n ε² / (2 v + 2 w ε / 3)), which knows the variance v of the terms (Bernstein 1924).

    >>> bernstein(0.05, 500, variance=0.01) < hoeffding(0.05, 500)  # little varies: a much better bound
    True
    """
    _check(deviation, count)
    if deviation == 0.0:
        return 1.0
    return min(1.0, 2.0 * math.exp(-count * deviation**2 / (2.0 * variance + 2.0 * width * deviation / 3.0)))


def empirical_bernstein_radius(confidence: float, terms: npt.ArrayLike) -> float:
    """Return sqrt(2 v ln(2 / δ) / n) + 7 ln(2 / δ) / (3 (n - 1)) with the sample variance v, on one side.

    For terms in [0, 1] the mean is at most the sample's and this radius, but with probability δ (Maurer & Pontil 2009,
    Theorem 4).

    Raises:
        ValueError: fewer than two terms, or one outside [0, 1].

    >>> round(empirical_bernstein_radius(0.05, [0.5] * 100), 4)
    0.0869
    """
    _check_confidence(confidence)
    values = np.asarray(terms, dtype=np.float64)
    if len(values) < 2 or not ((values >= 0.0) & (values <= 1.0)).all():
        raise ValueError(f"terms: expected at least two numbers in [0, 1], got {len(values)}")
    log = math.log(2.0 / confidence)
    return math.sqrt(2.0 * float(values.var(ddof=1)) * log / len(values)) + 7.0 * log / (3.0 * (len(values) - 1.0))


def azuma(deviation: float, differences: npt.ArrayLike) -> float:
    """Return 2 exp(-ε² / (2 Σ c²)), how likely a martingale is ε or more from where it began (Azuma 1967).

    Args:
        deviation: ε.
        differences: ``(n,)`` c, by which each step moves it at most.

    >>> round(azuma(30.0, np.ones(100)), 4)
    0.0222
    """
    steps = np.asarray(differences, dtype=np.float64)
    _check(deviation, len(steps))
    return min(1.0, 2.0 * math.exp(-(deviation**2) / (2.0 * float((steps**2).sum()))))


def freedman(deviation: float, variance: float, largest: float) -> float:
    """Return exp(-ε² / (2 V + 2 c ε / 3)) for a martingale whose conditional variances add up to V at most.

    Freedman (1975), on one side.

    Args:
        deviation: ε.
        variance: V.
        largest: c, by which a step raises it at most.

    >>> freedman(30.0, 25.0, 1.0) < azuma(30.0, np.ones(100))
    True
    """
    _check(deviation, 1)
    return 1.0 if deviation == 0.0 else math.exp(-(deviation**2) / (2.0 * variance + 2.0 * largest * deviation / 3.0))


def _check(deviation: float, count: int) -> None:
    if not deviation >= 0.0:
        raise ValueError(f"deviation={deviation!r}: expected a number of at least 0")
    if count < 1:
        raise ValueError(f"count={count!r}: expected at least one term")


def _check_confidence(confidence: float) -> None:
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence={confidence!r}: expected a probability between 0 and 1")
