"""A tool: a plain function with a JSON schema made from its signature and from what is told of it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_type_hints

from coopgym.interfaces.text.action_parsing import IllegalCallError, echo
from coopgym.interfaces.text.arguments import Kind

_ARGUMENT_LINE = re.compile(r"(\w+): (.*)")


@dataclass(frozen=True)
class Report:
    """What a tool found out."""

    facts: Mapping[str, Any]
    """JSON values by name."""
    brief: str
    """The same in as few characters as possible."""


@dataclass(frozen=True)
class Argument:
    """One argument of a tool; all are required."""

    name: str
    description: str
    kind: Kind


@dataclass(frozen=True)
class Tool:
    """Something a model can call."""

    name: str
    description: str
    arguments: tuple[Argument, ...]
    run: Callable[..., Report] = field(compare=False)
    """Called with the memory of the seat and one keyword per argument; it may raise `IllegalCallError`."""

    @classmethod
    def of(cls, function: Callable[..., Report], description: str = "") -> Tool:
        """Make a tool of a function ``(memory, ...)`` whose parameters are annotated with their `Kind`.

        Args:
            function: what it does. A parameter's annotation may hold a text beside its kind, which models are told.
            description: what models are told of the tool. The docstring speaks where neither says anything.

        Raises:
            TypeError: a parameter without a kind.
        """
        name = getattr(function, "__name__", repr(function))
        head, documented = _documentation(function)
        hints = get_type_hints(function, include_extras=True)
        arguments = []
        for parameter in list(inspect.signature(function).parameters)[1:]:
            extras = getattr(hints.get(parameter), "__metadata__", ())
            kinds = [extra for extra in extras if isinstance(extra, Kind)]
            if len(kinds) != 1:
                raise TypeError(
                    f"tool {name!r}: parameter {parameter!r} needs one kind, as in Annotated[float, Level()]"
                )
            told = next((extra for extra in extras if isinstance(extra, str)), documented.get(parameter, ""))
            arguments.append(Argument(parameter, told, kinds[0]))
        return cls(name, description or head, tuple(arguments), function)

    @property
    def usage(self) -> str:
        """The call as a model writes it, e.g. ``payoff(own, partner)``."""
        return f"{self.name}({', '.join(argument.name for argument in self.arguments)})"

    def schema(self) -> dict[str, Any]:
        """Return the tool as OpenAI-compatible servers expect it."""
        properties = {
            argument.name: {**argument.kind.schema(), "description": argument.description}
            for argument in self.arguments
        }
        parameters = {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }
        function = {"name": self.name, "description": self.description, "parameters": parameters}
        return {"type": "function", "function": function}

    def bind(self, given: Mapping[str, object] | tuple[object, ...]) -> dict[str, Any]:
        """Read arguments given by name or in order.

        Raises:
            IllegalCallError: an argument is missing, unknown or illegal.
        """
        if isinstance(given, tuple):
            if len(given) != len(self.arguments):
                raise IllegalCallError(f"{self.usage} takes {len(self.arguments)} arguments, got {len(given)}")
            given = {argument.name: value for argument, value in zip(self.arguments, given, strict=True)}
        unknown = [name for name in given if all(name != argument.name for argument in self.arguments)]
        if unknown:
            raise IllegalCallError(f"{self.usage} has no argument {echo(unknown[0])}")
        missing = [argument.name for argument in self.arguments if argument.name not in given]
        if missing:
            raise IllegalCallError(f"{self.usage} needs {', '.join(missing)}")
        return {argument.name: self._read(argument, given[argument.name]) for argument in self.arguments}

    def _read(self, argument: Argument, value: object) -> Any:
        try:
            return argument.kind.read(value)
        except IllegalCallError as error:
            raise IllegalCallError(f"{self.name}, {argument.name}: {error}") from error


def openai_schemas(tools: Iterable[Tool]) -> list[dict[str, Any]]:
    """Return the tools as the ``tools`` entry of an OpenAI-compatible request."""
    return [tool.schema() for tool in tools]


def _documentation(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """Return the text before ``Args:`` as one line, and what is said of each argument."""
    head, _, tail = (inspect.getdoc(function) or "").partition("Args:")
    described: dict[str, str] = {}
    current = ""
    for line in tail.partition("\n\n")[0].splitlines():
        begins = _ARGUMENT_LINE.fullmatch(line.strip())
        if begins:
            current, text = begins[1], begins[2]
            described[current] = text
        elif current:
            described[current] += " " + line.strip()
    return " ".join(head.split()), described
