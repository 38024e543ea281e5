"""Rejection: only rollouts worth imitating go on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from algorithms.llm.data import Group
from algorithms.llm.services import Services
from algorithms.llm.signals.steps import TAU, step_scores
from algorithms.llm.slots import GroupTransform
from algorithms.marl.hyperparameters import Hyperparameters, hyperparameter


@dataclass(frozen=True, kw_only=True)
class RejectionFilter(Hyperparameters, GroupTransform):
    """ProRAG's rejection fine-tuning (arXiv 2601.21912): keeps right rollouts none of whose turns is an error.

    The source asks for a non-negative logit of its learned step model; here it is a step score of at least one half.
    Groups without such a rollout are left out.

    Attributes:
        tau: smallest score of a turn.
    """

    tau: float = hyperparameter(TAU, 0.0, 1.0)

    def apply(self, groups: list[Group], services: Services) -> list[Group]:
        kept = [
            [
                member
                for member in group.members
                if member.correct and (step_scores(group.task, member) >= self.tau).all()
            ]
            for group in groups
        ]
        return [replace(group, members=members) for group, members in zip(groups, kept, strict=True) if members]
