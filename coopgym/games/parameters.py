"""Typed, validated game parameters: every keyword a constructor takes is a field here."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from coopgym.visible_text import brief

PARAMETER = "parameter"
LARGEST = {"max_steps": 100_000_000, "n_agents": 10_000}
"""Sizes up to which the arrays of a game can be held: whole episodes, and a number for every pair of agents."""


@dataclass(frozen=True)
class Declaration:
    """What `parameter` declares of a field."""

    low: float = -math.inf
    high: float = math.inf
    doc: str = ""
    symbol: str = ""
    unit: str = ""
    above_low: bool = False
    joined_later: bool = False
    """Left out of records while it holds its default, so that what was recorded before stays what it is."""

    @property
    def meaning(self) -> str:
        """Meaning, symbol and unit in one line."""
        named = f"{self.doc} {self.symbol}".strip()
        return f"{named}, {self.unit}" if self.unit else named

    @property
    def interval(self) -> str:
        """The legal range."""
        begin = f"({self.low:g}" if self.above_low or not math.isfinite(self.low) else f"[{self.low:g}"
        return f"{begin}, {self.high:g}{']' if math.isfinite(self.high) else ')'}"

    def holds(self, number: float) -> bool:
        """Whether a number is in the legal range."""
        above = number > self.low if self.above_low else number >= self.low
        return math.isfinite(number) and above and number <= self.high


def declaration(field: dataclasses.Field[Any]) -> Declaration:
    """Return what was declared of a parameter; of a plain field, nothing."""
    found: Declaration = field.metadata.get(PARAMETER, Declaration())
    return found


def parameter(
    default: Any,
    low: float = -math.inf,
    high: float = math.inf,
    doc: str = "",
    *,
    symbol: str = "",
    unit: str = "",
    above_low: bool = False,
    joined_later: bool = False,
) -> Any:
    """Declare a dataclass field with its legal range and what it means.

    Args:
        default: the default value.
        low: smallest legal value of every number in the field.
        high: largest legal value.
        doc: meaning in one line.
        symbol: how it is written in formulas, where it is.
        unit: what it is measured in, where it has a unit.
        above_low: the value must exceed ``low`` instead of reaching it.
        joined_later: games were recorded before there was this parameter; at its default nothing is said of it.
    """
    metadata = {PARAMETER: Declaration(low, high, doc, symbol, unit, above_low, joined_later)}
    return dataclasses.field(default=default, metadata=metadata)


def _numbers(value: Any) -> list[float]:
    if isinstance(value, tuple):
        return [number for item in value for number in _numbers(item)]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return []
    try:
        return [float(value)]
    except OverflowError:  # a whole number beyond all that computers reckon with
        return [math.inf]


def _only_numbers(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(_only_numbers(item) for item in value)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _frozen(value: Any) -> Any:
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return tuple(_frozen(item) for item in value)
    return value


def _as_floats(value: Any) -> Any:
    """Turn whole numbers into floats, so that 8 and 8.0 are one value."""
    if isinstance(value, tuple):
        return tuple(_as_floats(item) for item in value)
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _is_whole(field: dataclasses.Field[Any]) -> bool:
    return isinstance(field.default, int) and not isinstance(field.default, bool)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float | tuple):
        return "number"
    return type(value).__name__


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Base of all parameter sets: immutable, range-checked, and one value for whatever means the same.

    Lists and arrays become tuples, and whole numbers become floats wherever a parameter is not a count.
    """

    max_steps: int = parameter(100, 1, doc="episode length", symbol="T_max", unit="steps")

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = _frozen(getattr(self, field.name))
            self._check_kind(field, value)
            if _is_whole(field) and not isinstance(value, int):
                raise TypeError(f"{field.name}={brief(value)}: expected a whole number like {field.default!r}")
            self._check_range(field.name, value, field.metadata.get(PARAMETER))
            if field.name in LARGEST and value > LARGEST[field.name]:
                most = f"{LARGEST[field.name]:,}"
                raise ValueError(
                    f"{field.name}={brief(value)}: expected at most {most}; larger games do not fit into memory"
                )
            object.__setattr__(self, field.name, value if _is_whole(field) else _as_floats(value))

    def canonical(self) -> Self:
        """Return the same parameters in their shortest form."""
        return self

    @staticmethod
    def _check_kind(field: dataclasses.Field[Any], value: Any) -> None:
        if field.default is None:
            return
        kind, declared = str(field.type), _kind(field.default)
        several = "tuple" in kind or "PerAgent" in kind
        unwanted = isinstance(value, tuple) and declared == "number" and not (several and _only_numbers(value))
        if _kind(value) != declared or unwanted or (kind.startswith("tuple") and not isinstance(value, tuple)):
            raise TypeError(f"{field.name}={brief(value)}: expected a {declared} like {field.default!r}")

    @staticmethod
    def _check_range(name: str, value: Any, limits: Declaration | None) -> None:
        if limits and not all(limits.holds(number) for number in _numbers(value)):
            raise ValueError(f"{name}={brief(value)}: expected finite values in {limits.interval} ({limits.meaning})")


P = TypeVar("P", bound=Parameters)


def build(kind: type[P], keywords: Mapping[str, Any], where: str = "") -> P:
    """Make a parameter set from user keywords.

    Raises:
        TypeError: an unknown keyword, in Python's own phrase, by which clients know that one; the message names the
            nearest known one and lists them all.

    >>> @dataclass(frozen=True, kw_only=True)
    ... class Commons(Parameters):
    ...     yield_rate: float = parameter(0.3, 0.0, 1.0, "growth of the stock per step", symbol="r")
    >>> build(Commons, {"yield_rate": 2}, where="Commons-v1")
    Traceback (most recent call last):
        ...
    ValueError: yield_rate=2: expected finite values in [0, 1] (growth of the stock per step r)
    """
    known = [field.name for field in dataclasses.fields(kind)]
    for name in keywords:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "."
            raise TypeError(
                f"{where or kind.__name__} got an unexpected keyword argument {name!r}{hint} "
                f"Known parameters: {', '.join(sorted(known))}"
            )
    return kind(**keywords)


def phase_preset(phases: Mapping[str, Mapping[str, Any]], phase: Any) -> dict[str, Any]:
    """Return the parameters that a named phase presets.

    Raises:
        ValueError: no such phase.
    """
    if not isinstance(phase, str) or phase not in phases:
        raise ValueError(f"phase={phase!r}: expected one of {', '.join(phases)}")
    return dict(phases[phase])


def recorded(parameters: Parameters) -> dict[str, Any]:
    """Return what identifies a parameter set: all values but defaults of parameters that joined later."""
    return {
        field.name: value
        for field in dataclasses.fields(parameters)
        if (value := getattr(parameters, field.name)) != field.default or not declaration(field).joined_later
    }


def describe(parameters: Parameters) -> list[tuple[str, Any, str]]:
    """List ``(name, value, meaning)`` of every parameter that is `recorded`, in declaration order."""
    told = recorded(parameters)
    return [
        (field.name, told[field.name], declaration(field).meaning)
        for field in dataclasses.fields(parameters)
        if field.name in told
    ]
