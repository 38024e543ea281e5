"""How commands end other than well: each kind of ending has one look and one exit code."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import typer

from coopgym.benchmarks.cli.standard_streams import say

ADVICE = {
    errno.EEXIST: "a folder is needed there; move the file away, or choose another place",
    errno.ENOTDIR: "a folder is needed on the way; choose another place",
    errno.EISDIR: "a file is needed there; choose another place",
    errno.EACCES: "choose a place that you may read and write",
    errno.EPERM: "choose a place that you may read and write",
    errno.EROFS: "choose a place that can be written to",
    errno.ENOSPC: "free some space or choose another place, and run the same command again: what was finished is kept",
    errno.EDQUOT: "free some space or choose another place, and run the same command again: what was finished is kept",
}
"""What to do about faults of files."""


@contextmanager
def user_errors(*kinds: type[Exception]) -> Iterator[None]:
    """Turn mistakes of the user into one message and exit code 2."""
    try:
        yield
    except kinds as error:
        say(f"coopgym: {_with_advice(error)}", error=True)
        raise typer.Exit(2) from None


def _with_advice(error: Exception) -> str:
    """What went wrong, and of files also what to do about it."""
    if not (isinstance(error, OSError) and error.errno in ADVICE):
        return str(error)
    place = f"{error.filename}: " if error.filename is not None else ""
    return f"{place}{error.strerror}; {ADVICE[error.errno]}"


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


@contextmanager
def agents_errors() -> Iterator[None]:
    """Let what users' agents raise end in one message, with file and line, and exit code 1.

    Interrupts pass, and so does what is not theirs or names its place already.
    """
    from coopgym.interrupts import is_interrupt, recognisable_interrupts
    from coopgym.user_code import in_words, located

    with recognisable_interrupts():
        try:
            yield
        except BaseException as error:
            if is_interrupt(error) or not located(error):
                raise
            say(f"coopgym: {in_words(error)}", error=True)
            raise typer.Exit(1) from None
