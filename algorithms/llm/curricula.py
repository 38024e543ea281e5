"""Curricula: which tasks a step trains on, and which groups stay."""

from __future__ import annotations

from dataclasses import dataclass

from algorithms.llm.slots import Curriculum
from algorithms.llm.streams import stream
from algorithms.llm.tasks import Task, TaskSettings


@dataclass
class Uniform(Curriculum):
    """Tasks drawn uniformly: a step's tasks depend on the seed and the step alone."""

    settings: TaskSettings
    seed: int

    def tasks(self, count: int, step: int) -> list[Task]:
        rng = stream(self.seed, "tasks", step)
        return [self.settings.draw(rng) for _ in range(count)]
