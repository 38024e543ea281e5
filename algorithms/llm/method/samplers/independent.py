"""Independent sampling: G rollouts of one task from one start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coopgym.algorithms.llm.method.slots import Sampler
from coopgym.algorithms.llm.method.training_services import Services
from coopgym.algorithms.llm.play.conversation import Rollout, converse
from coopgym.algorithms.llm.play.tasks import Task
from coopgym.algorithms.llm.play.trajectories import Group


@dataclass(frozen=True)
class Independent(Sampler):
    """G rollouts per task, all decoded together; they share start, partners and their chance."""

    def sample(self, tasks: Sequence[Task], size: int, services: Services, step: int) -> list[Group]:
        members = [
            [
                Rollout.of_task(task, services.model, services.stream("rollout", step, number, member))
                for member in range(size)
            ]
            for number, task in enumerate(tasks)
        ]
        converse([rollout for group in members for rollout in group], services.decoding)
        return [
            Group(task, [rollout.trajectory(task) for rollout in rollouts])
            for task, rollouts in zip(tasks, members, strict=True)
        ]
