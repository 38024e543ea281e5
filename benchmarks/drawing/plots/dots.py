"""Dots with their intervals in named rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from coopgym.benchmarks.drawing.formatting import tick
from coopgym.benchmarks.drawing.theme import CARD, INK, LINES, MUTED, framed, text_width
from coopgym.benchmarks.score import Estimate

WIDTH = 4.7
"""Inches: legible without zooming on a phone."""
ROW, DODGE, TWO_LINES = 0.13, 0.11, 0.33
"""Height of a row besides its dots, of each of its dots, and of a name of two lines, inches."""
SIZE, SMALL = 9.0, 7.5
"""Of names of rows and of reference_scores, points."""
LONGEST, WRAPPED = 34, 24
"""Characters of a name's line that are shown, and beyond which a name with parameters takes two lines."""


@dataclass(frozen=True)
class Dot:
    """A value, with its interval if it has one."""

    value: float
    colour: str
    low: float | None = None
    high: float | None = None
    mark: str = "o"
    full: bool = True
    """Drawn full or hollow."""
    seeds: Sequence[float] = ()
    """The single values behind it, where they are too few for an interval."""

    @classmethod
    def of(cls, estimate: Estimate, colour: str, mark: str = "o", full: bool = True) -> Dot:
        """Return the dot of an estimate."""
        return cls(estimate.value, colour, estimate.low, estimate.high, mark, full, estimate.seeds)


@dataclass(frozen=True)
class Row:
    """Dots that belong to one name."""

    name: str
    dots: Sequence[Dot]


@dataclass(frozen=True)
class Span:
    """A stretch of an axis that is drawn, values beyond it at its edge."""

    low: float = -np.inf
    high: float = np.inf

    def clip(self, value: float) -> float:
        """Return a value, or the end beyond which it lies."""
        return min(max(value, self.low), self.high)


def dots(
    rows: Sequence[Row],
    axis: str,
    *,
    title: str = "",
    anchors: Sequence[float] = (),
    reference_scores: Mapping[str, float] | None = None,
    shown: Span = Span(),
    as_percent: bool = False,
) -> Figure:
    """Draw rows, the first on top.

    Args:
        rows: named dots.
        axis: what the axis says.
        title: of the figure.
        anchors: where to draw a line.
        reference_scores: where to draw a dashed one, by name, if it is shown.
        shown: values outside are drawn at the edge as arrows.
        as_percent: whether values are shares.
    """
    names = [_in_lines(row.name) for row in rows]
    left = 0.16 + max((text_width(line, SIZE) for name in names for line in name.split("\n")), default=0.0)
    reference_scores = {
        name: value for name, value in (reference_scores or {}).items() if shown.low <= value <= shown.high
    }
    above = 0.12 + 0.24 * bool(title) + 0.17 * bool(reference_scores)
    heights = [
        max(ROW + DODGE * len(row.dots), TWO_LINES if "\n" in name else 0.0)
        for row, name in zip(rows, names, strict=True)
    ]
    with framed(WIDTH, above + 0.5 + sum(heights), left=left, above=above) as (figure, axes):
        edges = np.concatenate([[0.0], np.cumsum(heights)])
        centres = (edges[1:] + edges[:-1]) / 2
        places = [
            float(centre + DODGE * (number - (len(row.dots) - 1) / 2))
            for row, centre in zip(rows, centres, strict=True)
            for number in range(len(row.dots))
        ]
        _draw(axes, [dot for row in rows for dot in row.dots], places, shown)
        for edge in edges[1:-1] if any(len(row.dots) > 1 for row in rows) else ():
            axes.axhline(edge, color=LINES, linewidth=0.5, zorder=0.4)
        for anchor in anchors:
            axes.axvline(anchor, color=MUTED, linewidth=0.8, zorder=0.5)
        axes.set_ylim(edges[-1], 0)
        axes.set_yticks(centres, names, linespacing=0.95)
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(axis)
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: tick(value, as_percent)))
        axes.margins(x=0.04)
        _mark(axes, reference_scores)
        if title:
            figure.text(0.02, 1 - 0.05 / figure.get_figheight(), title, va="top", fontsize=10)
        return figure


def _draw(axes: Axes, drawn: Sequence[Dot], places: Sequence[float], shown: Span) -> None:
    """Draw dots at heights, those that look alike together: that makes files several times smaller."""
    alike: dict[tuple[str, str, bool], list[tuple[float, float]]] = {}
    intervals: dict[str, list[tuple[float, float, float]]] = {}
    single: dict[str, list[tuple[float, float]]] = {}
    for dot, place in zip(drawn, places, strict=True):
        inside = map(shown.clip, dot.seeds)
        single.setdefault(dot.colour, []).extend((value, place) for value in inside)
        if dot.low is not None and dot.high is not None:
            intervals.setdefault(dot.colour, []).append((place, shown.clip(dot.low), shown.clip(dot.high)))
        value = shown.clip(dot.value)
        mark = dot.mark if value == dot.value else "<" if dot.value < value else ">"
        alike.setdefault((dot.colour, mark, dot.full), []).append((value, place))
    for colour, spans in intervals.items():
        axes.hlines(*zip(*spans, strict=True), color=colour, linewidth=2.0)
    for colour, values in single.items():
        if values:
            axes.plot(*zip(*values, strict=True), "|", color=colour, markersize=5, markeredgewidth=0.9, alpha=0.7)
    for (colour, mark, full), points in alike.items():
        face = colour if full else CARD
        axes.plot(*zip(*points, strict=True), mark, color=colour, markerfacecolor=face, markersize=5)


def _mark(axes: Axes, reference_scores: Mapping[str, float]) -> None:
    """Draw reference_scores with their names above the frame, each where the one before leaves room."""
    free = -np.inf
    low, high = axes.get_xlim()
    inches = axes.get_position().width * WIDTH
    for name, value in sorted(reference_scores.items(), key=lambda item: item[1]):
        axes.axvline(value, color=MUTED, linewidth=0.9, linestyle=(0, (2, 2)), zorder=0.6)
        half = 0.5 * text_width(name, SMALL) / inches
        place = min(max((value - low) / (high - low), free + half, half), 1 - half)
        axes.text(place, 1.0, name, transform=axes.transAxes, ha="center", va="bottom", fontsize=SMALL, color=MUTED)
        free = place + half + 0.02


def _in_lines(name: str) -> str:
    """Return a name in one line or, where it is long and has parameters, in two."""
    head, comma, parameters = name.partition(", ")
    lines = [head + comma.strip(), parameters] if comma and len(name) > WRAPPED else [name]
    return "\n".join(line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…" for line in lines)
