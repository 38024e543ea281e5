"""The sections of the report, one module each; every one returns None where the corpus has nothing for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from coopgym.benchmarks.report.content.blocks import Section
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.report.sections.audits.crosscheck import audit_crosscheck
from coopgym.benchmarks.report.sections.audits.reactive import audit_reactive
from coopgym.benchmarks.report.sections.audits.surfaces import audit_surfaces
from coopgym.benchmarks.report.sections.audits.temporal import audit_temporal
from coopgym.benchmarks.report.sections.audits.unilateral import audit_unilateral
from coopgym.benchmarks.report.sections.case_histories import case_histories
from coopgym.benchmarks.report.sections.classes import classes
from coopgym.benchmarks.report.sections.comparisons import comparisons
from coopgym.benchmarks.report.sections.constant_sweeps import constant_sweeps
from coopgym.benchmarks.report.sections.contribution import contribution
from coopgym.benchmarks.report.sections.crossover import crossover
from coopgym.benchmarks.report.sections.crossplay import crossplay
from coopgym.benchmarks.report.sections.equity import equity
from coopgym.benchmarks.report.sections.exploitability import exploitability
from coopgym.benchmarks.report.sections.failures import failures
from coopgym.benchmarks.report.sections.first_table import first_table
from coopgym.benchmarks.report.sections.games import games
from coopgym.benchmarks.report.sections.inconsistent_runs import inconsistent_runs
from coopgym.benchmarks.report.sections.language_methods import language_methods
from coopgym.benchmarks.report.sections.learner_vs_best_constant import learner_vs_best_constant
from coopgym.benchmarks.report.sections.learning import learning
from coopgym.benchmarks.report.sections.mutuality import mutuality
from coopgym.benchmarks.report.sections.provenance import provenance
from coopgym.benchmarks.report.sections.ranking import ranking
from coopgym.benchmarks.report.sections.results import results
from coopgym.benchmarks.report.sections.scenarios import scenarios
from coopgym.benchmarks.report.sections.stochastic import stochastic
from coopgym.benchmarks.report.sections.strangers import strangers
from coopgym.benchmarks.report.sections.transcripts import transcripts
from coopgym.benchmarks.report.sections.worlds import worlds

SECTIONS: Sequence[Callable[[ReportData], Section | None]] = (
    inconsistent_runs,
    first_table,
    ranking,
    classes,
    comparisons,
    strangers,
    worlds,
    mutuality,
    contribution,
    crossover,
    learner_vs_best_constant,
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
    constant_sweeps,
    transcripts,
    case_histories,
    games,
    results,
    failures,
    provenance,
)
"""In the order of the page."""


def sections(report_data: ReportData) -> list[Section]:
    """Return the sections that a corpus fills."""
    return [section for build in SECTIONS if (section := build(report_data)) is not None]
