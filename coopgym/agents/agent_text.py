"""Agents with settings as texts, such as ``Noisy(agent=GrimTrigger(opening_level=0.8), noise=0.1)``.

Such a text names registered agents and holds literals; it is read, never run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_CALL = re.compile(r"\w+\(.*\)", re.DOTALL)


@dataclass(frozen=True)
class AgentText:
    """An agent's name with its settings, some of which may be agents themselves."""

    name: str
    settings: Mapping[str, Any]


def has_settings(text: str) -> bool:
    """Whether a text is a name with settings in brackets; addresses and ``module:Class`` are not."""
    return _CALL.fullmatch(text) is not None


def parse_agent(text: str) -> AgentText:
    """Read a name with settings.

    Raises:
        ValueError: it is none.

    >>> parse_agent("Changing(first=TitForTat, second=Constant(level=0.2), at=0.7)").settings["second"]
    AgentText(name='Constant', settings={'level': 0.2})
    """
    expected = f"agent {text!r}: expected a name with settings such as 'GrimTrigger(opening_level=0.8)'"
    try:
        tree = ast.parse(text, mode="eval").body
        return _agent(tree)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise ValueError(f"{expected}, whose values are numbers, texts in quotes, or agents") from error


def _agent(tree: ast.expr) -> AgentText:
    match tree:
        case ast.Name(id=name):
            return AgentText(name, {})
        case ast.Call(func=ast.Name(id=name), args=[], keywords=keywords):
            return AgentText(name, {_name(each): _value(each.value) for each in keywords})
    raise ValueError("neither a name nor a call of one")


def _name(keyword: ast.keyword) -> str:
    if keyword.arg is None:
        raise ValueError("a mapping in the place of settings")
    return keyword.arg


def _value(tree: ast.expr) -> Any:
    return _agent(tree) if isinstance(tree, ast.Name | ast.Call) else ast.literal_eval(tree)
