"""How commands end other than well: each kind of ending has one look and one exit code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import typer

from benchmarks.standard_streams import say


@contextmanager
def user_errors(*kinds: type[Exception]) -> Iterator[None]:
    """Turn mistakes of the user into one message and exit code 2."""
    try:
        yield
    except kinds as error:
        say(f"coopgym: {error}", error=True)
        raise typer.Exit(2) from None


@contextmanager
def interruptible(message: str) -> Iterator[None]:
    """Let the user interrupt what takes long: it ends in a message, which says how to go on, and exit code 130."""
    try:
        yield
    except KeyboardInterrupt:
        say(f"\n{message}", error=True)
        raise typer.Exit(130) from None


def fail_with(faults: Iterable[str]) -> None:
    """Name what went wrong beside what succeeded and end with exit code 1; do nothing if all went well."""
    named = list(faults)
    for fault in named:
        say(f"coopgym: {fault}", error=True)
    if named:
        raise typer.Exit(1)
