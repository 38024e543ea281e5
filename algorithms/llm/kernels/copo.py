"""COPO: a second, batch-level advantage per prompt that takes over where a group's answers agree (arXiv 2508.04138)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from coopgym.algorithms.llm.kernels.groups import Groups, bin_sums, zscore
from coopgym.algorithms.llm.kernels.surrogate import aggregate, clipped_loss
from coopgym.algorithms.llm.kernels.validation import array, flags, labels, number
from coopgym.typing import FloatArray

LOG_FLOOR = 1e-8
"""Added to frequencies inside the logarithm; it makes the entropy of full agreement -1.4e-8."""


def advantages(
    reward: npt.ArrayLike,
    answers: Sequence[Any],
    group: Sequence[Any],
    consistency: bool = True,
    k: float = 20.0,
    b: float = 1.5,
    eps: float = 1e-6,
) -> dict[str, FloatArray]:
    """Return the advantage of a rollout in its group, that of its prompt in the batch, and the gate between them.

    With answer frequencies p_a among the n rollouts of a prompt::

        H      = -Σ_a p_a log2(p_a + 1e-8)           λ = (1 - 1/n) / log2 n, 0 for n = 1
        R(q)   = mean(r) (1 - λH), or mean(r)
        global = z-score of R(q) over prompts        local = z-score of r in the group, both with ddof 1
        w      = σ(k (H - b)), 0 where all rewards of a group are equal

    The public code closes the gate per rollout, where the local advantage is 0; here it is per group [ours].

    Args:
        reward: ``(N,)`` outcome rewards.
        answers: ``(N,)`` hashable answers; missing ones (None) form one class.
        group: ``(N,)`` id of each rollout's prompt.
        consistency: let disagreement lower a prompt's score.
        k: slope of the gate, per bit.
        b: entropy at which the gate is half open, bits.
        eps: added to standard deviations.

    Returns:
        ``local``, ``global``, ``w_local``, ``entropy`` (bits) and ``group_score``, each ``(N,)``.

    >>> found = advantages([1.0, 0.0, 1.0, 1.0], answers=["x", "y", "x", "x"], group=["a", "a", "b", "b"])
    >>> found["local"].round(3), found["group_score"].round(3)  # disagreement halves what a prompt scores
    (array([ 0.707, -0.707,  0.   ,  0.   ]), array([0.25, 0.25, 1.  , 1.  ]))
    """
    rewards = array("reward", reward)
    groups = Groups.by(labels("group", group, rewards.size))
    added = number("eps", eps, 0.0)
    entropy = _answer_entropy(groups, _answer_classes(groups, answers))
    score = groups.means(rewards)
    if consistency:
        score = score * (1.0 - _entropy_weight(groups.sizes) * entropy)
    gate = expit(number("k", k) * (entropy - number("b", b)))
    per_prompt = {
        "global": zscore(score, Groups.whole(groups.count), ddof=1, eps=added),
        "w_local": np.where(groups.flat(rewards), 0.0, gate),
        "entropy": entropy,
        "group_score": score,
    }
    local = zscore(rewards, groups, ddof=1, eps=added)
    return {"local": local} | {name: values[groups.codes] for name, values in per_prompt.items()}


def loss(
    logp: npt.ArrayLike,
    logp_old: npt.ArrayLike,
    local: npt.ArrayLike,
    glob: npt.ArrayLike,
    w_local: npt.ArrayLike,
    mask: npt.ArrayLike,
    eps_low: float = 0.2,
    eps_high: float = 0.28,
    dual_clip: float | None = 3.0,
    agg: str = "token_mean",
) -> float:
    """Return ``w ℓ_clip(A_local) + (1 - w) ℓ_clip(A_global)`` averaged over tokens.

    Losses are blended, not advantages: clipping is not linear.

    Args:
        logp: ``(B, L)`` log-probabilities under the policy.
        logp_old: ``(B, L)`` under the policy that sampled the tokens.
        local: ``(B,)`` advantages in the group.
        glob: ``(B,)`` advantages of the prompt in the batch.
        w_local: ``(B,)`` weight w, in [0, 1].
        mask: ``(B, L)``, the tokens that count.
        eps_low: clip range below.
        eps_high: clip range above.
        dual_clip: bound on the loss of a negative advantage, in units of it; None is no bound.
        agg: how tokens are averaged, see `coopgym.algorithms.llm.kernels.surrogate.aggregate`.
    """
    new = array("logp", logp, (None, None))
    tokens = flags("mask", mask, new.shape)
    log_ratio = np.where(tokens, new - array("logp_old", logp_old, new.shape), 0.0)
    weight = array("w_local", w_local, (len(new),), 0.0, 1.0)[:, None]
    in_group, in_batch = (
        clipped_loss(log_ratio, array(name, adv, (len(new),))[:, None], eps_low, eps_high, dual_clip)
        for name, adv in (("local", local), ("glob", glob))
    )
    return aggregate(weight * in_group + (1.0 - weight) * in_batch, tokens, agg)


def _answer_classes(groups: Groups, answers: Sequence[Any]) -> Groups:
    given = labels("answers", answers, groups.codes.size)
    return Groups.by(list(zip(groups.codes.tolist(), given, strict=True)))


def _answer_entropy(groups: Groups, classes: Groups) -> FloatArray:
    prompt = groups.codes[classes.first]
    frequency = classes.sizes / groups.sizes[prompt]
    surprise = -frequency * np.log2(frequency + LOG_FLOOR)
    return bin_sums(prompt, surprise, groups.count)


def _entropy_weight(size: npt.NDArray[np.intp]) -> FloatArray:
    return (1.0 - 1.0 / size) / np.log2(np.maximum(size, 2))
