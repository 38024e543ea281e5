"""P2S: a path earns the rise its prefixes cause in the probability of a good reference chain (arXiv 2601.20649)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from coopgym.algorithms.llm.kernels.validation import array, flags, number
from coopgym.typing import FloatArray

MALFORMED = -1.0
"""Reward of an output that does not keep to the format."""


def step_rewards(cond_logp: npt.ArrayLike, base_logp: npt.ArrayLike, answer_logp: float) -> FloatArray:
    """Return ``r_i = max_t [ℓ(σ_t | q, p_i) - ℓ(σ_t | q, masked p_i)]``, i < m, and ``r_m = ℓ(y* | q, z)``.

    Args:
        cond_logp: ``(m - 1, S)`` mean log-probability per token [ours] of each suffix σ_t of the gold chain after each
            prefix p_i.
        base_logp: ``(m - 1, S)`` the same with the prefix replaced by padding.
        answer_logp: mean log-probability of the gold answer after the whole path.

    Returns:
        ``(m,)``; the answer's alone where there is one segment, or no gold chain to compare with.
    """
    conditional = array("cond_logp", cond_logp, (None, None))
    gains = conditional - array("base_logp", base_logp, conditional.shape)
    best = gains.max(-1) if gains.size else np.zeros(0)
    return np.append(best, number("answer_logp", answer_logp))


def path_reward(step_rewards: npt.ArrayLike, slope: float = 1.0, clip: tuple[float, float] | None = None) -> float:
    """Return ``Σ w_i r_i / Σ w_i`` with ``w_i = 1 / (1 + exp(-slope (i - (m + 1)/2)))``.

    Later steps weigh more; the source says only "increasing sigmoid", this one is centred on the path [ours].

    Args:
        step_rewards: ``(m,)``.
        slope: of the sigmoid.
        clip: bounds of the result; ``(-0.9, 1)`` keeps well-formed paths above malformed ones [ours].

    >>> round(path_reward([0.0, 0.0, 1.0]), 3), round(path_reward([1.0, 0.0, 0.0]), 3)
    (0.487, 0.179)
    """
    rewards = array("step_rewards", step_rewards)
    if not rewards.size:
        raise ValueError("step_rewards: expected at least one step, got none")
    position = np.arange(1, rewards.size + 1) - (rewards.size + 1) / 2.0
    reward = float(np.average(rewards, weights=expit(number("slope", slope) * position)))
    if clip is None:
        return reward
    low, high = array("clip", clip, (2,))
    if low > high:
        raise ValueError(f"clip: expected (low, high), got ({low:g}, {high:g})")
    return float(np.clip(reward, low, high))


def group_rewards(
    format_ok: npt.ArrayLike, correct: npt.ArrayLike, path_reward: npt.ArrayLike, cold_start: bool = False
) -> FloatArray:
    """Return -1 for malformed members, and for the others what the group's best success allows.

    If any well-formed member is right, the others earn 1 or 0 by correctness; else they earn their path rewards; in the
    cold start, 0.

    Args:
        format_ok: ``(G,)``.
        correct: ``(G,)``.
        path_reward: ``(G,)``.
        cold_start: reward the format only.

    Returns:
        ``(G,)``.
    """
    well_formed = flags("format_ok", format_ok)
    right = flags("correct", correct, well_formed.shape)
    path = array("path_reward", path_reward, well_formed.shape)
    if cold_start:
        reward = np.zeros_like(path)
    elif (well_formed & right).any():
        reward = right.astype(np.float64)
    else:
        reward = path
    return np.where(well_formed, reward, MALFORMED)
