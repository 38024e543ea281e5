"""Cells that many tables share."""

from __future__ import annotations

from collections.abc import Mapping

from coopgym.benchmarks.drawing.formatting import amount, percent, signed, spread
from coopgym.benchmarks.drawing.series_style import SeriesStyle
from coopgym.benchmarks.report.content.blocks import Cell
from coopgym.benchmarks.score import Estimate, WorstPartner

EMPTY = Cell("")
LAST = -1e300
"""Where empty cells are sorted."""
NOT_ENTERED = Cell("", LAST, note="not entered")


def agent(name: str, styles: Mapping[str, SeriesStyle]) -> Cell:
    """Return the name of an algorithm with its mark."""
    return Cell(name, style=styles.get(name))


def score(estimate: Estimate | None, shaded: bool = False) -> Cell:
    """Return a score with its interval."""
    if estimate is None:
        return Cell("", LAST)
    heat = max(-1.0, min(1.0, estimate.value)) if shaded else None
    return Cell(signed(estimate.value), estimate.value, heat, spread(estimate))


def worst_partner(worst: WorstPartner | None) -> Cell:
    """Return what is earned with the worst partner, with its name and the interval."""
    if worst is None:
        return NOT_ENTERED
    note = ", ".join(filter(None, (worst.partner, spread(worst.normalised))))
    return Cell(signed(worst.normalised.value), worst.normalised.value, note=note)


def number(value: float | None, digits: int | None = None) -> Cell:
    """Return a number with fixed decimals, or with about three digits."""
    if value is None:
        return Cell("", LAST)
    return Cell(amount(value) if digits is None else signed(value, digits), value)


def share(value: float | None, digits: int = 0) -> Cell:
    """Return a share in per cent."""
    return Cell("", LAST) if value is None else Cell(percent(value, digits), value)


def measured(estimate: Estimate | None, digits: int | None = None) -> Cell:
    """Return the value of a measure with its interval."""
    if estimate is None:
        return Cell("", LAST)
    text = amount if digits is None else lambda value: signed(value, digits)
    return Cell(text(estimate.value), estimate.value, note=spread(estimate, text))


def measured_share(estimate: Estimate | None) -> Cell:
    """Return the value of a share in per cent."""
    return share(None if estimate is None else estimate.value)
