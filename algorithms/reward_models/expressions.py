"""Arithmetic of named numbers, read from text into a tree and never executed.

Texts come from people and from language models. Python's parser turns one into syntax, of which a few kinds of nodes
are taken over, and nothing else can be expressed: no attribute, no index, no name but the known ones.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeAlias

from coopgym.backend import Array, Namespace, namespace_of

LONGEST, DEEPEST, GREATEST = 600, 16, 1e6
"""Characters of a text, levels of a tree, and size of a number in it."""
BRINK = 1e-9
"""What is no further than this from zero is not divided by: the ratio is 0. Logarithms end as far above -1."""
STEEPEST = 20.0
"""Exponents end here."""


class ExpressionError(ValueError):
    """A text that is not an expression; the message says what is wrong with it and what may stand instead."""


@dataclass(frozen=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True)
class Field:
    """What is read."""

    name: str


@dataclass(frozen=True)
class Apply:
    """A function or operator of others."""

    function: str
    arguments: tuple[Tree, ...]


Tree: TypeAlias = Number | Field | Apply


def _ratio(xp: Namespace, above: Array, below: Array) -> Array:
    zero = xp.abs(below) <= BRINK
    return xp.where(zero, 0.0 * below, above / xp.where(zero, 0.0 * below + 1.0, below))


def _holds(xp: Namespace, condition: Array, like: Array) -> Array:
    return xp.where(condition, 0.0 * like + 1.0, 0.0 * like)


def _clip(xp: Namespace, x: Array, low: Array, high: Array) -> Array:
    return xp.minimum(xp.maximum(x, low), high)


FUNCTIONS: Mapping[str, tuple[tuple[int, float], Callable[..., Array]]] = {
    "abs": ((1, 1), lambda xp, x: xp.abs(x)),
    "clip": ((3, 3), _clip),
    "exp": ((1, 1), lambda xp, x: xp.exp(_clip(xp, x, 0.0 * x - STEEPEST, 0.0 * x + STEEPEST))),
    "log1p": ((1, 1), lambda xp, x: xp.log1p(xp.maximum(x, 0.0 * x + BRINK - 1.0))),
    "max": ((2, math.inf), lambda xp, *xs: reduce(xp.maximum, xs)),
    "min": ((2, math.inf), lambda xp, *xs: reduce(xp.minimum, xs)),
}
"""Functions with the least and most arguments; each is finite wherever its arguments are."""
_OPERATORS: Mapping[type[ast.AST], tuple[str, Callable[..., Array]]] = {
    ast.Add: ("+", lambda xp, x, y: x + y),
    ast.Sub: ("-", lambda xp, x, y: x - y),
    ast.Mult: ("*", lambda xp, x, y: x * y),
    ast.Div: ("/", _ratio),
    ast.USub: ("negative", lambda xp, x: -x),
    ast.UAdd: ("positive", lambda xp, x: x),
    ast.Lt: ("<", lambda xp, x, y: _holds(xp, x < y, x)),
    ast.LtE: ("<=", lambda xp, x, y: _holds(xp, x <= y, x)),
    ast.Gt: (">", lambda xp, x, y: _holds(xp, x > y, x)),
    ast.GtE: (">=", lambda xp, x, y: _holds(xp, x >= y, x)),
}
_MEANING: Mapping[str, Callable[..., Array]] = {
    **{name: function for name, (_, function) in FUNCTIONS.items()},
    **dict(_OPERATORS.values()),
}
ALLOWED = f"+ - * /, comparisons of two sides, {', '.join(FUNCTIONS)}, numbers and named fields"
"""What an expression may be made of, in words."""


@dataclass(frozen=True)
class Expression:
    """A tree of arithmetic over named fields.

    >>> gap = parse_expression("max(own - partner, 0.0) / (own + partner)", {"own", "partner"})
    >>> gap({"own": np.array([3.0, 0.0]), "partner": np.array([1.0, 0.0])})  # nothing over nothing is nothing
    array([0.5, 0. ])
    >>> parse_expression("own.__class__", {"own"})
    Traceback (most recent call last):
        ...
    coopgym.algorithms.reward_models.expressions.ExpressionError: 'own.__class__': Attribute is not allowed; ...
    """

    text: str
    tree: Tree

    @property
    def fields(self) -> frozenset[str]:
        """Names of the fields that it reads."""
        return frozenset(node.name for node in _nodes(self.tree) if isinstance(node, Field))

    def __call__(self, values: Mapping[str, Array]) -> Array:
        """Return the value ``(...)`` for values of the fields, arrays of one shape on any backend; at least one."""
        like = next(iter(values.values()))
        return _value(self.tree, values, like, namespace_of(like))


def parse_expression(text: str, fields: Collection[str]) -> Expression:
    """Read an expression.

    Args:
        text: such as ``"min(own_action, partner_actions) / endowment"``.
        fields: names that it may read.

    Raises:
        ExpressionError: not an expression, too long or too deep, a forbidden call, or an unknown field.
    """
    try:
        if len(text) > LONGEST:
            raise ExpressionError(f"expected at most {LONGEST} characters, got {len(text)}")
        tree = _tree(ast.parse(text.strip(), mode="eval").body, frozenset(fields), 1)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error) or type(error).__name__
        raise ExpressionError(f"{text[:80]!r}: {reason}; expected {ALLOWED}: {', '.join(sorted(fields))}") from error
    return Expression(text.strip(), tree)


def _tree(node: ast.expr, fields: frozenset[str], depth: int) -> Tree:
    if depth > DEEPEST:
        raise ExpressionError(f"expected at most {DEEPEST} levels of brackets and operators")

    def apply(function: str, *arguments: ast.expr) -> Tree:
        return Apply(function, tuple(_tree(argument, fields, depth + 1) for argument in arguments))

    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            if not abs(value) <= GREATEST:
                raise ExpressionError(f"expected numbers of at most {GREATEST:g}")
            return Number(float(value))
        case ast.Name(id=name):
            if name not in fields:
                raise ExpressionError(f"unknown field {name!r}")
            return Field(name)
        case ast.UnaryOp(op=operator, operand=operand) if type(operator) in _OPERATORS:
            return apply(_OPERATORS[type(operator)][0], operand)
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
            return apply(_OPERATORS[type(operator)][0], left, right)
        case ast.Compare(left=left, ops=[operator], comparators=[right]) if type(operator) in _OPERATORS:
            return apply(_OPERATORS[type(operator)][0], left, right)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
            (least, most), _ = FUNCTIONS[name]
            if not least <= len(arguments) <= most:
                expected = least if least == most else f"{least} or more"
                raise ExpressionError(f"{name} of {len(arguments)} numbers, expected {expected}")
            return apply(name, *arguments)
        case ast.Call():
            raise ExpressionError(f"the call {ast.unparse(node)[:40]!r} is not allowed")
    raise ExpressionError(f"{type(node).__name__} is not allowed")


def _nodes(node: Tree) -> Iterator[Tree]:
    yield node
    if isinstance(node, Apply):
        for argument in node.arguments:
            yield from _nodes(argument)


def _value(node: Tree, values: Mapping[str, Array], like: Array, xp: Namespace) -> Any:
    match node:
        case Number(value):
            return 0.0 * like + value
        case Field(name):
            return values[name]
        case Apply(function, arguments):
            return _MEANING[function](xp, *(_value(argument, values, like, xp) for argument in arguments))
