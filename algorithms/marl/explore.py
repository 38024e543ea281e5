"""Schedules of exploration: how much noise, or which share of random actions, at which point of training."""

from __future__ import annotations


def falling(start: float, end: float, progress: float, over: float) -> float:
    """Fall linearly from ``start`` to ``end`` over the first share ``over`` of training, then stay.

    Args:
        start: value at the beginning.
        end: value afterwards.
        progress: share of training done, in [0, 1].
        over: share of training that the fall takes.
    """
    return end if progress >= over else start + (end - start) * progress / over
