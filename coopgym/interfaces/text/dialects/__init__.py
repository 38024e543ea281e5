"""Dialects by name."""

from __future__ import annotations

import difflib

from coopgym.interfaces.text.dialects.base import Call, Dialect, Reading
from coopgym.interfaces.text.dialects.compact import Compact
from coopgym.interfaces.text.dialects.json_calls import JsonCalls
from coopgym.interfaces.text.dialects.native_calls import NativeCalls

__all__ = ["DIALECTS", "Call", "Compact", "Dialect", "JsonCalls", "NativeCalls", "Reading", "dialect_named"]

DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (Compact(), JsonCalls(), NativeCalls())}


def dialect_named(dialect: str | Dialect) -> Dialect:
    """Return the dialect that a name stands for; a dialect stands for itself.

    Raises:
        ValueError: an unknown name.
    """
    if not isinstance(dialect, str):
        return dialect
    if dialect not in DIALECTS:
        near = difflib.get_close_matches(dialect, DIALECTS, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"unknown dialect {dialect!r}; {hint}known: {', '.join(DIALECTS)}, or a Dialect of your own")
    return DIALECTS[dialect]
