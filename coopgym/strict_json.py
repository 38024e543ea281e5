"""JSON as its standard has it: what Python reads beyond that, or reads differently each time, is refused."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, NoReturn

DEEPEST = 32
"""Lists and objects within each other; ours need seven."""
LONGEST_NUMBER = 64
"""Characters of a number; those of double precision need 24, states of random generators 39."""
_HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")
_BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


def parse_json(content: bytes | str, *, nonfinite: bool = False) -> Any:
    """Return the value of a JSON text.

    Args:
        content: the text, or its bytes in UTF-8.
        nonfinite: accept ``NaN``, ``Infinity`` and ``-Infinity``, which Python writes where training diverged.

    Raises:
        ValueError: it is not valid JSON in UTF-8, a key is there twice, a number has more digits or is larger than
            double precision has, or lists and objects are nested too deeply.
    """
    try:
        text = content.decode("utf-8") if isinstance(content, bytes) else content
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is not UTF-8 ({error.reason}); expected JSON in UTF-8") from error
    if text.startswith(_BYTE_ORDER_MARK):
        raise ValueError("it begins with a byte order mark; expected JSON in UTF-8 without one")
    try:
        value = json.loads(
            text,
            object_pairs_hook=_distinct,
            parse_int=_whole,
            parse_float=_real,
            parse_constant=float if nonfinite else _refused,
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"not valid JSON: {error}") from error
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    _require_shallow(value)
    if _HALF_CHARACTER.search(text):
        _require_characters(value)
    return value


_TOO_DEEP = f"lists and objects are nested too deeply; expected at most {DEEPEST} within each other"


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise ValueError(f"the key {twice!r} is there more than once in an object; expected every key once")
    return found


def _whole(text: str) -> int:
    return int(_short(text))


def _real(text: str) -> float:
    value = float(_short(text))
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"the number {text} is beyond double precision; expected one below 1.8e308")
    return value


def _short(text: str) -> str:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"the number {text[:12]}… has {len(text)} characters; expected at most {LONGEST_NUMBER}")
    return text


def _refused(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number; expected finite numbers, or null")


def _require_shallow(value: Any) -> None:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(DEEPEST):
        level = [below for each in level for below in _items(each) if isinstance(below, dict | list)]
        if not level:
            return
    raise ValueError(_TOO_DEEP)


def _items(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _require_characters(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"a text holds half a character ({error.object[error.start]!r}); expected Unicode") from None
