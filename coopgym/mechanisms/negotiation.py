"""Standing agreements, breaches and damages between two negotiators (formal edition §3.9)."""

from __future__ import annotations

from dataclasses import dataclass

from coopgym.backend import Array, Namespace, namespace_of


@dataclass(frozen=True)
class Proposals:
    """What a pair of proposals means under the agreement in force."""

    close: Array
    """``(...)`` whether the proposals lie within the tolerance: a new agreement by mutual consent."""
    shortfall: Array
    """``(..., 2)`` how far each side falls below what the agreement tolerates."""
    breach: Array
    """``(...)`` whether somebody falls short."""


def judge_proposals(
    cooperation: Array, agreed: Array, level: Array, tolerance: float, xp: Namespace | None = None
) -> Proposals:
    """Compare two proposals with each other and with the standing agreement.

    Args:
        cooperation: ``(..., 2)`` proposals as shares of endowment.
        agreed: ``(...)`` 1 while an agreement is in force.
        level: ``(...)`` the agreed share.
        tolerance: how close proposals must be, and how far below the agreement one may fall.

    >>> judged = judge_proposals(np.array([0.3, 0.7]), np.array(1), np.array(0.6), tolerance=0.1)
    >>> judged.shortfall.round(2), bool(judged.breach)
    (array([0.2, 0. ]), True)
    """
    xp = xp or namespace_of(cooperation)
    close = xp.abs(cooperation[..., 0] - cooperation[..., 1]) <= tolerance
    in_force = (agreed * ~close)[..., None]
    shortfall = in_force * xp.maximum(level[..., None] - tolerance - cooperation, 0.0)
    return Proposals(close, shortfall, breach=shortfall.sum(-1) > 0.0)


def damages(shortfall: Array, rate: float) -> Array:
    """Transfers from the side that falls short to its partner, ``(..., 2)`` payoff units, summing to zero.

    >>> damages(np.array([0.2, 0.0]), rate=5.0)
    array([-1.,  1.])
    """
    received = shortfall.sum(-1)[..., None] - shortfall
    return rate * (received - shortfall)
