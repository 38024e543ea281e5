"""Conduct that multiplies rewards in the released edition's team games, in single precision.

Shares of endowment c, habits L and loyalty scores θ land on thresholds exactly under scripted play; every operation
here keeps the type of its arrays so that float32 input is rounded to float32 at each step.
"""

from __future__ import annotations

import operator
from functools import reduce

from coopgym.backend import Array, Namespace, namespace_of

HABIT_WINDOW = 10
"""Steps over which habitual cooperation is averaged, the current one included."""

FREE_RIDING = 0.3
"""Share of endowment below which an agent counts as a free rider."""
HABITUAL = 0.6
"""Habitual cooperation from which it is rewarded."""
COOPERATIVE = 0.5
"""Share of endowment that raises loyalty, and that coordinates a team when nobody plays less."""


def update_loyalty_score(loyalty: Array, share: Array, greatest: float = 1.0, xp: Namespace | None = None) -> Array:
    """Raise a loyalty score θ by 0.02 c where c ≥ 0.5 and lower it by 0.05 (0.5 - c) elsewhere, within [0, greatest].

    Args:
        loyalty: ``(..., N)``.
        share: ``(..., N)`` cooperation shares c, of the same type.
        greatest: cap of the score.
    """
    xp = xp or namespace_of(loyalty)
    raised = xp.minimum(loyalty + 0.02 * share, greatest)
    lowered = xp.maximum(loyalty - 0.05 * (COOPERATIVE - share), 0.0)
    return xp.where(share >= COOPERATIVE, raised, lowered)


def habitual_cooperation(recent: Array, steps: Array, xp: Namespace | None = None) -> Array:
    """Mean share L ``(..., N)`` in [0, 1] over the last ten steps, or those there were; zero before the first.

    Args:
        recent: ``(..., 10, N)`` shares, oldest first, unused entries zero.
        steps: ``(...)`` completed steps, in the floating type of the engine.
    """
    xp = xp or namespace_of(recent)
    remembered = xp.maximum(xp.minimum(steps, HABIT_WINDOW), 1.0)[..., None]
    mean = _added_up(recent, remembered, xp) / xp.astype(remembered, recent.dtype)
    return xp.minimum(xp.maximum(mean, 0.0), 1.0)


def _added_up(recent: Array, remembered: Array, xp: Namespace) -> Array:
    """Sum of the remembered shares ``(..., N)``, added in the order of the released numbers.

    Constant play at a threshold falls on either side of it by the rounding of this sum: six or seven times 0.6 are less
    than the habit they stand for, eight to ten are not. The order is that of NumPy's pairwise summation: up to seven
    numbers one after another; of more, eight in pairs of pairs and then the others.

    Args:
        recent: as in `habitual_cooperation`.
        remembered: ``(..., 1)`` number of entries in use.
    """
    entry = [recent[..., position, :] for position in range(HABIT_WINDOW)]
    one_by_one = reduce(operator.add, entry[-7:])
    twos = recent[..., :-1, :] + recent[..., 1:, :]
    fours = twos[..., :-2, :] + twos[..., 2:, :]
    eights = fours[..., :-4, :] + fours[..., 4:, :]
    ten = eights[..., 0, :] + entry[8] + entry[9]
    nine = eights[..., 1, :] + entry[9]
    eight = eights[..., 2, :]
    several = xp.where(remembered == 8, eight, xp.where(remembered == 9, nine, ten))
    return xp.where(remembered < 8, one_by_one, several)


def shortfall_factor(share: Array, least: float, factor: float, xp: Namespace | None = None) -> Array:
    """``factor`` where an agent plays less than ``least`` of its endowment and one elsewhere, ``(..., N)``."""
    xp = xp or namespace_of(share)
    return xp.where(share < least, factor, xp.ones_like(share))


def conduct_multiplier(share: Array, habit: Array, xp: Namespace | None = None) -> Array:
    """Reward factor F_i B_i G ``(..., N)``: free riding × 0.5, habit × (1 + 0.15 L), coordination × 1.2.

    Args:
        share: ``(..., N)`` cooperation shares c.
        habit: ``(..., N)`` habitual cooperation L from `habitual_cooperation`.
    """
    xp = xp or namespace_of(share)
    bonus = xp.where(habit >= HABITUAL, 1.0 + 0.15 * habit, 1.0)
    least = xp.min(share, axis=-1, keepdims=True)
    coordination = xp.where(least >= COOPERATIVE, 1.2, xp.ones_like(least))
    return shortfall_factor(share, FREE_RIDING, 0.5, xp) * bonus * coordination
