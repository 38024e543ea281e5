"""Interrupts: what a user's Ctrl-C raises, told from the same exception raised by code."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class UserInterrupt(KeyboardInterrupt):
    """The process was asked to stop from outside."""


def is_interrupt(error: BaseException) -> bool:
    """Whether an exception means that the user wants to stop.

    Where the signal is ignored, as in worker processes, nobody but code can have raised it. Inside
    `recognisable_interrupts` the user's are known; elsewhere any may be the user's.
    """
    handler = signal.getsignal(signal.SIGINT)
    expected = UserInterrupt if handler is _interrupt else KeyboardInterrupt
    return handler is not signal.SIG_IGN and isinstance(error, expected)


@contextmanager
def recognisable_interrupts() -> Iterator[None]:
    """Let interrupts inside the block be told from exceptions of the same kind that code raises.

    Nothing changes outside the main thread, or where the process deals with the signal in a way of its own.
    """
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise UserInterrupt
