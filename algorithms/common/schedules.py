"""What a number such as a step size or the noise of exploration is at which point of training."""

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


def annealed(value: float, progress: float, last: float) -> float:
    """Hold ``value``, then lower it linearly to zero over the ``last`` share of training; ``progress`` in [0, 1].

    >>> [annealed(0.1, progress, last=0.2) for progress in (0.0, 0.5, 1.0)]
    [0.1, 0.1, 0.0]
    """
    return value if last <= 0.0 else value * min(1.0, (1.0 - progress) / last)
