"""Rest points of the one-population replicator dynamics, support by support, with their stability."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.linalg import null_space

from coopgym.oracles.meta.payoffs import SAME, payoff_range, square_payoffs
from coopgym.oracles.meta.populations import OnePopulation
from coopgym.typing import FloatArray

MAX_STRATEGIES = 12
"""More would have too many supports to visit."""


@dataclass(frozen=True, eq=False)
class RestPoints:
    """Isolated rest points, those with fewer strategies first."""

    states: FloatArray
    """``(M, K)``."""
    regrets: FloatArray
    """``(M,)`` what the best strategy would earn more, in units of the range of payoffs: zero in Nash equilibrium."""
    stability: FloatArray
    """``(M,)`` largest real part of the linearised dynamics' eigenvalues: below zero, small departures die out."""
    degenerate: int
    """Supports that have none or infinitely many rest points; these are not listed."""

    @property
    def stable(self) -> npt.NDArray[np.bool_]:
        """``(M,)`` which are asymptotically stable by their linearisation."""
        return self.stability < -SAME


def rest_points(payoffs: npt.ArrayLike) -> RestPoints:
    """Find where all strategies that are present earn the same.

    Args:
        payoffs: ``(K, K)`` what row earns against column.

    Raises:
        ValueError: not a square matrix of finite numbers, or more than 12 strategies.
    """
    table = square_payoffs(payoffs)
    count = len(table)
    if count > MAX_STRATEGIES:
        raise ValueError(
            f"payoffs of {count} strategies: their {2**count - 1:,} supports are too many to visit, at most "
            f"{MAX_STRATEGIES} fit; run `replicate` from random states instead"
        )
    scaled = (table - table.min()) / payoff_range(table)
    visits = [_equalising(scaled, size) for size in range(1, count + 1)]
    states = np.concatenate([found for found, _ in visits])
    return RestPoints(
        states,
        OnePopulation(table).regrets(states),
        _stability(scaled, states),
        sum(degenerate for _, degenerate in visits),
    )


def _equalising(table: FloatArray, size: int) -> tuple[FloatArray, int]:
    """Solve (P x)_i = v on all supports of one size: states ``(M, K)``, and how many supports have no single answer."""
    supports = np.array(list(combinations(range(len(table)), size)))
    system = np.zeros((len(supports), size + 1, size + 1))
    system[:, :size, :size] = table[supports[:, :, None], supports[:, None, :]]
    system[:, :size, size] = -1.0
    system[:, size, :size] = 1.0
    regular = np.linalg.matrix_rank(system, rtol=SAME) == size + 1
    sums = np.zeros((size + 1, 1))
    sums[size] = 1.0
    weights = np.linalg.solve(system[regular], sums)[:, :size, 0]
    inside = (weights > SAME).all(-1)
    states = np.zeros((int(inside.sum()), len(table)))
    np.put_along_axis(states, supports[regular][inside], weights[inside], axis=1)
    return states, int((~regular).sum())


def _stability(table: FloatArray, states: FloatArray) -> FloatArray:
    """Largest real part of the Jacobian's eigenvalues among directions along which shares still sum to 1, ``(M,)``."""
    fitness = states @ table.T
    mean = (states * fitness).sum(-1)
    own = (fitness - mean[:, None])[:, :, None] * np.eye(len(table))
    pull = fitness + states @ table
    jacobians = own + states[:, :, None] * (table - pull[:, None, :])
    along = null_space(np.ones((1, len(table))))
    eigenvalues = np.linalg.eigvals(along.T @ jacobians @ along)
    return eigenvalues.real.max(-1, initial=-np.inf)
