"""Ink and paper: figures as inline SVG that follows the reader's theme, or as files in the light one.

The light theme of ``page.css`` is the only list of colours.
"""

from __future__ import annotations

import hashlib
import html
import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

import matplotlib
import matplotlib.image
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.text import Text
from matplotlib.textpath import TextPath

from coopgym.visible_text import visible

Dash: TypeAlias = str | tuple[float, tuple[float, ...]]
"""A dash as matplotlib takes it."""

_CSS = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
_LIGHT: dict[str, str] = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", _CSS.partition("@media")[0]))
"""Colours of the page's light theme. Figures are drawn with them; in a page the theme's variables take their place."""

INK, MUTED, LINES, CARD = (_LIGHT[name] for name in ("ink", "muted", "lines", "card"))
GOOD, BAD = _LIGHT["good"], _LIGHT["bad"]
"""Above and below zero."""
MODE_COLOURS = {mode: _LIGHT[mode] for mode in ("private", "integrated", "cooperative")}
OTHER_MODE = _LIGHT["other"]
KIND_COLOURS = {"constant": _LIGHT["constant"]}
"""Colours that all agents of a kind share."""
HUES = {name: _LIGHT[name] for name in sorted(_LIGHT) if name.startswith("hue")}
"""Colours that single algorithms have; colour-blind readers can tell them apart too."""
MODE_DASHES: dict[str, Dash] = {"private": "-", "integrated": (0, (5, 1.5)), "cooperative": (0, (1.5, 3))}
"""Modes differ in dash as well as in colour: in some games their curves lie on each other."""

FileFormat: TypeAlias = Literal["svg", "pdf", "png"]
_UNDATED: dict[FileFormat, dict[str, None]] = {
    "svg": dict.fromkeys(("Date", "Creator", "Format", "Type")),
    "pdf": dict.fromkeys(("CreationDate", "Creator", "Producer")),
    "png": {"Software": None},
}
"""Metadata left out, so that the same figure has the same bytes."""
FILE_DOTS_PER_INCH = 200
MISSING_SIGNS_NOTE = r"\u…: a sign that this typeface lacks, by its number"

_VARIABLES = {
    _LIGHT[name]: name
    for name in (*HUES, *KIND_COLOURS, "good", "bad", "other", *MODE_COLOURS, "card", "lines", "muted", "ink")
}
"""Variables by light colour. Names that share a colour in the light theme share one in the dark theme too."""
_PATHS, _PLACES = re.compile(r' d="[^"]*"'), re.compile(r' (?:x|y|transform)="[^"]*"')
_TENTHS, _HUNDREDTHS = re.compile(r"(\.\d)\d+"), re.compile(r"(\.\d\d)\d+")

_FACE = FontProperties(family="DejaVu Sans")
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.parse_math": False,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": LINES,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.grid": True,
    "axes.unicode_minus": True,
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


@contextmanager
def framed(
    width: float, height: float, *, left: float, right: float = 0.12, above: float = 0.28, below: float = 0.5
) -> Iterator[tuple[Figure, Axes]]:
    """Give a `canvas` whose margins are known, in inches: fitting them takes a third of the time of drawing."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure((width, height))
        inside = (left / width, below / height, 1 - (left + right) / width, 1 - (above + below) / height)
        yield figure, figure.add_axes(inside)


def mode_colour(mode: str) -> str:
    """Return the colour that stands for a reward mode in every figure."""
    return MODE_COLOURS.get(mode, OTHER_MODE)


@lru_cache(maxsize=4096)
def text_width(text: str, size: float) -> float:
    """Return the width in inches of a line of text of a size in points; a reader's own typeface may be narrower."""
    shown = _in_the_face(visible(text))
    if not shown.strip():
        return 0.0
    with matplotlib.rc_context(_STYLE):
        return float(TextPath((0.0, 0.0), shown, size=size, prop=_FACE).get_extents().x1) / 72


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
    _show_all_text(figure)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font")  # a reader's typeface may have it
        found = _saved(figure, label, "svg", "none").decode()
    found = found[found.index("<svg") :].strip()
    # Names of groups repeat from figure to figure; an id may stand in a page only once.
    unnamed = re.sub(r'<g id="[^"]*"', "<g", found)
    # A tenth of a point is finer than anybody sees, and half of the bytes.
    shorter = _PATHS.sub(lambda path: _TENTHS.sub(r"\1", path[0]).replace(" \n", " "), unnamed)
    return _PLACES.sub(lambda place: _HUNDREDTHS.sub(r"\1", place[0]), shorter)


