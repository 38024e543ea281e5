"""Comparators of rollouts: tables of what each scores beside each other one, in both orders of presentation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from coopgym.algorithms.llm.method.signals.steps import levels_tried
from coopgym.algorithms.llm.play.reference_actions import correct
from coopgym.algorithms.llm.play.tasks import Task
from coopgym.algorithms.llm.play.trajectories import Group, Trajectory
from coopgym.interfaces.text import on_grid
from coopgym.typing import FloatArray

Comparator = Callable[[Group], FloatArray]
"""Returns ``(G, G)``: entry (i, j) is what member i scores beside member j. None of them knows the oracle."""


def reward(group: Group) -> FloatArray:
    """Score members by their seat's reward per decision in the mode in force.

    Their levels are played once more among the task's agents, so that members of matches are for `play` to compare. Who
    has no level scores less than anyone.
    """
    earned = [_earned(group.task_of(member), member.levels) for member in group.members]
    return _below_others(_absolute(earned), group)


def payoff(group: Group) -> FloatArray:
    """Score members by their seat's own payoff per decision."""
    return _absolute([member.payoffs[member.seat] for member in group.members])


def welfare(group: Group) -> FloatArray:
    """Score members by everybody's payoffs per decision."""
    return _absolute([member.payoffs.sum() for member in group.members])


def rubric(group: Group) -> FloatArray:
    """Score members by the share of principles that their use of the tools keeps.

    The principles: an answer, no problems, levels were tried before it, the answer is near one of them, and no call is
    made twice.
    """
    return _absolute([float(np.mean(_principles(member))) for member in group.members])


def play(group: Group) -> FloatArray:
    """Score members by what they earn when they play each other.

    Where the group has matches, those count. Otherwise mean levels meet in one step from the group's start, once with
    member i in the task's seat and j in all others, once the other way round. Who has no level scores less than anyone.
    """
    return _played(group) if group.matches else _replayed(group)


COMPARATORS: dict[str, Comparator] = {
    "reward": reward,
    "payoff": payoff,
    "welfare": welfare,
    "rubric": rubric,
    "play": play,
}


def _absolute(scores: Sequence[float]) -> FloatArray:
    """Return the table of scores that do not depend on the other, twice: once for each order."""
    return np.repeat(2.0 * np.array(scores, dtype=np.float64)[:, None], len(scores), axis=1)


def _below_others(table: FloatArray, group: Group) -> FloatArray:
    """Put members without any level below all others."""
    silent = [not member.levels for member in group.members]
    if any(silent):
        table[silent] = table.min() - 1.0
    return table


def _earned(task: Task, levels: Sequence[float]) -> float:
    match = task.open()
    for level in levels:
        match.send(task.seat, match.dialect.write("submit", {"level": on_grid(min(max(level, 0.0), 1.0))}))
    return float(match.outcome(task.seat).rewards.mean()) if levels else 0.0


def _principles(member: Trajectory) -> list[bool]:
    tried = [level for turn in member.turns for level in levels_tried(turn)]
    calls = [(call.name, dict(call.args)) for turn in member.turns for call in turn.calls]
    return [
        member.answer is not None,
        member.format_ok,
        bool(tried),
        member.answer is not None and any(correct(level, member.answer) for level in tried),
        all(call not in calls[:place] for place, call in enumerate(calls)),
    ]


def _played(group: Group) -> FloatArray:
    size = len(group.members)
    total, count = np.zeros((size, size)), np.zeros((size, size))
    for match in group.matches:
        for i, score in zip(match.members, match.scores, strict=True):
            for j in match.members:
                total[i, j] += score
                count[i, j] += 1
    if not (count > 0).all():
        raise ValueError(f"group {group.uid}: not all members played each other; sample matches between all of them")
    return 2.0 * total / count


def _replayed(group: Group) -> FloatArray:
    members, seat = group.members, group.task.seat
    levels = np.array([np.mean(member.levels) if member.levels else 0.0 for member in members], dtype=np.float64)
    stage = group.task.open().dialogue(seat).memory.world_model.stage
    profiles = np.repeat(levels[None, :, None], len(levels), axis=0).repeat(group.task.settings.made.n_agents, axis=2)
    profiles[:, :, seat] = levels[:, None]
    rewards, _ = stage(profiles)
    beside = np.delete(rewards, seat, axis=2).mean(2).T
    return _below_others(rewards[:, :, seat] + beside, group)
