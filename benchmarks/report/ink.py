"""Drawing for the page: matplotlib figures as inline SVG whose colours follow the reader's light or dark theme."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

_CSS = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
_LIGHT: dict[str, str] = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", _CSS.partition("@media")[0]))
"""Colours of the page's light theme. Figures are drawn with them; in a page the theme's variables take their place."""

INK, MUTED, LINES, CARD = (_LIGHT[name] for name in ("ink", "muted", "lines", "card"))
MODE_COLOURS = {mode: _LIGHT[mode] for mode in ("private", "integrated", "cooperative")}
OTHER_MODE = _LIGHT["other"]
KIND_COLOURS = {kind: _LIGHT[kind] for kind in ("constant", "heuristic", "oracle", "plugin", "learner")}
MODE_DASHES = {"private": "-", "integrated": (0, (5, 1.5)), "cooperative": (0, (1.5, 3))}
"""Modes differ in dash as well as in colour: in some games their curves lie on each other."""

_VARIABLES = {_LIGHT[name]: name for name in (*KIND_COLOURS, "other", *MODE_COLOURS, "card", "lines", "muted", "ink")}
"""Variables by light colour. Names that share a colour in the light theme share one in the dark theme too."""

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
    return inline(drawing(figure, label), label)


def drawing(figure: Figure, label: str) -> str:
    """Return a figure as an SVG element of its own in the light theme; the same figure and label give the same bytes.

    Args:
        figure: what was drawn on a `canvas`.
        label: names the figure, so that ids in it differ from those of other figures.
    """
    salt = hashlib.sha256(label.encode()).hexdigest()
    text = io.StringIO()
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": salt}):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    found = text.getvalue()
    found = found[found.index("<svg") :].strip()
    # Names of groups repeat from figure to figure; an id may stand in a page only once.
    return re.sub(r'<g id="[^"]*"', "<g", found)


def inline(drawn: str, label: str) -> str:
    """Return a `drawing` as part of a page: it scales with its place and takes the theme's colours and typeface."""
    opening, rest = re.match(r"<svg[^>]*>", drawn), re.sub(r"^<svg[^>]*>", "", drawn)
    assert opening is not None, "a drawing begins with its element"
    head = re.sub(r' (?:xmlns(?::xlink)?|version|width|height|x|y)="[^"]*"', "", opening[0])
    themed = re.sub(r"\bfont: (\S+) 'DejaVu Sans'", r"font: \1 var(--face)", head + rest)
    for colour, name in _VARIABLES.items():
        themed = themed.replace(colour, f"var(--{name})")
    return themed.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)


def pixels(figure: Figure, dots_per_inch: int) -> npt.NDArray[np.uint8]:
    """Return a figure as an image ``(rows, columns, 4)`` on the colour of a card."""
    buffer = io.BytesIO()
    with matplotlib.rc_context(_STYLE):
        figure.savefig(buffer, format="rgba", dpi=dots_per_inch, facecolor=CARD)
    width, height = (round(inches * dots_per_inch) for inches in figure.get_size_inches())
    return np.frombuffer(buffer.getvalue(), dtype=np.uint8).reshape((height, width, 4))
