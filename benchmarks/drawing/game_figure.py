"""Put panels together to one figure under a title, as SVG or as pixels, and take it apart again."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib.image
import numpy as np

from coopgym.benchmarks.drawing.panel import SIZE, Panel
from coopgym.benchmarks.drawing.theme import CARD, INK, MUTED, canvas, drawing, inline, pixels

COLUMNS = 2
HEADER_HEIGHT, GAP = 0.7, 0.2
"""Inches, the gap to the left of each panel and above it."""
POINTS = 72
"""SVG user units per inch."""
DOTS_PER_INCH = 160

_OWN_FACE, _SAFE_FACE = "'DejaVu Sans'", "'DejaVu Sans', Verdana, sans-serif"
_LABELLED = re.compile(r'<svg aria-label="([^"]*)"(.*?</svg>)', re.DOTALL)


@dataclass(frozen=True)
class GameFigure:
    """Panels of one game under its name."""

    title: str
    subtitle: str
    panels: Sequence[Panel]

    def svg(self) -> str:
        """Return a file of its own in light colours; the same figure gives the same bytes."""
        width, height = (inches * POINTS for inches in self._size())
        parts = [_placed(drawing(self._header().figure, self.title), 0.0, 0.0)]
        for number, panel in enumerate(self.panels):
            row, column = divmod(number, COLUMNS)
            x = (GAP + column * (SIZE[0] + GAP)) * POINTS
            y = (HEADER_HEIGHT + GAP + row * (SIZE[1] + GAP)) * POINTS
            placed = _placed(drawing(panel.figure, panel.label), x, y)
            parts.append(placed.replace("<svg", f'<svg aria-label="{html.escape(panel.label)}"', 1))
        opening = (
            '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" version="1.1" '
            f'width="{width:g}pt" height="{height:g}pt" viewBox="0 0 {width:g} {height:g}">'
        )
        title = f"<title>{html.escape(self.title)}</title>"
        paper = f'<rect width="100%" height="100%" fill="{CARD}"/>'
        body = "\n".join(parts).replace(_OWN_FACE, _SAFE_FACE)
        return f"{opening}\n{title}\n{paper}\n{body}\n</svg>\n"

    def png(self) -> bytes:
        """Return the same figure as PNG."""
        width, height = (round(inches * DOTS_PER_INCH) for inches in self._size())
        gap, header = round(GAP * DOTS_PER_INCH), pixels(self._header().figure, DOTS_PER_INCH)
        paper = np.full((height, width, 4), header[-1, -1], dtype=np.uint8)
        paper[: len(header), : header.shape[1]] = header
        for number, panel in enumerate(self.panels):
            image = pixels(panel.figure, DOTS_PER_INCH)
            row, column = divmod(number, COLUMNS)
            top, left = len(header) + gap + row * (len(image) + gap), gap + column * (image.shape[1] + gap)
            paper[top : top + len(image), left : left + image.shape[1]] = image
        buffer = io.BytesIO()
        matplotlib.image.imsave(buffer, paper, format="png", dpi=DOTS_PER_INCH, metadata={"Software": "coopgym"})
        return buffer.getvalue()

    def _size(self) -> tuple[float, float]:
        """Width and height, inches."""
        rows = -(-len(self.panels) // COLUMNS)
        return COLUMNS * (SIZE[0] + GAP) + GAP, HEADER_HEIGHT + rows * (SIZE[1] + GAP) + GAP

    def _header(self) -> Panel:
        with canvas(self._size()[0], HEADER_HEIGHT) as (figure, axes):
            axes.set_axis_off()
            figure.text(0.03, 0.75, self.title, fontsize=14, fontweight="bold", color=INK, va="top")
            figure.text(0.03, 0.28, self.subtitle, fontsize=9, color=MUTED, va="top")
            return Panel(figure, self.title)


def _placed(drawn: str, x: float, y: float) -> str:
    """Put a drawing somewhere in the figure, whose user units are points: inside it, sizes carry no unit."""
    unitless = re.sub(r'(<svg[^>]*? (?:width|height)="[0-9.]+)pt"', r'\1"', drawn, count=1)
    unitless = re.sub(r'(<svg[^>]*? (?:width|height)="[0-9.]+)pt"', r'\1"', unitless, count=1)
    return unitless.replace("<svg", f'<svg x="{x:g}" y="{y:g}"', 1)


def inline_panels(figure_svg: str) -> list[str]:
    """Take the panels out of a figure's file, for a page that lays them out and colours them itself."""
    return [
        inline(f"<svg{rest}".replace(_SAFE_FACE, _OWN_FACE), html.unescape(label))
        for label, rest in _LABELLED.findall(figure_svg)
    ]
