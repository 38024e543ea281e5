"""Markdown, and sentences made of what was counted."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from benchmarks.summary import Interval

WIDTH = 120


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def paragraph(text: str) -> str:
    """Return a text as lines of a page; a number and its sign of per cent stay on one line."""
    together = " ".join(text.split()).replace(" %", "\N{NO-BREAK SPACE}%")
    lines = textwrap.fill(together, WIDTH, break_long_words=False, break_on_hyphens=False)
    return lines.replace("\N{NO-BREAK SPACE}", " ")


def listed(things: Iterable[str]) -> str:
    """Return ``a, b and c``; of nothing, ``none``."""
    *others, last = list(things) or ["none"]
    return f"{', '.join(others)} and {last}" if others else last


def short(game: str) -> str:
    """Return a game's id without its version."""
    return game.rsplit("-", 1)[0]


def in_digits(value: float) -> str:
    """Return a return or welfare in four digits or a little more."""
    return f"{value:.1f}" if abs(value) < 1000 else f"{value:.0f}"


def mean_in_digits(values: Sequence[float]) -> str:
    """Return a mean over seeds ± half its interval of Student's t; a single seed's value alone."""
    found = Interval.of(values)
    return in_digits(found.mean) + ("" if found.half_width is None else f" ± {found.half_width:.1f}")


def between(values: Iterable[float], digits: int) -> str:
    """Return ``lowest to highest``."""
    found = list(values)
    low, high = (f"{value:,.{digits}f}" for value in (min(found), max(found)))
    return low if low == high else f"{low} to {high}"
