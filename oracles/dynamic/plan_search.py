"""Search for the open-loop plan with the highest return: rough and global first, then fine and local.

Everything asks for many plans at once, because a batch of plans costs little more than one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from coopgym.typing import FloatArray

Values = Callable[[FloatArray], FloatArray]
"""Returns the value ``(R,)`` of each of R rows ``(R, ...)``."""

ELITE_SHARE = 0.2
SMOOTHING = 0.7
"""Part of the way from the old to the elite's mean and spread that one generation goes."""
DIFFERENCE = 1e-6
"""Step of finite differences, in shares of endowment."""
STEP_LENGTHS = 2.0 ** -np.arange(-1, 15)
SHORT_STEP = 0.25
"""Step length below which a ladder is suspected to have met a cliff."""
MEMORY = 8
"""Moves that a quasi-Newton direction remembers."""


def cross_entropy(
    values: Values,
    mean: FloatArray,
    spread: FloatArray,
    *,
    population: int,
    generations: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Maximise by the cross-entropy method: sample a Gaussian, move it to the best fifth, repeat.

    De Boer, P.-T. et al. (2005). A tutorial on the cross-entropy method. Ann. Oper. Res. 134, 19-67.

    Args:
        values: what to maximise.
        mean: ``(P,)`` centre of the first generation, which is also its first member.
        spread: ``(P,)`` standard deviations of the first generation.
        population: members per generation.
        generations: how many.
        rng: source of the samples.

    Returns:
        The last mean and the best member seen, ``(2, P)``: where values are noisy the mean is the more trustworthy.
    """
    elite_size = max(2, round(ELITE_SHARE * population))
    best, best_value = mean, -np.inf
    for _ in range(generations):
        members = mean + spread * rng.standard_normal((population, len(mean)))
        members[0] = mean
        worth = values(members)
        elite = members[np.argsort(-worth, kind="stable")[:elite_size]]
        if worth.max() > best_value:
            best, best_value = members[worth.argmax()], float(worth.max())
        mean = mean + SMOOTHING * (elite.mean(axis=0) - mean)
        spread = spread + SMOOTHING * (elite.std(axis=0) - spread)
    return np.stack([mean, best])


def climb(values: Values, plan: FloatArray, iterations: int) -> FloatArray:
    """Climb from a plan ``(T,)`` towards a local maximum in [0, 1]^T; return the highest plan met.

    Every iteration is a few batches: the differences in all steps, then a ladder of step lengths along the
    quasi-Newton direction and along the steepest one. Where the ladder ends at a cliff, such as a partner's threshold,
    the steps that would fall are held and the others climb on.
    """
    point, memory = plan, _Curvature()
    value, slope = _slope(values, point)
    for _ in range(iterations):
        steepest = np.where(np.where(slope > 0, point < 1.0, point > 0.0), slope, 0.0)
        if not steepest.any():
            break
        directions = np.stack([memory.newton_step(steepest) * (steepest != 0), steepest / np.abs(steepest).max()])
        worth, moved, beyond = _ladder(values, point, directions)
        if beyond is not None:
            falling = values(np.where(np.eye(len(point), dtype=bool), beyond, point)) < value
            worth, moved, _ = max((worth, moved, None), _ladder(values, point, directions * ~falling), key=_worth)
        if worth <= value:
            break
        value, new_slope = _slope(values, moved)
        memory.learn(moved - point, slope - new_slope)
        point, slope = moved, new_slope
    return point


_Climbed = tuple[float, FloatArray, FloatArray | None]


def _ladder(values: Values, point: FloatArray, directions: FloatArray) -> _Climbed:
    """Try many step lengths along directions ``(2, T)``.

    Returns:
        The best value, its plan, and, where that step was a short one, the plan that the next longer step led to.
    """
    rungs = np.clip(point + STEP_LENGTHS[:, None, None] * directions, 0.0, 1.0)
    worth = values(rungs.reshape(-1, len(point))).reshape(len(STEP_LENGTHS), -1)
    length, direction = np.unravel_index(int(worth.argmax()), worth.shape)
    beyond = rungs[length - 1, direction] if STEP_LENGTHS[length] < SHORT_STEP else None
    return float(worth.max()), rungs[length, direction], beyond


def _worth(climbed: _Climbed) -> float:
    return climbed[0]


def _slope(values: Values, plan: FloatArray) -> tuple[float, FloatArray]:
    """Return the value of a plan ``(T,)`` and its slopes ``(T,)`` by finite differences."""
    inward = np.where(plan + DIFFERENCE <= 1.0, DIFFERENCE, -DIFFERENCE)
    worth = values(np.concatenate([plan[None], plan + np.diag(inward)]))
    return float(worth[0]), (worth[1:] - worth[0]) / inward


class _Curvature:
    """Limited-memory BFGS: what past moves tell about curvature (Nocedal & Wright 2006, Algorithm 7.4)."""

    def __init__(self) -> None:
        self._pairs: deque[tuple[FloatArray, FloatArray]] = deque(maxlen=MEMORY)

    def learn(self, move: FloatArray, lost_slope: FloatArray) -> None:
        """Note by how much the slopes fell along a move; convex stretches teach nothing about a maximum."""
        if move @ lost_slope > 1e-12 * (lost_slope @ lost_slope):
            self._pairs.append((move, lost_slope))

    def newton_step(self, slope: FloatArray) -> FloatArray:
        """Return the step to where the slopes should vanish; the slopes themselves while nothing is known."""
        step, weights = slope.copy(), []
        for move, lost in reversed(self._pairs):
            weights.append((move @ step) / (move @ lost))
            step -= weights[-1] * lost
        if self._pairs:
            move, lost = self._pairs[-1]
            step *= (move @ lost) / (lost @ lost)
        for (move, lost), weight in zip(self._pairs, reversed(weights), strict=True):
            step += (weight - (lost @ step) / (move @ lost)) * move
        return step


def sweep(values: Values, plan: FloatArray, levels: Sequence[float], lengths: Sequence[int]) -> FloatArray:
    """Set stretches of a plan ``(T,)`` to fixed levels wherever that pays; return the best plan met.

    It finds what slopes do not show: last-minute defection, and jumps over thresholds of partners or of the game.
    Stretches that pay on their own are also tried together, the best first.
    """
    steps = len(plan)
    stretches = [
        (first, min(first + length, steps)) for length in lengths for first in range(0, steps, _stride(length))
    ]
    first, last = np.array(sorted({*stretches})).T
    inside = (np.arange(steps) >= first[:, None]) & (np.arange(steps) < last[:, None])
    changed = np.where(inside[:, None, :], np.asarray(levels)[:, None], plan)
    worth = values(np.concatenate([plan[None], changed.reshape(-1, steps)]))
    start, worth = worth[0], worth[1:].reshape(len(first), len(levels))
    chosen = worth.argmax(axis=1)
    order = np.argsort(-worth.max(axis=1), kind="stable")
    order = order[worth.max(axis=1)[order] > start]
    if not len(order):
        return plan
    together = _together(plan, inside[order], np.asarray(levels)[chosen[order]])
    return together[int(values(together).argmax())]


def _stride(length: int) -> int:
    """Long stretches may start at every few steps only."""
    return max(1, min(length // 2, 5))


def _together(plan: FloatArray, inside: npt.NDArray[np.bool_], levels: FloatArray) -> FloatArray:
    """Apply the first, the first two, four, ... of some changes that do not overlap; earlier ones take precedence."""
    combined, taken, applied = plan.copy(), np.zeros(len(plan), dtype=bool), 0
    snapshots = []
    for where, level in zip(inside, levels, strict=True):
        if (taken & where).any():
            continue
        combined[where], taken, applied = level, taken | where, applied + 1
        if applied.bit_count() == 1:
            snapshots.append(combined.copy())
    return np.stack([*snapshots, combined])
