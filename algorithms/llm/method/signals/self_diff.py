"""Where a failed rollout first went wrong, and what the scripted reference would have done there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from coopgym.algorithms.llm.kernels import scope
from coopgym.algorithms.llm.method.signals.decisions import turn_reference_actions
from coopgym.algorithms.llm.method.signals.steps import TAU, own_levels, step_scores
from coopgym.algorithms.llm.method.slots import Signal
from coopgym.algorithms.llm.method.training_services import Services
from coopgym.algorithms.llm.play.scripted_play import missing_calls, resume, written
from coopgym.algorithms.llm.play.tasks import Task
from coopgym.algorithms.llm.play.trajectories import Batch, Trajectory


@dataclass(frozen=True)
class SelfDiff(Signal):
    """InT (arXiv 2601.14209): ``first_error``, the first wrong turn, and ``correction`` of failed rollouts, or None.

    The scripted trace is the reference solution, and a rule takes the place of the model's comparison with it [ours]:
    wrong is the first turn whose step score is below one half, as it asks about an irrelevant level, repeats itself,
    cannot be carried out or submits too early. The correction is the reference's next call that tries a level.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"gold"})
    fills: ClassVar[frozenset[str]] = frozenset({"first_error", "correction"})

    def annotate(self, batch: Batch, services: Services) -> None:
        for task, member in zip(batch.tasks, batch.trajectories, strict=True):
            turn = None if member.correct else scope.first_error(step_scores(task, member), TAU)
            correction = None if turn is None else _next_try(task, member, turn, services)
            member.signals |= {"first_error": turn, "correction": correction}


def _next_try(task: Task, member: Trajectory, turn: int, services: Services) -> str | None:
    """Return the message of the reference's next call that tries a level; None if it has tried all that it would."""
    dialogue = resume(task, member, turn, services.model, services.stream("diff")).session.dialogues[-1]
    left = missing_calls(dialogue, turn_reference_actions(task, member)[turn])
    tries = [call for call in left if own_levels(call)]
    return written(dialogue, (tries[0],)) if tries else None
