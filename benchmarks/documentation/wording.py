"""Markdown, and sentences made of what was counted."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence

from coopgym.benchmarks.drawing.formatting import spread
from coopgym.benchmarks.score import mean_estimate
from coopgym.benchmarks.score.estimates import FEWEST

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


def over_seeds(values: Sequence[float], text: Callable[[float], str]) -> str:
    """Return a mean over seeds with its interval in brackets, or with the seeds where they are too few for one."""
    found = mean_estimate(values)
    if found is None:
        return ""
    around = spread(found, text)
    return text(found.value) + (f" ({around})" if around else "")


def in_brackets(seeds: int) -> str:
    """Say what `over_seeds` puts in brackets."""
    return "the 95 % interval (Student's t)" if seeds >= FEWEST else "what each seed reached"


def between(values: Iterable[float], digits: int) -> str:
    """Return ``lowest to highest``."""
    found = list(values)
    low, high = (f"{value:,.{digits}f}" for value in (min(found), max(found)))
    return low if low == high else f"{low} to {high}"
