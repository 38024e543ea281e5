"""Loyalty to a team: a social preference that moves with conduct (TR-3 Eq. 3, 5; formal edition §1.6)."""

from __future__ import annotations

from coopgym.backend import Array, Namespace, namespace_of


def loyalty_utility(loyalty: Array, surplus: Array, effort_cost: Array, phi_B: float, phi_C: float) -> Array:
    """Utility L_i = ℓ_i (φ_B Σ_{j≠i} surplus_j + φ_C k a_i / u) that a loyal agent draws from its team (TR-3 Eq. 3).

    Args:
        loyalty: ``(..., N)`` in [0, 1].
        surplus: ``(..., N)`` what each agent earns above its endowment, zero for agents outside the team.
        effort_cost: ``(..., N)`` linear cost of own effort, payoff units.
        phi_B: weight on team-mates' surplus.
        phi_C: warm glow of own effort.
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
    """
    xp = xp or namespace_of(loyalty)
    gain = xp.maximum(signal, 0.0)
    return loyalty + building * gain * (maximum - loyalty) - erosion * (gain - signal) * loyalty


def cohesion(loyalty: Array, importance: Array) -> Array:
    """Loyalty of the team weighted by how much it depends on each member, Σ w_i ℓ_i / Σ w_i, ``(...)``.

    Args:
        loyalty: ``(..., N)``.
        importance: ``(N,)`` column sums of D, normalised to sum to one.
    """
    return loyalty @ importance
