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

    >>> wants = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    >>> time_shares(wants, 1.0 - np.eye(3), choosiness=2.0).round(2)  # agent 0 is wanted twice and has one day
    array([[0.  , 0.5 , 0.5 ],
           [0.5 , 0.  , 0.12],
           [0.5 , 0.12, 0.  ]])
    """
    xp = xp or namespace_of(desirability)
    appeal = xp.exp(choosiness * desirability) * others
    proposals = appeal / appeal.sum(-1)[..., None]
    return xp.minimum(proposals, xp.matrix_transpose(proposals))
