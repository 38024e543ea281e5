"""Calls of tools compared with scripted ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from coopgym.algorithms.common.settings import Settings, hyperparameter
from coopgym.algorithms.llm.kernels import matchtir
from coopgym.algorithms.llm.kernels.validation import choice
from coopgym.algorithms.llm.method.signals.beliefs import in_rows
from coopgym.algorithms.llm.method.signals.decisions import Decision, decisions
from coopgym.algorithms.llm.method.slots import Signal
from coopgym.algorithms.llm.method.training_services import Services
from coopgym.algorithms.llm.play.scripted_play import Calls, gold_traces, partner_level, resume
from coopgym.algorithms.llm.play.tasks import Task
from coopgym.algorithms.llm.play.trajectories import Batch, ToolCall, Trajectory
from coopgym.typing import FloatArray

Matching = Literal["hungarian", "greedy", "sinkhorn"]


@dataclass(frozen=True, kw_only=True)
class TraceMatcher(Settings, Signal):
    """MatchTIR (arXiv 2601.10712): ``call_reward``, what each call of each turn earns from its match, T rows.

    Each decision is matched with every scripted trace, and the best total counts. Calls that were not carried out earn
    nothing; lists of levels are compared by their means [ours].

    Attributes:
        matching: how calls are paired.
        tolerance: difference, in shares of endowment, up to which levels are the same.
        unmatched: what a call without a partner earns.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"gold"})
    fills: ClassVar[frozenset[str]] = frozenset({"call_reward"})
    matching: Matching = "hungarian"
    tolerance: float = hyperparameter(0.02, 0.0)
    unmatched: float = hyperparameter(0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        choice("matching", self.matching, get_args(Matching))

    def annotate(self, batch: Batch, services: Services) -> None:
        for task, member in zip(batch.tasks, batch.trajectories, strict=True):
            member.signals["call_reward"] = [
                row for decision in decisions(task, member) for row in self._rewards(task, member, decision, services)
            ]

    def _rewards(self, task: Task, member: Trajectory, decision: Decision, services: Services) -> list[FloatArray]:
        turns = [member.turns[turn] for turn in decision.turns]
        place = resume(task, member, decision.turns.start, services.model, services.stream("trace"))
        traces = gold_traces(decision.gold, partner_level(place.session.dialogues[-1].memory))
        calls = [call for turn in turns for call in turn.calls]
        best = max((self._matched(calls, trace) for trace in traces), key=lambda earned: float(earned.sum()))
        return in_rows(best, [len(turn.calls) for turn in turns])

    def _matched(self, calls: Sequence[ToolCall], trace: Calls) -> FloatArray:
        tolerance = self.tolerance + 1e-9  # grid levels two steps apart differ by a little more than 0.02
        similar = [
            [matchtir.similarity(_plain(call), _plain(scripted), tolerance) * call.ok for scripted in trace]
            for call in calls
        ]
        table = np.array(similar, dtype=np.float64).reshape(len(calls), len(trace))
        return matchtir.assign(table, self.matching, self.unmatched)


def _plain(call: ToolCall) -> dict[str, Any]:
    """Return a call with numbers for lists."""
    args = {
        name: float(np.mean(value)) if call.ok and isinstance(value, tuple) else value
        for name, value in call.args.items()
    }
    return {"name": call.name, "args": args}
