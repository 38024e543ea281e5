"""What a user's own code raised, in words: which kind, what it says, and in which line of which file."""

from __future__ import annotations

import inspect
import os
import site
import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from coopgym.interrupts import is_interrupt
from coopgym.visible_text import visible

OURS = "coopgym"
"""The package whose code is not a user's."""
_SHELVES = (sysconfig.get_path("stdlib"), *site.getsitepackages(), site.getusersitepackages())
INSTALLED = frozenset(Path(folder).resolve() for folder in _SHELVES)
"""Folders whose modules have releases of their own: what is imported from there is not a user's local code."""
_SPEAKING = ("act", "cooperate", "begin")
"""Methods in which an agent says what it plays."""
LONGEST_MESSAGE = 240
LONGEST_ACCOUNT = 20_000
"""Characters of a message in a line, and of a traceback; the middle of longer ones is left out."""


def in_words(error: BaseException) -> str:
    """Return an exception in one line: ``ValueError: no such seat (mine.py:12)``."""
    kind, said = " ".join(visible(type(error).__name__).split()), message_of(error)
    return f"{kind}: {said}{located(error)}" if said else f"{kind}{located(error)}"


def message_of(error: BaseException) -> str:
    """Return the first line of what an exception says, whatever it does when it is asked; empty if it is silent."""
    try:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    except BaseException as refusal:  # its text is made by the same code that raised it
        if is_interrupt(refusal):
            raise
        return f"a message that cannot be read: it raises {type(refusal).__name__}"
    return shortened(visible(lines[0]), LONGEST_MESSAGE) if lines else ""


def located(error: BaseException) -> str:
    """Return `place_of` an exception in brackets, for the end of a message; empty where it is told already."""
    place = place_of(error)
    return "" if place is None or f"({place})" in message_of(error) else f" ({place})"


def place_of(error: BaseException) -> str | None:
    """Return ``file:line`` of the user's code that raised an exception or what led to it; None if that was nobody's.

    It is the innermost line that stands neither in an installed package nor in one of ours.
    """
    for each in _chain(error):
        if isinstance(each, SyntaxError) and each.filename and _is_users(each.filename):
            return _shown(each.filename, each.lineno or 1)
        walked = traceback.walk_tb(each.__traceback__)
        lines = [(frame.f_code.co_filename, line) for frame, line in walked if _is_users(frame.f_code.co_filename)]
        if lines:
            return _shown(*lines[-1])
    return None


def home_of(agent: object) -> str | None:
    """Return ``file:line`` where a user's class says what it plays; None for classes that are nobody's."""
    functions = (inspect.unwrap(found) for name in _SPEAKING if callable(found := getattr(type(agent), name, None)))
    codes = [function.__code__ for function in functions if inspect.isfunction(function)]
    return next((_shown(code.co_filename, code.co_firstlineno) for code in codes if _is_users(code.co_filename)), None)


def account_of(error: BaseException) -> str:
    """Return an exception's traceback; `in_words` is its last line."""
    try:
        text = "".join(traceback.format_exception(error)).rstrip()
    except BaseException as refusal:  # a traceback asks the exception, and objects around it, for names and texts
        if is_interrupt(refusal):
            raise
        text = f"no traceback: it raises {type(refusal).__name__}"
    text, line = shortened(text, LONGEST_ACCOUNT), in_words(error)
    return text if text.endswith(line) else f"{text}\n{line}"


def shortened(text: str, longest: int) -> str:
    """Return a text without its middle if it is too long."""
    half = longest // 2
    return text if len(text) <= longest else f"{text[:half]}…{text[-half:]}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those that led to it, each once."""
    following: BaseException | None = error
    told: list[BaseException] = []
    while following is not None and not any(following is each for each in told):
        yield following
        told.append(following)
        cause, context = following.__cause__, following.__context__
        following = cause if cause is not None or following.__suppress_context__ else context


def _is_users(file: str) -> bool:
    return not file.startswith("<") and (INSTALLED | our_folders()).isdisjoint(Path(file).resolve().parents)


@cache
def our_folders() -> frozenset[Path]:
    """Folders of our package: in a checkout some of them lie beside it."""
    specs = (find_spec(name) for name in (OURS, f"{OURS}.oracles", f"{OURS}.algorithms", f"{OURS}.benchmarks"))
    return frozenset(Path(place).resolve() for spec in specs if spec for place in spec.submodule_search_locations or ())


def _shown(file: str, line: int | None) -> str:
    """Return a place as a user knows it, relative to the folder they are in."""
    path = Path(file)
    with suppress(ValueError, OSError):  # it lies elsewhere, or the folder is gone
        path = path.resolve().relative_to(Path.cwd())
    return f"{os.fspath(path)}:{line or 1}"
