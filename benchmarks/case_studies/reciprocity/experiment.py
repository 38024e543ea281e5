"""What reciprocity does between two who depend unequally on each other, all over the published sweep (TR-4)."""

from __future__ import annotations

from typing import Literal

import numpy as np

from coopgym.backend import NUMPY
from coopgym.benchmarks.case_studies.case_file import case_hash, load_case
from coopgym.benchmarks.case_studies.reciprocity.engine import PlatformParameters
from coopgym.benchmarks.case_studies.sweep import Columns, Experiment, Metric
from coopgym.mechanisms.reciprocity import reciprocity_effects, remember, remembered, response, susceptibility
from coopgym.mechanisms.trust import TrustRates, update_uncapped
from coopgym.typing import FloatArray

Expectation = Literal["fixed", "window"]
"""What conduct is compared with: a fixed baseline, as in the published sweep, or the mean of the last k actions."""

DEPENDENCE = np.array([[0.0, 0.8], [0.4, 0.0]])
BASELINE, START, PACE, RETURN = 0.3, 0.5, 0.15, 0.01
STEPS, DEFECTION, LOW = 60, 10, 0.10
"""Steps of a run; when the second actor defects, and to which action."""
NEAR = 0.01
"""Distance from an undisturbed run, share of endowment, below which an actor has come back."""


def _run(
    columns: Columns, expectation: Expectation, trust: FloatArray, *, window: int = 1, defects: bool = False
) -> tuple[FloatArray, FloatArray]:
    """Actions and answers, both ``(steps, rows, 2)``, of a run that begins with some trust ``(rows,)``."""
    p, rows = PlatformParameters(**load_case("app-store").parameters), len(trust)
    rates = TrustRates.from_parameters(NUMPY, DEPENDENCE, p.lambda_plus, p.lambda_minus, p.mu_R, p.delta_R, p.psi)
    spread = {name: columns[name][:, None, None] for name in ("rho_0", "eta", "lambda_R")}
    susceptible = susceptibility(DEPENDENCE, spread["lambda_R"], spread["rho_0"], spread["eta"], p.omega)
    actions, damage = np.full((rows, 2), START), np.zeros((rows, 2, 2))
    recent = np.full((rows, window, 2), BASELINE)
    trusted = np.where(np.eye(2) > 0.0, 1.0, trust[:, None, None])
    path, answers = [], []
    for t in range(STEPS):
        if defects and t == DEFECTION:
            actions = np.stack([actions[:, 0], np.full(rows, LOW)], axis=-1)
        deviation = actions - (BASELINE if expectation == "fixed" else remembered(recent))
        answer = response(deviation, columns["kappa"][:, None])
        effects = reciprocity_effects(trusted, susceptible, answer)
        path.append(actions)
        answers.append(answer)
        ceiling = np.minimum(p.trust_limit, 1.0 - p.scar * damage)
        trusted, damage = update_uncapped(trusted, damage, deviation, ceiling, rates)
        trusted = np.clip(trusted, 0.0, ceiling)
        recent = remember(recent, actions)
        actions = np.clip(actions + PACE * effects.sum(-1) - RETURN * (actions - BASELINE), 0.0, 1.0)
    return np.stack(path), np.stack(answers)


def measure(columns: Columns) -> Columns:
    """Return the metrics of the published sweep."""
    trust = columns["trust"]
    calm, answers = _run(columns, "fixed", trust)
    struck, _ = _run(columns, "fixed", trust, defects=True)
    high, low = (_run(columns, "fixed", np.full_like(trust, level))[0] for level in (0.9, 0.3))
    spread = {name: columns[name][:, None, None] for name in ("rho_0", "eta")}
    bounds = susceptibility(DEPENDENCE, 1.0, spread["rho_0"], spread["eta"], 0.0)
    return {
        "cooperation": calm[30].mean(-1),
        "asymmetry": bounds[:, 0, 1] / bounds[:, 1, 0],
        "greatest answer": np.abs(answers).max((0, 2)),
        "shortfall": (calm - struck)[DEFECTION + 1 : DEFECTION + 21, :, 0].sum(0),
        "trust matters": (high - low)[: 30 + 1].mean((0, 2)),
    }


def measure_memory(columns: Columns) -> Columns:
    """Return what a memory of k actions changes where conduct is compared with their mean, after a defection."""
    differences, steps = np.empty(len(columns["k"])), np.empty(len(columns["k"]))
    for window in np.unique(columns["k"]):
        rows = columns["k"] == window
        chosen = {name: values[rows] for name, values in columns.items()}
        calm, struck, short = (
            _run(chosen, "window", chosen["trust"], window=remembered_steps, defects=defects)[0]
            for remembered_steps, defects in ((int(window), False), (int(window), True), (1, True))
        )
        away = np.abs(calm - struck)[DEFECTION + 1 :, :, 0] > NEAR
        steps[rows] = np.where(away.any(0), len(away) - away[::-1].argmax(0), 0)
        differences[rows] = np.sqrt(((struck - short) ** 2).mean((0, 2)))
    return {"difference": differences, "steps until back": steps}


_QUICK, _FULL = 3, 5
_RANGES = {"rho_0": (0.5, 2.0), "eta": (0.8, 2.0), "kappa": (0.5, 2.0), "lambda_R": (0.5, 2.0), "trust": (0.3, 0.9)}
RECIPROCITY = Experiment(
    name="reciprocity",
    basis=case_hash("app-store"),
    grids={
        "quick": {name: np.linspace(*ends, _QUICK).tolist() for name, ends in _RANGES.items()},
        "full": {name: np.linspace(*ends, _FULL).tolist() for name, ends in _RANGES.items()},
    },
    metrics=(
        Metric("cooperation", "simulation", "mean action after 30 steps", lambda mean: mean > 0.53),
        Metric("asymmetry", "identity", "bounds of both answers, ratio 2^η", lambda ratio: ratio > 1.5),
        Metric("greatest answer", "identity", "part of its bound", lambda part: part <= 1.0),
        Metric(
            "shortfall",
            "simulation",
            "what a defection costs the other's action in 20 steps",
            lambda lost: lost > 0.005,
        ),
        Metric("trust matters", "simulation", "mean action of 30 steps, trust 0.9 less 0.3", lambda gap: gap > 0.005),
    ),
    measure=measure,
)
MEMORY = Experiment(
    name="memory",
    basis=case_hash("app-store"),
    grids={
        "quick": {
            "rho_0": (1.0,),
            "eta": (1.0,),
            "kappa": (1.0,),
            "lambda_R": (1.0,),
            "trust": (0.6,),
            "k": (1, 5, 10, 20),
        },
        "full": {
            **{name: np.linspace(*ends, _QUICK).tolist() for name, ends in _RANGES.items()},
            "k": (1, 5, 10, 15, 20),
        },
    },
    metrics=(
        Metric("difference", "simulation", "from a memory of one action, root mean square", lambda gap: gap >= 0.005),
        Metric("steps until back", "simulation", f"after a defection, of {STEPS - DEFECTION - 1}"),
    ),
    measure=measure_memory,
)
