"""Outcome-based exploration: bonuses for rare answers and penalties for repeated ones (arXiv 2509.06941)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from coopgym.algorithms.common.settings import hyperparameter
from coopgym.algorithms.llm.kernels import core, exploration
from coopgym.algorithms.llm.kernels.validation import choice
from coopgym.algorithms.llm.method.credit.answers import Answer, answer_of
from coopgym.algorithms.llm.method.credit.rewards import Rewarded
from coopgym.algorithms.llm.method.credit.tokens import by_turn, per_group
from coopgym.algorithms.llm.method.slots import State
from coopgym.algorithms.llm.play.trajectories import Batch, Credit, Group
from coopgym.typing import FloatArray

History = Literal["con", "mean", "naive", "none"]
CountedBy = Literal["cluster", "uid"]


@dataclass(frozen=True, kw_only=True)
class OutcomeExploration(Rewarded):
    """The group's z-score, plus ``c·b`` on reasoning tokens; answers themselves keep the task's advantage.

    A turn that answers is the answer; all others reason. Answers are counted in δ-bins, after the batch has been
    credited.

    Attributes:
        c: weight of the bonus.
        history: bonus for answers rarely seen so far: ``"con"`` less a constant, ``"mean"`` less the others' mean,
            ``"naive"`` as it is, ``"none"``.
        batch: take a penalty for answers that repeat inside the group.
        b0: the constant of ``"con"``.
        by: what counts are kept by; tasks of one cluster share answers, single tasks may never come again.
        eps: added to the group's standard deviation.
    """

    c: float = hyperparameter(0.1, 0.0)
    history: History = "con"
    batch: bool = False
    b0: float = hyperparameter(0.5, 0.0)
    by: CountedBy = "cluster"
    eps: float = hyperparameter(1e-6, 0.0)
    counts: Counter[tuple[str, Answer]] = field(default_factory=Counter, init=False, repr=False, compare=False)
    """Times that each answer was given, by kind of task."""

    def __post_init__(self) -> None:
        super().__post_init__()
        choice("history", self.history, get_args(History))
        choice("by", self.by, get_args(CountedBy))

    def assign(self, batch: Batch) -> Credit:
        task = core.group_zscore(self.worth(batch), batch.group, eps=self.eps)
        rows: list[FloatArray] = []
        bonuses: list[FloatArray] = []
        for group, advantages in zip(batch.groups, per_group(batch, task), strict=True):
            bonus = self._bonus(group)
            right = [member.correct for member in group.members]
            found = exploration.combine(advantages, bonus, right, self.c)
            bonuses.append(bonus)
            rows += [
                np.array([answer if turn.kind == "answer" else reasoning for turn in member.turns])
                for member, reasoning, answer in zip(group.members, found["reasoning"], found["answer"], strict=True)
            ]
        for group in batch.groups:
            self.counts.update(self._keys(group))
        return Credit.single(
            batch,
            by_turn(batch, rows),
            metrics={"bonus": float(np.mean(np.concatenate(bonuses))), "answers_seen": float(len(self.counts))},
        )

    def reset(self) -> None:
        """Forget all counts, as after a change of partners, which may make old answers new again."""
        self.counts.clear()

    def state_dict(self) -> State:
        return {
            "counts": [
                [kind, None if answer is None else list(answer), count] for (kind, answer), count in self.counts.items()
            ]
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.counts.clear()
        for kind, answer, count in state["counts"]:
            self.counts[kind, None if answer is None else tuple(answer)] = count

    def _keys(self, group: Group) -> list[tuple[str, Answer]]:
        kind: str = getattr(group.task, self.by)
        return [(kind, answer_of(member)) for member in group.members]

    def _bonus(self, group: Group) -> FloatArray:
        keys = self._keys(group)
        bonus = np.zeros(len(keys))
        if self.history != "none":
            bonus += exploration.historical([self.counts[key] for key in keys], self.history, self.b0)
        if self.batch:
            bonus += exploration.batch([answer for _, answer in keys])
        return bonus
