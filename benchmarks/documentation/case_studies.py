"""What models of the cases earn, and what happens when their histories are replayed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from coopgym.benchmarks.case_studies import Compared, Scorecard, case_names, load_case, score_case
from coopgym.benchmarks.case_studies.case_file import Rubric
from coopgym.benchmarks.case_studies.experiments import EXPERIMENTS
from coopgym.benchmarks.case_studies.fitting import fit_case
from coopgym.benchmarks.case_studies.replay import GameEdition, replay
from coopgym.benchmarks.case_studies.sweep import run_experiment
from coopgym.benchmarks.documentation.wording import table

RUBRICS: tuple[Rubric, ...] = get_args(Rubric)
EDITIONS: tuple[GameEdition, ...] = get_args(GameEdition)


def scores_table() -> str:
    """Return the points of every model under both rubrics, one row per model."""
    return table(
        ("case", "model", "reference", "informative", "floor", "attainable", "v2"),
        (_row(card, v2) for card, v2 in _pairs()),
    )


def comparisons_table() -> str:
    """Return what is no model, or another one, earns by the reference rubric, one row each."""
    return table(
        ("case", "model", "points", "beside it", "points", "draws that reach the model"),
        (_beside(card, each) for card, _ in _pairs() for each in card.compared),
    )


def replays_table() -> str:
    """Return trust phase by phase in both editions, one row per phase."""
    return table(
        ("case", "phase", *(f"{word}, {edition}" for edition in EDITIONS for word in ("signal", "trust"))), _phases()
    )


def partners_table() -> str:
    """Return the partners that best retrace the coded paths, one row per seat or team."""
    return table(
        ("case", "who", "reward", "reciprocity", "patience", "error, fitted", "held out", "constant, held out"),
        (
            (
                load_case(name).title,
                each.seat,
                each.mode,
                f"{each.reciprocity:.1f}",
                f"{each.patience:.1f}",
                *(f"{error:.2f}" for error in (each.fitted_error, each.held_out_error, each.constant_error)),
            )
            for name in case_names()
            for each in fit_case(name)
        ),
    )


def experiments_table() -> str:
    """Return what the experiments find on their full grids, one row per metric."""
    return table(
        ("experiment", "metric", "kind", "what", "rows", "median", "least to greatest", "met"),
        (
            (
                name,
                each.metric,
                each.kind,
                each.about,
                f"{each.rows:,}",
                f"{each.median:.3g}",
                f"{each.low:.3g} to {each.high:.3g}",
                "" if each.met is None else f"{each.met:.3f}",
            )
            for name, experiment in EXPERIMENTS.items()
            for each in run_experiment(experiment, "full")
        ),
    )


def discrepancies() -> str:
    """Return what the published account says and its code does not show."""
    return "\n".join(
        f"* {load_case(name).title}: {discrepancy}"
        for name in case_names()
        for discrepancy in load_case(name).discrepancies
    )


def _pairs() -> Iterator[tuple[Scorecard, Scorecard]]:
    for name in case_names():
        yield from zip(*(score_case(name, rubric) for rubric in RUBRICS), strict=True)


def _row(card: Scorecard, v2: Scorecard) -> tuple[str, ...]:
    return (
        card.title,
        card.variant,
        str(card.total),
        str(card.informative),
        f"{card.least:g}",
        f"{card.most:g}",
        str(v2.total),
    )


def _beside(card: Scorecard, each: Compared) -> tuple[str, ...]:
    points, reach = f"{each.mean:g}", ""
    if each.draws > 1:
        points, reach = f"{each.mean:.1f} ({each.low:g} to {each.high:g})", f"{each.at_least:.2f} of {each.draws:,}"
    return (card.title, card.variant, f"{card.total.points:g}", f"{each.name} ({each.kind})", points, reach)


def _phases() -> Iterator[tuple[str, ...]]:
    for name in case_names():
        both = [replay(name, edition).phases for edition in EDITIONS]
        for phases in zip(*both, strict=True):
            cells = [
                cell
                for phase in phases
                for cell in (f"{phase.signals.mean():+.2f}", f"{phase.before[0]:.2f} → {phase.after[0]:.2f}")
            ]
            yield (load_case(name).title, phases[0].name, *cells)
