"""The value of a plan beside a bound on the value of every plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coopgym.oracles.dynamic.bounds.registry import bound_for
from coopgym.oracles.dynamic.planner import Plan
from coopgym.rewards import objective


@dataclass(frozen=True)
class Gap:
    """What a plan earns and what no plan can exceed."""

    lower: float
    """Value of the plan."""
    upper: float | None
    """Proved upper bound on the value of any plan from the same state; None without a proof."""
    reason: str
    """Why there is no bound; empty where there is one."""

    @property
    def relative(self) -> float | None:
        """(upper - lower) / upper; None without a bound."""
        return None if self.upper is None else (self.upper - self.lower) / abs(self.upper)


def certified_gap(plan: Plan, device: Any = "cpu") -> Gap:
    """Return the value of a plan beside a proved upper bound on every plan's value from the same state.

    Args:
        plan: of `coopgym.oracles.dynamic.planner`.
        device: where gradients are computed.

    >>> from coopgym.oracles.dynamic.planner import QUICK, plan
    >>> found = plan(coopgym.make_game("TrustDilemma-v1", max_steps=4), "cooperative", budget=QUICK, agents=())
    >>> gap = certified_gap(found)
    >>> round(gap.lower, 2), round(gap.upper, 2)  # no plan whatever earns more than the second
    (14.48, 14.57)
    """
    bound = bound_for(plan.game)(plan, objective(plan.reward))
    reason = bound.refusal()
    if reason:
        return Gap(plan.value, None, reason)
    return Gap(plan.value, float(plan.seat_weights[0]) * bound.value(device), "")
