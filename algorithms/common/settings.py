"""Hyper-parameters: frozen dataclasses whose numbers are checked where they are given."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from coopgym.visible_text import brief


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
class Settings:
    """Base of all hyper-parameter sets."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if isinstance(value := getattr(self, field.name), list):
                object.__setattr__(self, field.name, value := tuple(value))
            if "low" not in field.metadata:
                _require_fit(field.name, value, _hints(type(self))[field.name])  # type: ignore[arg-type]  # is hashable
            elif value is not None:
                whole = _is_whole(field.default)
                for number in value if isinstance(value, tuple) else (value,):
                    _check(field.name, number, whole=whole, **field.metadata)
                if not whole:  # 1 and 1.0 are one value
                    real = tuple(map(float, value)) if isinstance(value, tuple) else float(value)
                    object.__setattr__(self, field.name, real)


@cache
def _hints(settings: Hashable) -> dict[str, Any]:
    return get_type_hints(settings)


def _require_fit(name: str, value: Any, hint: Any) -> None:
    if not _fits(value, hint):
        error = ValueError if get_origin(hint) is Literal else TypeError
        raise error(f"{name}={brief(value)}: expected {_in_words(hint)}")


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is what an annotation says; of containers, their entries too."""
    kind, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if kind is Literal:
        return any(value is each or (type(value) is type(each) and value == each) for each in arguments)
    if kind in (Union, UnionType):
        return any(_fits(value, each) for each in arguments)
    if kind is tuple or kind is Sequence:
        return isinstance(value, tuple | list) and all(_fits(each, arguments[0]) for each in value)
    if kind is Mapping:
        name, entry = arguments
        return isinstance(value, Mapping) and all(_fits(k, name) and _fits(v, entry) for k, v in value.items())
    return isinstance(value, kind or hint)


def _in_words(hint: Any) -> str:
    """Write an annotation as people say it."""
    kind, arguments = get_origin(hint), get_args(hint)
    if kind is Literal:
        return "one of " + ", ".join(map(repr, arguments))
    if kind in (Union, UnionType):
        return " or ".join(map(_in_words, arguments))
    if kind is tuple or kind is Sequence:
        return f"a list of {_in_words(arguments[0])}"
    if kind is Mapping:
        return f"a table of {_in_words(arguments[1])}"
    return _WORDS.get(hint, str(getattr(hint, "__name__", hint)))


_WORDS = {str: "text", bool: "true or false", type(None): "nothing", Any: "values"}


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
