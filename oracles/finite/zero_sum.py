"""Minimax strategies of zero-sum games by linear programming, and what a seat can guarantee itself in any game."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coopgym.oracles.finite.discretised import FiniteGame
from coopgym.oracles.finite.linear_programme import SolverError, least_cost, probabilities
from coopgym.oracles.finite.rounding import without_rounding
from coopgym.typing import FloatArray

AUDIT = 1e-7
"""Duality gap, relative to the range of payoffs, above which an answer is refused."""


@dataclass(frozen=True, eq=False)
class Minimax:
    """Optimal strategies of a zero-sum game."""

    value: float
    """What the row player gets on average."""
    row: FloatArray
    """``(m,)`` mixed strategy of the row player."""
    column: FloatArray
    """``(n,)`` mixed strategy of the column player."""
    gap: float
    """What both players together could gain by deviating from these strategies."""


def minimax(payoff: npt.ArrayLike) -> Minimax:
    """Solve a zero-sum game (von Neumann 1928).

    Args:
        payoff: ``(m, n)`` what the column player pays to the row player.

    Raises:
        ValueError: not a matrix of finite numbers.
        SolverError: HiGHS found no optimum, or its answer does not pass the audit.

    >>> solution = minimax([[2, -1], [-1, 1]])
    >>> round(solution.value, 6), solution.row.round(6), solution.column.round(6)
    (0.2, array([0.4, 0.6]), array([0.4, 0.6]))
    """
    matrix = checked_matrix(payoff)
    row, column = _maximin(matrix), _maximin(-matrix.T)
    gap = duality_gap(matrix, row, column)
    if gap > AUDIT * np.ptp(matrix):
        raise SolverError(f"minimax of a {matrix.shape} matrix: the answer leaves a duality gap of {gap:.2g}")
    return Minimax(float(row @ matrix @ column), row, column, gap)


def duality_gap(payoff: npt.ArrayLike, row: FloatArray, column: FloatArray) -> float:
    """Return max(M q) - min(p M), what both players together could gain by deviating from p ``(m,)`` and q ``(n,)``."""
    matrix = np.asarray(payoff, dtype=np.float64)
    return float((matrix @ column).max() - (row @ matrix).min())


def security_level(game: FiniteGame, seat: int) -> float:
    """Return what a seat can make sure of on average with a mixed strategy, were all others to act against it.

    Raises:
        SolverError: as in `minimax`.
    """
    own = np.moveaxis(game.utilities[..., seat], seat, 0)
    return minimax(own.reshape(len(own), -1)).value


def checked_matrix(payoff: npt.ArrayLike) -> FloatArray:
    """Return a payoff matrix as an array; where only rounding tells its entries apart, they are equal.

    Raises:
        ValueError: not a matrix of finite numbers.
    """
    matrix = np.asarray(payoff, dtype=np.float64)
    if matrix.ndim != 2 or 0 in matrix.shape or not np.isfinite(matrix).all():
        raise ValueError(f"payoff: expected a matrix of finite numbers, got shape {matrix.shape}")
    return without_rounding(matrix)


def _maximin(matrix: FloatArray) -> FloatArray:
    """Return the mixed strategy ``(m,)`` whose worst column is best: maximise v with v <= (p M)_j for every j."""
    rows, columns = matrix.shape
    scaled = (matrix - matrix.min()) / (np.ptp(matrix) or 1.0)
    shortfalls = np.concatenate([-scaled.T, np.ones((columns, 1))], axis=1)
    answer = least_cost(
        f"maximin of a {matrix.shape} matrix",
        costs=np.append(np.zeros(rows), -1.0),
        upper=shortfalls,
        equal=np.append(np.ones(rows), 0.0),
        bounds=[(0.0, None)] * rows + [(None, None)],
    )
    return probabilities(answer[:rows])
