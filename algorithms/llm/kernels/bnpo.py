"""BNPO: centred rewards over a Beta density fitted to the batch's success rates (arXiv 2506.02864)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import betaln, xlog1py, xlogy

from coopgym.algorithms.llm.kernels.groups import Groups
from coopgym.algorithms.llm.kernels.validation import array, labels, number
from coopgym.typing import FloatArray

ROUNDING = 1e-12
"""Differences of rates that mean nothing: equal means of different numbers may differ in their last digits."""


def beta_params(p: npt.ArrayLike) -> dict[str, float]:
    """Fit the Beta density of success rates: α = max(1, 1 + c m / 3), β = max(1, 1 + c (1 - m) / 3).

    ``c = m (1 - m) / v - 1`` with mean m and variance v (ddof 1) of the rates; without variance α = β = 1, which makes
    the method a mean baseline.

    Args:
        p: ``(Q,)`` success rate of each prompt of the batch, in [0, 1].

    Returns:
        ``alpha`` and ``beta``.

    >>> round(beta_params([0.25, 0.75])["alpha"], 3)  # c = 0.25 / 0.125 - 1 = 1
    1.167
    """
    rates = array("p", p, low=0.0, high=1.0)
    batch = Groups.whole(rates.size)
    if np.ptp(rates) <= ROUNDING:
        return {"alpha": 1.0, "beta": 1.0}
    variance = float(batch.variances(batch.centred(rates), ddof=1).sum())
    mean = float(rates.mean())
    concentration = mean * (1.0 - mean) / variance - 1.0
    return {
        "alpha": max(1.0, 1.0 + concentration * mean / 3.0),
        "beta": max(1.0, 1.0 + concentration * (1.0 - mean) / 3.0),
    }


def advantages(
    reward: npt.ArrayLike, group: Sequence[Any], r_min: float = 0.0, r_max: float = 1.0, max_weight: float = 1e6
) -> FloatArray:
    """Return ``A = (r - p_q) / Beta(p_q; α, β)`` with rewards mapped to [0, 1] and p_q the mean of their prompt.

    Args:
        reward: ``(N,)`` in ``[r_min, r_max]``.
        group: ``(N,)`` id of each rollout's prompt.
        r_min: smallest reward.
        r_max: largest reward.
        max_weight: cap of the inverse density, which has no bound near 0 and 1; published is 1e6, 10 is better [ours].

    Returns:
        ``(N,)``; exactly 0 where all rewards of a prompt are equal.
    """
    low, high = number("r_min", r_min), number("r_max", r_max)
    if low >= high:
        raise ValueError(f"r_min={low:g}, r_max={high:g}: expected r_min below r_max")
    cap = number("max_weight", max_weight)
    if cap <= 0.0:
        raise ValueError(f"max_weight={cap:g}: expected a positive cap")
    unit = (array("reward", reward, low=low, high=high) - low) / (high - low)
    groups = Groups.by(labels("group", group, unit.size))
    rate = np.clip(groups.means(unit), 0.0, 1.0)  # a mean may leave the range by rounding
    fitted = beta_params(rate)
    log_density = _log_beta(rate, fitted["alpha"], fitted["beta"])
    weight = np.exp(np.minimum(-log_density, np.log(cap)))
    return groups.centred(unit) * weight[groups.codes]


def decomposed(rewards: npt.ArrayLike, group: Sequence[Any], ranges: npt.ArrayLike) -> FloatArray:
    """Return the mean over several rewards of the advantage that each gives by itself.

    Args:
        rewards: ``(K, N)``.
        group: ``(N,)`` id of each rollout's prompt.
        ranges: ``(K, 2)`` smallest and largest value of each reward.

    Returns:
        ``(N,)``.
    """
    table = array("rewards", rewards, (None, None))
    if not len(table):
        raise ValueError("rewards: expected at least one reward, got none")
    limits = array("ranges", ranges, (len(table), 2))
    each = [advantages(row, group, low, high) for row, (low, high) in zip(table, limits, strict=True)]
    return np.mean(each, axis=0)


def _log_beta(p: FloatArray, alpha: float, beta: float) -> FloatArray:
    return xlogy(alpha - 1.0, p) + xlog1py(beta - 1.0, -p) - betaln(alpha, beta)
