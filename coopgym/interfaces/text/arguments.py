"""Kinds of tool arguments: what a schema says of them and how a given value is read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from coopgym.interfaces.text.action_parsing import IllegalCallError, echo, read_level

_LEVEL_SCHEMA = {"type": "number", "minimum": 0, "maximum": 1}


class Kind(ABC):
    """A kind of argument, put on a tool's parameter with ``Annotated``."""

    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of a value."""

    @abstractmethod
    def read(self, value: object) -> Any:
        """Read what a model gave: a JSON value, or a word of text.

        Raises:
            IllegalCallError: the value does not fit.
        """


@dataclass(frozen=True)
class Level(Kind):
    """One level: a share of endowment."""

    def schema(self) -> dict[str, Any]:
        return dict(_LEVEL_SCHEMA)

    def read(self, value: object) -> float:
        return read_level(value)


@dataclass(frozen=True)
class Count(Kind):
    """A whole number of at least 1."""

    most: int

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": 1, "maximum": self.most}

    def read(self, value: object) -> int:
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(self.most)):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= self.most:
            raise IllegalCallError(f"{echo(value)} is no whole number from 1 to {self.most}")
        return value


@dataclass(frozen=True)
class Levels(Kind):
    """A list of levels; in text separated by commas, without blanks."""

    most: int

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": dict(_LEVEL_SCHEMA), "minItems": 1, "maxItems": self.most}

    def read(self, value: object) -> tuple[float, ...]:
        entries = value.split(",") if isinstance(value, str) else value
        if not isinstance(entries, list) or not 1 <= len(entries) <= self.most:
            raise IllegalCallError(f"{echo(value)} is no list of 1 to {self.most} levels")
        return tuple(read_level(entry) for entry in entries)


@dataclass(frozen=True)
class Profile(Kind):
    """What the others play: one level for everybody else, or a list with one level for each of them."""

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [dict(_LEVEL_SCHEMA), {"type": "array", "items": dict(_LEVEL_SCHEMA), "minItems": 1}]}

    def read(self, value: object) -> float | tuple[float, ...]:
        if isinstance(value, str) and "," in value:
            value = list(value.split(","))
        if isinstance(value, list):
            return tuple(read_level(entry) for entry in value)
        return read_level(value)
