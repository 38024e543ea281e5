"""What no learner can beat: divergences of Bernoulli arms and the lower bounds that follow from them."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import rel_entr

from coopgym.typing import FloatArray


def bernoulli_kl(p: npt.ArrayLike, q: npt.ArrayLike) -> FloatArray:
    """Return kl(p, q), the divergence of a coin of bias p from one of bias q; broadcast.

    >>> bernoulli_kl(0.3, 0.5).round(6), bernoulli_kl(0.3, 0.5) >= 2 * (0.3 - 0.5) ** 2  # Pinsker's inequality
    (np.float64(0.082283), np.True_)
    """
    first, second = np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64)
    divergence: FloatArray = rel_entr(first, second) + rel_entr(1.0 - first, 1.0 - second)
    return divergence


def pinsker_ratio(p: npt.ArrayLike, q: npt.ArrayLike) -> FloatArray:
    """Return kl(p, q) / (2 (p - q)^2), which is at least 1; NaN where p = q."""
    gap = np.subtract(p, q)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio: FloatArray = bernoulli_kl(p, q) / (2.0 * gap**2)
    return ratio


def lai_robbins(means: npt.ArrayLike) -> float:
    """Return C = Σ_a Δ(a) / kl(μ(a), μ*): the regret of any consistent learner is at least C ln T (1 - o(1)).

    Lai, T. L. & Robbins, H. (1985), Asymptotically efficient adaptive allocation rules, for Bernoulli arms. Arms
    that tie with the best cost nothing; where the best always pays, others are told from it by their first failure.

    >>> round(lai_robbins([0.5, 0.45, 0.3]), 4)
    12.4139
    """
    values = np.asarray(means, dtype=np.float64)
    best = values.max()
    worse = values[values < best]
    return float(((best - worse) / bernoulli_kl(worse, best)).sum())


def minimax_lower_bound(horizon: int, arms: int) -> float:
    """Return min(sqrt(K T), T) / 20, which some instance of K >= 2 Bernoulli arms costs any learner.

    Auer, P., Cesa-Bianchi, N., Freund, Y. & Schapire, R. (2002), The nonstochastic multiarmed bandit problem,
    Theorem 5.1.

    >>> round(minimax_lower_bound(10_000, 4), 2)
    10.0
    """
    return 0.05 * min(math.sqrt(arms * horizon), float(horizon)) if arms > 1 else 0.0
