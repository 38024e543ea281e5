"""Who spends time with whom when both sides choose (formal edition §3.4)."""

from __future__ import annotations

from coopgym.backend import Array, Namespace, namespace_of


def time_shares(desirability: Array, others: Array, choosiness: float, xp: Namespace | None = None) -> Array:
    """Time q_ij that i and j spend together: proposals are softmax shares, a meeting takes the smaller of two.

    Args:
        desirability: ``(..., N, N)`` how much i wants j.
        others: ``(N, N)`` zero on the diagonal and one elsewhere.
        choosiness: η, inverse temperature of proposals.

    Returns:
        ``(..., N, N)`` symmetric, zero diagonal, row sums at most one.
    """
    xp = xp or namespace_of(desirability)
    appeal = xp.exp(choosiness * desirability) * others
    proposals = appeal / appeal.sum(-1)[..., None]
    return xp.minimum(proposals, xp.matrix_transpose(proposals))
