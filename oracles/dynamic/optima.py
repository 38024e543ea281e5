"""What a whole episode can be worth: the best plan of each reward mode beside everything it is measured against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from coopgym.games.game import AnyGame
from coopgym.oracles.dynamic.baseline_plans import BaselinePlan
from coopgym.oracles.dynamic.bounds import Gap, certified_gap
from coopgym.oracles.dynamic.grim import GrimEquilibrium, grim_equilibrium
from coopgym.oracles.dynamic.planner import MODES, Budget, Plan, plan_modes
from coopgym.oracles.games.dilemma import worst
from coopgym.oracles.games.equilibrium import find_equilibria
from coopgym.oracles.games.normal_form import CommitmentGame

KINDS = {
    "best_constant": ("Constant_", "BestConstant["),
    "best_oracle": ("Oracle_",),
}
"""Baseline plans by the beginning of their names; all others are heuristics."""


@dataclass(frozen=True, eq=False)
class DynamicOptimum:
    """The best plan found for one reward mode."""

    plan: Plan
    gap: Gap

    def best(self, kind: str) -> BaselinePlan | None:
        """The best plan of kind ``"best_constant"``, ``"best_heuristic"`` or ``"best_oracle"``, None without one."""
        reward, weights = self.plan.reward, self.plan.seat_weights
        candidates = [baseline for baseline in self.plan.baseline_plans.plans if kind_of(baseline) == kind]
        return max(candidates, key=lambda found: float((found.returns[reward] * weights).sum()), default=None)


def kind_of(baseline: BaselinePlan) -> str:
    """What sort of play a baseline plan is."""
    return next((kind for kind, starts in KINDS.items() if baseline.name.startswith(starts)), "best_heuristic")


def dynamic_optima(
    game: AnyGame, rewards: Sequence[str] = MODES, budget: Budget | None = None, agents: Sequence[str] | None = None
) -> dict[str, DynamicOptimum]:
    """Plan an episode under each reward mode, with proved upper bounds where there are any.

    Args:
        game: on the NumPy backend.
        rewards: reward modes.
        budget: how much to compute; None is the full budget.
        agents: names whose self-play is a baseline; None is every registered agent but planners.

    Raises:
        ValueError, ImportError: as `coopgym.oracles.dynamic.planner.plan_modes`.
    """
    plans = plan_modes(game, rewards, budget=budget, agents=agents)
    return {mode: DynamicOptimum(plan, certified_gap(plan)) for mode, plan in plans.items()}


def deterrence(game: AnyGame, plan: Plan) -> GrimEquilibrium | None:
    """Test whether reverting to the worst private commitment equilibrium deters leaving a plan; None without one."""
    reversion = worst(find_equilibria(CommitmentGame(game, "private")))
    return None if reversion is None else grim_equilibrium(game, plan.shares, reversion.profile, "private")


def dynamic_record(optimum: DynamicOptimum) -> dict[str, Any]:
    """Return a dynamic optimum as plain data."""
    plan, gap = optimum.plan, optimum.gap
    record: dict[str, Any] = {
        "game": plan.game.spec.id,
        "reward": plan.reward,
        "value": plan.value,
        "returns": plan.returns.tolist(),
        "upper_bound": gap.upper,
        "relative_gap": gap.relative,
        "no_bound_because": gap.reason or None,
        "status": plan.status,
        "residual": plan.residual,
        "restarts_agreeing": [plan.agreeing, plan.restarts],
        "origin": plan.origin,
        "refused": plan.baseline_plans.refused,
        "shares": plan.shares.round(6).tolist(),
    }
    for kind in ("best_constant", "best_heuristic", "best_oracle"):
        found = optimum.best(kind)
        total = None if found is None else float((found.returns[plan.reward] * plan.seat_weights).sum())
        record[kind] = None if found is None else {"name": found.name, "value": total}
    return record
