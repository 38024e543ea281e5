"""What the audits say together: who can be exploited where, and when defection begins to pay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from matplotlib.figure import Figure

from coopgym.benchmarks.audits.crosscheck import DIRECT, REFERENCE, CrossCheck, Protocols, crosscheck
from coopgym.benchmarks.audits.reference_temporal import VULNERABILITIES
from coopgym.benchmarks.drawing.formatting import class_name, counted, percent
from coopgym.benchmarks.drawing.plots.dots import Dot, Row, dots
from coopgym.benchmarks.drawing.theme import mode_colour
from coopgym.benchmarks.report.content import interval_cells
from coopgym.benchmarks.report.content.blocks import Block, Cell, Chart, Column, Facts, Heading, Section, Table
from coopgym.benchmarks.report.content.legends import mode_legend
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.report.sections.audits.common import AuditRun, audit_runs, modes_of

KINDS: Mapping[str, Protocols] = {"": DIRECT, " (reference protocol)": REFERENCE}
"""Sets of audits that belong together, with what headings add."""
VULNERABILITY_TITLES = {
    "immune": "no switch to defection pays",
    "terminal_only": "pays in the last tenth only",
    "late_vulnerable": "pays from the last three tenths on",
    "partially_vulnerable": "pays earlier, at less than half of the moments",
    "broadly_vulnerable": "pays at half of the moments or more",
}
"""Classes of `VULNERABILITIES` in words."""


def audit_crosscheck(report_data: ReportData) -> Section | None:
    """Summarise exploitation and vulnerability over all games."""
    blocks: list[Block] = []
    findings: list[str] = []
    for remark, protocols in KINDS.items():
        runs = audit_runs(report_data, protocols.unilateral, protocols.temporal)
        if runs:
            checks = {mode: crosscheck(report_data.corpus, protocols, mode) for mode in modes_of(runs)}
            blocks += _kind(remark, checks, {run.setting.environment: run for run in runs})
            findings.append(_finding(checks))
    if not blocks:
        return None
    return Section(
        id="exploitation",
        title="Who can be exploited",
        how=(
            "Every audit fixes all actions in advance, so what it finds belongs to the game and not to any learner. A "
            "test is exploitative when the deviating seat gains and the others lose. A game is the safer, the smaller "
            "the share of such tests and the later in an episode a switch to defection begins to pay."
        ),
        blocks=blocks,
        finding=" ".join(filter(None, findings)),
    )


def _kind(remark: str, checks: Mapping[str, CrossCheck], runs: Mapping[str, AuditRun]) -> Iterator[Block]:
    protocol = "reference" if remark else "direct"
    tested = any(check.exploitation for check in checks.values())
    if remark and len(checks) == 1:
        yield Facts(_records(next(iter(checks.values()))))
    if tested:
        yield mode_legend(checks)
        yield Chart(
            name=f"exploitative-share-{protocol}",
            label=f"Share of exploitative deviations by game{remark}",
            draw=partial(_share_figure, checks, _order(runs)),
            caption=(
                "Part of the unilateral tests in which one seat gains while the others lose, by game and reward mode; "
                f"further left is safer. {_tests(checks)}."
            ),
        )
    if remark and any(check.vulnerability for check in checks.values()):  # classes of the published protocol
        yield Heading("When defection begins to pay")
        yield _vulnerability_table(checks, _order(runs))
    if tested:
        yield Heading("By mechanism class")
        yield _class_table(checks)


def _records(check: CrossCheck) -> dict[str, str]:
    found = {name.replace("_", " "): f"{number:,} runs" for name, number in sorted(check.records.items())}
    labels = len(check.records_per_label)
    agree = all(each.labels_agree for each in check.exploitation.values())
    found["labels"] = f"{labels}, {'all alike' if agree else 'not all alike'}"
    found["switches tested"] = f"{check.switch_tests:,}"
    found["profitable ramps"] = counted(len(check.gradual_exploits), "case")
    return found


def _order(runs: Mapping[str, AuditRun]) -> list[str]:
    return sorted(runs, key=lambda game: (runs[game].mechanism_class, game))


def _tests(checks: Mapping[str, CrossCheck]) -> str:
    sizes = sorted({each.tests for check in checks.values() for each in check.exploitation.values()})
    return f"n = {sizes[0]:,} tests a game" if len(sizes) == 1 else f"n = {sizes[0]:,} to {sizes[-1]:,} tests a game"


def _share_figure(checks: Mapping[str, CrossCheck], order: Sequence[str]) -> Figure:
    rows = [
        Row(
            game,
            [
                Dot(check.exploitation[game].share, mode_colour(mode))
                for mode, check in checks.items()
                if game in check.exploitation
            ],
        )
        for game in order
    ]
    drawn = [row for row in rows if row.dots]
    return dots(drawn, "exploitative share of deviations", anchors=(0.0,), as_percent=True)


def _vulnerability_table(checks: Mapping[str, CrossCheck], order: Sequence[str]) -> Table:
    columns = [Column("game"), *(Column(mode) for mode in checks), Column("best common level", "median over records")]
    rows = []
    for game in order:
        found = [_vulnerability(check, game) for check in checks.values()]
        level = next(iter(checks.values())).optimal_level.get(game)
        rows.append([Cell(game), *found, interval_cells.share(level)])
    return Table(columns, rows)


def _vulnerability(check: CrossCheck, game: str) -> Cell:
    classes = [found for (name, _), found in check.vulnerability.items() if name == game]
    if not classes:
        return interval_cells.EMPTY
    worst = max(classes, key=VULNERABILITIES.index)
    place = VULNERABILITIES.index(worst)
    note = "" if len(set(classes)) == 1 else "differs between seeds"
    return Cell(VULNERABILITY_TITLES[worst], place, -place / (len(VULNERABILITIES) - 1), note)


def _class_table(checks: Mapping[str, CrossCheck]) -> Table:
    columns = [
        Column("class"),
        Column("reward"),
        Column("tests"),
        Column("exploitative"),
        Column("last switch, mean", "gain of the latest defection in units of return"),
        Column("least"),
        Column("greatest"),
    ]
    rows = []
    for mode, check in checks.items():
        for name, found in check.exploitation_by_class.items():
            gain = check.last_switch_gain.get(name)
            rows.append(
                [
                    Cell(class_name(name)),
                    Cell(mode),
                    interval_cells.number(float(found.tests), 0),
                    interval_cells.share(found.share, 1),
                    *(
                        interval_cells.number(getattr(gain, part) if gain else None)
                        for part in ("mean", "least", "greatest")
                    ),
                ]
            )
    return Table(columns, rows)


def _finding(checks: Mapping[str, CrossCheck]) -> str:
    parts = []
    for mode, check in checks.items():
        if check.exploitation:
            exposed = sorted(check.exploitation, key=lambda game: -check.exploitation[game].share)
            some = sum(each.exploitative > 0 for each in check.exploitation.values())
            most = f"most in {exposed[0]} ({percent(check.exploitation[exposed[0]].share)})" if some else ""
            parts.append(
                f"under {mode} reward some deviation exploits the others in {some} of {len(exposed)} games"
                + (f", {most}" if most else "")
            )
    said = "; ".join(parts)
    return f"{said[0].upper()}{said[1:]}." if said else ""
