"""What the methods share: statistics of groups, returns over turns, broadcasting to tokens, the clipped objective."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.algorithms.llm.kernels.groups import Groups, zscore
from coopgym.algorithms.llm.kernels.returns import discounted
from coopgym.algorithms.llm.kernels.surrogate import aggregate, clipped_loss
from coopgym.algorithms.llm.kernels.validation import array, flags, labels, number, whole_number, whole_numbers
from coopgym.typing import FloatArray


def group_zscore(
    x: npt.ArrayLike, group: Sequence[Any], ddof: int = 1, eps: float = 1e-6, singleton: str = "zero"
) -> FloatArray:
    """Standardise inside each group, ``(x - mean) / (std + eps)`` (GRPO, arXiv 2402.03300).

    Args:
        x: ``(N,)``.
        group: ``(N,)`` id of each entry's group.
        ddof: 1 for the sample's standard deviation, 0 for the population's.
        eps: added to the standard deviation.
        singleton: what a group of one gets: ``"zero"`` [ours] or ``"raw"``, its value as it is.

    Returns:
        ``(N,)``; exactly 0 where all of a group are equal.

    >>> group_zscore([1.0, 0.0, 0.0, 1.0, 1.0], ["a", "a", "a", "b", "b"]).round(3)  # nothing to tell apart in b
    array([ 1.155, -0.577, -0.577,  0.   ,  0.   ])
    """
    values = array("x", x)
    groups = Groups.by(labels("group", group, values.size))
    return zscore(values, groups, ddof=whole_number("ddof", ddof), eps=number("eps", eps, 0.0), singleton=singleton)


def group_center(x: npt.ArrayLike, group: Sequence[Any]) -> FloatArray:
    """Centre inside each group, ``x - mean`` (Dr. GRPO, arXiv 2503.20783); ``(N,)``."""
    values = array("x", x)
    return Groups.by(labels("group", group, values.size)).centred(values)


def turn_returns(r: npt.ArrayLike, gamma: float) -> FloatArray:
    """Return ``R_t = r_t + γ R_{t+1}`` of one trajectory's turns, ``(T,)``.

    >>> turn_returns([0.0, 0.0, 1.0], gamma=0.5)
    array([0.25, 0.5 , 1.  ])
    """
    return discounted(array("r", r), number("gamma", gamma, 0.0))


def broadcast(turn_adv: npt.ArrayLike, spans: Sequence[Sequence[int]], length: int) -> FloatArray:
    """Put each turn's number on its own tokens and 0 elsewhere.

    Args:
        turn_adv: ``(T,)``.
        spans: T token spans ``[start, end)``, in order and without overlap.
        length: tokens L of the trajectory.

    Returns:
        ``(L,)``.

    >>> broadcast([0.5, -1.0], spans=[(1, 3), (4, 5)], length=6)
    array([ 0. ,  0.5,  0.5,  0. , -1. ,  0. ])
    """
    advantages = array("turn_adv", turn_adv)
    pairs = array("spans", spans, (advantages.size, 2), 0, whole_number("length", length))
    limits = whole_numbers("spans", pairs.ravel())
    if (np.diff(limits) < 0).any():
        raise ValueError(f"spans: expected turns in order and without overlap, got {limits.reshape(-1, 2).tolist()}")
    tokens = np.zeros(length)
    for advantage, (start, end) in zip(advantages, limits.reshape(-1, 2), strict=True):
        tokens[start:end] = advantage
    return tokens


def clip_loss(
    logp: npt.ArrayLike,
    logp_old: npt.ArrayLike,
    adv: npt.ArrayLike,
    mask: npt.ArrayLike,
    eps_low: float = 0.2,
    eps_high: float = 0.2,
    dual_clip: float | None = None,
    agg: str = "token_mean",
    norm_len: int | None = None,
    logp_ref: npt.ArrayLike | None = None,
    kl_coef: float = 0.0,
) -> float:
    """Clipped surrogate with a penalty for leaving a reference policy (PPO, arXiv 1707.06347; GRPO, arXiv 2402.03300).

    ``ρ = exp(logp - logp_old)``, ``ℓ = -min(ρA, clip(ρ, 1-ε_low, 1+ε_high) A)``; with a dual clip c, where A < 0,
    ``ℓ = min(ℓ, -cA)``; plus ``β (e^d - d - 1)`` with ``d = logp_ref - logp``.

    Args:
        logp: ``(B, L)`` log-probabilities of the tokens under the policy.
        logp_old: ``(B, L)`` under the policy that sampled them.
        adv: ``(B, L)``.
        mask: ``(B, L)``, the tokens that count.
        eps_low: clip range below.
        eps_high: clip range above.
        dual_clip: bound c ≥ 1 on the loss of a negative advantage, in units of it; None is no bound.
        agg: how tokens are averaged, see `coopgym.algorithms.llm.kernels.surrogate.aggregate`.
        norm_len: the constant length of ``"seq_sum_const"``.
        logp_ref: ``(B, L)`` under the reference policy; None is no penalty.
        kl_coef: weight β of the penalty.

    >>> twice_as_likely, as_likely = np.log([[2.0]]), np.log([[1.0]])
    >>> clip_loss(twice_as_likely, as_likely, adv=[[1.0]], mask=[[1]])  # no more is earned beyond a ratio of 1.2
    -1.2
    >>> clip_loss(twice_as_likely, as_likely, adv=[[-1.0]], mask=[[1]])  # while all of a mistake is paid for
    2.0
    """
    new = array("logp", logp, (None, None))
    tokens = flags("mask", mask, new.shape)
    log_ratio = np.where(tokens, new - array("logp_old", logp_old, new.shape), 0.0)
    loss = clipped_loss(log_ratio, array("adv", adv, new.shape), eps_low, eps_high, dual_clip)
    if logp_ref is not None:
        gap = np.where(tokens, array("logp_ref", logp_ref, new.shape) - new, 0.0)
        loss = loss + number("kl_coef", kl_coef, 0.0) * (np.expm1(gap) - gap)
    return aggregate(loss, tokens, agg, norm_len)
