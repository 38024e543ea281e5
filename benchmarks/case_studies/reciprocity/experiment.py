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
TEAM = np.full((3, 3), 0.6) - 0.6 * np.eye(3)
"""Three who depend on one another alike. The published team is not described; this one's dependence is ours."""
BASELINE, START, PACE, RETURN = 0.3, 0.5, 0.15, 0.01
STEPS, TEAM_STEPS, DEFECTION, LOW = 61, 91, 10, 0.10
"""Steps of a run of two and of three; when the second actor defects, and to which action."""
WINDOWS, LAST = (1, 5, 10, 15, 20), 90
"""k, which does nothing in the published sweep but say when forgiveness is looked for: at step min(20 + 2k, 90)."""
LEVEL = 30
"""Steps after which the level of cooperation is taken."""
NEAR = 0.01
"""Distance from an undisturbed run, share of endowment, below which an actor has come back."""


def _run(
    columns: Columns,
    expectation: Expectation,
    trust: FloatArray,
    *,
    window: int = 1,
    defects: bool = False,
    dependence: FloatArray = DEPENDENCE,
    steps: int = STEPS,
) -> tuple[FloatArray, FloatArray]:
    """Actions and answers, both ``(steps, rows, N)``, of a run that begins with some trust ``(rows,)``."""
    p, rows, n = PlatformParameters(**load_case("app-store").parameters), len(trust), len(dependence)
    rates = TrustRates.from_parameters(NUMPY, dependence, p.lambda_plus, p.lambda_minus, p.mu_R, p.delta_R, p.psi)
    spread = {name: columns[name][:, None, None] for name in ("rho_0", "eta", "lambda_R")}
    susceptible = susceptibility(dependence, spread["lambda_R"], spread["rho_0"], spread["eta"], p.omega)
    actions, damage = np.full((rows, n), START), np.zeros((rows, n, n))
    recent = np.full((rows, window, n), BASELINE)
    trusted = np.where(np.eye(n) > 0.0, 1.0, trust[:, None, None])
    path, answers = [], []
    for t in range(steps):
        if defects and t == DEFECTION:
            actions = np.where(np.arange(n) == 1, LOW, actions)
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
        "cooperation": calm[LEVEL].mean(-1),
        "asymmetry": bounds[:, 0, 1] / bounds[:, 1, 0],
        "greatest answer": np.abs(answers).max((0, 2)),
        "shortfall": (calm - struck)[DEFECTION + 1 : DEFECTION + 21, :, 0].sum(0),
        "trust matters": (high - low)[: LEVEL + 1].mean((0, 2)),
        "forgiven": _forgiven(struck[..., 0], calm[LEVEL, :, 0]),
    }


def _forgiven(actions: FloatArray, cooperative: FloatArray) -> FloatArray:
    """Part of the windows k at whose step one has forgiven the other, from actions ``(steps, rows)`` and a level."""

    def at(step: int) -> FloatArray:
        now, trough = actions[step], actions[DEFECTION : step + 1].min(0)
        rises = (now > actions[step - 1]) & (now > 0.35)
        forgiven: FloatArray = (now > 0.5 * cooperative) | rises | (now > trough + 0.02)
        return forgiven

    return np.mean([at(min(20 + 2 * window, LAST)) for window in WINDOWS], axis=0)


def measure_company(columns: Columns) -> Columns:
    """Return how far reciprocity lifts what two and three play in the end, over what they play without."""
    without = {**columns, "rho_0": np.zeros_like(columns["rho_0"])}
    lifted = {}
    for name, dependence, steps in (("two", DEPENDENCE, STEPS), ("three", TEAM, TEAM_STEPS)):
        last, alone = (
            _run(each, "fixed", columns["trust"], dependence=dependence, steps=steps)[0][-1].mean(-1)
            for each in (columns, without)
        )
        lifted[name] = last / alone
    return lifted


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
        Metric("forgiven", "simulation", "part of the windows k at whose step a defection is forgiven"),
    ),
    measure=measure,
)
_ORDINARY = {"rho_0": (1.0,), "eta": (1.0,), "kappa": (1.0,), "lambda_R": (1.0,), "trust": (0.6,)}
COMPANY = Experiment(
    name="company",
    basis=case_hash("app-store"),
    grids={
        "quick": _ORDINARY,
        "full": {name: np.linspace(*ends, _QUICK).tolist() for name, ends in _RANGES.items()},
    },
    metrics=(
        Metric("two", "simulation", "last action of two, over that without reciprocity"),
        Metric("three", "simulation", "last action of three alike, over that without reciprocity"),
    ),
    measure=measure_company,
)
MEMORY = Experiment(
    name="memory",
    basis=case_hash("app-store"),
    grids={
        "quick": {**_ORDINARY, "k": (1, 5, 10, 20)},
        "full": {
            **{name: np.linspace(*ends, _QUICK).tolist() for name, ends in _RANGES.items()},
            "k": WINDOWS,
        },
    },
    metrics=(
        Metric("difference", "simulation", "from a memory of one action, root mean square", lambda gap: gap >= 0.005),
        Metric("steps until back", "simulation", f"after a defection, of {STEPS - DEFECTION - 1}"),
    ),
    measure=measure_memory,
)
