"""DECS: only tokens after the first sufficient prefix pay for length; easy prompts pass a gate (arXiv 2509.25827)."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from coopgym.algorithms.llm.kernels.groups import Groups, zscore
from coopgym.algorithms.llm.kernels.validation import array, choice, number, whole_number, whole_numbers
from coopgym.typing import FloatArray


def token_rewards(
    correct: bool,
    nrp_end: int | None,
    think_end: int | None,
    length: int,
    width: int,
    max_len: int,
    r_plus: float = 1.1,
    r_zero: float = 1.0,
    form: str = "code",
) -> FloatArray:
    """Return the reward of each token of a rollout of length L in a batch padded to a width.

    A correct rollout earns r₊ everywhere, padding included, but for redundant thinking, from the end of the necessary
    reasoning prefix to the end of thinking, which earns ``r₀ + (r₊ - r₀)(1 - L/L_max)`` (``form="code"``, the public
    code) or ``r₀ - (r₊ - r₀) L/L_max`` (``form="paper"``, as one digest prints it). A wrong rollout earns 0.

    Args:
        correct: whether the answer is right.
        nrp_end: token offset at which the necessary prefix ends; None if no part was judged sufficient.
        think_end: token offset at which thinking ends; None if it fills the rollout [ours].
        length: tokens L of the rollout.
        width: tokens of the padded batch.
        max_len: largest length L_max.
        r_plus: reward r₊.
        r_zero: reward r₀.
        form: ``"code"`` or ``"paper"``.

    Returns:
        ``(width,)``.

    >>> token_rewards(True, nrp_end=2, think_end=4, length=5, width=6, max_len=10)
    array([1.1 , 1.1 , 1.05, 1.05, 1.1 , 1.1 ])
    """
    choice("form", form, ("code", "paper"))
    padded = whole_number("width", width)
    tokens = whole_number("length", length, 0, min(padded, whole_number("max_len", max_len, 1)))
    end = tokens if think_end is None else whole_number("think_end", think_end, 0, tokens)
    start = end if nrp_end is None else whole_number("nrp_end", nrp_end, 0, tokens)
    if not correct:
        return np.zeros(padded)
    full, base = number("r_plus", r_plus), number("r_zero", r_zero)
    share = tokens / max_len
    rewards = np.full(padded, full)
    rewards[start:end] = base + (full - base) * (1.0 - share) if form == "code" else base - (full - base) * share
    return rewards


def advantages(token_rewards: npt.ArrayLike, lengths: npt.ArrayLike, eps: float = 1e-6) -> FloatArray:
    """Standardise at each position across the group, with ddof 1, then mask what lies behind each rollout's end.

    Padding keeps its reward, so that a short correct rollout stays in the baseline of later positions.

    Args:
        token_rewards: ``(G, width)``.
        lengths: ``(G,)`` tokens of each rollout.
        eps: added to the standard deviation.

    Returns:
        ``(G, width)``; 0 for a group of one [ours].
    """
    rewards = array("token_rewards", token_rewards, (None, None))
    size, width = rewards.shape
    ends = whole_numbers("lengths", lengths, size)
    if (ends > width).any():
        raise ValueError(f"lengths: expected at most the width {width}, got {ends.max()}")
    positions = Groups(np.tile(np.arange(width), size), width if size else 0)
    z = zscore(rewards.ravel(), positions, ddof=1, eps=number("eps", eps, 0.0)).reshape(size, width)
    return np.where(np.arange(width) < ends[:, None], z, 0.0)


def kappa(kappa: float, ratio: float, prev_ratio: float, lr: float = 0.2, cap: float = 1.0) -> float:
    """Return the gate after a step, ``clip(κ + lr (R - R_prev), 0, cap)``.

    Args:
        kappa: share κ of easy prompts before.
        ratio: mean share R of the necessary prefix in correct rollouts.
        prev_ratio: the same a step before.
        lr: rate of change.
        cap: largest κ.
    """
    most = number("cap", cap, 0.0, 1.0)
    change = number("ratio", ratio, 0.0, 1.0) - number("prev_ratio", prev_ratio, 0.0, 1.0)
    return min(most, max(0.0, number("kappa", kappa, 0.0, 1.0) + number("lr", lr) * change))


def mix(n_mixed: int, n_all_correct: int, kappa: float) -> int:
    """Return how many all-correct prompts join a batch, ``⌊κ n / (1 - κ)⌋`` but no more than there are.

    Args:
        n_mixed: prompts n with right and wrong rollouts.
        n_all_correct: prompts with right rollouts only.
        kappa: share κ of easy prompts in the batch.
    """
    mixed, available = whole_number("n_mixed", n_mixed), whole_number("n_all_correct", n_all_correct)
    share = number("kappa", kappa, 0.0, 1.0)
    if share == 1.0:
        return available
    rounding = 1e-9  # 0.3 · 70 / 0.7 may not fall short of 30
    return min(available, math.floor(share * mixed / (1.0 - share) + rounding))
