"""Hyper-parameters: frozen dataclasses whose numbers are checked where they are given."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any


def hyperparameter(default: Any, low: float = -math.inf, high: float = math.inf, *, above_low: bool = False) -> Any:
    """Declare a numeric field with its legal range.

    Args:
        default: the default value; its type decides between whole and real numbers.
        low: smallest legal value of every number in the field.
        high: largest legal value.
        above_low: the value must exceed ``low`` instead of reaching it.
    """
    return dataclasses.field(default=default, metadata={"low": low, "high": high, "above_low": above_low})


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """Base of all hyper-parameter sets."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if isinstance(value := getattr(self, field.name), list):
                object.__setattr__(self, field.name, value := tuple(value))
            if "low" in field.metadata and value is not None:
                whole = _is_whole(field.default)
                for number in value if isinstance(value, tuple) else (value,):
                    _check(field.name, number, whole=whole, **field.metadata)
                if not whole:  # 1 and 1.0 are one value
                    real = tuple(map(float, value)) if isinstance(value, tuple) else float(value)
                    object.__setattr__(self, field.name, real)


def _is_whole(default: Any) -> bool:
    return not isinstance(default, float)


def _check(name: str, number: Any, *, whole: bool, low: float, high: float, above_low: bool) -> None:
    kinds = (int,) if whole else (int, float)
    if isinstance(number, bool) or not isinstance(number, kinds):
        raise TypeError(f"{name}={number!r}: expected a {'whole' if whole else 'real'} number")
    inside = low < number if above_low else low <= number
    if not (math.isfinite(number) and inside and number <= high):
        interval = f"{'(' if above_low else '['}{low:g}, {high:g}{']' if math.isfinite(high) else ')'}"
        raise ValueError(f"{name}={number!r}: expected a finite number in {interval}")
