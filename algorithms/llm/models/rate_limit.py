"""When to ask a server, how long to wait before asking again, and when to stop asking."""

from __future__ import annotations

import asyncio
import functools
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal, Protocol

import numpy as np

LONGEST_BACKOFF = 60.0
"""Seconds; however often a request failed."""


class Clock(Protocol):
    """What tells the time and waits; tests bring one that waits for nothing."""

    def now(self) -> float:
        """Return seconds since some moment."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""

    def __hash__(self) -> int: ...


@dataclass(frozen=True)
class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Return seconds since some moment."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


SYSTEM_CLOCK = SystemClock()


class Pace:
    """Spaces requests evenly.

    Args:
        requests_per_minute: the limit, or None.
        clock: what tells the time.
    """

    def __init__(self, requests_per_minute: float | None, clock: Clock = SYSTEM_CLOCK) -> None:
        self._gap = 60.0 / requests_per_minute if requests_per_minute else 0.0
        self._clock = clock
        self._next = 0.0

    def turn(self) -> float:
        """Give the caller the next turn, and return in how many seconds it comes."""
        now = self._clock.now()
        turn = max(self._next, now)
        self._next = turn + self._gap
        return turn - now


class Line:
    """What all requests of a process to one server share: a number of places, a pace, and a spelling.

    Args:
        places: requests under way at the same time.
        requests_per_minute: limit of requests, or None.
        clock: what tells the time.
    """

    def __init__(self, places: int, requests_per_minute: float | None, clock: Clock) -> None:
        self.spelling: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
        """How the server calls the longest message."""
        self._places = asyncio.Semaphore(places)
        self._pace = Pace(requests_per_minute, clock)
        self._clock = clock

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Wait for a turn and a place, and keep it while a request is under way."""
        if wait := self._pace.turn():
            await self._clock.sleep(wait)
        async with self._places:
            yield


@functools.cache
def line_to(
    loop: asyncio.AbstractEventLoop, server: str, places: int, requests_per_minute: float | None, clock: Clock
) -> Line:
    """Return the line to a server, the same for everybody who asks it under the same limits."""
    return Line(places, requests_per_minute, clock)


class TimeLimit:
    """Seconds that may be spent on an answer; waiting for one's turn does not count."""

    def __init__(self, seconds: float, clock: Clock = SYSTEM_CLOCK) -> None:
        self.seconds = self.left = seconds
        self._clock = clock

    @asynccontextmanager
    async def spend(self) -> AsyncIterator[None]:
        """Count the time that a block takes.

        Raises:
            TimeoutError: in the block, when nothing is left.
        """
        begun = self._clock.now()
        try:
            async with asyncio.timeout(max(0.0, self.left)):
                yield
        finally:
            self.left -= self._clock.now() - begun


def backoff(first: float, failures: int, rng: np.random.Generator) -> float:
    """Return seconds to wait after the n-th failure: doubling from ``first``, less up to half at random."""
    return float(min(LONGEST_BACKOFF, first * 2.0 ** (failures - 1)) * rng.uniform(0.5, 1.0))


def retry_after(header: str | None, now: datetime | None = None) -> float:
    """Return the seconds that a ``Retry-After`` header asks for, as a number or a date; 0 if it asks for nothing."""
    if header is None:
        return 0.0
    try:
        seconds = float(header)
    except ValueError:
        try:
            moment = parsedate_to_datetime(header)
        except ValueError:
            return 0.0
        seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - (now or datetime.now(UTC))).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0
