"""The optimum of the repeated game: one planner, all seats, the whole horizon.

The games are deterministic given their hidden draws and payoff noise has mean zero, so an open-loop plan is as good as
any joint policy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from coopgym.games.game import AnyGame
from coopgym.games.state import State
from coopgym.oracles.dynamic.baseline_plans import BaselinePlan, BaselinePlans, of_problem
from coopgym.oracles.dynamic.planner_search import CONVERGED, QUICK, Budget, PlanSearch
from coopgym.oracles.dynamic.planning import PlanningProblem
from coopgym.rewards import RewardLayer, objective
from coopgym.typing import FloatArray

__all__ = ["QUICK", "Budget", "Plan", "plan", "plan_modes"]

MODES = ("private", "integrated", "cooperative")
AGREEMENT = 1e-3
"""Relative difference in value up to which two searches count as having found the same."""


@dataclass(frozen=True, eq=False)
class Plan:
    """The best joint plan that was found, for one reward mode."""

    game: AnyGame
    reward: str
    start: State
    seat_weights: FloatArray
    """``(N,)`` weights of the seats' returns in the value."""
    shares: FloatArray
    """``(steps, N)`` of endowment."""
    returns: FloatArray
    """``(N,)`` undiscounted returns."""
    value: float
    """Weighted sum of the returns."""
    status: Literal["converged", "stopped"]
    """Whether the projected gradient vanishes; plans that rest on a kink or a threshold of the game say "stopped"."""
    residual: float
    """Largest entry of the projected gradient, payoff units per share of endowment."""
    restarts: int
    """Searches by gradient ascent."""
    agreeing: int
    """How many of them ended within a relative difference of 1e-3 of the value."""
    origin: str
    """The start that led here."""
    baseline_plans: BaselinePlans
    """What was beaten or met."""

    def beaten(self, prefix: str = "") -> BaselinePlan:
        """Return the best baseline plan whose name starts with ``prefix``, such as ``"Constant_"``."""
        return self.baseline_plans.best(self.reward, self.seat_weights, prefix)


def plan(
    game: AnyGame,
    reward: str | RewardLayer = "cooperative",
    state: State | None = None,
    *,
    starts: Mapping[str, npt.ArrayLike] | None = None,
    seat_weights: npt.ArrayLike | None = None,
    agents: Sequence[str] | None = None,
    budget: Budget | None = None,
    seed: int = 0,
    device: Any = "cpu",
) -> Plan:
    """Return the best plan for one reward mode; arguments as in `plan_modes`."""
    layer = objective(reward)
    options: dict[str, Any] = {"starts": starts, "seat_weights": seat_weights, "agents": agents, "budget": budget}
    return plan_modes(game, (layer,), state, **options, seed=seed, device=device)[layer.name]


def plan_modes(
    game: AnyGame,
    rewards: Sequence[str | RewardLayer] = MODES,
    state: State | None = None,
    *,
    starts: Mapping[str, npt.ArrayLike] | None = None,
    seat_weights: npt.ArrayLike | None = None,
    agents: Sequence[str] | None = None,
    budget: Budget | None = None,
    seed: int = 0,
    device: Any = "cpu",
) -> dict[str, Plan]:
    """Return the best plans for several reward modes, which share their batches.

    Baseline plans, ramps and a cross-entropy search supply starts; gradient ascent through the simulator climbs from
    the best of them; a quasi-Newton method and a sweep over stretches and last steps finish the best. The plan of a mode
    is never worse than any candidate met on the way, those of other modes included.

    Args:
        game: on the NumPy backend.
        rewards: reward modes.
        state: a single state to plan from; None is the initial state with hidden draws at their medians.
        starts: further plans by name, each ``(steps, N)`` or ``(N,)`` shares of endowment.
        seat_weights: ``(N,)`` non-negative weights of the seats' returns; None weighs all equally.
        agents: names whose self-play serves as baselines; None is every registered agent but planners.
        budget: how much to compute; None is the full budget, `QUICK` a first look.
        seed: root of all draws; the same seed gives the same plan.
        device: where gradients are computed.

    Raises:
        ValueError: the problem cannot be posed, or a start does not fit it.
        ImportError: torch is not installed.
    """
    problem = PlanningProblem(game, rewards, state, seat_weights)
    search = PlanSearch(problem, budget or Budget(), np.random.default_rng(seed), device)
    search.meet(_checked_starts(problem, starts or {}))
    standards = of_problem(problem, agents, seed)
    search.meet({baseline.name: baseline.shares for baseline in standards.plans})
    search.run()
    return {layer.name: _result(search, m, standards) for m, layer in enumerate(problem.layers)}


def _result(search: PlanSearch, objective: int, standards: BaselinePlans) -> Plan:
    """The best plan met under one objective."""
    problem, row, residual = search.problem, search.best(objective), search.residual(objective)
    value, shares = float(search.values[objective, row]), search.plans[:, row].copy()
    ascended = search.ascended[search.same[objective]]
    return Plan(
        game=problem.game,
        reward=problem.layers[objective].name,
        start=problem.start,
        seat_weights=problem.seat_weights,
        shares=shares,
        returns=problem.returns(shares[:, None])[objective, 0],
        value=value,
        status="converged" if residual <= CONVERGED else "stopped",
        residual=residual,
        restarts=len(ascended),
        agreeing=int((ascended >= value - AGREEMENT * abs(value)).sum()),
        origin=search.names[row],
        baseline_plans=standards,
    )


def _checked_starts(problem: PlanningProblem, starts: Mapping[str, npt.ArrayLike]) -> dict[str, FloatArray]:
    shape = (problem.steps, problem.n_agents)
    checked = {}
    for name, given in starts.items():
        array = np.asarray(given, dtype=np.float64)
        if array.shape not in (shape, shape[1:]) or not ((array >= 0.0) & (array <= 1.0)).all():
            raise ValueError(f"start {name!r}: expected shares in [0, 1] of shape {shape} or {shape[1:]}")
        checked[name] = np.broadcast_to(array, shape).copy()
    return checked
