"""Behavioural audits: what deviating from a common level brings, whoever does it, whenever, and whoever answers."""

from __future__ import annotations

from collections.abc import Mapping

from coopgym.agents.base import Agent
from coopgym.benchmarks.audits.defection_response import DefectionResponse, defection_responses
from coopgym.benchmarks.audits.labels import reference_labels
from coopgym.benchmarks.audits.partners import partner
from coopgym.benchmarks.audits.reactive import reactive
from coopgym.benchmarks.audits.records import Audit, Audited, AuditOptions
from coopgym.benchmarks.audits.reference_surface import reference_surface
from coopgym.benchmarks.audits.reference_temporal import reference_temporal
from coopgym.benchmarks.audits.surface import surface
from coopgym.benchmarks.audits.temporal import temporal
from coopgym.benchmarks.audits.unilateral import unilateral

AUDITS: Mapping[str, Audit] = {
    audit.__name__: audit for audit in (surface, unilateral, temporal, reactive, reference_surface, reference_temporal)
}
"""Audits by the name of their protocol in `coopgym.corpus.schema.PROTOCOLS`."""

AUDIT_VERSIONS: Mapping[str, int] = dict.fromkeys(AUDITS, 1)
"""Raise an audit's version when the same options may give other numbers: it is part of every run's identity."""

__all__ = [
    "AUDITS",
    "AUDIT_VERSIONS",
    "Audit",
    "AuditOptions",
    "Audited",
    "DefectionResponse",
    "audit_partners",
    "defection_responses",
    "reference_labels",
]


def audit_partners(protocol: str, options: AuditOptions) -> dict[str, Agent]:
    """Make the agents that an audit's deviations meet, by name; none where actions are fixed in advance."""
    return {name: partner(name) for name in options.partners} if protocol == reactive.__name__ else {}
