"""Lines with bands, their names at their ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from coopgym.benchmarks.drawing.formatting import tick
from coopgym.benchmarks.drawing.theme import CARD, INK, MUTED, Dash, framed, text_width

WIDTH, HEIGHT = 3.5, 2.5
"""Inches of a figure without names."""
SMALL, SPACING = 7.5, 0.135
"""Size of names in points, and their distance in inches."""
LONGEST = 22
"""Characters of a name that are shown."""
BANDS = 8
"""Lines up to which bands are drawn; more would hide each other."""


Names: TypeAlias = Literal["at ends", "listed", "nowhere"]


@dataclass(frozen=True)
class Line:
    """A line, with a band around it if it has one."""

    name: str
    x: npt.ArrayLike
    y: npt.ArrayLike
    colour: str
    dash: Dash = "-"
    low: npt.ArrayLike | None = None
    high: npt.ArrayLike | None = None
    mark: str = ""
    """Drawn at every point."""
    hollow: Sequence[bool] = ()
    """Where the mark is hollow."""
    dot: int | None = None
    """Point that has a dot."""


@dataclass(frozen=True)
class Level:
    """A named horizontal line to compare with."""

    name: str
    y: float


@dataclass(frozen=True)
class Axis:
    """What an axis says and where it ends."""

    label: str
    limits: tuple[float, float] | None = None
    ticks: Sequence[float] | None = None
    as_percent: bool = False


def lines(
    series: Sequence[Line],
    x: Axis,
    y: Axis,
    *,
    title: str = "",
    anchors: Sequence[float] = (),
    levels: Sequence[Level] = (),
    names: Names = "at ends",
    size: tuple[float, float] = (WIDTH, HEIGHT),
) -> Figure:
    """Draw lines.

    Args:
        series: what to draw.
        x: the horizontal axis.
        y: the vertical axis; what lies beyond its limits is drawn at the edge.
        title: of the figure.
        anchors: heights at which a line is drawn.
        levels: the same with a name.
        names: where lines bear their names: at their right ends, or listed from top to bottom where ends say nothing.
        size: width and height without the names, inches.
    """
    written = [*(line.name for line in series if names != "nowhere"), *(level.name for level in levels)]
    right = 0.15 + max((0.28 + text_width(_shortened(name), SMALL) for name in written), default=0.0)
    height = max(size[1], 0.9 + SPACING * len(written))
    with framed(size[0] + right - 0.15, height, left=0.7, right=right) as (figure, axes):
        for anchor in anchors:
            axes.axhline(anchor, color=MUTED, linewidth=0.8, zorder=0.5)
        for level in levels:
            axes.axhline(level.y, color=MUTED, linewidth=0.9, linestyle=(0, (2, 2)), zorder=0.6)
        bottom, top = y.limits or (-np.inf, np.inf)
        for line in series:
            _draw(axes, line, bottom, top, with_band=len(series) <= BANDS)
        _set(axes, x, y)
        axes.set_title(title)
        if names == "listed":
            _list(figure, axes, series)
        else:
            ends = [_end(line, bottom, top) for line in series if names == "at ends"]
            _name(figure, axes, [*ends, *((level.name, level.y, MUTED) for level in levels)])
        return figure


def _draw(axes: Axes, line: Line, bottom: float, top: float, with_band: bool) -> None:
    x, heights = np.asarray(line.x, dtype=np.float64), np.clip(np.asarray(line.y, dtype=np.float64), bottom, top)
    if with_band and line.low is not None and line.high is not None:
        low, high = (np.clip(np.asarray(edge, dtype=np.float64), bottom, top) for edge in (line.low, line.high))
        axes.fill_between(x, low, high, color=line.colour, alpha=0.15, linewidth=0)
    axes.plot(x, heights, color=line.colour, linestyle=line.dash)
    if line.mark:
        hollow = np.array(line.hollow or [False] * len(x), dtype=bool)
        for chosen, face in ((hollow, CARD), (~hollow, line.colour)):
            axes.plot(*(x[chosen], heights[chosen], line.mark), color=line.colour, markerfacecolor=face, markersize=4)
    if line.dot is not None:
        axes.plot(x[line.dot], heights[line.dot], "o", color=line.colour, markersize=5, clip_on=False)


def _set(axes: Axes, x: Axis, y: Axis) -> None:
    for each, axis, limit in ((x, axes.xaxis, axes.set_xlim), (y, axes.yaxis, axes.set_ylim)):
        if each.limits is not None:
            margin = 0.02 * (each.limits[1] - each.limits[0])
            limit(each.limits[0] - margin, each.limits[1] + margin)
        if each.ticks is None:
            axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        else:
            axis.set_ticks(list(each.ticks))
        axis.set_major_formatter(FuncFormatter(partial(_tick, each.as_percent)))
        axis.set_label_text(each.label)


def _end(line: Line, bottom: float, top: float) -> tuple[str, float, str]:
    heights = np.asarray(line.y, dtype=np.float64)
    finite = heights[np.isfinite(heights)]
    return line.name, float(np.clip(finite[-1], bottom, top)) if len(finite) else np.nan, line.colour


def _name(figure: Figure, axes: Axes, ends: Sequence[tuple[str, float, str]]) -> None:
    """Write names to the right of the frame at the height where lines end, moved apart where they would overlap."""
    low, high = axes.get_ylim()
    wanted = [(name, (y - low) / (high - low), colour) for name, y, colour in ends if np.isfinite(y)]
    wanted.sort(key=lambda each: each[1])
    room = SPACING / (axes.get_position().height * figure.get_figheight())
    places = apart([place for _, place, _ in wanted], room)
    for (name, end, colour), place in zip(wanted, places, strict=True):
        axes.plot([1.0, 1.035], [end, place], color=colour, transform=axes.transAxes, clip_on=False, linewidth=1.2)
        _write(axes, name, 1.045, place, MUTED if colour == MUTED else INK)


def _list(figure: Figure, axes: Axes, series: Sequence[Line]) -> None:
    """Write names to the right of the frame from top to bottom, each behind a piece of its line."""
    room = SPACING / (axes.get_position().height * figure.get_figheight())
    for number, line in enumerate(series):
        place = 1.0 - (number + 0.5) * room
        style: dict[str, Any] = {
            "color": line.colour,
            "linestyle": line.dash,
            "transform": axes.transAxes,
            "clip_on": False,
        }
        axes.plot([1.02, 1.085], [place, place], **style)
        _write(axes, line.name, 1.1, place, INK)


def _write(axes: Axes, name: str, x: float, y: float, colour: str) -> None:
    axes.text(x, y, _shortened(name), transform=axes.transAxes, va="center", fontsize=SMALL, color=colour)


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def apart(wanted: Sequence[float], room: float) -> list[float]:
    """Move ascending places in [0, 1] at least ``room`` apart, by as little as a pass in each direction allows."""
    places = list(wanted)
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + room)
    if places:
        places[-1] = min(places[-1], 1.0)
    for i in range(len(places) - 2, -1, -1):
        places[i] = min(places[i], places[i + 1] - room)
    return places


def _tick(as_percent: bool, value: float, _: object) -> str:
    return tick(value, as_percent)
