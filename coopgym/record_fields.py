"""Records from files, field by field: tables of what each must be, and an error that names the field that is not.

A check takes a value and its path in the record, like ``replicas[2].seed``, and returns nothing or raises.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Check: TypeAlias = Callable[[Any, str], None]

LARGEST = 2**63 - 1
"""Of whole numbers: what tables hold."""
_SHOWN = 60
"""Characters of a value that messages show."""


class FieldError(ValueError):
    """A field of a record is missing, unknown or not what it must be; the message names it by its path."""


def whole(low: int = 0, high: int = LARGEST) -> Check:
    """Return a check for whole numbers, written without a decimal point."""

    def check(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise _wrong(value, path, f"a whole number {_interval(low, high)}")

    return check


def real(low: float = -math.inf, high: float = math.inf) -> Check:
    """Return a check for finite numbers."""

    def check(value: Any, path: str) -> None:
        if not _is_number(value) or not math.isfinite(value) or not low <= value <= high:
            raise _wrong(value, path, f"a finite number {_interval(low, high)}".strip())

    return check


def number(value: Any, path: str) -> None:
    """Check for numbers, NaN and infinities among them."""
    if not _is_number(value):
        raise _wrong(value, path, "a number")


def integral(value: Any, path: str) -> None:
    """Check for whole numbers that may be written with a decimal point, as 5.0."""
    if not _is_number(value) or not math.isfinite(value) or value != int(value) or abs(value) > LARGEST:
        raise _wrong(value, path, "a whole number")


def truth(value: Any, path: str) -> None:
    """Check for true and false."""
    if not isinstance(value, bool):
        raise _wrong(value, path, "true or false")


def text(value: Any, path: str) -> None:
    """Check for texts that say something."""
    if not isinstance(value, str) or not value.strip():
        raise _wrong(value, path, "a text")


def one_of(*words: str) -> Check:
    """Return a check for one of some words."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, str) or value not in words:
            raise _wrong(value, path, f"one of {', '.join(words)}")

    return check


def nullable(known: Check) -> Check:
    """Return a check that lets null pass, too."""

    def check(value: Any, path: str) -> None:
        if value is not None:
            known(value, path)

    return check


def each(entry: Check, *, least: int = 0, length: int | None = None) -> Check:
    """Return a check for lists, entry by entry.

    Args:
        entry: of every entry.
        least: the fewest entries.
        length: the only number of entries; None for any.
    """
    expected = f"a list of {length}" if length is not None else f"a list of at least {least}" if least else "a list"

    def check(value: Any, path: str) -> None:
        if not isinstance(value, list) or len(value) < least or (length is not None and len(value) != length):
            raise _wrong(value, path, expected)
        for place, item in enumerate(value):
            entry(item, f"{path}[{place}]")

    return check


def row(*entries: Check) -> Check:
    """Return a check for lists whose places have checks of their own."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, list) or len(value) != len(entries):
            raise _wrong(value, path, f"a list of {len(entries)}")
        for place, (entry, item) in enumerate(zip(entries, value, strict=True)):
            entry(item, f"{path}[{place}]")

    return check


def named(entry: Check) -> Check:
    """Return a check for objects whose keys are free, value by value."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise _wrong(value, path, "an object")
        for name, item in value.items():
            entry(item, _below(path, name))

    return check


def fields(known: Mapping[str, Check], optional: Mapping[str, Check] | None = None, *, closed: bool = False) -> Check:
    """Return a check for objects by a table of their fields.

    Args:
        known: fields that must be there.
        optional: fields that may be there.
        closed: whether there may be no others.
    """
    table = {**known, **(optional or {})}

    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise _wrong(value, path, "an object")
        for name in known:
            if name not in value:
                raise FieldError(f"the field {_below(path, name)!r} is missing; expected {', '.join(known)}")
        for name, item in value.items():
            if name in table:
                table[name](item, _below(path, name))
            elif closed:
                raise FieldError(f"the field {_below(path, name)!r} is unknown; expected {', '.join(table)}")

    return check


def plain(value: Any, path: str) -> None:
    """Check for settings: finite numbers, words, truths and null, and lists and objects of them."""
    if isinstance(value, list):
        each(plain)(value, path)
    elif isinstance(value, dict):
        named(plain)(value, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        real()(value, path)


def found(value: Any) -> str:
    """Return a value as messages show it."""
    shown = repr(value)
    return f"{shown[:_SHOWN]}…" if len(shown) > _SHOWN else shown


def _wrong(value: Any, path: str, expected: str) -> FieldError:
    return FieldError(f"{path or 'the record'}: found {found(value)}, expected {expected}")


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _interval(low: float, high: float) -> str:
    if math.isinf(high) or high == LARGEST:
        return "" if math.isinf(low) else f"of at least {low}"
    return f"in [{low}, {high}]"
