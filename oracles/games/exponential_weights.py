"""Exponential weights: the one arithmetic of Hedge, in finite games and in bandits."""

from __future__ import annotations

import numpy as np

from coopgym.typing import FloatArray


def exponential_weights(exponents: FloatArray) -> FloatArray:
    """Return probabilities proportional to the exponentials, along the last axis.

    >>> exponential_weights(np.log([1.0, 3.0]))
    array([0.25, 0.75])
    """
    weights = np.exp(exponents - exponents.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)
