"""The arithmetic of the solvers of preference games as pure functions, for worked examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.oracles.preferences.minimax_winner import MinimaxWinner
from coopgym.oracles.preferences.nash_mirror_prox import NashMirrorProx, divergence
from coopgym.oracles.preferences.preference_matrix import PreferenceMatrix
from coopgym.oracles.preferences.self_play import SPO

_CONVERGED = 2000
"""Iterations after which the regularised equilibria of the examples stand still."""
_RATIOS = 12
"""Iterations whose contraction the examples report."""


def nash_mirror_prox(
    pref: npt.ArrayLike, ref: Sequence[float], beta: float, init: npt.ArrayLike, report: Sequence[int]
) -> dict[str, Any]:
    """Regularised equilibrium, iterates on the way to it, and how fast they come."""
    preferences = PreferenceMatrix.of(pref)
    solver = NashMirrorProx(beta, max(*report, _RATIOS), tuple(ref))
    equilibrium = NashMirrorProx(beta, _CONVERGED, tuple(ref)).solve(preferences)
    policies = [np.asarray(init), *(np.exp(each) for each in solver.iterates(preferences, init))]
    told = {str(k): policies[k] for k in report}
    divergences = [divergence(equilibrium, policy) for policy in policies[: _RATIOS + 1]]
    return {
        "equilibrium": equilibrium.tolist(),
        "iterates": {k: policy.tolist() for k, policy in told.items()},
        "kl_to_equilibrium": {k: divergence(equilibrium, policy) for k, policy in told.items()},
        "worst_contraction": max(after / before for before, after in pairwise(divergences)),
        "contraction_bound": solver.contraction,
        "exploitability": {k: solver.gap(preferences, policy) for k, policy in told.items()},
    }


def self_play(pref: npt.ArrayLike, eta: float, T: int) -> dict[str, Any]:
    """Winners of a preference game by several rules, and what Hedge against itself averages to."""
    preferences, spo = PreferenceMatrix.of(pref), SPO(T, eta)
    winner, mean = MinimaxWinner().find(preferences), spo.solve(preferences)
    return {
        "win_rates": preferences.borda.tolist(),
        "minimax_winner": winner.distribution.tolist(),
        "value": float(winner.distribution @ preferences.margins @ winner.distribution),
        "avg_policy": mean.tolist(),
        "avg_exploitability": spo.gap(preferences, mean),
        "bound": spo.bound(len(preferences)),
        "copeland": preferences.copeland.tolist(),
        "borda_winner": preferences.borda_winner,
    }


KERNELS: Mapping[str, Callable[..., Any]] = {"nash-mp": nash_mirror_prox, "spo": self_play}
"""Functions of named inputs by the ids of their worked examples."""
