"""What the policy itself believes of the answer between turns, by teacher forcing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import entr

from coopgym.algorithms.llm.method.credit.tokens import answer_turn
from coopgym.algorithms.llm.method.signals.decisions import Decision, decisions, turn_reference_actions
from coopgym.algorithms.llm.method.slots import Signal
from coopgym.algorithms.llm.method.training_services import Services
from coopgym.algorithms.llm.play.tasks import Task
from coopgym.algorithms.llm.play.trajectories import Batch, Trajectory
from coopgym.typing import FloatArray, IntArray


@dataclass(frozen=True)
class GoldBelief(Signal):
    """IGPO (arXiv 2510.14967): ``belief`` ``(T,)``, the mean log-probability of the gold answer before each turn.

    The gold answer is the soft set of levels around the oracle's, in the message that would submit it [ours]. A context
    that leaves no room for it keeps the last belief. Of several decisions, each begins at the belief that the one
    before ended with, so that a new question takes back nothing that was learnt about the last one [ours].
    """

    needs: ClassVar[frozenset[str]] = frozenset({"policy_logprob", "gold"})
    fills: ClassVar[frozenset[str]] = frozenset({"belief"})

    def annotate(self, batch: Batch, services: Services) -> None:
        members = batch.trajectories
        references = [turn_reference_actions(task, member) for task, member in zip(batch.tasks, members, strict=True)]
        contexts = [member.context(turn) for member in members for turn in range(len(member.turns))]
        beliefs = services.belief(contexts, [reference for row in references for reference in row])
        rows = in_rows(beliefs, [len(row) for row in references])
        for task, member, row in zip(batch.tasks, members, rows, strict=True):
            member.signals["belief"] = _continued(last_known(row), decisions(task, member))


@dataclass(frozen=True)
class StepProbe(Signal):
    """SPAE (arXiv 2601.03823): ``conf`` and ``acc`` ``(K,)`` after each step, the turns before the one that answers.

    Confidence is ``exp(-entropy)`` of the policy's distribution over the answer grid, exact where the source samples
    probes; accuracy is the mean probability of the gold answer, a soft set of levels [ours]. A context without room for
    an answer keeps what was known before it, at first nothing.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"policy_logprob", "gold"})
    fills: ClassVar[frozenset[str]] = frozenset({"conf", "acc"})

    def annotate(self, batch: Batch, services: Services) -> None:
        members = batch.trajectories
        steps = [_after_steps(task, member) for task, member in zip(batch.tasks, members, strict=True)]
        contexts = [context for row in steps for context, _ in row]
        entropy = entr(services.answer_distribution(contexts)).sum(1)
        beliefs = services.belief(contexts, [reference for row in steps for _, reference in row])
        for name, values in (("conf", np.exp(-entropy)), ("acc", np.exp(beliefs))):
            for member, row in zip(members, in_rows(values, [len(row) for row in steps]), strict=True):
                member.signals[name] = np.nan_to_num(last_known(row)).clip(0.0, 1.0)


def in_rows(values: FloatArray, lengths: Sequence[int]) -> list[FloatArray]:
    """Cut values into rows of these lengths, along the first axis."""
    ends = np.cumsum(lengths, dtype=np.int64)
    return [values[end - length : end] for end, length in zip(ends, lengths, strict=True)]


def last_known(values: FloatArray) -> FloatArray:
    """Put the last finite value, along the first axis, in the place of each that is not; before any, NaN."""
    known = np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
    latest = np.maximum.accumulate(np.where(known, np.arange(len(values)), -1))
    filled = values[latest]
    filled[latest < 0] = np.nan
    return filled


def _continued(beliefs: FloatArray, made: Sequence[Decision]) -> FloatArray:
    """Shift the beliefs of every decision so that they begin where those of the one before ended."""
    for decision in made[1:]:
        start = decision.turns.start
        beliefs[start:] += beliefs[start - 1] - beliefs[start]
    return beliefs


def _after_steps(task: Task, member: Trajectory) -> list[tuple[IntArray, float]]:
    """Return the context after each step, and what is right in the decision that it leads to."""
    references = turn_reference_actions(task, member)
    answer = answer_turn(member)
    steps = range(len(member.turns) if answer is None else answer)
    return [(member.context(turn + 1), references[min(turn + 1, len(references) - 1)]) for turn in steps]
