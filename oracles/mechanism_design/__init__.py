"""Planners who must get others to act: whom to pay for information, how clear to make it, what to recommend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

InstanceT = TypeVar("InstanceT", contravariant=True)
PlanT = TypeVar("PlanT")


class Planner(Protocol[InstanceT, PlanT]):
    """The slot for what commits to a plan: a contract, a policy over beliefs, a mix within a budget."""

    def solve(self, instance: InstanceT, /) -> PlanT:
        """Return the best plan, or raise what says why there is none."""

    def audit(self, instance: InstanceT, plan: PlanT, /) -> Sequence[object]:
        """Return what is wrong with a plan, found without what found the plan: nothing where it is what it claims."""
