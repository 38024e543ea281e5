"""What trust does under fixed signals, all over the published sweep (TR-2)."""

from __future__ import annotations

import numpy as np

from coopgym.backend import NUMPY
from coopgym.benchmarks.case_studies.sweep import Columns, Experiment, Metric
from coopgym.mechanisms.trust import TrustRates, update_uncapped
from coopgym.typing import FloatArray

DEPENDENCE = 0.5
UNEQUAL = (0.8, 0.2)
"""Dependence of either, between which erosion is compared."""
BETRAYED = 0.85
"""Trust before the violation."""
RECOVERY, LONGEST = 35, 100
GOOD, BAD = float(np.tanh(2.0)), float(np.tanh(-3.0))


def _rates(columns: Columns, dependence: float, other: float) -> TrustRates:
    """Rates of two who depend on each other as given, at every point of a grid."""
    spread = {name: columns[name][:, None, None] for name in ("lambda_plus", "lambda_minus", "mu_R", "delta_R", "xi")}
    return TrustRates.from_parameters(NUMPY, np.array([[0.0, dependence], [other, 0.0]]), **spread)


class _Pair:
    """A dyad at every point of a grid, of which one trusts the other."""

    def __init__(self, columns: Columns, trust: float) -> None:
        self._rates = _rates(columns, DEPENDENCE, DEPENDENCE)
        self._rows = len(columns["xi"])
        self._trust = np.full((self._rows, 2, 2), trust)
        self._damage = np.zeros((self._rows, 2, 2))

    def meets(self, signal: float, steps: int = 1) -> FloatArray:
        """Trust ``(steps, rows)`` after each of some signals."""
        path = []
        for _ in range(steps):
            signals = np.full((self._rows, 2), signal)
            self._trust, self._damage = update_uncapped(
                self._trust, self._damage, signals, 1.0 - self._damage, self._rates
            )
            path.append(self._trust[:, 0, 1])
        return np.stack(path)


def measure(columns: Columns) -> Columns:
    """Return the metrics of the experiment."""
    betrayed = _Pair(columns, BETRAYED)
    (fallen,) = betrayed.meets(BAD)
    recovered = betrayed.meets(GOOD, LONGEST)
    regained = recovered >= fallen + 0.5 * (BETRAYED - fallen)
    steps = np.where(regained.any(0), regained.argmax(0) + 1, LONGEST)
    often, once = _Pair(columns, 0.8), _Pair(columns, 0.8)
    small, large = often.meets(float(np.tanh(-1.0)), 4)[-1], once.meets(float(np.tanh(-4.0)))[-1]
    built = _Pair(columns, 0.5).meets(GOOD, 10)[-1]
    level_up, level_down = (_Pair(columns, 0.5).meets(sign * GOOD)[-1] - 0.5 for sign in (1.0, -1.0))
    unequal = _rates(columns, *UNEQUAL)
    return {
        "negativity": unequal.erosion[:, 0, 0] / unequal.building[:, 0, 0],
        "amplification": unequal.erosion[:, 0, 1] / unequal.erosion[:, 1, 0],
        "recovery": recovered[:RECOVERY].max(0) / BETRAYED,
        "many small violations": (0.8 - small) / (0.8 - large),
        "building": (built - 0.5) / 10.0,
        "steps to half": steps.astype(np.float64),
        "loss over gain": -level_down / level_up,
    }


TRUST = Experiment(
    name="trust",
    grids={
        "quick": {
            "lambda_plus": (0.05, 0.10, 0.15),
            "lambda_minus": (0.15, 0.30, 0.45),
            "mu_R": (0.50, 0.60, 0.70),
            "delta_R": (0.01, 0.03, 0.05),
            "xi": (0.3, 0.5, 0.7),
        },
        "full": {
            "lambda_plus": (0.05, 0.08, 0.10, 0.12, 0.15),
            "lambda_minus": (0.15, 0.23, 0.30, 0.38, 0.45),
            "mu_R": (0.50, 0.55, 0.60, 0.65, 0.70),
            "delta_R": (0.01, 0.02, 0.03, 0.04, 0.05),
            "xi": (0.3, 0.4, 0.5, 0.6, 0.7),
        },
    },
    metrics=(
        Metric("negativity", "identity", "erosion without dependence over building, λ⁻ over λ⁺"),
        Metric("amplification", "identity", "erosion at dependence 0.8 over that at 0.2"),
        Metric("recovery", "simulation", "best trust within 35 steps after a violation, over that before"),
        Metric("many small violations", "simulation", "trust that four small ones cost, over the cost of a large one"),
        Metric("building", "simulation", "trust gained per step over ten steps from 0.5"),
        Metric("steps to half", "simulation", "steps until half of what was lost is regained, at most 100"),
        Metric("loss over gain", "simulation", "what a step costs over what it brings, same size, trust 0.5"),
    ),
    measure=measure,
)
"""κ is left out of the published sweep, as signals are fixed: 3,125 rows differ."""
