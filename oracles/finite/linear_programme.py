"""Linear programmes over probabilities, solved by HiGHS; failure is an error that carries its status."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import linprog

from coopgym.typing import FloatArray

FEASIBILITY = 1e-10
"""Violation of a constraint that HiGHS may leave; programmes here are scaled to numbers of about 1."""


class SolverError(RuntimeError):
    """A solver has no answer, or one that does not pass its audit."""


def least_cost(
    what: str, costs: FloatArray, upper: Any, equal: FloatArray, bounds: list[tuple[float | None, float | None]]
) -> FloatArray:
    """Minimise ``costs @ x`` subject to ``upper @ x <= 0`` and ``equal @ x = 1``.

    Args:
        what: what is being solved, for the error.
        costs: ``(P,)``.
        upper: ``(C, P)`` matrix, dense or sparse.
        equal: ``(P,)``.
        bounds: of every variable, or one pair for all of them.

    Raises:
        SolverError: HiGHS found no optimum.
    """
    answer = linprog(
        costs,
        A_ub=upper,
        b_ub=np.zeros(upper.shape[0]),
        A_eq=equal[None],
        b_eq=[1.0],
        bounds=bounds,
        method="highs",
        options={"primal_feasibility_tolerance": FEASIBILITY, "dual_feasibility_tolerance": FEASIBILITY},
    )
    if answer.status != 0:
        raise SolverError(f"{what}: no optimum, HiGHS status {answer.status} ({answer.message})")
    return np.asarray(answer.x, dtype=np.float64)


def probabilities(weights: FloatArray) -> FloatArray:
    """Return weights without the rounding errors of a solver: not below zero, with sum one."""
    positive = np.maximum(weights, 0.0)
    return positive / positive.sum()
