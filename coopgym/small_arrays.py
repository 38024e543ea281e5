"""Reductions over a handful of numbers, which Python ends before NumPy has begun."""

from __future__ import annotations

from functools import cache

import numpy as np

from coopgym.backend import Array
from coopgym.typing import IntArray

FEW = 8
"""Numbers of which NumPy adds up fewer one after the other, as Python does; of more it adds up several at once."""


def total(values: Array, axes: int = 1) -> Array:
    """Sum over the last ``axes`` axes, 1 or 2, to the bit as NumPy adds up."""
    if type(values) is np.ndarray and values.ndim == axes and values.size < FEW and values.dtype.kind == "f":
        return sum(values.flat, -0.0)
    return values.sum((-2, -1)[-axes:])


def every(mask: Array) -> Array:
    """Whether all booleans of the last axis hold, ``(...)``."""
    if type(mask) is np.ndarray and mask.ndim == 1 and mask.size < FEW:
        return all(mask.tolist())
    return mask.all(-1)


def for_each_agent(values: Array) -> Array:
    """Give values ``(...)`` an axis for agents, ``(..., 1)``; a single environment's number goes with any as it is.

    NumPy takes three times as long to repeat an array of one number as to take the number itself.
    """
    return values[..., None] if values.ndim else values


def for_each_observer(values: Array) -> Array:
    """Give values ``(..., N)`` an axis for those who look at them, ``(..., 1, N)``; repeated if there are a handful.

    NumPy takes four times as long to multiply a small matrix by a row as to repeat the row and multiply matrices.
    """
    if type(values) is np.ndarray and values.ndim == 1 and values.size < FEW:
        return values[_everybody_for_each(values.size)]
    return values[..., None, :]


@cache
def _everybody_for_each(n_agents: int) -> IntArray:
    return np.tile(np.arange(n_agents), (n_agents, 1))


def applied(matrix: Array, values: Array) -> Array:
    """Product ``(..., N)`` of matrices ``(..., N, N)`` and vectors ``(..., N)``, to the bit as ``@`` has it."""
    if values.ndim > 1:
        return (matrix @ values[..., None])[..., 0]
    # NumPy's method takes a third of the time of the operator.
    return matrix.dot(values) if type(matrix) is np.ndarray else matrix @ values
