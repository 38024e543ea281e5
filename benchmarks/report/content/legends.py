"""Legends that several sections share."""

from __future__ import annotations

from collections.abc import Iterable

from coopgym.benchmarks.report.content.blocks import LineLegend, Swatch

_MODES = {
    "private": Swatch("private"),
    "integrated": Swatch("integrated", "dashed"),
    "cooperative": Swatch("cooperative", "dotted"),
}
"""Drawn like `coopgym.benchmarks.drawing.theme.MODE_DASHES`."""


def mode_legend(modes: Iterable[str]) -> LineLegend:
    """Return the lines of reward modes."""
    return LineLegend({mode: _MODES.get(mode, Swatch("other")) for mode in modes})
