"""Value creation: what an agent's own investment and the joint investment are worth (TR-1 Eq. 3-8)."""

from __future__ import annotations

from coopgym.backend import Array, Namespace, namespace_of
from coopgym.small_arrays import every, for_each_agent, total

SMOOTHING = 1e-3
"""Offset that keeps Cobb-Douglas terms differentiable at zero cooperation (formal edition)."""

SYNERGY_FLOOR = 1e-10
"""Actions at or below this contribute no synergy at all (released edition)."""


def logarithmic_value(action: Array, theta: float | Array, xp: Namespace | None = None) -> Array:
    """Individual value f(a) = θ ln(1 + a) of an action in endowment units (TR-1 Eq. 6).

    Args:
        action: ``(..., N)``, non-negative, units of endowment.
        theta: scale θ > 0, a number or ``(N,)``.

    >>> logarithmic_value(np.array([0.0, 1.0, 3.0]), theta=20.0).round(2)
    array([ 0.  , 13.86, 27.73])
    """
    xp = xp or namespace_of(action)
    return theta * xp.log1p(action)


def power_value(action: Array, beta: float, xp: Namespace | None = None) -> Array:
    """Individual value f(a) = max(a, 1e-10)^β of an action in endowment units (TR-1 Eq. 5).

    Args:
        action: ``(..., N)``, units of endowment.
        beta: elasticity in (0, 1].

    >>> power_value(np.array([1.0, 16.0, 81.0]), beta=0.75)
    array([ 1.,  8., 27.])
    """
    xp = xp or namespace_of(action)
    return xp.maximum(action, SYNERGY_FLOOR) ** beta


def geometric_mean_synergy(action: Array, xp: Namespace | None = None, floor: Array | float = SYNERGY_FLOOR) -> Array:
    """Synergy g(a) = (Π a_j)^(1/N); one agent that contributes nothing removes it (TR-1 Eq. 7).

    Args:
        action: ``(..., N)``, units of endowment.
        floor: what counts as nothing, as `Backend.constant` has it.

    Returns:
        ``(...)``, units of endowment.

    >>> geometric_mean_synergy(np.array([[4.0, 9.0], [36.0, 0.0]])).round(6)
    array([6., 0.])
    """
    xp = xp or namespace_of(action)
    mean_logarithm = total(xp.log(xp.maximum(action, floor))) / action.shape[-1]
    return xp.exp(mean_logarithm) * every(action > floor)


def bargained_payoffs(endowments: Array, action: Array, values: Array, shares: Array, synergy: Array) -> Array:
    """Material payoffs π_i = e_i - a_i + f(a_i) + α_i γ g(a), ``(..., N)`` (TR-1 Eq. 11).

    Args:
        endowments: ``(N,)`` or ``(..., N)``, as are ``action``, ``values`` f(a) and the bargaining ``shares`` α.
        synergy: ``(...)`` γ g(a).

    >>> halves = np.array([0.5, 0.5])
    >>> bargained_payoffs(10.0, np.array([4.0, 9.0]), np.array([2.0, 3.0]), halves, np.array(6.0))
    array([11.,  7.])
    """
    return endowments - action + values + shares * for_each_agent(synergy)


def pair_synergy(first: Array, second: Array, beta: float) -> Array:
    """Smoothed Cobb-Douglas synergy of two inputs, G_β(x, y) = ((x + ε)(y + ε))^(β/2) - ε^β (TR-1 Eq. 7).

    Args:
        first: any shape, cooperation share in [0, 1].
        second: broadcasts with ``first``.
        beta: production elasticity in (0, 1].

    Returns:
        Between 0 and about 1; for ε → 0 the geometric mean to the power β.

    >>> pair_synergy(np.array([0.25, 1.0]), np.array([1.0, 1.0]), beta=1.0).round(2)
    array([0.5, 1. ])
    """
    return ((first + SMOOTHING) * (second + SMOOTHING)) ** (0.5 * beta) - SMOOTHING**beta


def pooled_production(pool: Array, beta: float) -> Array:
    """Smoothed production from one pooled input, P_β(x) = (x + ε)^β - ε^β (TR-3 Eq. 1).

    Args:
        pool: any shape, pooled cooperation in [0, 1].
        beta: production elasticity in (0, 1].

    >>> pooled_production(np.array([0.0, 0.25, 1.0]), beta=0.5).round(2)
    array([0.  , 0.47, 0.97])
    """
    return (pool + SMOOTHING) ** beta - SMOOTHING**beta
