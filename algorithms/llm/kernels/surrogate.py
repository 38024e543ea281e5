"""The clipped surrogate of policy-gradient losses, per token, and the ways to average it over a batch."""

from __future__ import annotations

import numpy as np

from coopgym.algorithms.llm.kernels.validation import choice, number
from coopgym.typing import BoolArray, FloatArray

AGGREGATIONS = ("token_mean", "seq_mean_token_mean", "seq_mean_token_sum", "seq_sum_const")


def clipped_loss(
    log_ratio: FloatArray, adv: FloatArray, eps_low: float, eps_high: float, dual_clip: float | None = None
) -> FloatArray:
    """Return ``ℓ = -min(ρA, clip(ρ, 1-ε_low, 1+ε_high) A)`` with ``ρ = exp(log_ratio)``.

    With a dual clip c the loss of a negative advantage is at most ``-cA``. All arrays broadcast.
    """
    ratio = np.exp(log_ratio)
    lower = 1.0 - number("eps_low", eps_low, 0.0, 1.0)
    upper = 1.0 + number("eps_high", eps_high, 0.0)
    loss = -np.minimum(ratio * adv, np.clip(ratio, lower, upper) * adv)
    if dual_clip is None:
        return loss
    return np.where(adv < 0.0, np.minimum(loss, -number("dual_clip", dual_clip, 1.0) * adv), loss)


def aggregate(loss: FloatArray, mask: BoolArray, agg: str, norm_len: int | None = None) -> float:
    """Average a loss per token ``(B, L)`` over the tokens in the mask.

    Args:
        loss: ``(B, L)``.
        mask: ``(B, L)``, the tokens that count.
        agg: ``"token_mean"`` over all tokens of the batch; ``"seq_mean_token_mean"`` or ``"seq_mean_token_sum"`` over
            sequences of each one's mean or sum; ``"seq_sum_const"`` is the sum over ``B · norm_len``.
        norm_len: the constant length of ``"seq_sum_const"``.

    A sequence without tokens loses nothing and still counts as a sequence [ours].

    Raises:
        ValueError: another aggregation, a mask that selects no token, or ``"seq_sum_const"`` without its length.
    """
    choice("agg", agg, AGGREGATIONS)
    if not mask.any():
        raise ValueError("mask: expected at least one token, got none")
    total = np.where(mask, loss, 0.0).sum(-1)
    match agg:
        case "token_mean":
            return float(total.sum() / mask.sum())
        case "seq_mean_token_mean":
            return float((total / np.maximum(mask.sum(-1), 1)).mean())
        case "seq_mean_token_sum":
            return float(total.mean())
    if norm_len is None:
        raise ValueError("norm_len=None: expected a length, agg='seq_sum_const' divides by it")
    return float(total.mean() / number("norm_len", norm_len, 1))
