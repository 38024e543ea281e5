"""Scorecards of case studies for the terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table

from coopgym.benchmarks.case_studies import CaseFile, Scorecard
from coopgym.benchmarks.case_studies.fitting import Fitted
from coopgym.benchmarks.case_studies.replay import Replay
from coopgym.benchmarks.case_studies.sweep import Finding
from coopgym.benchmarks.drawing.terminal import TerminalConsole, ruled_table

_SEATS = 3
"""Whose numbers are shown where there are many."""
_REMARK = {
    "author_judgement": "threshold chosen by its author",
    "documented": "threshold from a dated source",
    "none": "no threshold",
}


def print_dependence(console: TerminalConsole, case: CaseFile) -> None:
    """Print how much the actors depend on each other, recomputed from its rows."""
    for each in case.dependence:
        console.print(
            f"{each.depender} on {each.dependee}: {each.recomputed:.4f}, published {each.published:g}; "
            f"rows: {each.status}",
            highlight=False,
        )


def print_scorecard(console: TerminalConsole, card: Scorecard) -> None:
    """Print every criterion, the subtotals, and what all else earns by the same rubric."""
    console.print(f"{card.title}, {card.variant}: {card.about}", style="bold", highlight=False)
    console.print(f"rubric {card.rubric}, case file {card.case_hash}", highlight=False)
    console.print(_criteria(card))
    for name, subtotal in {
        "total": card.total,
        **card.categories,
        "without what cannot fail, repeats or is judged": card.informative,
        "and without what hardly ever fails": card.strictly_informative,
    }.items():
        console.print(f"  {name}: {subtotal}", highlight=False)
    console.print(
        f"  any finite outcome earns {card.least:g} or more, none more than {card.most:g}; floors and ends of single "
        "criteria, added up",
        highlight=False,
    )
    console.print(_comparisons(card))
    for name, value in card.diagnostics.items():
        console.print(f"  {name}: {value:.4g}", highlight=False)
    console.print()


def _criteria(card: Scorecard) -> Table:
    table = ruled_table(collapse_padding=True)
    table.add_column("id", no_wrap=True)
    table.add_column("criterion", ratio=2)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("credit", ratio=1)
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("flags", ratio=1)
    for line in card.lines:
        criterion = line.criterion
        remarks = [criterion.kind] * (criterion.kind == "judged") + [*criterion.flags]
        table.add_row(
            criterion.id,
            criterion.about,
            "" if line.value is None else f"{line.value:.4g}",
            criterion.target,
            f"{line.points:g}/{criterion.points:g}",
            "; ".join([*remarks, _REMARK.get(criterion.basis, criterion.basis), f"evidence: {criterion.evidence}"]),
        )
    return table


def _comparisons(card: Scorecard) -> Table:
    table = ruled_table(collapse_padding=True, title="The same rubric on what is not the model")
    table.add_column("")
    table.add_column("what")
    for name in ("draws", "mean", "5 %", "50 %", "95 %", "model's percentile"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in card.compared:
        spread = (each.low, each.median, each.high) if each.draws > 1 else ()
        table.add_row(
            f"{each.kind}: {each.name}",
            each.about,
            f"{each.draws:,}" if each.draws > 1 else "",
            f"{each.mean:.4g}",
            *([f"{value:g}" for value in spread] or ["", "", ""]),
            f"{each.percentile:.0f}" if each.draws > 1 else "",
        )
    return table


def print_replay(console: TerminalConsole, replay: Replay) -> None:
    """Print what each phase does in the game, and where it begins by the game's own account."""
    console.print(f"{replay.game}: {replay.script}", style="bold", highlight=False)
    shown = min(len(replay.seats), _SEATS)
    console.print(
        f"seats: {', '.join(replay.seats[:shown])}{' …' if shown < len(replay.seats) else ''}", highlight=False
    )
    table = ruled_table(collapse_padding=True)
    table.add_column("phase", no_wrap=True)
    for name in ("steps", "actions", "signals", "trust", "damage", "own start", "reward", "loyalty"):
        table.add_column(name, justify="right")
    for phase in replay.phases:
        (trust_before, damage_before), (trust, damage) = phase.before, phase.after
        table.add_row(
            phase.name,
            str(phase.steps),
            " ".join(f"{action:.1f}" for action in phase.actions[:shown]),
            " ".join(f"{signal:+.2f}" for signal in phase.signals[:shown]),
            f"{trust_before:.2f} → {trust:.2f}",
            f"{damage_before:.2f} → {damage:.2f}",
            f"{phase.preset_trust:.2f}, {phase.preset_damage:.2f}",
            " ".join(f"{reward:.2f}" for reward in phase.rewards[:shown]),
            "" if phase.loyalty is None else f"{phase.loyalty:.2f}",
        )
    console.print(table)
    console.print(
        "  trust and damage: means over pairs; own start: those of the game's preset\n",
        highlight=False,
    )


def partners_table(partners: Iterable[Fitted]) -> Table:
    """Show the partner that best retraces each seat, with its error where it was fitted and where it was not."""
    table = ruled_table(
        collapse_padding=True,
        title="Partners that retrace the coded path",
        caption="errors: root mean square, shares of endowment; the last phase is held out; constant: what the mean "
        "share of the fitted phases misses there",
    )
    table.add_column("seat")
    table.add_column("reward", no_wrap=True)
    for name in ("reciprocity", "patience", "fitted", "held out", "constant"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in partners:
        numbers = (each.reciprocity, each.patience, each.fitted_error, each.held_out_error, each.constant_error)
        table.add_row(each.seat, each.mode, *(f"{number:.2f}" for number in numbers))
    return table


def findings_table(name: str, findings: Iterable[Finding]) -> Table:
    """Show what an experiment measures all over its grid."""
    table = ruled_table(
        collapse_padding=True,
        title=name,
        caption="met: part of the rows that meet the published target, where there is one",
    )
    table.add_column("metric", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("what")
    for column in ("rows", "median", "mean", "deviation", "least", "greatest", "met"):
        table.add_column(column, justify="right", no_wrap=True)
    for each in findings:
        numbers = (each.median, each.mean, each.deviation, each.low, each.high)
        met = "" if each.met is None else f"{each.met:.3f}"
        table.add_row(
            each.metric, each.kind, each.about, f"{each.rows:,}", *(f"{number:.3g}" for number in numbers), met
        )
    return table
