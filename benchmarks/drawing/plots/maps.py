"""Maps: a number over two shares, in bands of two colours around zero; and matrices with their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from coopgym.benchmarks.drawing.formatting import percent
from coopgym.benchmarks.drawing.theme import BAD, GOOD, INK, MUTED, framed, text_width
from coopgym.typing import FloatArray

SIZE = 2.35
"""Width and height of a map, inches."""
BANDS = (0.001, 0.01, 0.05, 0.2)
"""Sizes at which the next stronger shade begins; smaller ones have none."""
SHADES = (0.14, 0.32, 0.55, 0.85)


@dataclass(frozen=True, eq=False)
class Field:
    """A number ``(Y, X)`` over shares ``(X,)`` and ``(Y,)``."""

    x: FloatArray
    y: FloatArray
    values: FloatArray
    ridge: FloatArray | None = None
    """``(X,)`` heights of a line drawn over it."""


def gain_map(field: Field, x: str, y: str, title: str) -> Figure:
    """Draw where a number is above zero and where below, in bands; the diagonal is where nothing changes."""
    with framed(SIZE, SIZE + 0.15, left=0.5, right=0.1, above=0.42, below=0.45) as (figure, axes):
        for colour, values in ((GOOD, field.values), (BAD, -field.values)):
            for (low, high), shade in zip(zip(BANDS, (*BANDS[1:], 1e9), strict=True), SHADES, strict=True):
                if (values > low).any():
                    axes.contourf(
                        100 * field.x, 100 * field.y, values, levels=[low, high], colors=[colour], alpha=shade
                    )
        axes.plot([0, 100], [0, 100], color=MUTED, linewidth=0.8)
        if field.ridge is not None:
            axes.plot(100 * field.x, 100 * field.ridge, color=INK, linewidth=1.3)
        axes.grid(visible=False)
        for set_limits, set_ticks in ((axes.set_xlim, axes.set_xticks), (axes.set_ylim, axes.set_yticks)):
            set_limits(0, 100)
            set_ticks([0, 50, 100])
        axes.tick_params(labelsize=7.5)
        axes.set_xlabel(x, fontsize=7.5, labelpad=1)
        axes.set_ylabel(y, fontsize=7.5, labelpad=0)
        axes.set_title(title, fontsize=8)
        return figure


def bands_in_words() -> str:
    """Say where shades begin."""
    return f"shades begin at {', '.join(percent(band, 1 if band < 0.01 else 0) for band in BANDS)}"


@dataclass(frozen=True, eq=False)
class Matrix:
    """Numbers ``(R, C)`` with their texts; NaN has none."""

    rows: Sequence[str]
    columns: Sequence[str]
    values: FloatArray
    texts: Sequence[Sequence[str]]
    heat: FloatArray
    """``(R, C)`` shade of each from -1 to 1."""


def matrix_figure(matrix: Matrix, x: str, y: str, title: str = "") -> Figure:
    """Draw a matrix as shaded fields with their numbers."""
    cell, name = 0.42, max(text_width(each, 9.0) for each in (*matrix.rows, *matrix.columns))
    width, height = (cell * len(each) for each in (matrix.columns, matrix.rows))
    with framed(width + name + 0.6, height + name + 0.8, left=name + 0.45, above=0.3, below=name + 0.45) as (
        figure,
        axes,
    ):
        for row, column in np.argwhere(np.isfinite(matrix.values)).tolist():
            heat = float(np.clip(matrix.heat[row, column], -1, 1))
            colour = GOOD if heat > 0 else BAD
            axes.fill(
                [column, column + 1, column + 1, column],
                [row, row, row + 1, row + 1],
                color=colour,
                alpha=0.6 * abs(heat),
                linewidth=0,
            )
            axes.text(column + 0.5, row + 0.5, matrix.texts[row][column], ha="center", va="center", fontsize=7.5)
        axes.set_xlim(0, len(matrix.columns))
        axes.set_ylim(len(matrix.rows), 0)
        axes.set_xticks(np.arange(len(matrix.columns)) + 0.5, matrix.columns, rotation=90)
        axes.set_yticks(np.arange(len(matrix.rows)) + 0.5, matrix.rows)
        axes.tick_params(length=0, labelcolor=INK)
        axes.grid(visible=False)
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        axes.set_title(title)
        return figure
