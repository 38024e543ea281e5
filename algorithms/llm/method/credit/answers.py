"""Answers as they are compared and counted: in bins, since no two continuous levels are the same."""

from __future__ import annotations

from coopgym.algorithms.llm.play.reference_actions import bin_of
from coopgym.algorithms.llm.play.trajectories import Trajectory

Answer = tuple[int | None, ...] | None
"""Bins of the levels of all decisions; None if the last one was not answered."""


def answer_of(member: Trajectory) -> Answer:
    """Return a rollout's answer; of several decisions, the bins of everything that was played."""
    if member.answer is None:
        return None
    return tuple(bin_of(level) for level in member.levels or (member.answer,))
