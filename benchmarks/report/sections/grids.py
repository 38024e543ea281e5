"""Numbers by game and algorithm where there are too many algorithms for a dot each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from coopgym.benchmarks.drawing.formatting import signed
from coopgym.benchmarks.drawing.plots.dots import Dot
from coopgym.benchmarks.drawing.plots.maps import Matrix
from coopgym.benchmarks.drawing.series_style import SeriesStyle
from coopgym.benchmarks.report.content.blocks import Heatmap, SeriesLegend
from coopgym.benchmarks.score import Estimate

FEW = 6
"""Algorithms up to which each has a dot of its own in every game."""
BRACKETS = "Brackets: the interval over seeds holds zero, or there are too few seeds for one."


def legend(names: Iterable[str], styles: Mapping[str, SeriesStyle]) -> list[SeriesLegend]:
    """Return the legend of algorithms that have dots; where they are too many, their columns bear their names."""
    shown = {name: styles[name] for name in names}
    return [SeriesLegend(shown)] if len(shown) <= FEW else []


@dataclass(frozen=True)
class Entry:
    """A number of an algorithm in a game."""

    game: str
    algorithm: str
    value: float
    sure: bool
    """Whether its interval excludes zero."""


def relative_dot(difference: Estimate, relative: float, style: SeriesStyle, full: bool) -> Dot:
    """Return a difference as the share that it is; a difference of nothing tells no scale for its interval."""
    unit = difference.value / relative if relative else None
    low, high = (None if end is None or unit is None else end / unit for end in (difference.low, difference.high))
    seeds = [value / unit for value in difference.seeds] if unit else []
    return Dot(relative, style.colour, low, high, style.mark, full, seeds)


def grid(name: str, label: str, entries: Sequence[Entry], full: float, caption: str, per_cent: bool = True) -> Heatmap:
    """Arrange numbers by game and algorithm.

    Args:
        name: of the figure's file.
        label: what a screen reader says.
        entries: the numbers.
        full: size of a number that has the fullest shade.
        caption: how to read it; what brackets mean is added.
        per_cent: whether numbers are shares.
    """
    games = list(dict.fromkeys(each.game for each in entries))
    algorithms = sorted({each.algorithm for each in entries})
    values = np.full((len(games), len(algorithms)), np.nan)
    texts = [[""] * len(algorithms) for _ in games]
    for each in entries:
        row, column = games.index(each.game), algorithms.index(each.algorithm)
        text = signed(100 * each.value, 0) if per_cent else signed(each.value)
        values[row, column] = each.value
        texts[row][column] = text if each.sure else f"({text})"
    matrix = Matrix(games, algorithms, values, texts, np.clip(values / full, -1.0, 1.0))
    return Heatmap(name, label, matrix, "game", "algorithm", f"{caption} {BRACKETS}")
