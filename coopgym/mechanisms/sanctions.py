"""Graduated sanctions: fines that grow with the record of violations (formal edition §3.19; Ostrom 1990)."""

from __future__ import annotations

from coopgym.backend import Array, Namespace, namespace_of

FIRST_FINE = 0.15
HIGHEST_FINE = 0.60
ENFORCEMENT_COST = 0.25
RECORD_MEMORY = 0.95
RECORD_GAIN = 0.30


def violations(cooperation: Array, norm: Array, xp: Namespace | None = None) -> Array:
    """How far each agent falls short of the norm, as a share of it, ``(..., N)`` in [0, 1]."""
    xp = xp or namespace_of(cooperation)
    return xp.maximum(norm - cooperation, 0.0) / norm


def fines(violation: Array, record: Array) -> Array:
    """Fine for a violation, lenient for a clean record and escalating with it, ``(..., N)`` payoff units."""
    return (FIRST_FINE + (HIGHEST_FINE - FIRST_FINE) * record) * violation


def enforcement_costs(fine: Array) -> Array:
    """What each agent pays towards fining the others, ``(..., N)`` payoff units."""
    others = fine.sum(-1)[..., None] - fine
    return ENFORCEMENT_COST * others / (fine.shape[-1] - 1)


def update_record(record: Array, violation: Array) -> Array:
    """Let the record fade and add the new violation, ``(..., N)`` in [0, 1]."""
    return RECORD_MEMORY * record + RECORD_GAIN * violation * (1.0 - record)
