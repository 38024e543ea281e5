"""From numbers per rollout or per turn to numbers per token."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coopgym.algorithms.llm.kernels import core
from coopgym.algorithms.llm.play.trajectories import Batch, Trajectory
from coopgym.typing import FloatArray


def per_group(batch: Batch, numbers: FloatArray) -> list[FloatArray]:
    """Cut one number per rollout ``(N,)`` into one array per group."""
    return np.split(numbers, np.cumsum([len(group.members) for group in batch.groups])[:-1])


def everywhere(batch: Batch, numbers: FloatArray) -> list[FloatArray]:
    """Put each rollout's number ``(N,)`` on all tokens that its policy wrote, and 0 on what came back."""
    return [np.where(member.mask, number, 0.0) for member, number in zip(batch.trajectories, numbers, strict=True)]


def by_turn(batch: Batch, rows: Sequence[FloatArray]) -> list[FloatArray]:
    """Put the numbers of each rollout's turns, N rows ``(T,)``, on their tokens."""
    return [
        core.broadcast(row, member.spans, len(member.ids)) for member, row in zip(batch.trajectories, rows, strict=True)
    ]


def on_own(member: Trajectory, numbers: FloatArray) -> FloatArray:
    """Put one number per token that the policy wrote in its place, and 0 on what came back."""
    tokens = np.zeros(len(member.ids))
    tokens[member.mask] = numbers
    return tokens


def whitened(rows: Sequence[FloatArray], eps: float) -> list[FloatArray]:
    """Standardise numbers per token over the whole batch."""
    tokens = np.concatenate([np.zeros(0), *rows])
    standardised = core.group_zscore(tokens, [0] * len(tokens), eps=eps)
    return np.split(standardised, np.cumsum([len(row) for row in rows])[:-1])


def answer_turn(member: Trajectory) -> int | None:
    """Return the turn that ends a rollout with an answer; None if its last turn does not answer."""
    last = len(member.turns) - 1
    return last if last >= 0 and member.turns[last].kind == "answer" else None
