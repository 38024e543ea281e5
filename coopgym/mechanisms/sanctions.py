"""Graduated sanctions: fines that grow with the record of violations (formal edition §3.19; Ostrom 1990)."""

from __future__ import annotations

from coopgym.backend import Array, Namespace, namespace_of

FIRST_FINE = 0.15
HIGHEST_FINE = 0.60
ENFORCEMENT_COST = 0.25
RECORD_MEMORY = 0.95
RECORD_GAIN = 0.30


def violations(cooperation: Array, norm: Array, xp: Namespace | None = None) -> Array:
    """How far each agent falls short of the norm, as a share of it, ``(..., N)`` in [0, 1].

    >>> violations(np.array([0.2, 0.4, 0.9]), np.array(0.4))
    array([0.5, 0. , 0. ])
    """
    xp = xp or namespace_of(cooperation)
    return xp.maximum(norm - cooperation, 0.0) / norm


def fines(violation: Array, record: Array) -> Array:
    """Fine for a violation, lenient for a clean record and escalating with it, ``(..., N)`` payoff units.

    >>> fines(violation=np.array([1.0, 1.0]), record=np.array([0.0, 1.0]))  # first offence, hardened offender
    array([0.15, 0.6 ])
    """
    return (FIRST_FINE + (HIGHEST_FINE - FIRST_FINE) * record) * violation


def enforcement_costs(fine: Array) -> Array:
    """What each agent pays towards fining the others, ``(..., N)`` payoff units.

    >>> enforcement_costs(np.array([0.6, 0.0, 0.0]))
    array([0.   , 0.075, 0.075])
    """
    others = fine.sum(-1)[..., None] - fine
    return ENFORCEMENT_COST * others / (fine.shape[-1] - 1)


def update_record(record: Array, violation: Array) -> Array:
    """Let the record fade and add the new violation, ``(..., N)`` in [0, 1].

    >>> update_record(np.array([0.0, 0.5]), np.array([1.0, 0.0]))
    array([0.3  , 0.475])
    """
    return RECORD_MEMORY * record + RECORD_GAIN * violation * (1.0 - record)
