"""Parameters of a game as they are typed on a command line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from typing import Any

_BARE_WORD = re.compile(r"[A-Za-z_][\w-]*")
_ADDRESS = re.compile(r"[A-Za-z_][\w-]*:[\w./:-]+")


def parse_settings(texts: Iterable[str], option: str = "--set") -> dict[str, Any]:
    """Read ``name=value`` texts of an option; values are TOML, and a bare word or address is a text.

    Raises:
        ValueError: no name, no value, a value that is not TOML, or a name given twice.
    """
    settings: dict[str, Any] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (_BARE_WORD.fullmatch(name) and equals and value):
            raise ValueError(f"{option} {text!r}: expected name=value, for example theta=6")
        if name in settings:
            raise ValueError(f"{option} {text!r}: {name} was already set to {settings[name]!r}")
        settings[name] = _value(f"{option} {text!r}", value)
    return settings


def _value(where: str, value: str) -> Any:
    try:
        document = tomllib.loads(f"value = {value}")
    except (ValueError, RecursionError):  # no TOML, a number of too many digits, lists too deep inside each other
        document = {}
    if set(document) == {"value"}:
        return document["value"]
    if _BARE_WORD.fullmatch(value) or _ADDRESS.fullmatch(value):
        return value
    raise ValueError(f"{where}: {value!r} is not a TOML value such as 6, 0.5, true, [0.6, 0.4] or 'crisis'")
