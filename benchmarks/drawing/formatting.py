"""Numbers and names as a reader wants them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from coopgym.rewards import MODES

if TYPE_CHECKING:
    from coopgym.benchmarks.score import Estimate

CLASS_NAMES = {
    "TR-1": "interdependence",
    "TR-2": "trust",
    "TR-3": "collective action",
    "TR-4": "reciprocity",
}
"""What the mechanism classes are about."""
PER_CENT = "\u00a0%"
"""With a space that does not break."""


def signed(value: float, digits: int = 2) -> str:
    """Return a number with a proper minus sign, and none on a zero."""
    text = f"{value:,.{digits}f}"
    return text.removeprefix("-") if text.strip("-0.,") == "" else text.replace("-", "−")


def amount(value: float) -> str:
    """Return a number of any size in about three digits."""
    size = abs(value)
    return signed(value, 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 1 or not size else 3)


def decimals(values: npt.ArrayLike) -> int:
    """Return how many decimals show three digits of the range of some numbers, at most three of them."""
    spread = float(np.ptp(values))
    return int(np.clip(2 - np.floor(np.log10(spread)), 0, 3)) if spread > 0.0 else 2


def tick(value: float, as_percent: bool = False) -> str:
    """Return a number at an axis, as short as it can be said."""
    text = f"{100 * value if as_percent else value:,.6g}".replace("-", "−")
    return f"{text}{PER_CENT}" if as_percent else text


def percent(share: float, digits: int = 0) -> str:
    """Return a share in per cent."""
    return signed(100 * share, digits) + PER_CENT


def probability(p: float | None) -> str:
    """Return a p-value, or a dash where there was nothing to test."""
    if p is None:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def between(low: float | None, high: float | None, digits: int = 2) -> str:
    """Return an interval, or nothing where there is none."""
    return "" if low is None or high is None else f"{signed(low, digits)} … {signed(high, digits)}"


def spread(estimate: Estimate, text: Callable[[float], str] = signed) -> str:
    """Return the interval of a value, or its seeds where they are too few for one; nothing where there is a single."""
    if estimate.low is not None and estimate.high is not None:
        return f"{text(estimate.low)} … {text(estimate.high)}"
    return "; ".join(map(text, estimate.seeds))


def class_name(mechanism_class: str) -> str:
    """Return what a mechanism class is about."""
    return CLASS_NAMES.get(mechanism_class, mechanism_class)


def game_title(game: str) -> str:
    """Return a configured game such as ``X-v1 {"max_steps":40}`` as ``X-v1, max_steps = 40``."""
    name, _, parameters = game.partition(" ")
    try:
        changed = json.loads(parameters) if parameters else {}
    except ValueError:
        return game
    if not isinstance(changed, dict):
        return game
    return ", ".join([name, *(f"{key} = {_value(value)}" for key, value in changed.items())])


def mode_title(mode: str) -> str:
    """Return a reward mode for a heading."""
    return f"{mode} reward" if mode in MODES else mode.replace("mutuality=", "mutuality λ = ")


def listed(names: Iterable[str], limit: int = 8) -> str:
    """Return names separated by commas, of many only the first and how many more there are."""
    every = list(names)
    shown = ", ".join(every[:limit])
    return shown if len(every) <= limit else f"{shown} and {len(every) - limit} more"


def first_of(names: Iterable[str], limit: int = 8) -> str:
    """Return names separated by commas, of many only the first and how many there are."""
    every = list(names)
    return ", ".join(every[:limit]) + (f" … ({len(every)})" if len(every) > limit else "")


def counted(number: int, noun: str) -> str:
    """Return a number with its noun in singular or plural."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def slug(text: str) -> str:
    """Return a text as part of a file name."""
    return re.sub(r"[^A-Za-z0-9._=+-]+", "-", text.replace(" = ", "=")).strip("-.")


def sample_size(sizes: Iterable[int], unit: str = "seed") -> str:
    """Say how many replicates stand behind some numbers."""
    found = sorted(set(sizes))
    if not found:
        return "n = 0"
    span = f"{found[0]}" if len(found) == 1 else f"{found[0]} to {found[-1]}"
    return f"n = {span} {unit}{'' if found[-1] == 1 else 's'}"


def _value(value: object) -> str:
    if isinstance(value, str):
        return value
    return f"{value:g}" if isinstance(value, float) else json.dumps(value)
