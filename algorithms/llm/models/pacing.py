"""When to ask a server, and how long to wait before asking again."""

from __future__ import annotations

import functools
import math
import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import numpy as np

LONGEST_BACKOFF = 60.0
"""Seconds; however often a request failed."""


@functools.cache
def pace_of(server: str, requests_per_minute: float | None) -> Pace:
    """Return the pace of a server, the same for everybody in this process who asks it."""
    return Pace(requests_per_minute)


class Pace:
    """Spaces requests of many threads evenly.

    Args:
        requests_per_minute: the limit, or None.
    """

    def __init__(self, requests_per_minute: float | None) -> None:
        self._gap = 60.0 / requests_per_minute if requests_per_minute else 0.0
        self._lock = threading.Lock()
        self._next = 0.0

    def turn(self) -> float:
        """Give the caller the next turn, and return in how many seconds it comes."""
        with self._lock:
            now = time.monotonic()
            turn = max(self._next, now)
            self._next = turn + self._gap
        return turn - now


def backoff(first: float, failures: int, rng: np.random.Generator) -> float:
    """Return seconds to wait after the n-th failure: doubling from ``first``, less up to half at random."""
    return float(min(LONGEST_BACKOFF, first * 2.0 ** (failures - 1)) * rng.uniform(0.5, 1.0))


def retry_after(header: str | None) -> float:
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
        seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0
