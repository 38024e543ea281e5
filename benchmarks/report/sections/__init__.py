"""The sections of the report, one module each; every one returns None where the corpus has nothing for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.report.content import Section
from benchmarks.report.evidence import Evidence
from benchmarks.report.sections.audit_crosscheck import audit_crosscheck
from benchmarks.report.sections.audit_reactive import audit_reactive
from benchmarks.report.sections.audit_surfaces import audit_surfaces
from benchmarks.report.sections.audit_temporal import audit_temporal
from benchmarks.report.sections.audit_unilateral import audit_unilateral
from benchmarks.report.sections.classes import classes
from benchmarks.report.sections.comparisons import comparisons
from benchmarks.report.sections.conflict import conflict
from benchmarks.report.sections.contribution import contribution
from benchmarks.report.sections.crossover import crossover
from benchmarks.report.sections.crossplay import crossplay
from benchmarks.report.sections.equity import equity
from benchmarks.report.sections.exceedance import exceedance
from benchmarks.report.sections.exploitability import exploitability
from benchmarks.report.sections.failures import failures
from benchmarks.report.sections.games import games
from benchmarks.report.sections.language_methods import language_methods
from benchmarks.report.sections.learning import learning
from benchmarks.report.sections.mutuality import mutuality
from benchmarks.report.sections.provenance import provenance
from benchmarks.report.sections.ranking import ranking
from benchmarks.report.sections.responses import responses
from benchmarks.report.sections.results import results
from benchmarks.report.sections.scenarios import scenarios
from benchmarks.report.sections.stochastic import stochastic
from benchmarks.report.sections.transcripts import transcripts

SECTIONS: Sequence[Callable[[Evidence], Section | None]] = (
    conflict,
    ranking,
    classes,
    comparisons,
    mutuality,
    contribution,
    crossover,
    exceedance,
    equity,
    exploitability,
    stochastic,
    scenarios,
    crossplay,
    learning,
    language_methods,
    audit_crosscheck,
    audit_surfaces,
    audit_unilateral,
    audit_temporal,
    audit_reactive,
    responses,
    transcripts,
    games,
    results,
    failures,
    provenance,
)
"""In the order of the page."""


def sections(evidence: Evidence) -> list[Section]:
    """Return the sections that a corpus fills."""
    return [section for build in SECTIONS if (section := build(evidence)) is not None]
