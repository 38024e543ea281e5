"""Relations that can end: what remains outside them (formal edition §1.8)."""

from __future__ import annotations

from coopgym.backend import Array, Namespace, namespace_of


def outside_option(
    endowments: Array,
    theta: float,
    k: float,
    payoff_unit: float,
    cost_factor: Array | float = 1.0,
    xp: Namespace | None = None,
) -> Array:
    """Payoff per step of working alone at one's best, [e_i - k m_i a° + θ ln(1 + a°)] / u, a° = max(θ/(k m_i) - 1, 0).

    Args:
        endowments: ``(N,)`` in units.
        theta: own-use value.
        k: linear cost of cooperation; zero means that all of the endowment is used.
        payoff_unit: u.
        cost_factor: m ``(..., N)`` of the world, or a number.

    Returns:
        ``(N,)`` or ``(..., N)`` in payoff units.

    >>> outside_option(np.array([10.0, 10.0]), theta=4.0, k=2.0, payoff_unit=1.0).round(3)  # a° = 1: 10 - 2 + 4 ln 2
    array([10.773, 10.773])
    """
    xp = xp or namespace_of(endowments)
    cost = endowments * 0.0 + k * cost_factor
    alone = xp.minimum(xp.maximum(theta / cost - 1.0, 0.0), endowments) if k > 0 else endowments
    return (endowments - cost * alone + theta * xp.log1p(alone)) / payoff_unit
