"""Stationary distributions of Markov chains whose rates differ by any number of orders of magnitude."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from coopgym.typing import FloatArray


def stationary_distribution(log_rates: npt.ArrayLike) -> FloatArray:
    """Return the stationary distribution ``(S,)`` of an irreducible chain.

    States are eliminated one by one (Grassmann, Taksar & Heyman 1985). That adds, multiplies and divides but never
    subtracts, so it works on logarithms and every probability is relatively exact, however small.

    Args:
        log_rates: ``(S, S)`` logarithms of rates, or of probabilities, from row to column; the diagonal is ignored.

    Raises:
        ValueError: not a square matrix, rates that are infinite or no numbers, or states that cannot be left.
    """
    logs = np.array(log_rates, dtype=np.float64)
    if logs.ndim != 2 or logs.shape[0] != logs.shape[1] or 0 in logs.shape:
        raise ValueError(f"log_rates of shape {logs.shape}: expected (S, S), from row to column")
    if np.isnan(logs).any() or (logs == np.inf).any():
        raise ValueError("log_rates: expected logarithms of finite rates; minus infinity stands for no transition")
    for last in range(len(logs) - 1, 0, -1):
        leaving = logsumexp(logs[last, :last])
        if leaving == -np.inf:
            raise ValueError("log_rates: the chain is not irreducible; some states never lead to the others")
        logs[:last, last] -= leaving
        logs[:last, :last] = np.logaddexp(logs[:last, :last], logs[:last, last, None] + logs[last, None, :last])
    weights = np.zeros(len(logs))
    for state in range(1, len(logs)):
        weights[state] = logsumexp(weights[:state] + logs[:state, state])
    return np.exp(weights - logsumexp(weights))
