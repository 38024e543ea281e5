"""ProRAG: outcome advantage plus a weighted, normalised step score from a process reward model (arXiv 2601.21912)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from coopgym.algorithms.llm.kernels.groups import Groups, zscore
from coopgym.algorithms.llm.kernels.ragged import Ragged, Rows
from coopgym.algorithms.llm.kernels.validation import array, labels, number, whole_number, whole_numbers
from coopgym.typing import FloatArray


def outcome_reward(f1: float, format_ok: bool, floor: float = 0.2, scale: float = 2.0) -> float:
    """Return ``scale · F1`` if F1 reaches the floor, else 0, plus 1 for a kept format or -1 for a broken one."""
    overlap = number("f1", f1, 0.0, 1.0)
    earned = number("scale", scale) * overlap if overlap >= number("floor", floor) else 0.0
    return earned + (1.0 if format_ok else -1.0)


def step_score(prm_logit: float, format_ok: bool) -> float:
    """Return ``σ(PRM logit)`` plus 1 for a step that keeps its format or -2 for one that does not."""
    return float(expit(number("prm_logit", prm_logit))) + (1.0 if format_ok else -2.0)


def advantages(
    outcome: npt.ArrayLike,
    step_scores: Rows,
    step_tokens: Rows,
    group: Sequence[Any],
    beta: float = 0.3,
    eps: float = 1e-4,
    var_floor: float = 1e-8,
) -> list[FloatArray]:
    """Return ``A_step = (R - mean) / (std + eps) + β (s_step - μ) / sqrt(v + var_floor)``.

    The outcome's standard deviation has ddof 1; μ and v are mean and population variance of step scores over every
    token of the group, so that long steps weigh more.

    Args:
        outcome: ``(N,)`` outcome rewards R.
        step_scores: N rows ``(T,)``, scores s.
        step_tokens: N rows ``(T,)``, tokens of each step.
        group: ``(N,)`` id of each rollout's group.
        beta: weight β of the process term.
        eps: added to the outcome's standard deviation.
        var_floor: added to the variance of step scores.

    Returns:
        N rows ``(T,)``. A group of one has no outcome term.
    """
    outcomes = array("outcome", outcome)
    scores = Ragged.of("step_scores", step_scores)
    tokens = Ragged.of("step_tokens", step_tokens, low=0.0)
    scores.check_like("step_scores", tokens, "step_tokens")
    groups = Groups.by(labels("group", group, outcomes.size))
    if scores.lengths.size != outcomes.size:
        raise ValueError(f"step_scores: expected {outcomes.size} rows, one per outcome, got {scores.lengths.size}")
    process = zscore(
        scores.values,
        Groups.by(groups.codes[scores.rows].tolist()),
        ddof=0,
        eps=0.0,
        var_floor=number("var_floor", var_floor, 0.0),
        weight=tokens.values,
    )
    result = zscore(outcomes, groups, ddof=1, eps=number("eps", eps, 0.0))
    return scores.with_values(result[scores.rows] + number("beta", beta) * process).split()


def puct(
    value_sum: npt.ArrayLike, visits: npt.ArrayLike, prior: npt.ArrayLike, parent_visits: int, c_puct: float = 2.5
) -> dict[str, Any]:
    """Return ``Q/N + c P sqrt(N_parent) / (1 + N)`` of each child of a search node; an unvisited child's Q/N is 0.

    Args:
        value_sum: ``(K,)`` sums Q of rewards backed up.
        visits: ``(K,)`` visits N.
        prior: ``(K,)`` prior probabilities P.
        parent_visits: visits of the parent.
        c_puct: weight c of exploration.

    Returns:
        ``scores`` ``(K,)`` and ``choice``, the best child, the first of equals.

    >>> puct(value_sum=[3.0, 0.0], visits=[3, 0], prior=[0.5, 0.5], parent_visits=4)
    {'scores': array([1.625, 2.5  ]), 'choice': 1}
    """
    visited = whole_numbers("visits", visits)
    if not visited.size:
        raise ValueError("visits: expected at least one child, got none")
    value = array("value_sum", value_sum, visited.shape) / np.maximum(visited, 1)
    weight = number("c_puct", c_puct, 0.0) * np.sqrt(whole_number("parent_visits", parent_visits))
    scores = value + weight * array("prior", prior, visited.shape, 0.0) / (1 + visited)
    return {"scores": scores, "choice": int(scores.argmax())}


def backup(depth: int, reward: float, gamma: float = 0.99) -> FloatArray:
    """Return a leaf's reward as nodes from leaf to root count it, ``γ^k · reward`` k levels up; ``(depth + 1,)``."""
    levels = np.arange(whole_number("depth", depth) + 1)
    return number("reward", reward) * np.float64(number("gamma", gamma, 0.0)) ** levels
