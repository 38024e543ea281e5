"""Ratios of two rates, timed alternately in one process so that a busy machine slows both alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

ALTERNATIONS = 7
QUICK_ALTERNATIONS = 3


class MissingLearnerError(ValueError):
    """A ratio is about a learner that there is not."""


@dataclass(frozen=True)
class Ratio:
    """One measured ratio with what it is held against."""

    id: str
    title: str
    numerator: float
    denominator: float
    ratio: float
    spread: float
    """Interquartile range of the ratio over the alternations."""
    unit: str
    floor: float
    aim: float
    at_most: bool = False
    """Whether smaller is better: the ratio should not exceed the floor."""

    @property
    def verdict(self) -> str:
        """``below the floor``, ``ok`` or ``aim reached``."""
        better = (lambda bound: self.ratio <= bound) if self.at_most else (lambda bound: self.ratio >= bound)
        if better(self.aim):
            return "aim reached"
        return "ok" if better(self.floor) else "below the floor"

    def record(self) -> dict[str, Any]:
        """Plain values for a results file."""
        return {**asdict(self), "verdict": self.verdict}


def alternate(
    numerator: Callable[[], float], denominator: Callable[[], float], alternations: int
) -> tuple[float, float, float, float]:
    """Measure two quantities in turn.

    Returns:
        Medians of the numerator, the denominator and their ratio, and the interquartile range of the ratio.
    """
    numerator(), denominator()  # warm caches, allocators and compilers
    pairs = [(numerator(), denominator()) for _ in range(alternations)]
    ratios = sorted(a / b for a, b in pairs)
    quartiles = statistics.quantiles(ratios, n=4, method="inclusive")
    return (
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(ratios),
        quartiles[2] - quartiles[0],
    )


def rate(action: Callable[[], Any], repetitions: int, amount: float = 1.0) -> float:
    """Return ``amount`` per repetition and CPU second of this process."""
    begin = time.process_time()
    for _ in range(repetitions):
        action()
    return repetitions * amount / (time.process_time() - begin)
