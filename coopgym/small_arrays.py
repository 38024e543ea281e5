"""Reductions over a handful of numbers, which Python ends before NumPy has begun."""

from __future__ import annotations

import numpy as np

from coopgym.backend import Array

FEW = 8
"""Numbers of which NumPy adds up fewer one after the other, as Python does; of more it adds up several at once."""


def total(values: Array, axes: int = 1) -> Array:
    """Sum over the last ``axes`` axes, 1 or 2, to the bit as NumPy adds up."""
    if type(values) is np.ndarray and values.ndim == axes and values.size < FEW and values.dtype.kind == "f":
        added = -0.0
        for number in values.flat:
            added += number
        return added
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
