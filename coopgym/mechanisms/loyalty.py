"""Loyalty to a team: a social preference that moves with conduct (TR-3 Eq. 3, 5; formal edition §1.6)."""

from __future__ import annotations

from coopgym.backend import Array, Namespace, namespace_of


def loyalty_utility(loyalty: Array, surplus: Array, effort_cost: Array, phi_B: float, phi_C: float) -> Array:
    """Utility L_i = ℓ_i (φ_B Σ_{j≠i} surplus_j + φ_C k a_i / u) that a loyal agent draws from its team (TR-3 Eq. 3).

    Args:
        loyalty: ``(..., N)`` in [0, 1].
        surplus: ``(..., N)`` payoff units above the own endowment, zero for agents outside the team.
        effort_cost: ``(..., N)`` linear cost of own effort, payoff units.
        phi_B: weight on team-mates' surplus.
        phi_C: warm glow of own effort.

    >>> loyalty_utility(np.array([1.0, 0.5]), np.array([2.0, 4.0]), np.array([1.0, 1.0]), phi_B=0.5, phi_C=0.2)
    array([2.2, 0.6])
    """
    mates = surplus.sum(-1)[..., None] - surplus
    return loyalty * (phi_B * mates + phi_C * effort_cost)


def update_loyalty(
    loyalty: Array, signal: Array, maximum: float, building: float, erosion: float, xp: Namespace | None = None
) -> Array:
    """Move loyalty towards its maximum on good signals and towards zero on bad ones (TR-3 Eq. 5).

    Args:
        loyalty: ``(..., N)``.
        signal: ``(..., N)`` or ``(..., 1)`` in [-1, 1].
        maximum: ℓ_max.
        building: η⁺.
        erosion: η⁻.

    >>> loyalty = np.array([0.5, 0.5])
    >>> update_loyalty(loyalty, np.array([1.0, -1.0]), maximum=1.0, building=0.1, erosion=0.3)
    array([0.55, 0.35])
    """
    xp = xp or namespace_of(loyalty)
    gain = xp.maximum(signal, 0.0)
    return loyalty + building * gain * (maximum - loyalty) - erosion * (gain - signal) * loyalty


def cohesion(loyalty: Array, importance: Array) -> Array:
    """Loyalty of the team weighted by how much it depends on each member, Σ w_i ℓ_i / Σ w_i, ``(...)``.

    Args:
        loyalty: ``(..., N)``.
        importance: ``(N,)`` column sums of D, normalised to sum to one.

    >>> float(cohesion(np.array([1.0, 0.2]), np.array([0.75, 0.25])))
    0.8
    """
    return loyalty @ importance
