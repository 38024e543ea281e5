"""The arithmetic of planners as pure functions, for worked examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.oracles.mechanism_design.herd import Aim, Herd, finite_horizon
from coopgym.oracles.mechanism_design.hidden_exploration import HiddenExploration
from coopgym.oracles.mechanism_design.hiring import HiringPlanner, HiringProblem


def hiring(
    cost: Sequence[npt.ArrayLike],
    prior: npt.ArrayLike,
    signal: Sequence[npt.ArrayLike],
    utility: npt.ArrayLike,
    pay_cap: float,
    ic_slack: float = 0.0,
    report_mix: bool = False,
) -> dict[str, Any]:
    """The best contract for information gatherers with independent signals."""
    problem = HiringProblem.independent(cost, prior, signal, utility, pay_cap)
    contract = HiringPlanner(slack=ic_slack).solve(problem)
    names = {"".join(map(str, profile)): profile for profile in problem.profiles()}
    found: dict[str, Any] = {
        "principal_value": contract.value,
        "decision_value_by_effort": {name: float(problem.values[profile]) for name, profile in names.items()},
    }
    if report_mix:
        found["effort_mix"] = {name: float(contract.mix[profile]) for name, profile in names.items()}
        found["expected_payments"] = contract.paid
    return found


def herd_update(beliefs: Sequence[float], precisions: Sequence[float]) -> dict[str, Any]:
    """One agent's choice and the beliefs after it, by belief and precision."""
    step = Herd().step(beliefs, precisions)
    steps = []
    for row in range(len(beliefs)):
        outcomes = [
            {"prob": float(chance), "belief": float(after), "action": action}
            for chance, after, action in zip(step.chances[row], step.beliefs[row], "GB", strict=True)
            if chance > 0.0
        ]
        steps.append({"outcomes": outcomes, "p_wrong": float(step.wrong[row]), "p_B": float(step.chances[row, 1])})
    return {"steps": steps}


def herd_programme(
    precisions: Sequence[float],
    baseline: float,
    k: float,
    C: float,
    discount: float,
    horizon: int,
    planner: Aim,
    beliefs: Sequence[float],
    augment: bool = False,
) -> dict[str, Any]:
    """Values and first precisions of a planner with a number of agents to come."""
    herd = Herd(planner, baseline, k, (C, C), C, discount)
    values, first = finite_horizon(herd, beliefs, horizon, precisions, least_following=augment)
    return {"values": values.tolist(), "first_precision": first.tolist()}


def hidden_exploration(prior1: Sequence[float], prior2: Sequence[float], N0: int) -> dict[str, Any]:
    """Posterior gaps after samples of the better arm, and the sufficient chance of exploring."""
    advice = HiddenExploration((prior1[0], prior1[1]), (prior2[0], prior2[1]), N0)
    chance = advice.threshold(conservative=True)
    return {
        "prior_means": list(advice.means),
        "gap_by_successes": advice.gaps.tolist(),
        "prob_by_successes": advice.chances.tolist(),
        "expected_positive_gap": advice.positive_gap,
        "eps_max": chance,
        "explore_every": float(np.divide(1.0, chance)),
    }


KERNELS: Mapping[str, Callable[..., Any]] = {
    "hiring": hiring,
    "herd-update": herd_update,
    "herd-dp": herd_programme,
    "hidden-exploration": hidden_exploration,
}
"""Functions of named inputs by the ids of their worked examples."""