def inline(drawn: str, label: str) -> str:
    """Return a `drawing` as part of a page: it scales with its place and takes the theme's colours and typeface."""
    opening, rest = re.match(r"<svg[^>]*>", drawn), re.sub(r"^<svg[^>]*>", "", drawn)
    assert opening is not None, "a drawing begins with its element"
    head = re.sub(r' (?:xmlns(?::xlink)?|version|width|height|x|y)="[^"]*"', "", opening[0])
    themed = re.sub(r"\bfont: (\S+) 'DejaVu Sans'", r"font: \1 var(--face)", head + rest)
    for colour, name in _VARIABLES.items():
        themed = themed.replace(colour, f"var(--{name})")
    return themed.replace("<svg", f'<svg role="img" aria-label="{html.escape(visible(label))}"', 1)


def figure_file(figure: Figure, label: str, form: FileFormat) -> bytes:
    """Return a figure as the content of a file in the light theme; the same figure and label give the same bytes.

    Signs that its typeface lacks are spelled by their numbers, and a note in the figure says so.
    """
    _show_all_text(figure)
    _spell_missing_signs(figure)
    return _saved(figure, label, form, CARD)


def pixels(figure: Figure, dots_per_inch: int) -> npt.NDArray[np.uint8]:
    """Return a figure as an image ``(rows, columns, 4)`` on the colour of a card."""
    _show_all_text(figure)
    _spell_missing_signs(figure)
    buffer = io.BytesIO()
    with matplotlib.rc_context(_STYLE):
        figure.savefig(buffer, format="png", dpi=dots_per_inch, facecolor=CARD)
    buffer.seek(0)
    shares = matplotlib.image.imread(buffer, format="png")  # read back for its size, which versions round differently
    return np.rint(255 * shares).astype(np.uint8)


def _show_all_text(figure: Figure) -> None:
    """Give every character a sign: an SVG with controls in it is none."""
    _reword(figure, visible)


def _spell_missing_signs(figure: Figure) -> None:
    if _reword(figure, _in_the_face):
        with matplotlib.rc_context(_STYLE):
            figure.text(0.995, 0.005, MISSING_SIGNS_NOTE, ha="right", va="bottom", fontsize=6, color=MUTED)


def _reword(figure: Figure, reworded: Callable[[str], str]) -> bool:
    """Change all text of a figure; return whether any of it has changed."""
    changed = False
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        labels = [label.get_text() for label in axis.get_ticklabels()]
        if (renamed := list(map(reworded, labels))) != labels:
            axis.set_ticks(axis.get_ticklocs(), renamed)  # axes write their labels anew whenever they are drawn
            changed = True
    for text in figure.findobj(Text):
        if (shown := reworded(text.get_text())) != text.get_text():
            text.set_text(shown)
            changed = True
    return changed


def _in_the_face(text: str) -> str:
    """Return a text in which characters that the typeface lacks stand as their numbers."""
    signs = _signs_of_the_face()
    return "".join(each if ord(each) in signs or each in "\n\t" else f"\\u{ord(each):04x}" for each in text)


@lru_cache(maxsize=1)
def _signs_of_the_face() -> frozenset[int]:
    return frozenset(get_font(findfont(_FACE)).get_charmap())


def _saved(figure: Figure, label: str, form: FileFormat, paper: str) -> bytes:
    salt = hashlib.sha256(visible(label).encode()).hexdigest()
    buffer = io.BytesIO()
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": salt}):
        figure.savefig(buffer, format=form, metadata=_UNDATED[form], facecolor=paper, dpi=FILE_DOTS_PER_INCH)
    return buffer.getvalue()
