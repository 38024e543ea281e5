"""Trust and reputation damage between pairs of agents (TR-2 Eq. 5-9)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coopgym.backend import Array, Backend, Namespace, namespace_of
from coopgym.small_arrays import for_each_observer, total

SIGNAL_WIDTH = 0.5
"""Width of a cooperation signal in shares of endowment (formal edition)."""


@dataclass(frozen=True)
class TrustRates:
    """How fast trust is built and lost and damage is done and healed."""

    building: Array
    """λ⁺, in (0, 1]; this and the other numbers as `Backend.constant` has them."""
    erosion: Array
    """λ⁻ (1 + ξ D_ij), shape (N, N)."""
    scarring: Array
    """μ_R, in [0, 1]."""
    lasting: Array
    """1 - δ_R, the part of damage that a step does not heal."""
    zero: Array
    one: Array
    others: Array
    """(N, N), zero on the diagonal and one elsewhere: nobody judges themselves."""
    overshoots: bool
    """Whether erosion can exceed one, so that trust must be kept from falling below zero."""

    @classmethod
    def from_parameters(
        cls,
        backend: Backend,
        interdependence: Array,
        lambda_plus: float | Array,
        lambda_minus: float | Array,
        mu_R: float | Array,
        delta_R: float | Array,
        xi: float | Array,
    ) -> TrustRates:
        """Precompute the pairwise rates from the parameters, numbers or ``(..., 1, 1)``, and D, shape (N, N)."""
        xp, n_agents = backend.xp, interdependence.shape[-1]
        erosion = lambda_minus * (1.0 + xi * interdependence)
        return cls(
            building=backend.constant(lambda_plus),
            erosion=erosion,
            scarring=backend.constant(mu_R),
            lasting=backend.constant(1.0 - delta_R),
            zero=backend.constant(0.0),
            one=backend.constant(1.0),
            others=1.0 - xp.eye(n_agents, dtype=backend.dtype, device=interdependence.device),
            overshoots=float(xp.max(erosion)) > 1.0,
        )


def conduct_signal(conduct: Array, reference: Array, sensitivity: float, xp: Namespace | None = None) -> Array:
    """Signal s_j = tanh(κ' (x_j - ref_j)) that agent j's conduct sends to everyone (TR-2 Eq. 5).

    Args:
        conduct: ``(..., N)`` what each agent did.
        reference: ``(..., N)`` or ``(N,)`` what was expected, in the same unit.
        sensitivity: κ' per unit of conduct.

    >>> conduct_signal(np.array([0.2, 0.5, 0.8]), np.array(0.5), sensitivity=2.0).round(3)
    array([-0.537,  0.   ,  0.537])
    """
    xp = xp or namespace_of(conduct)
    return xp.tanh((conduct - reference) * sensitivity)


def effective_trust(trust: Array, damage: Array, xp: Namespace | None = None, one: Array | float = 1.0) -> Array:
    """Trust limited by its reputation ceiling, min(T_ij, 1 - R_ij), ``(..., N, N)`` (TR-2 Eq. 8).

    Args:
        one: 1 as `Backend.constant` has it.

    >>> effective_trust(np.array([[1.0, 0.9], [0.5, 1.0]]), np.array([[0.0, 0.3], [0.3, 0.0]]))
    array([[1. , 0.7],
           [0.5, 1. ]])
    """
    xp = xp or namespace_of(trust)
    return xp.minimum(trust, one - damage)


def update_trust(
    trust: Array, damage: Array, signal: Array, rates: TrustRates, xp: Namespace | None = None
) -> tuple[Array, Array]:
    """Move trust and reputation damage by one step (TR-2 Eq. 6, 7 and 9).

    Trust builds towards the ceiling 1 - R of the damage before the step and erodes faster where dependence is
    high; damage grows with violations and heals otherwise.

    Args:
        trust: ``(..., N, N)``, row i = how far i trusts j, in [0, 1], 1 on the diagonal.
        damage: ``(..., N, N)``, damage i holds against j, in [0, 1], 0 on the diagonal.
        signal: ``(..., N)``, conduct of the observed agent j, in [-1, 1].
        rates: the precomputed rates.

    Returns:
        The new trust and the new damage, both ``(..., N, N)``.

    >>> from coopgym.backend import NUMPY
    >>> rates = TrustRates.from_parameters(NUMPY, np.zeros((2, 2)), 0.1, 0.3, mu_R=0.6, delta_R=0.03, xi=0.5)
    >>> trust, damage = np.array([[1.0, 0.5], [0.5, 1.0]]), np.zeros((2, 2))
    >>> update_trust(trust, damage, np.array([1.0, -1.0]), rates)  # agent 0 keeps faith, agent 1 does not
    (array([[1.  , 0.35],
           [0.55, 1.  ]]), array([[0. , 0.6],
           [0. , 0. ]]))
    """
    xp = xp or namespace_of(trust)
    conduct = rates.others * for_each_observer(signal)
    ceiling = rates.one - damage
    if _nobody_falls_short(signal):
        return xp.minimum(_built(trust, conduct, ceiling, rates, xp), ceiling), rates.lasting * damage
    moved, scarred = _moved(trust, damage, conduct, ceiling, rates, xp)
    return xp.minimum(moved, ceiling), scarred


def update_uncapped(
    trust: Array, damage: Array, signal: Array, ceiling: Array, rates: TrustRates, xp: Namespace | None = None
) -> tuple[Array, Array]:
    """Move trust and damage as `update_trust`, where a ceiling of one's own ends building and cuts nothing off.

    Args:
        ceiling: ``(..., N, N)`` up to which trust is built.

    >>> from coopgym.backend import NUMPY
    >>> rates = TrustRates.from_parameters(NUMPY, np.zeros((2, 2)), 0.1, 0.3, mu_R=0.6, delta_R=0.03, xi=0.5)
    >>> trust, damage = np.array([[1.0, 0.8], [0.5, 1.0]]), np.array([[0.0, 0.5], [0.5, 0.0]])
    >>> update_uncapped(trust, damage, np.array([1.0, 1.0]), 1.0 - damage, rates)[0]  # 0.8 stays above its ceiling
    array([[1. , 0.8],
           [0.5, 1. ]])
    """
    xp = xp or namespace_of(trust)
    return _moved(trust, damage, rates.others * for_each_observer(signal), ceiling, rates, xp)


def _moved(
    trust: Array, damage: Array, conduct: Array, ceiling: Array, rates: TrustRates, xp: Namespace
) -> tuple[Array, Array]:
    gain = xp.maximum(conduct, rates.zero)
    loss = gain - conduct
    moved = _built(trust, gain, ceiling, rates, xp) - rates.erosion * loss * trust
    if rates.overshoots:
        moved = xp.maximum(moved, rates.zero)
    scarred = damage + rates.scarring * loss * (rates.one - damage)
    return moved, xp.where(conduct < rates.zero, scarred, rates.lasting * damage)


def _built(trust: Array, gain: Array, ceiling: Array, rates: TrustRates, xp: Namespace) -> Array:
    """Trust after what is gained, before anything is lost."""
    return trust + rates.building * gain * xp.maximum(ceiling - trust, rates.zero)


def _nobody_falls_short(signal: Array) -> bool:
    """Whether losses can be skipped: asked of single environments in NumPy, where the answer costs next to nothing."""
    return type(signal) is np.ndarray and signal.ndim == 1 and min(signal.tolist()) >= 0.0


def mean_over_pairs(matrix: Array) -> Array:
    """Mean of the off-diagonal entries of ``(..., N, N)`` with a diagonal of ones; 1 for a single agent.

    Pass ``1 - matrix`` for matrices with a zero diagonal.

    >>> float(mean_over_pairs(np.array([[1.0, 0.25], [0.75, 1.0]])))
    0.5
    """
    n_agents = matrix.shape[-1]
    if n_agents == 1:
        return matrix[..., 0, 0]
    return (total(matrix, axes=2) - n_agents) / (n_agents * (n_agents - 1))


def trust_gate(trust: Array, damage: Array, dependence_on_trust: float, xp: Namespace | None = None) -> Array:
    """Part of the synergy that partners release, 1 - χ + χ·mean effective trust (formal edition §1.3).

    Args:
        dependence_on_trust: χ in [0, 1], the part of the synergy that needs trust.

    Returns:
        ``(...)`` in [1 - χ, 1].

    >>> trust, damage = np.array([[1.0, 0.5], [0.5, 1.0]]), np.zeros((2, 2))
    >>> float(trust_gate(trust, damage, dependence_on_trust=0.8))  # 1 - 0.8 (1 - 0.5)
    0.6
    """
    mutual = mean_over_pairs(effective_trust(trust, damage, xp))
    return 1.0 - dependence_on_trust * (1.0 - mutual)
