"""Bounded reciprocity: kindness answered in proportion to trust and dependence (TR-4 Eq. 19-25, 44)."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from coopgym.backend import Array, Namespace, namespace_of

Strength: TypeAlias = float | npt.NDArray[np.float64]

RESPONSE_WIDTH = 0.25
"""Deviation, in shares of endowment, at which a response is about three quarters of its bound (formal edition)."""


def remember(memory: Array, conduct: Array, xp: Namespace | None = None) -> Array:
    """Push conduct ``(..., N)`` into the ring buffer ``(..., k, N)``, oldest entry first.

    >>> remember(np.array([[0.1, 0.2], [0.3, 0.4]]), np.array([0.5, 0.6]))
    array([[0.3, 0.4],
           [0.5, 0.6]])
    """
    xp = xp or namespace_of(memory)
    return xp.concat([memory[..., 1:, :], conduct[..., None, :]], axis=-2)


def remembered(memory: Array) -> Array:
    """Average conduct ā ``(..., N)`` over the ring buffer (TR-4 Eq. 20).

    >>> remembered(np.array([[0.2, 0.4], [0.4, 0.8]])).round(3)
    array([0.3, 0.6])
    """
    return memory.sum(-2) / memory.shape[-2]


def anchored_reference(norm: Array, memory_average: Array, anchoring: float) -> Array:
    """What conduct is compared with, (1 - ζ) b + ζ ā, ``(..., N)`` (TR-4 Eq. 19-20).

    >>> float(anchored_reference(0.5, 0.9, anchoring=0.25))  # three quarters baseline, a quarter what was usual
    0.6
    """
    return (1.0 - anchoring) * norm + anchoring * memory_average


def susceptibility(
    interdependence: npt.NDArray[np.float64], strength: Strength, rho_0: Strength, eta: Strength, omega: Strength
) -> npt.NDArray[np.float64]:
    """Constant part of E_ij: λ_R (1 + ω_r D_ij) ρ₀ D_ij^η, ``(N, N)``, zero on the diagonal (TR-4 Eq. 22-23).

    ``strength`` is λ_R, ``omega`` ω_r; all four are numbers or ``(..., 1, 1)`` of a batch, which the result then has.

    >>> D = np.array([[0.0, 0.5], [0.2, 0.0]])
    >>> susceptibility(D, strength=1.0, rho_0=0.8, eta=1.0, omega=1.0)  # 0.8 D (1 + D)
    array([[0.   , 0.6  ],
           [0.192, 0.   ]])
    """
    others = 1.0 - np.eye(len(interdependence))
    bounded = rho_0 * interdependence**eta * others
    return np.asarray(strength * (1.0 + omega * interdependence) * bounded)


def response(deviation: Array, sensitivity: float | Array, xp: Namespace | None = None) -> Array:
    """Bounded answer tanh(κ s) to a deviation from what was expected, in (-1, 1) of any shape (TR-4 Eq. 21).

    >>> response(np.array([-0.25, 0.0, 0.25]), sensitivity=4.0).round(3)
    array([-0.762,  0.   ,  0.762])
    """
    xp = xp or namespace_of(deviation)
    return xp.tanh(deviation * sensitivity)


def reciprocity_effects(trust: Array, susceptibility_matrix: Array, answer: Array) -> Array:
    """Pairwise effects E_ij tanh(κ_r s_j), ``(..., N, N)`` (TR-4 Eq. 44).

    Args:
        trust: ``(..., N, N)``, raw trust T_ij.
        susceptibility_matrix: ``(N, N)`` from `susceptibility`.
        answer: ``(..., N)`` bounded answers to each partner j's conduct.

    >>> trust = np.array([[1.0, 0.5], [0.8, 1.0]])
    >>> reciprocity_effects(trust, np.array([[0.0, 0.4], [0.4, 0.0]]), answer=np.array([1.0, 0.5]))
    array([[0.  , 0.1 ],
           [0.32, 0.  ]])
    """
    return trust * susceptibility_matrix * answer[..., None, :]
