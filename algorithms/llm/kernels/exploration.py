"""Outcome-based exploration: bonuses for answers rarely seen, penalties for repeated ones (arXiv 2509.06941)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.algorithms.llm.kernels.groups import Groups
from coopgym.algorithms.llm.kernels.validation import array, choice, flags, labels, number, whole_numbers
from coopgym.typing import FloatArray


def historical(counts: npt.ArrayLike, mode: str = "con", b0: float = 0.5) -> FloatArray:
    """Return a bonus for answers rarely seen in training, from ``b = min(1, sqrt(1/N))``, 1 for N = 0.

    Args:
        counts: ``(G,)`` earlier visits N of each member's answer to the task, before the current batch.
        mode: ``"naive"``, b; ``"mean"``, b less the mean of the other members' (0 for a group of one); ``"con"``,
            b less a constant.
        b0: the constant of ``"con"``.

    Returns:
        ``(G,)``.
    """
    choice("mode", mode, ("naive", "mean", "con"))
    bonus = 1.0 / np.sqrt(np.maximum(whole_numbers("counts", counts), 1))
    if mode == "naive":
        return bonus
    if mode == "con":
        return bonus - number("b0", b0)
    return Groups.whole(bonus.size).centred(bonus) * bonus.size / max(bonus.size - 1, 1)


def batch(answers: Sequence[Any]) -> FloatArray:
    """Return ``b_i = -(1/n) #{j ≠ i : a_j = a_i}``, a penalty for repeats inside a group.

    Args:
        answers: ``(G,)`` hashable answers; missing ones (None) are one answer, so that silence repeats too.

    Returns:
        ``(G,)``; sums to ``-Σ_a n_a (n_a - 1) / n``.

    >>> batch(["x", "x", "y", None])
    array([-0.25, -0.25,  0.  ,  0.  ])
    """
    same = Groups.by(labels("answers", answers))
    return (1.0 - same.sizes[same.codes]) / max(same.codes.size, 1)


def combine(
    task_adv: npt.ArrayLike, bonus: npt.ArrayLike, correct: npt.ArrayLike, c: float = 0.1
) -> dict[str, FloatArray]:
    """Return ``A + c b`` for reasoning tokens and A for the answer's own.

    Args:
        task_adv: ``(G,)`` advantages A in the task.
        bonus: ``(G,)`` bonuses b; they count as 0 where every member is right.
        correct: ``(G,)``.
        c: weight of the bonus [ours].

    Returns:
        ``reasoning`` and ``answer``, each ``(G,)``.
    """
    advantage = array("task_adv", task_adv)
    added = number("c", c) * array("bonus", bonus, advantage.shape)
    if flags("correct", correct, advantage.shape).all():
        added = np.zeros_like(advantage)
    return {"reasoning": advantage + added, "answer": advantage}
