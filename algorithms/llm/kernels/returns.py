"""Discounted sums over what is still to come."""

from __future__ import annotations

import numpy as np

from coopgym.typing import FloatArray


def discounted(r: FloatArray, gamma: float) -> FloatArray:
    """Return ``R_t = r_t + γ R_{t+1}`` along the last axis.

    Args:
        r: ``(..., T)``.
        gamma: discount factor γ.
    """
    total = np.array(r, dtype=np.float64)
    for t in range(total.shape[-1] - 2, -1, -1):
        total[..., t] += gamma * total[..., t + 1]
    return total
