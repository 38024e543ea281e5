"""Tables of payoffs among strategies: checks and scale."""

from __future__ import annotations

import numpy.typing as npt

from coopgym.oracles.finite.rounding import spread
from coopgym.oracles.finite.zero_sum import checked_matrix
from coopgym.typing import FloatArray

SAME = 1e-9
"""Differences up to this part of a table's range are ties."""


def square_payoffs(payoffs: npt.ArrayLike) -> FloatArray:
    """Return a table of payoffs ``(K, K)`` as an array.

    Raises:
        ValueError: not a square matrix of finite numbers.
    """
    table = checked_matrix(payoffs)
    if table.shape[0] != table.shape[1]:
        raise ValueError(
            f"payoffs of shape {table.shape}: expected (K, K), what each of K strategies earns among each of them"
        )
    return table


def payoff_range(table: npt.ArrayLike) -> float:
    """Largest payoff less the smallest; 1 where all are equal up to rounding, so that one may divide by it."""
    return spread(table) or 1.0
