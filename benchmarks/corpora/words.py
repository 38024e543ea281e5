"""What corpora hold, in words."""

from __future__ import annotations

from collections.abc import Iterable

SHOWN_VALUES = 8


def some(values: Iterable[str], shown: int = SHOWN_VALUES) -> str:
    """Enumerate values; of many, the first ones and how many there are."""
    names = list(values)
    return ", ".join(names[:shown]) + (f" … ({len(names)})" if len(names) > shown else "")
