"""Who beats whom: names on a circle and arrows between them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coopgym.benchmarks.drawing.theme import BAD, CARD, INK, LINES, MUTED, framed, text_width
from coopgym.typing import FloatArray

WIDTH, HEIGHT = 5.6, 3.9
"""Inches."""
RADIUS = 1.3
"""Of the circle, inches."""
SMALL = 7.5
"""Size of names and numbers, points."""
OFF = 0.1
"""From a name's point to where the name begins and arrows end, inches."""
LINE = 30
"""Characters of a name that stand on one line."""
ALONG = 0.38
"""Where on an arrow its number stands, from its start: in the middle, numbers of crossing arrows would meet."""


@dataclass(frozen=True)
class Arrow:
    """From one name to another, by their places."""

    start: int
    end: int
    number: str = ""
    """What stands on it."""
    strong: bool = False
    """Whether it is what the figure is about."""


def graph(names: Sequence[str], arrows: Sequence[Arrow], *, title: str = "") -> Figure:
    """Draw names on a circle, the first on top and the others clockwise, and arrows between them."""
    angles = np.pi / 2.0 - 2.0 * np.pi * np.arange(len(names)) / max(1, len(names))
    places = RADIUS * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    with framed(WIDTH, HEIGHT, left=0.1, right=0.1, below=0.12) as (figure, axes):
        axes.set_xlim(-(WIDTH - 0.2) / 2.0, (WIDTH - 0.2) / 2.0)
        axes.set_ylim(-(HEIGHT - 0.4) / 2.0, (HEIGHT - 0.4) / 2.0)
        axes.axis("off")
        for arrow in sorted(arrows, key=lambda each: each.strong):
            _draw(axes, arrow, places)
        for name, place in zip(names, places, strict=True):
            _name(axes, name, place)
        axes.set_title(title)
        return figure


def _draw(axes: Axes, arrow: Arrow, places: FloatArray) -> None:
    start, end = places[arrow.start], places[arrow.end]
    colour = BAD if arrow.strong else LINES
    shown = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.8 if arrow.strong else 0.9}
    shrunk = {"shrinkA": 72 * OFF, "shrinkB": 72 * OFF, "mutation_scale": 11}
    axes.annotate("", xy=end, xytext=start, arrowprops={**shown, **shrunk}, zorder=3 if arrow.strong else 1)
    if arrow.number:
        x, y = start + ALONG * (end - start)
        box = {"boxstyle": "round,pad=0.15", "facecolor": CARD, "edgecolor": "none"}
        axes.text(x, y, arrow.number, ha="center", va="center", fontsize=SMALL, color=INK, bbox=box, zorder=4)


def _name(axes: Axes, name: str, place: FloatArray) -> None:
    """Write a name beside its point, away from the circle's centre."""
    axes.plot(*place, "o", color=MUTED, markersize=5, zorder=5)
    sideways = place[0] / RADIUS
    lines = textwrap.wrap(name, LINE) or [name]
    room = (WIDTH - 0.2) / 2.0 - abs(place[0]) - OFF if abs(sideways) > 0.1 else WIDTH
    size = SMALL * min(1.0, room / max(1e-9, *(text_width(line, SMALL) for line in lines)))
    x, y = place + OFF * 1.2 * place / RADIUS
    align = "left" if sideways > 0.1 else "right" if sideways < -0.1 else "center"
    upright = "center" if abs(sideways) > 0.1 else "bottom" if place[1] > 0 else "top"
    axes.text(x, y, "\n".join(lines), ha=align, va=upright, fontsize=size, color=INK)
