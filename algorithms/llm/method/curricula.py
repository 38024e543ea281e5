"""Curricula: which tasks a step trains on, and which groups stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from coopgym.algorithms.llm.kernels import decs, h1
from coopgym.algorithms.llm.kernels.validation import number, whole_number
from coopgym.algorithms.llm.method.credit.positions import necessary_share
from coopgym.algorithms.llm.method.slots import Curriculum, State
from coopgym.algorithms.llm.method.streams import stream
from coopgym.algorithms.llm.play.tasks import Task, TaskSettings
from coopgym.algorithms.llm.play.trajectories import Batch, Group


@dataclass
class Uniform(Curriculum):
    """Tasks drawn uniformly: a step's tasks depend on the seed and the step alone.

    Attributes:
        settings: of all tasks.
        seed: of the draws.
    """

    settings: TaskSettings
    seed: int

    def tasks(self, count: int, step: int) -> list[Task]:
        rng = stream(self.seed, "tasks", step)
        return [self.settings.draw(rng) for _ in range(count)]


@dataclass
class MixedOnly(Uniform):
    """Drops groups whose members all earn the same: they say nothing (dynamic sampling, DAPO, arXiv 2503.14476)."""

    def compose(self, groups: list[Group]) -> list[Group]:
        return [group for group in groups if len({member.outcome for member in group.members}) > 1]


@dataclass
class EasyGate(Uniform):
    """Lets easy prompts in as far as redundancy is left; hopeless ones stay out (DECS, arXiv 2509.25827).

    Attributes:
        rate: how fast the gate κ follows the share of necessary reasoning.
        cap: largest κ.
    """

    rate: float = 0.2
    cap: float = 0.9
    kappa: float = field(default=0.0, init=False)
    ratio: float = field(default=0.5, init=False)

    def __post_init__(self) -> None:
        number("rate", self.rate, 0.0)
        number("cap", self.cap, 0.0, 1.0)

    def compose(self, groups: list[Group]) -> list[Group]:
        right = [np.mean([member.correct for member in group.members]) for group in groups]
        mixed = [group for group, share in zip(groups, right, strict=True) if 0.0 < share < 1.0]
        easy = [group for group, share in zip(groups, right, strict=True) if share == 1.0]
        return mixed + easy[: decs.mix(len(mixed), len(easy), self.kappa)]

    def update(self, batch: Batch) -> None:
        ratio = necessary_share(batch.trajectories)
        self.kappa = decs.kappa(self.kappa, ratio, self.ratio, self.rate, self.cap)
        self.ratio = ratio

    def state_dict(self) -> State:
        return {"kappa": self.kappa, "ratio": self.ratio}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.kappa, self.ratio = state["kappa"], state["ratio"]


@dataclass
class Horizons(Uniform):
    """Windows of more and more decisions, of which only the last is paid (h1, arXiv 2510.07312).

    Each decision's state follows from the answers before it, so a chain of decisions is the composition that the method
    asks for.

    Attributes:
        longest: decisions of the last stage.
        least_steps: steps before a stage may end.
        most_steps: steps after which it ends.
        threshold: recent share of right answers at which it may end.
    """

    longest: int = 3
    least_steps: int = 10
    most_steps: int = 20
    threshold: float = 0.7
    stage: int = field(default=1, init=False)
    steps_in_stage: int = field(default=0, init=False)
    success: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        whole_number("longest", self.longest, 1)
        whole_number("least_steps", self.least_steps, 0)
        whole_number("most_steps", self.most_steps, max(1, self.least_steps))
        number("threshold", self.threshold, 0.0, 1.0)

    def tasks(self, count: int, step: int) -> list[Task]:
        rng = stream(self.seed, "tasks", step)
        chained = replace(self.settings, decisions=self.stage, outcome="final")
        return [chained.draw(rng) for _ in range(count)]

    def update(self, batch: Batch) -> None:
        self.success = float(np.mean([member.correct for member in batch.trajectories]))
        self.steps_in_stage += 1
        following = h1.stage(
            self.stage,
            self.steps_in_stage,
            [self.success],
            min(self.longest, self.settings.made.spec.horizon),
            self.least_steps,
            self.most_steps,
            self.threshold,
        )
        if following != self.stage:
            self.stage, self.steps_in_stage = following, 0

    def state_dict(self) -> State:
        return {"stage": self.stage, "steps_in_stage": self.steps_in_stage, "success": self.success}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.stage, self.steps_in_stage, self.success = state["stage"], state["steps_in_stage"], state["success"]
