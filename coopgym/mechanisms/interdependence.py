"""Structural interdependence between agents (TR-1 Eq. 1, 13). Row = depender, column = dependee."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]


def from_dependums(importance: npt.ArrayLike, dependency: npt.ArrayLike, criticality: npt.ArrayLike) -> Matrix:
    """Derive D_ij = Σ_d w_d Dep(i,j,d) crit(i,j,d) / Σ_d w_d from an i* model (TR-1 Eq. 1).

    Args:
        importance: ``(dependums,)`` or ``(N, dependums)`` weights w_d ≥ 0, the latter per depender.
        dependency: ``(dependums, N, N)``, 1 where i depends on j for d.
        criticality: ``(dependums, N, N)`` in [0, 1], how hard j is to replace.

    Returns:
        ``(N, N)`` with a zero diagonal.

    Raises:
        ValueError: shapes do not fit, values are out of range, or an agent's weights sum to zero.

    >>> D = from_dependums([3, 1], [[[0, 1], [0, 0]], [[0, 1], [1, 0]]], np.full((2, 2, 2), 0.8))
    >>> D  # agent 0 needs agent 1 for both dependums, agent 1 needs agent 0 for a quarter of the weight
    array([[0. , 0.8],
           [0.2, 0. ]])
    """
    depends = np.asarray(dependency, dtype=np.float64)
    critical = np.asarray(criticality, dtype=np.float64)
    weights = np.asarray(importance, dtype=np.float64)
    if depends.ndim != 3 or depends.shape != critical.shape or depends.shape[1] != depends.shape[2]:
        raise ValueError(
            f"dependency and criticality must both be (dependums, N, N); got {depends.shape} and {critical.shape}"
        )
    n_dependums, n_agents, _ = depends.shape
    weights = np.broadcast_to(weights, (n_agents, n_dependums))
    if not (np.isfinite(weights).all() and (weights >= 0).all() and (weights.sum(axis=1) > 0).all()):
        raise ValueError("importance must be finite, non-negative and positive in sum for every depender")
    if not (((depends >= 0) & (depends <= 1)).all() and ((critical >= 0) & (critical <= 1)).all()):
        raise ValueError("dependency and criticality must lie in [0, 1]")
    matrix = np.einsum("id,dij,dij->ij", weights, depends, critical) / weights.sum(axis=1, keepdims=True)
    np.fill_diagonal(matrix, 0.0)
    return matrix


def symmetric(n_agents: int, dependence: float) -> Matrix:
    """Everyone depends equally on everyone else: ``(N, N)`` with ``dependence`` off the diagonal.

    >>> symmetric(3, dependence=0.5)
    array([[0. , 0.5, 0.5],
           [0.5, 0. , 0.5],
           [0.5, 0.5, 0. ]])
    """
    return dependence * (1.0 - np.eye(n_agents))


def hub_and_spoke(n_spokes: int, hub_on_spoke: float, spoke_on_hub: float) -> Matrix:
    """Agent 0 is the hub; spokes do not depend on one another, ``(n_spokes + 1, n_spokes + 1)``.

    >>> hub_and_spoke(2, hub_on_spoke=0.2, spoke_on_hub=0.7)
    array([[0. , 0.2, 0.2],
           [0.7, 0. , 0. ],
           [0.7, 0. , 0. ]])
    """
    matrix = np.zeros((n_spokes + 1, n_spokes + 1))
    matrix[0, 1:] = hub_on_spoke
    matrix[1:, 0] = spoke_on_hub
    return matrix


def explicit(rows: Sequence[Sequence[float]]) -> Matrix:
    """Return a hand-written D as an array after checking it.

    Raises:
        ValueError: not square, not in [0, 1], or a non-zero diagonal.

    >>> explicit([[0.0, 0.6], [0.3, 0.1]])
    Traceback (most recent call last):
        ...
    ValueError: interdependence must have a zero diagonal: nobody depends on themselves
    """
    matrix = np.asarray(rows, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"interdependence must be a square matrix, got shape {matrix.shape}")
    if not ((matrix >= 0) & (matrix <= 1)).all():
        raise ValueError(f"interdependence entries must lie in [0, 1], got {matrix.tolist()}")
    if np.diagonal(matrix).any():
        raise ValueError("interdependence must have a zero diagonal: nobody depends on themselves")
    return matrix
