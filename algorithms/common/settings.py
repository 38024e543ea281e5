"""Hyper-parameters: frozen dataclasses whose numbers are checked where they are given."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, Self, Union, get_args, get_origin, get_type_hints

from coopgym.visible_text import brief

RANGE, RECORDED_AS, JOINED_LATER = "range", "recorded as", "joined later"
"""Metadata of fields."""


def hyperparameter(
    default: Any,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    above_low: bool = False,
    recorded_as: str | None = None,
    joined_later: bool = False,
) -> Any:
    """Declare a numeric field with its legal range.

    Args:
        default: the default value; its type decides between whole and real numbers.
        low: smallest legal value of every number in the field.
        high: largest legal value.
        above_low: the value must exceed ``low`` instead of reaching it.
        recorded_as: the name that ids of runs and files have for the field, where it had another one first. Subclasses
            that give another default need not repeat it.
        joined_later: trainings were recorded before there was this field; at its default ids and files say nothing of
            it.
    """
    legal = {"low": low, "high": high, "above_low": above_low}
    metadata = {RANGE: legal, RECORDED_AS: recorded_as, JOINED_LATER: joined_later}
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Base of all hyper-parameter sets.

    Ids of runs and files keep the name that a field had first: `values`, `recorded` and `current` translate.
    """

    def __new__(cls, **given: Any) -> Self:
        """Refuse a name that only files have, with the name that replaced it.

        Raises:
            TypeError: names both.
        """
        if retired := _current_names(cls).keys() & given.keys():
            name = min(retired)
            raise TypeError(f"{name!r} of {cls.__name__} is now called {_current_names(cls)[name]!r}")
        return super().__new__(cls)

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if isinstance(value := getattr(self, field.name), list):
                object.__setattr__(self, field.name, value := tuple(value))
            if RANGE not in field.metadata:
                _require_fit(field.name, value, _hints(type(self))[field.name])  # type: ignore[arg-type]  # is hashable
            elif value is not None:
                whole = _is_whole(field.default)
                for number in value if isinstance(value, tuple) else (value,):
                    _check(field.name, number, whole=whole, **field.metadata[RANGE])
                if not whole:  # 1 and 1.0 are one value
                    real = tuple(map(float, value)) if isinstance(value, tuple) else float(value)
                    object.__setattr__(self, field.name, real)

    def values(self) -> dict[str, Any]:
        """Return all settings as JSON values, as ids and files have them."""
        return self.recorded(dataclasses.asdict(self))

    @classmethod
    def recorded(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return settings as ids and files have them: by their names, without defaults of fields that joined later."""
        names, silent = _recorded_names(cls), _silent_defaults(cls)
        told = {name: value for name, value in given.items() if name not in silent or value != silent[name]}
        return {names.get(name, name): value for name, value in told.items()}

    @classmethod
    def current(cls, recorded: Mapping[str, Any]) -> dict[str, Any]:
        """Return settings of a file, of any age, by the names that fields have."""
        names = _current_names(cls)
        return {names.get(name, name): value for name, value in recorded.items()}


def _recorded_names(settings: type[Settings]) -> Mapping[str, str]:
    """Return the names that files have for fields, by field, where the two differ."""
    return {
        field.name: field.metadata[RECORDED_AS]
        for base in settings.__mro__
        if dataclasses.is_dataclass(base)
        for field in dataclasses.fields(base)
        if field.metadata.get(RECORDED_AS)
    }


def _current_names(settings: type[Settings]) -> Mapping[str, str]:
    """Return the names of fields by those that files have for them, where the two differ."""
    return {recorded: name for name, recorded in _recorded_names(settings).items()}


def _silent_defaults(settings: type[Settings]) -> Mapping[str, Any]:
    """Return the defaults that ids and files leave out, by field."""
    return {field.name: field.default for field in dataclasses.fields(settings) if field.metadata.get(JOINED_LATER)}


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
