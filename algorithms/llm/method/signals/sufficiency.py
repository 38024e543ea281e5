"""Where a dialogue already holds what its answer needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from coopgym.algorithms.common.settings import Settings, hyperparameter
from coopgym.algorithms.llm.method.credit.tokens import answer_turn
from coopgym.algorithms.llm.method.signals.beliefs import in_rows
from coopgym.algorithms.llm.method.signals.decisions import decisions
from coopgym.algorithms.llm.method.signals.steps import levels_tried
from coopgym.algorithms.llm.method.slots import Signal
from coopgym.algorithms.llm.method.training_services import Services
from coopgym.algorithms.llm.play.reference_actions import DELTA, GRID, correct
from coopgym.algorithms.llm.play.tasks import Task
from coopgym.algorithms.llm.play.trajectories import Batch, Trajectory


@dataclass(frozen=True, kw_only=True)
class StepJudge(Settings, Signal):
    """DECS (arXiv 2509.25827): ``nrp_end``, where necessary thinking ends, and ``think_end``, where all of it does.

    Both are token offsets, None where no turn was sufficient or where the rollout does not answer. Chunks are turns,
    and a rule takes the judge's place [ours]: a turn is sufficient if after it the policy believes in the oracle's
    level, up to δ, with more than ``threshold``, or if it asked about such a level. Of several decisions the last one
    counts: the others are necessary. Wrong rollouts, which have no necessary part, are not judged.

    Attributes:
        threshold: belief that suffices; 1 asks for no beliefs, which cost a pass over all levels per turn.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"policy_logprob", "gold", "step_judge"})
    fills: ClassVar[frozenset[str]] = frozenset({"nrp_end", "think_end"})
    threshold: float = hyperparameter(0.5, 0.0, 1.0)

    def annotate(self, batch: Batch, services: Services) -> None:
        right: list[tuple[Trajectory, range, float]] = []
        for task, member in zip(batch.tasks, batch.trajectories, strict=True):
            answer = answer_turn(member)
            member.signals["nrp_end"] = None
            member.signals["think_end"] = None if answer is None else member.turns[answer].start
            if member.correct and answer is not None:
                right.append((member, *_thinking(task, member)))
        beliefs = self._beliefs(right, services)
        for (member, turns, reference), row in zip(right, beliefs, strict=True):
            for turn, belief in zip(turns, row, strict=True):
                tried = levels_tried(member.turns[turn])
                if belief > self.threshold or any(correct(level, reference) for level in tried):
                    member.signals["nrp_end"] = member.turns[turn].end
                    break

    def _beliefs(self, judged: list[tuple[Trajectory, range, float]], services: Services) -> list[list[float]]:
        """Return the policy's probability of a correct answer after each turn."""
        if self.threshold == 1.0:
            return [[0.0] * len(turns) for _, turns, _ in judged]
        contexts = [member.context(turn + 1) for member, turns, _ in judged for turn in turns]
        distributions = services.answer_distribution(contexts)
        rows = in_rows(distributions, [len(turns) for _, turns, _ in judged])
        return [
            row[:, np.abs(GRID - reference) <= DELTA + 1e-9].sum(1).tolist()
            for row, (_, _, reference) in zip(rows, judged, strict=True)
        ]


def _thinking(task: Task, member: Trajectory) -> tuple[range, float]:
    """Return the turns of the last decision before the one that answers, and what is right in it."""
    last = decisions(task, member)[-1]
    return last.turns[:-1], last.reference_action
