"""Ratios of two quantities, measured in turn in one process so that a busy machine slows both alike.

Both sides of a ratio come from the same run: a number measured elsewhere says nothing about this machine.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

import coopgym
from coopgym.play.engine import Engine

PAIRS = 7
QUICK_PAIRS = 3
REFERENCE = "coopetition_gym"
"""The package of the reference implementation, Coopetition-Gym v1.0 (arXiv:2605.02063)."""

Measure = Callable[[], float]


class UnavailableError(ValueError):
    """A ratio compares with something that is not here."""


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """One measured ratio with what it is held against."""

    id: str
    title: str
    unit: str
    """Of numerator and denominator."""
    numerator: float
    """Median over pairs, as are the next two."""
    denominator: float
    ratio: float
    low: float
    """Smallest ratio of a pair. The ratio's true median lies between `low` and `high` with probability 1 - 2^(1 - n)
    for n pairs, 98 % for seven."""
    high: float
    """Largest ratio of a pair."""
    spread: float
    """Interquartile range of the pairs' ratios."""
    pairs: int
    """How often both were measured; 1 for what does not vary."""
    floor: float
    """Below it (above it, where less is better) something is broken."""
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


def compare(numerator: Measure, denominator: Measure, quick: bool, **facts: Any) -> Ratio:
    """Measure two quantities in turn, after a first time of each that warms caches, allocators and compilers.

    Args:
        numerator: measures what is above the line.
        denominator: measures what is below it.
        quick: fewer pairs.
        facts: the fields of `Ratio` that are not measured.
    """
    numerator(), denominator()
    pairs = [_pair(numerator, denominator, turn) for turn in range(QUICK_PAIRS if quick else PAIRS)]
    return ratio_of(pairs, **facts)


def _pair(numerator: Measure, denominator: Measure, turn: int) -> tuple[float, float]:
    """Measure both; who comes first takes turns, so that neither gains from a machine that warms up or slows down."""
    if turn % 2:
        below = denominator()
        return numerator(), below
    return numerator(), denominator()


def ratio_of(pairs: list[tuple[float, float]], **facts: Any) -> Ratio:
    """Return the ratio of pairs that were measured together; ``facts`` as in `compare`."""
    ratios = [above / below for above, below in pairs]
    quartiles = statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else [0.0] * 3
    return Ratio(
        numerator=statistics.median(above for above, _ in pairs),
        denominator=statistics.median(below for _, below in pairs),
        ratio=statistics.median(ratios),
        low=min(ratios),
        high=max(ratios),
        spread=quartiles[2] - quartiles[0],
        pairs=len(pairs),
        **facts,
    )


def native_steps(id: str, batch: int, reward: str, **parameters: Any) -> Callable[[], object]:
    """Return what steps, rewards and observes a NumPy batch once; a finished batch starts anew.

    Args:
        id: the game's.
        batch: how many environments step side by side.
        reward: mode.
        parameters: of the game.
    """
    game = coopgym.make_game(id, **parameters)
    engine = Engine(game, reward, (batch,))
    engine.reset(0)
    actions = np.random.default_rng(0).random((batch, game.n_agents)) * game.spec.endowments

    def step() -> None:
        transition, _ = engine.step(actions)
        game.observe(transition.state, "own")
        if transition.truncated[0]:
            engine.reset()

    return step


def rate(action: Callable[[], Any], repetitions: int, amount: float = 1.0) -> float:
    """Return ``amount`` per repetition and CPU second of this process."""
    return repetitions * amount / cpu_seconds(lambda: [action() for _ in range(repetitions)])


def cpu_seconds(action: Callable[[], Any]) -> float:
    """Return the CPU seconds that this process spends on an action, in all its threads."""
    begin = time.process_time()
    action()
    return time.process_time() - begin
