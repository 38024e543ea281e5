"""Diagnostics in the form readers expect: plain values for one environment, arrays for a batch.

The functions tell one environment from a batch by the number of dimensions, so each says what it expects of one.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from coopgym.backend import Array, namespace_of


def number(value: Array) -> Any:
    """A float, or the array of a batch."""
    return float(value) if value.ndim == 0 else value


def count(value: Array) -> Any:
    """An int, or the integer array of a batch."""
    return int(value) if value.ndim == 0 else _whole(value)


def flag(value: Array) -> Any:
    """A bool, or the boolean array of a batch."""
    return bool(value) if value.ndim == 0 else value


def listed(value: Array) -> Any:
    """A list with one entry per agent, or the array of a batch."""
    return value.tolist() if value.ndim == 1 else value


def counts(value: Array) -> Any:
    """A list of ints with one entry per agent, or the integer array of a batch."""
    return [int(entry) for entry in value.tolist()] if value.ndim == 1 else _whole(value)


def indices(mask: Array) -> Any:
    """The list of agents for whom a mask ``(N,)`` holds, or the mask of a batch."""
    return [agent for agent, holds in enumerate(mask.tolist()) if holds] if mask.ndim == 1 else mask


def name(code: Array, names: tuple[str, ...]) -> Any:
    """The name a code stands for, or the codes of a batch."""
    return names[int(code)] if code.ndim == 0 else code


def names_of(codes: Array, names: tuple[str, ...]) -> Any:
    """The list of names that codes ``(N,)`` stand for, or the codes of a batch."""
    return [names[code] for code in codes.tolist()] if codes.ndim == 1 else codes


def pairs(matrix: Array) -> Any:
    """A dict of the off-diagonal entries of ``(N, N)`` keyed ``"i->j"``, or the array of a batch."""
    if matrix.ndim > 2:
        return matrix
    rows = matrix.tolist()
    return {name: rows[i][j] for name, i, j in _named_pairs(len(rows))}


@cache
def _named_pairs(n_agents: int) -> tuple[tuple[str, int, int], ...]:
    agents = range(n_agents)
    return tuple((f"{i}->{j}", i, j) for i in agents for j in agents if i != j)


def _whole(value: Array) -> Array:
    xp = namespace_of(value)
    return xp.astype(value, xp.int64)
