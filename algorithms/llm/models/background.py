"""An event loop in a thread of its own: what waits for servers waits there, side by side."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine, Iterable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

_starting = threading.Lock()
_running: dict[int, tuple[asyncio.AbstractEventLoop, threading.Thread]] = {}
"""By process: a forked child has no thread of its parent's."""


def submit(coroutine: Coroutine[Any, Any, T]) -> Future[T]:
    """Run a coroutine in the background; cancelling what is returned ends it."""
    return asyncio.run_coroutine_threadsafe(coroutine, _loop())


def result_of(future: Future[T]) -> T:
    """Wait for a result. Whoever is interrupted leaves no work behind."""
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


def under_way() -> int:
    """Return how many tasks this process has in the background."""
    return len(asyncio.all_tasks(_loop()))


async def side_by_side(coroutines: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Run coroutines at the same time and return their results in order; the first failure ends all of them."""
    tasks = [asyncio.ensure_future(each) for each in coroutines]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _loop() -> asyncio.AbstractEventLoop:
    process = os.getpid()
    with _starting:
        if process not in _running or not _running[process][1].is_alive():
            loop = asyncio.new_event_loop()
            # As a daemon it lets the interpreter end at any moment, whatever it waits for.
            thread = threading.Thread(target=loop.run_forever, name="coopgym servers", daemon=True)
            _running[process] = (loop, thread)
            thread.start()
        return _running[process][0]
