"""Chat formats by name."""

from __future__ import annotations

import difflib

from coopgym.interfaces.text.chat_formats.base import Call, ChatFormat, Reading
from coopgym.interfaces.text.chat_formats.compact import Compact
from coopgym.interfaces.text.chat_formats.json_calls import JsonCalls
from coopgym.interfaces.text.chat_formats.native_calls import NativeCalls

__all__ = ["CHAT_FORMATS", "Call", "ChatFormat", "Compact", "JsonCalls", "NativeCalls", "Reading", "chat_format_named"]

CHAT_FORMATS: dict[str, ChatFormat] = {dialect.name: dialect for dialect in (Compact(), JsonCalls(), NativeCalls())}
"""By the name that settings called ``dialect`` give."""


def chat_format_named(dialect: str | ChatFormat) -> ChatFormat:
    """Return the chat format that a name stands for; a chat format stands for itself.

    Raises:
        ValueError: an unknown name.
    """
    if not isinstance(dialect, str):
        return dialect
    if dialect not in CHAT_FORMATS:
        near = difflib.get_close_matches(dialect, CHAT_FORMATS, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(
            f"unknown dialect {dialect!r}; {hint}known: {', '.join(CHAT_FORMATS)}, or a ChatFormat of your own"
        )
    return CHAT_FORMATS[dialect]
