"""Behavioural audits: what deviating from a common level brings, whoever does it, whenever, and whoever answers."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.audits.labels import reference_labels
from benchmarks.audits.probe import Reaction, policy_probe
from benchmarks.audits.reactive import reactive
from benchmarks.audits.records import Audit, Audited, AuditOptions
from benchmarks.audits.reference_surface import reference_surface
from benchmarks.audits.reference_temporal import reference_temporal
from benchmarks.audits.surface import surface
from benchmarks.audits.temporal import temporal
from benchmarks.audits.unilateral import unilateral

AUDITS: Mapping[str, Audit] = {
    audit.__name__: audit for audit in (surface, unilateral, temporal, reactive, reference_surface, reference_temporal)
}
"""Audits by the name of their protocol in `coopgym.corpus.schema.PROTOCOLS`."""

__all__ = ["AUDITS", "Audit", "AuditOptions", "Audited", "Reaction", "policy_probe", "reference_labels"]
