"""Rejection: only rollouts worth imitating go on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from coopgym.algorithms.common.settings import Settings, hyperparameter
from coopgym.algorithms.llm.method.signals.steps import TAU
from coopgym.algorithms.llm.method.slots import GroupTransform
from coopgym.algorithms.llm.method.training_services import Services
from coopgym.algorithms.llm.play.trajectories import Batch, Group


@dataclass(frozen=True, kw_only=True)
class RejectionFilter(Settings, GroupTransform):
    """ProRAG's rejection fine-tuning (arXiv 2601.21912): keeps right rollouts none of whose turns is an error.

    The source asks for a non-negative logit of its learned step model; here a ``step_score`` has to be at least one
    half. Groups without such a rollout are left out.

    Attributes:
        tau: smallest score of a turn.
    """

    tau: float = hyperparameter(TAU, 0.0, 1.0)

    def apply(self, groups: list[Group], services: Services) -> list[Group]:
        kept = [
            [
                member
                for member, scores in zip(group.members, Batch([group], 0).gather("step_score"), strict=True)
                if member.correct and all(score is None or score >= self.tau for score in scores)
            ]
            for group in groups
        ]
        return [replace(group, members=members) for group, members in zip(groups, kept, strict=True) if members]
