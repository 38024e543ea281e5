"""Which turns belong to which decision of a window, and what was right there."""

from __future__ import annotations

from dataclasses import dataclass

from coopgym.algorithms.llm.play.tasks import Task
from coopgym.algorithms.llm.play.trajectories import Trajectory


@dataclass(frozen=True)
class Decision:
    """One decision of a rollout."""

    turns: range
    """Positions of its turns."""
    reference_action: float
    """The oracle's share of endowment."""


def window_reference_actions(task: Task) -> list[float]:
    """Return the oracle's share at each decision of a task, ``(H,)``."""
    return [task.settings.reference_action(task.start + number, task.seat) for number in range(task.settings.decisions)]


def decisions(task: Task, member: Trajectory) -> list[Decision]:
    """Cut a rollout's turns by decisions, at least one; a turn that nothing came back to ended its decision."""
    ends = [number + 1 for number, turn in enumerate(member.turns) if turn.observation is None]
    if not ends or ends[-1] < len(member.turns):
        ends.append(len(member.turns))
    return [
        Decision(range(start, end), task.settings.reference_action(task.start + number, task.seat))
        for number, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True))
    ]


def turn_reference_actions(task: Task, member: Trajectory) -> list[float]:
    """Return the oracle's share at each turn, ``(T,)``."""
    return [decision.reference_action for decision in decisions(task, member) for _ in decision.turns]
