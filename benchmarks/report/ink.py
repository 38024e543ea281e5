"""Drawing for the page: matplotlib figures as inline SVG whose colours follow the reader's light or dark theme."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK = "#010101"
MUTED = "#020202"
LINES = "#030303"
MODE_COLOURS = {"private": "#040404", "integrated": "#050505", "cooperative": "#060606"}
OTHER_MODE = "#070707"
KIND_COLOURS = {"constant": "#080808", "heuristic": "#090909", "plugin": "#0a0a0a", "learner": "#0b0b0b"}
MODE_DASHES = {"private": "-", "integrated": (0, (5, 1.5)), "cooperative": (0, (1.5, 3))}
"""Modes differ in dash as well as in colour: in some games their curves lie on each other."""

_VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    LINES: "lines",
    OTHER_MODE: "other",
    **{colour: mode for mode, colour in MODE_COLOURS.items()},
    **{colour: kind for kind, colour in KIND_COLOURS.items()},
}
"""Colours drawn with, none of which is meant to be seen, and the CSS variables that take their place."""

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": LINES,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.grid": True,
    "grid.color": LINES,
    "grid.linewidth": 0.6,
    "xtick.color": LINES,
    "ytick.color": LINES,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "lines.linewidth": 1.8,
    "figure.facecolor": "none",
}


@contextmanager
def canvas(width: float, height: float) -> Iterator[tuple[Figure, Axes]]:
    """Give a figure of this size in inches, with one set of axes in the page's style."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure((width, height), layout="constrained")
        yield figure, figure.add_subplot()


def svg(figure: Figure, label: str) -> str:
    """Return a figure as inline SVG; the same figure and label give the same bytes.

    Args:
        figure: what was drawn on a `canvas`.
        label: what a screen reader says, unique in the page.
    """
    salt = hashlib.sha256(label.encode()).hexdigest()
    text = io.StringIO()
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": salt}):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    drawing = text.getvalue()
    drawing = drawing[drawing.index("<svg") :]
    drawing = re.sub(r' (?:xmlns(?::xlink)?|version)="[^"]*"', "", drawing)
    # Names of groups repeat from figure to figure; an id may stand in a page only once.
    drawing = re.sub(r'<g id="[^"]*"', "<g", drawing)
    drawing = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", drawing)
    drawing = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", drawing)
    drawing = re.sub(r"\bfont: (\S+) 'DejaVu Sans'", r"font: \1 var(--face)", drawing)
    for colour, name in _VARIABLES.items():
        drawing = drawing.replace(colour, f"var(--{name})")
    return drawing.replace("<svg", f'<svg role="img" aria-label="{label}"', 1).strip()
