"""Nearly right rollouts finished by a stronger player."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from coopgym.algorithms.common.settings import Settings, hyperparameter
from coopgym.algorithms.llm.kernels import scope
from coopgym.algorithms.llm.method.signals.decisions import window_reference_actions
from coopgym.algorithms.llm.method.signals.steps import TAU
from coopgym.algorithms.llm.method.slots import GroupTransform
from coopgym.algorithms.llm.method.training_services import Services
from coopgym.algorithms.llm.play.scripted_play import play_script, reference_play, resume
from coopgym.algorithms.llm.play.tasks import Task
from coopgym.algorithms.llm.play.trajectories import Batch, Group, Trajectory


@dataclass(frozen=True, kw_only=True)
class Repair(Settings, GroupTransform):
    """SCOPE (arXiv 2602.24110): a scripted oracle player goes on from just before a failed rollout's first error.

    Errors are turns with a low ``step_score``, a signal of the step model. What the helper arrives at replaces the
    failed member if it is right, and at most half of a group is replaced, so that the baseline still describes the
    policy. The helper's tokens are flagged off-policy; it writes calls and no thoughts, so that no template is learned.

    Attributes:
        tau: step score below which a turn is an error.
        min_prefix: smallest share of good turns before it.
        max_fix: most members repaired per group.
    """

    tau: float = hyperparameter(TAU, 0.0, 1.0)
    min_prefix: float = hyperparameter(0.5, 0.0, 1.0)
    max_fix: int = hyperparameter(1, 0)

    def apply(self, groups: list[Group], services: Services) -> list[Group]:
        return [self._repaired(group, services) for group in groups]

    def _repaired(self, group: Group, services: Services) -> Group:
        members = list(group.members)
        scores = Batch([group], 0).gather("step_score")
        # An answer that the step model leaves to the outcome is the error of a rollout that failed in nothing else.
        errors = [scope.first_error([score or 0.0 for score in row], self.tau) for row in scores]
        chosen = scope.select(
            errors,
            [max(1, len(member.turns)) for member in members],
            [member.correct for member in members],
            self.min_prefix,
            min(self.max_fix, len(members) // 2),
        )
        for place in chosen:
            turn = errors[place]
            assert turn is not None
            repaired = _finished(group.task, members[place], turn, services)
            if repaired.correct:
                members[place] = repaired
        return replace(group, members=members)


def _finished(task: Task, member: Trajectory, turn: int, services: Services) -> Trajectory:
    """Return a rollout that goes on from before one of its turns as the scripted oracle plays."""
    rollout = resume(task, member, turn, services.model, services.stream("repair", task.seed))
    own = len(rollout.ids)
    play_script(rollout, reference_play(window_reference_actions(task)))
    services.extra_tokens += len(rollout.ids) - own
    record = rollout.trajectory(task)
    return replace(record, off_policy=record.mask & (np.arange(len(record.ids)) >= own))
