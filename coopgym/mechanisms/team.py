"""Team production: joint output shared among members (TR-3 Eq. 1-2)."""

from __future__ import annotations

from coopgym.backend import Array


def interior_effort(productivity: float, beta: float, cost: float, sharers: int, maximum: float = 1.0) -> float:
    """Effort at which the marginal product an agent keeps equals its cost, (Aβ / (k·sharers))^(1/(1-β)).

    With one sharer this is the team optimum, with N it is the Nash effort. Own-use value and smoothing are left out;
    linear production (β = 1) or free effort has no interior solution and gives a corner.

    Args:
        productivity: A, payoff per unit of pooled cooperation.
        cost: k.
        sharers: among how many the product is split.
        maximum: upper bound of effort.

    >>> alone, of_three = (interior_effort(productivity=1.0, beta=0.5, cost=1.0, sharers=n) for n in (1, 3))
    >>> round(alone, 4), round(of_three, 4)  # who keeps a third of a square root works a ninth as much
    (0.25, 0.0278)
    """
    kept = productivity * beta / sharers
    if beta >= 1.0 or cost <= 0.0:
        return maximum if kept > cost else 0.0
    return min((kept / cost) ** (1.0 / (1.0 - beta)), maximum)


def free_riders(cooperation: Array, norm: Array) -> Array:
    """Which agents stay below the norm, booleans ``(..., N)``.

    >>> free_riders(np.array([0.2, 0.5]), np.array(0.4))
    array([ True, False])
    """
    return cooperation < norm
