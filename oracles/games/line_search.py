"""Maximise many functions of one share at once: a grid against many peaks, then Newton's method or golden section."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from coopgym.typing import FloatArray

Functions: TypeAlias = Callable[[FloatArray], FloatArray]
"""A batch of functions: shares ``(K,)``, the same for all, or ``(..., K)``, own ones, to values ``(..., K)``."""

PEAKS = 17
"""Grid points that tell the peaks of a smooth function apart."""
_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0
_DIFFERENCE = 1e-4
"""Step of finite differences, share of endowment."""
_TINY = 1e-8
"""Move that tells a sharp maximum from a smooth one."""
_LEAST_SLOPE = 1e-6
"""Slope, relative to the values, above which a loss is no rounding error."""
_NEWTON_ROUNDS = 12
_NEWTON_STEP = 1e-5
"""A last Newton step of this size leaves an error of about its square."""
_WIDTH = 1e-9
"""Final width of a golden section's bracket."""


def maximise_on_grid(values: Functions, levels: int) -> tuple[FloatArray, FloatArray]:
    """Maximise on an even grid of [0, 1]: shares and values, each of the batch's shape. Ties go to the lowest share."""
    grid = np.linspace(0.0, 1.0, levels)
    _, share, value = _best_of(grid, values(grid))
    return share, value


def maximise(values: Functions, landmarks: npt.ArrayLike = ()) -> tuple[FloatArray, FloatArray]:
    """Maximise continuous functions on [0, 1].

    The grid finds the highest peak; it is finer near zero, where a Cobb-Douglas payoff bends most. Newton's method
    finishes where the function is smooth around the peak, golden section where it is not (a kink at a norm).

    Args:
        values: the functions.
        landmarks: shares where some have a kink; they join the grid and are recognised when they hold a maximum.

    Returns:
        Maximisers and maxima, each of the batch's shape.
    """
    grid = np.union1d(np.linspace(0.0, 1.0, PEAKS) ** 2, landmarks)
    best, share, value = _best_of(grid, values(grid))
    low, high = grid[np.maximum(best - 1, 0)], grid[np.minimum(best + 1, len(grid) - 1)]
    sharp = _is_sharp(values, share)
    refined, smooth = _newton(values, share, low, high)
    refined = np.where(sharp, share, refined)
    if not (sharp | smooth).all():
        refined = np.where(sharp | smooth, refined, _golden_section(values, low, high))
    peak = values(refined[..., None])[..., 0]
    return np.where(peak > value, refined, share), np.maximum(peak, value)


def _best_of(shares: FloatArray, table: FloatArray) -> tuple[npt.NDArray[np.int64], FloatArray, FloatArray]:
    best = table.argmax(-1)
    return best, shares[best], np.take_along_axis(table, best[..., None], -1)[..., 0]


def _newton(
    values: Functions, share: FloatArray, low: FloatArray, high: FloatArray
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Newton's method inside brackets; returns where it ended and where that may be trusted."""
    step = np.full_like(share, np.inf)
    for _ in range(_NEWTON_ROUNDS):
        slope, curvature = _derivatives(values, share, _DIFFERENCE)
        wanted = np.where(curvature < 0.0, -slope / np.minimum(curvature, -1e-12), np.copysign(np.inf, slope))
        after = np.clip(share + wanted, low, high)
        share, step = after, np.abs(after - share)
        if step.max() < _NEWTON_STEP:
            break
    # At a kink the second difference grows as the step shrinks; at a smooth peak it does not change.
    _, fine = _derivatives(values, share, 0.1 * _DIFFERENCE)
    _, coarse = _derivatives(values, share, _DIFFERENCE)
    smooth = (fine < 0.0) & (np.abs(fine - coarse) < 0.5 * np.abs(coarse))
    inside = (share > low) & (share < high)
    return share, inside & smooth & (step < _NEWTON_STEP)


def _is_sharp(values: Functions, share: FloatArray) -> npt.NDArray[np.bool_]:
    """Whether a tiny move to either side loses more than a smooth peak would: a maximum at a kink or at an edge."""
    nearby = np.clip(share[..., None] + _TINY * np.array([-1.0, 0.0, 1.0]), 0.0, 1.0)
    below, at, above = np.moveaxis(values(nearby), -1, 0)
    loss = _TINY * _LEAST_SLOPE * (1.0 + np.abs(at))
    return ((below < at - loss) | (share == 0.0)) & ((above < at - loss) | (share == 1.0))


def _derivatives(values: Functions, share: FloatArray, difference: float) -> tuple[FloatArray, FloatArray]:
    """First and second central differences, taken inside [0, 1]."""
    middle = np.clip(share, difference, 1.0 - difference)
    below, at, above = np.moveaxis(values(middle[..., None] + difference * np.array([-1.0, 0.0, 1.0])), -1, 0)
    return (above - below) / (2.0 * difference), (above - 2.0 * at + below) / difference**2


def _golden_section(values: Functions, low: FloatArray, high: FloatArray) -> FloatArray:
    def at(share: FloatArray) -> FloatArray:
        return values(share[..., None])[..., 0]

    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = at(left), at(right)
    for _ in range(math.ceil(math.log(_WIDTH) / math.log(_GOLDEN))):
        descend = at_left >= at_right
        low, high = np.where(descend, low, left), np.where(descend, right, high)
        kept, at_kept = np.where(descend, left, right), np.where(descend, at_left, at_right)
        fresh = np.where(descend, high - _GOLDEN * (high - low), low + _GOLDEN * (high - low))
        at_fresh = at(fresh)
        left, right = np.where(descend, fresh, kept), np.where(descend, kept, fresh)
        at_left, at_right = np.where(descend, at_fresh, at_kept), np.where(descend, at_kept, at_fresh)
    return np.where(at_left >= at_right, left, right)
