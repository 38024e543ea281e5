"""Failed rollouts cut before their first error and given one corrected turn to learn from."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from coopgym.algorithms.common.settings import Settings, hyperparameter
from coopgym.algorithms.llm.kernels import intervention
from coopgym.algorithms.llm.method.signals.decisions import turn_reference_actions
from coopgym.algorithms.llm.method.slots import GroupTransform
from coopgym.algorithms.llm.method.training_services import Services
from coopgym.algorithms.llm.play.conversation import Rollout
from coopgym.algorithms.llm.play.scripted_play import resume, say
from coopgym.algorithms.llm.play.tasks import Task
from coopgym.algorithms.llm.play.trajectories import Batch, Group, Trajectory

_NUMBER = re.compile(r"(\d*\.\d+|\d+)\s*(%?)")


@dataclass(frozen=True, kw_only=True)
class InterventionPatch(Settings, GroupTransform):
    """InT (arXiv 2601.14209): groups without success become examples, a rollout's own beginning and one correction.

    Errors and corrections are signals of `SelfDiff`. Corrections that tell the oracle's level are discarded, and so are
    those after which no continuation of the policy succeeds. An example's outcome is the share
    that did; the correction is flagged as written by somebody else. Groups without an example are left out.

    Attributes:
        continuations: rollouts that test a correction; the source takes 32.
        min_successes: how many of them must be right.
        per_group: most examples of a group.
        hard_only: leave out groups in which somebody was right.
    """

    continuations: int = hyperparameter(8, 1)
    min_successes: int = hyperparameter(1, 1)
    per_group: int = hyperparameter(1, 1)
    hard_only: bool = True

    def apply(self, groups: list[Group], services: Services) -> list[Group]:
        drafts = [
            (number, draft)
            for number, group in enumerate(groups)
            if not (self.hard_only and any(member.correct for member in group.members))
            for draft in self._drafts(group, services)
        ]
        tests = [[draft.branch(chance) for chance in draft.stream.spawn(self.continuations)] for _, draft in drafts]
        services.converse([test for row in tests for test in row])
        successes = [
            sum(test.trajectory(groups[number].task).correct for test in row)
            for (number, _), row in zip(drafts, tests, strict=True)
        ]
        examples: dict[int, list[Trajectory]] = {}
        for k in intervention.keep([False] * len(drafts), successes, self.min_successes):
            number, draft = drafts[k]
            example = _example(groups[number].task, draft, successes[k] / self.continuations)
            examples.setdefault(number, []).append(example)
        return [Group(groups[number].task, members) for number, members in examples.items()]

    def _drafts(self, group: Group, services: Services) -> list[Rollout]:
        """Return rollouts of a group as they stand after a correction."""
        Batch([group], 0).gather("correction")
        found: list[Rollout] = []
        for place, member in enumerate(group.members):
            if len(found) == self.per_group:
                break
            turn, correction = member.signals["first_error"], member.signals["correction"]
            if correction is None or leaks(correction, turn_reference_actions(group.task, member)[turn]):
                continue
            chance = services.stream("continuation", group.task.seed, place)
            draft = resume(group.task, member, turn, services.model, chance)
            if say(draft, correction):
                found.append(draft)
        return found


def leaks(text: str, reference: float) -> bool:
    """Whether a text contains a level to two decimals, also as a percentage."""
    numbers = [float(digits) / (100.0 if percent else 1.0) for digits, percent in _NUMBER.findall(text)]
    return any(abs(number - round(reference, 2)) < 0.005 for number in numbers)


def _example(task: Task, draft: Rollout, outcome: float) -> Trajectory:
    record = draft.trajectory(task)
    corrected = np.arange(len(record.ids)) >= record.turns[-1].start
    return replace(record, outcome=outcome, off_policy=corrected & record.mask)
