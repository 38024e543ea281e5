"""How good each turn of a dialogue is, judged exactly by what it does for finding the oracle's level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from coopgym.algorithms.llm.method.signals.decisions import decisions
from coopgym.algorithms.llm.method.slots import Signal
from coopgym.algorithms.llm.method.training_services import Services
from coopgym.algorithms.llm.play.reference_actions import DELTA, correct, graded
from coopgym.algorithms.llm.play.tasks import Task
from coopgym.algorithms.llm.play.trajectories import Batch, ToolCall, Trajectory, Turn
from coopgym.interfaces.text import on_grid
from coopgym.typing import FloatArray

TAU = 0.5
"""Score below which a turn is an error."""


@dataclass(frozen=True)
class StepModel(Signal):
    """ProRAG, PPR, SCOPE: ``step_score`` ``(T,)`` in [0, 1], and ``step_format`` ``(T,)``, whether all calls were fine.

    An oracle-based scorer stands in for the sources' learned models; see `decision_scores`.

    Attributes:
        answers: score the turns that answer, too; without, they are None, as PPR has it.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"gold"})
    fills: ClassVar[frozenset[str]] = frozenset({"step_score", "step_format"})
    answers: bool = True

    def annotate(self, batch: Batch, services: Services) -> None:
        for task, member in zip(batch.tasks, batch.trajectories, strict=True):
            member.signals["step_score"] = [
                float(score) if self.answers or turn.kind != "answer" else None
                for turn, score in zip(member.turns, step_scores(task, member), strict=True)
            ]
            member.signals["step_format"] = np.array([_well_formed(turn) for turn in member.turns], dtype=bool)


@dataclass(frozen=True)
class Bracket:
    """The tightest interval around the oracle's level whose ends have been tried; at first just beyond all levels."""

    low: float = -DELTA
    high: float = 1.0 + DELTA

    @property
    def width(self) -> float:
        """Distance of the ends, 0 where the level itself was tried."""
        return self.high - self.low

    def narrowed(self, reference: float, tried: Sequence[float]) -> Bracket:
        """Return the bracket after some levels were tried."""
        return Bracket(
            max([self.low, *(level for level in tried if level <= reference)]),
            min([self.high, *(level for level in tried if level >= reference)]),
        )


def step_scores(task: Task, member: Trajectory) -> FloatArray:
    """Return the score of every turn of a rollout, ``(T,)`` in [0, 1]."""
    most = task.settings.rules.max_turns
    rows = [
        decision_scores([member.turns[turn] for turn in decision.turns], decision.reference_action, most)
        for decision in decisions(task, member)
    ]
    return np.concatenate([np.zeros(0), *rows])


def decision_scores(turns: Sequence[Turn], reference: float, max_turns: int) -> FloatArray:
    """Return the score of every turn of one decision, ``(T,)`` in [0, 1].

    A turn that answers scores its nearness to the oracle's level, half of it if the answer is not correct, so that a
    miss is always an error. Any other scores ``valid · new · (1 + 2 narrowing) / 3``, or 0 if it used up the last turn:
    ``valid`` is the share of its calls that were carried out, ``new`` the share of these that had not been made before,
    and ``narrowing = min(1, 2 (1 - w'/w))`` compares the width of the bracket around the oracle's level before and
    after, so that halving it is as good as possible. Calls that try no level of one's own look around, which cannot
    narrow anything: for them it is 1. Trying levels outside the bracket scores a third, an error.

    Args:
        turns: T of them.
        reference: the oracle's share of endowment.
        max_turns: turns allowed.
    """
    scores = []
    bracket, made = Bracket(), list[tuple[str, dict[str, object]]]()
    for number, turn in enumerate(turns):
        if turn.kind == "answer":
            scores.append(_answer_score(turn.calls[-1].args["level"], reference))
            continue
        carried_out = [(call.name, dict(call.args)) for call in turn.calls if call.ok]
        before, bracket = bracket, bracket.narrowed(on_grid(reference), levels_tried(turn))
        new = [call for place, call in enumerate(carried_out) if call not in made + carried_out[:place]]
        made += carried_out
        worth = len(new) / max(1, len(turn.calls)) if number + 1 < max_turns else 0.0
        scores.append(worth * (1.0 + 2.0 * _narrowing(turn, before, bracket)) / 3.0)
    return np.array(scores, dtype=np.float64)


def levels_tried(turn: Turn) -> tuple[float, ...]:
    """Return the levels of one's own that a turn asked about."""
    return tuple(level for call in turn.calls if call.ok for level in own_levels(call))


def own_levels(call: ToolCall) -> tuple[float, ...]:
    """Return the levels of one's own that a call asks about."""
    if call.name == "payoff":
        return (call.args["own"],)
    return tuple(call.args["plan"]) if call.name == "simulate" else ()


def _narrowing(turn: Turn, before: Bracket, after: Bracket) -> float:
    if not levels_tried(turn):
        return 1.0
    return min(1.0, 2.0 * (1.0 - after.width / before.width)) if before.width > 0.0 else 0.0


def _answer_score(level: float, reference: float) -> float:
    return graded(level, reference) * (1.0 if correct(level, reference) else 0.5)


def _well_formed(turn: Turn) -> bool:
    return bool(turn.calls) and all(call.ok for call in turn.calls)
