"""Trying again: what may heal is repeated, a bounded number of times and within a time limit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np

from coopgym.algorithms.llm.models.chat import ChatReply
from coopgym.algorithms.llm.models.rate_limit import Clock, TimeLimit, backoff

LONGEST_WAIT = 300.0
"""Seconds; a server that wants to be left alone for longer has refused."""

T = TypeVar("T")


@dataclass(frozen=True)
class Failure:
    """A try that failed.

    Attributes:
        reason: why, in words.
        wait: seconds that the server wants to be left alone.
        heals: another try may succeed.
        partial: what was answered before it failed.
    """

    reason: str
    wait: float = 0.0
    heals: bool = True
    partial: ChatReply | None = None


@dataclass(frozen=True)
class Tried(Generic[T]):
    """What came of some tries.

    Attributes:
        result: of the last try; a failure says why there was no further one.
        failures: reasons of all tries that failed.
    """

    result: T | Failure
    failures: tuple[str, ...]


@dataclass(frozen=True)
class Retrying:
    """How persistent to be.

    Attributes:
        retries: repetitions at most.
        backoff: seconds before the first repetition; doubles each time. A longer wish of the server counts.
        clock: what waits.
    """

    retries: int
    backoff: float
    clock: Clock

    async def run(
        self, attempt: Callable[[], Awaitable[T | Failure]], limit: TimeLimit, rng: np.random.Generator
    ) -> Tried[T]:
        """Try until it succeeds, cannot heal, or has taken too often or too long.

        Args:
            attempt: one try; the limit's `TimeoutError` ends it.
            limit: seconds for all tries and waits together.
            rng: of the waits.
        """
        failures: list[str] = []
        while True:
            try:
                outcome = await attempt()
            except TimeoutError:
                outcome = Failure(f"given up: no whole answer within {limit.seconds:g} s", heals=False)
            if not isinstance(outcome, Failure):
                return Tried(outcome, tuple(failures))
            failures.append(outcome.reason)
            pause = max(outcome.wait, backoff(self.backoff, len(failures), rng))
            end = self._end(outcome, len(failures), pause, limit)
            if end is not None:
                return Tried(replace(outcome, reason="; ".join(filter(None, [outcome.reason, end]))), tuple(failures))
            await self.clock.sleep(pause)
            limit.left -= pause

    def _end(self, failure: Failure, failures: int, pause: float, limit: TimeLimit) -> str | None:
        """Say why there is no further try, where the failure does not say it itself; None to go on."""
        if not failure.heals:
            return ""
        if failure.wait > LONGEST_WAIT:
            return f"the server wants {failure.wait:.0f} s of quiet"
        tries = "1 try" if failures == 1 else f"{failures} tries"
        if failures > self.retries:
            return f"given up after {tries}"
        if pause >= limit.left:
            return f"given up after {tries}: the limit of {limit.seconds:g} s leaves no time for another one"
        return None
