"""How levels are parsed and written: shares of the own endowment on the grid 0.00, 0.01, ... 1.00."""

from __future__ import annotations

import math
import re

STEPS = 100
"""Steps of the grid between nothing and the whole endowment."""
ECHOED = 24
"""Characters of what a model wrote that a complaint repeats."""

_DECIMAL = re.compile(r"(?:[0-9]{1,3}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})(%?)")
_LEGAL = "0 to 1, or 0% to 100%"


class IllegalCallError(ValueError):
    """A call that cannot be carried out; its text tells a model what was expected."""


def echo(value: object) -> str:
    """Repeat a value on one line, cut short."""
    try:
        text = value if isinstance(value, str) else repr(value)
    except ValueError:  # whole numbers of thousands of digits have no decimal form
        return "a huge number"
    text = ascii(text)[1:-1]
    return text if len(text) <= ECHOED else text[: ECHOED - 3] + "..."


def on_grid(share: float) -> float:
    """Return the grid point nearest to a share in [0, 1]; halves go up."""
    return math.floor(share * STEPS + 0.5) / STEPS


def read_level(value: object) -> float:
    """Read a level, rounded to the grid.

    Legal are numbers in [0, 1], decimals in that range as text (``0.6``, ``.6``, ``1``) and percentages (``60%``). Text
    carries no sign, exponent, unit or word.

    Raises:
        IllegalCallError: anything else.
    """
    if isinstance(value, str):
        return _read_text(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise IllegalCallError(f"{echo(value)} is no level ({_LEGAL})")
    if not 0 <= value <= 1:
        raise IllegalCallError(f"{echo(value)} is no level ({_LEGAL})")
    return on_grid(value)


def _read_text(text: str) -> float:
    written = _DECIMAL.fullmatch(text.strip())
    if written is None:
        raise IllegalCallError(f"{echo(text)} is no level ({_LEGAL})")
    number = float(text.strip().removesuffix("%")) / (100.0 if written[1] else 1.0)
    if number > 1.0:
        raise IllegalCallError(f"{echo(text)} is no level ({_LEGAL})")
    return on_grid(number)


def short_number(value: float, decimals: int = 2) -> str:
    """Write a number with a fixed count of decimals and no zero before the point: ``.60``, ``1.00``, ``-.25``."""
    text = f"{value:.{decimals}f}"
    if text.startswith("0."):
        return text[1:]
    if text.startswith("-0."):
        return "-" + text[2:] if text.strip("-0.") else text[2:]
    return text
