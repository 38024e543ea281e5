"""Interrupts of the user, told from the same exception raised by code."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from coopgym.interrupts import is_interrupt, recognisable_interrupts


@pytest.fixture(autouse=True)
def usual_handler() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def pressed() -> KeyboardInterrupt:
    with pytest.raises(KeyboardInterrupt) as caught:
        signal.raise_signal(signal.SIGINT)
    return caught.value


def test_inside_the_block_only_the_user_s_count() -> None:
    with recognisable_interrupts():
        assert is_interrupt(pressed())
        assert not is_interrupt(KeyboardInterrupt())
        with recognisable_interrupts():
            assert is_interrupt(pressed())
            assert not is_interrupt(KeyboardInterrupt())
        assert is_interrupt(pressed())
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_elsewhere_any_may_be_the_user_s_unless_the_signal_is_ignored() -> None:
    assert is_interrupt(KeyboardInterrupt())
    assert not is_interrupt(SystemExit())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with recognisable_interrupts():
        assert not is_interrupt(KeyboardInterrupt())
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_other_threads_and_other_handlers_are_left_alone() -> None:
    seen: list[object] = []

    def look() -> None:
        with recognisable_interrupts():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]
    signal.signal(signal.SIGINT, lambda *_: seen.append("own"))
    with recognisable_interrupts():
        signal.raise_signal(signal.SIGINT)
    assert seen[1:] == ["own"]
