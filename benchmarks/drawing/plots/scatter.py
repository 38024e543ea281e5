"""Points with their names in a plane."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from coopgym.benchmarks.drawing.formatting import tick
from coopgym.benchmarks.drawing.plots.dots import Span
from coopgym.benchmarks.drawing.series_style import SeriesStyle
from coopgym.benchmarks.drawing.theme import INK, MUTED, framed, text_width
from coopgym.benchmarks.score import Estimate
from coopgym.typing import FloatArray

WIDTH, HEIGHT = 4.7, 3.6
"""Inches."""
DASHED = (0, (4, 3))
UNIT, EVERYTHING = (0.0, 1.0), Span()
SMALL, LINE = 7.5, 0.13
"""Size of names in points, and their height in inches."""


@dataclass(frozen=True)
class Point:
    """A named point with its intervals."""

    name: str
    x: Estimate
    y: Estimate
    style: SeriesStyle
    last: bool = False
    """Whether it is named after the others, where they leave room."""


def scatter(
    points: Sequence[Point],
    x: str,
    y: str,
    *,
    title: str = "",
    anchors: Sequence[float] = (),
    unit_square: bool = False,
    shown: Span = EVERYTHING,
    true_to_scale: bool = False,
) -> Figure:
    """Draw points with crosses of intervals.

    Args:
        points: what to draw; a name for which there is no room is left out.
        x: what the horizontal axis says.
        y: what the vertical axis says.
        title: of the figure.
        anchors: where to draw a vertical line.
        unit_square: whether to draw dashed lines at 0 and 1 of both axes.
        shown: of both axes; points outside are drawn at the edge as arrows.
        true_to_scale: whether a unit is as long on both axes.
    """
    points = [_kept_within(shown, point) for point in points]
    with framed(WIDTH, HEIGHT, left=0.66) as (figure, axes):
        for anchor in anchors:
            axes.axvline(anchor, color=MUTED, linewidth=0.8, zorder=0.5)
        for end in UNIT if unit_square else ():
            for line in (axes.axvline, axes.axhline):
                line(end, color=MUTED, linewidth=0.8, linestyle=DASHED, zorder=1.6)
        for point in points:
            _cross(axes, point)
        axes.margins(0.1)
        axes.autoscale_view()
        if true_to_scale:
            axes.set_aspect("equal", adjustable="datalim")
            axes.apply_aspect()
        for each in (axes.xaxis, axes.yaxis):
            each.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
            each.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        axes.set_title(title)
        _name(axes, points, UNIT if unit_square else ())
        return figure


def _kept_within(shown: Span, point: Point) -> Point:
    """Return a point at the edge, with an arrow as its mark, where it lies beyond."""
    x, y = (_clipped(each, shown) for each in (point.x, point.y))
    arrows = [(x.value, point.x.value, "<>"), (y.value, point.y.value, "v^")]
    marks = (arrow[value > edge] for edge, value, arrow in arrows if edge != value)
    return replace(point, x=x, y=y, style=replace(point.style, mark=next(marks, point.style.mark)))


def _clipped(estimate: Estimate, shown: Span) -> Estimate:
    low, high = (None if end is None else shown.clip(end) for end in (estimate.low, estimate.high))
    return replace(estimate, value=shown.clip(estimate.value), low=low, high=high)


def _arms(point: Point) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    """Yield the ends of its intervals."""
    x, y = point.x, point.y
    if x.low is not None and x.high is not None:
        yield (x.low, y.value), (x.high, y.value)
    if y.low is not None and y.high is not None:
        yield (x.value, y.low), (x.value, y.high)


def _cross(axes: Axes, point: Point) -> None:
    style: dict[str, Any] = {"color": point.style.colour, "linewidth": 1.3, "alpha": 0.6}
    for arm in _arms(point):
        axes.plot(*zip(*arm, strict=True), **style)
    axes.plot(point.x.value, point.y.value, point.style.mark, color=point.style.colour, markersize=6)


def _name(axes: Axes, points: Sequence[Point], dashed: Sequence[float]) -> None:
    """Write every name beside its point where it covers neither names nor points and, if it can be, no line."""
    box = axes.get_position()
    inches = np.array([box.width * WIDTH, box.height * HEIGHT])
    to_axes = axes.transData + axes.transAxes.inverted()

    def to_inches(x: float, y: float) -> FloatArray:
        return np.asarray(to_axes.transform((x, y)) * inches)

    places = [to_inches(point.x.value, point.y.value) for point in points]
    taken: list[Box] = [(x - 0.05, y - 0.05, x + 0.05, y + 0.05) for x, y in places]
    lines: list[Box] = [(*to_inches(*one), *to_inches(*other)) for point in points for one, other in _arms(point)]
    for x, y in (to_inches(end, end) for end in dashed):
        lines += [(x, -np.inf, x, np.inf), (-np.inf, y, np.inf, y)]
    for point, place in sorted(zip(points, places, strict=True), key=lambda each: (each[0].last, -each[1][1])):
        width = text_width(point.name, SMALL)
        spots = [(place[0] + dx, place[1] + dy - LINE / 2, dx < 0) for dx, dy in _SIDES]
        boxes = [(x - width if left else x, y, x if left else x + width, y + LINE) for x, y, left in spots]
        free = (each for each in boxes if _inside(each, inches) and not any(_overlap(each, other) for other in taken))
        chosen = min(free, key=lambda each: sum(_overlap(each, line) for line in lines), default=None)
        if chosen is None:
            continue
        taken.append(chosen)
        axes.text(
            *((chosen[0] / inches[0], (chosen[1] + LINE / 2) / inches[1], point.name)),
            transform=axes.transAxes,
            va="center",
            fontsize=SMALL,
            color=INK,
        )


Box = tuple[float, float, float, float]
_SIDES = (
    *((side * 0.09, 0.0) for side in (1, -1)),
    *((side * 0.07, rise) for rise in (0.12, -0.12) for side in (1, -1)),
    *((side * 0.05, rise) for rise in (0.24, -0.24, 0.36, -0.36) for side in (1, -1)),
)
"""Where a name may begin, or to the left of its point end, inches from it."""


def _inside(box: Box, inches: FloatArray) -> bool:
    return bool(box[0] >= 0 and box[1] >= -0.05 and box[2] <= inches[0] + 0.1 and box[3] <= inches[1] + 0.1)


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
