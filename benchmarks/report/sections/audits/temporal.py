"""When deviating pays: early, late, for a while or by degrees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.figure import Figure

from coopgym.benchmarks.drawing.formatting import percent, slug
from coopgym.benchmarks.drawing.plots.lines import Axis, Level, Line, lines
from coopgym.benchmarks.drawing.series_style import DASHES
from coopgym.benchmarks.drawing.theme import HUES
from coopgym.benchmarks.report.content import interval_cells
from coopgym.benchmarks.report.content.blocks import (
    Block,
    Cell,
    Chart,
    Column,
    Fold,
    LineLegend,
    Section,
    Swatch,
    Table,
)
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.report.sections.audits.common import (
    AuditRun,
    audit_runs,
    by_class,
    details,
    numbers,
    payoff_scale,
)
from coopgym.benchmarks.score.settings import Setting
from coopgym.typing import FloatArray

PROTOCOLS = ("temporal", "reference_temporal")
STRATEGIES = {
    "late": "late, until the end",
    "early": "early, up to there",
    "ramp": "by degrees",
    "pulse": "for a while",
}
"""Ways of deviating that have a time, with what the figures call them."""
SWATCHES = dict(
    zip(
        STRATEGIES,
        (Swatch("hue1"), Swatch("hue2", "dashed"), Swatch("hue3", "dotted"), Swatch("hue4", "dashed")),
        strict=True,
    )
)
SMALLEST = 0.005
"""Gain per step that the axis shows at least: less is not worth a style."""


@dataclass(frozen=True, eq=False)
class Course:
    """Best gains of one strategy over when it begins, or ends if it is early; gains per step in mean endowments."""

    strategy: str
    fractions: FloatArray
    gains: FloatArray
    exploitative: Sequence[bool]
    """Whether the others lose by it."""


def audit_temporal(report_data: ReportData) -> Section | None:
    """Draw gains over the time of the deviation, one figure per game and reward mode."""
    runs = audit_runs(report_data, *PROTOCOLS)
    charts = list(_charts(report_data, runs))
    if not charts:
        return None
    caption = (
        "Most that any seat gains at this time over playing along, over all levels tested, per step of the horizon in "
        "mean endowments. Full marks: the others lose by it. The dashed line is the best plan that a search found, "
        "where one was made. Nobody reacts, and no chance is involved beyond what a game hides."
    )
    direct = [run for run in runs if any("@" in name for name in run.numbers)]
    tables: list[Block] = [Fold("Numbers by game and base level", [_table(direct)])] if direct else []
    return Section(
        id="temporal",
        title="Deviations in time",
        how=(
            "Everybody plays a common level, and one seat leaves it from some moment on, up to some moment, for a "
            "while or by degrees. Above zero leaving pays. A curve that rises towards the right says that betrayal "
            "pays late, when little time is left for trust to suffer; one that stays below zero says that it never "
            "does."
        ),
        blocks=[
            *tables,
            LineLegend({title: SWATCHES[name] for name, title in STRATEGIES.items()}),
            *by_class(charts, caption),
        ],
    )


def _charts(report_data: ReportData, runs: Sequence[AuditRun]) -> Iterator[tuple[AuditRun, Chart]]:
    seen: set[tuple[str, Setting]] = set()
    for run, table in details(report_data.corpus.audit_temporal.arrow, runs):
        place = (run.protocol, run.setting)
        if place not in seen:  # seeds differ in what a game hides, which the first shows as well as any
            seen.add(place)
            yield run, _chart(run, table)


def _chart(run: AuditRun, table: pa.Table) -> Chart:
    level = table.column("base_level")[0].as_py()
    first = table.filter(pc.equal(table.column("base_level"), level))
    scale, mode = payoff_scale(run), run.setting.reward_mode
    of_strategy = {
        name: rows
        for name in (*STRATEGIES, "best")
        if len(rows := first.filter(pc.equal(first.column("strategy"), name)))
    }
    courses = [_course(name, rows, scale) for name, rows in of_strategy.items() if name in STRATEGIES]
    best = float(numbers(of_strategy["best"], "gain").max()) / scale if "best" in of_strategy else None
    return Chart(
        name=f"{slug(run.protocol)}-{slug(run.title)}-{slug(mode)}",
        label=f"Gains of deviating in time in {run.title}, {mode}, {run.protocol} audit",
        draw=partial(_figure, f"{run.title}, {mode}", level, courses, best),
    )


def _course(strategy: str, rows: pa.Table, scale: float) -> Course:
    fraction, gain, others = (numbers(rows, name) for name in ("fraction", "gain", "others_change"))
    times = np.unique(fraction[np.isfinite(fraction)])
    best = [int(np.flatnonzero(fraction == time)[gain[fraction == time].argmax()]) for time in times]
    return Course(strategy, times, gain[best] / scale, [bool(gain[i] > 0 and others[i] < 0) for i in best])


def _figure(title: str, level: float, courses: Sequence[Course], best: float | None) -> Figure:
    heights = [height for course in courses for height in course.gains.tolist()] + ([] if best is None else [best])
    return lines(
        [_line(course) for course in courses],
        Axis(
            f"time in the episode; others play {percent(level)}", (0.0, 1.0), (0, 0.25, 0.5, 0.75, 1), as_percent=True
        ),
        Axis("gain per step", (min(-SMALLEST, *heights), max(SMALLEST, *heights))),
        title=title,
        anchors=(0.0,),
        names="nowhere",
        levels=[] if best is None else [Level("best found", best)],
    )


def _line(course: Course) -> Line:
    return Line(
        STRATEGIES[course.strategy],
        course.fractions,
        course.gains,
        HUES[SWATCHES[course.strategy].variable],
        DASHES[list(STRATEGIES).index(course.strategy)],
        mark="o",
        hollow=[not exploits for exploits in course.exploitative],
    )


def _table(runs: Sequence[AuditRun]) -> Table:
    columns = [
        Column("game"),
        Column("reward"),
        Column("base", "what everybody plays while nobody deviates: the best common level, or the one partners expect"),
        Column("level"),
        Column("best tested", "most profitable deviation tested, as a share of the seat’s return"),
        Column("best found", "most profitable plan after a search"),
        Column("others", "what that does to the others, as a share of the base return"),
        Column("exploitative", "part of the deviations tested that gain while the others lose"),
        Column("onset", "earliest late deviation that does, as a fraction of the episode"),
    ]
    return Table(columns, [row for run in runs for row in _rows(run)])


def _rows(run: AuditRun) -> Iterator[list[Cell]]:
    for base in [name.removeprefix("base_level@") for name in run.numbers if name.startswith("base_level@")]:
        values: Mapping[str, float | None] = {name: run.numbers.get(f"{name}@{base}") for name in _NUMBERS}
        yield [
            Cell(run.title),
            Cell(run.setting.reward_mode),
            Cell(base),
            *(interval_cells.share(value, _NUMBERS[name]) for name, value in values.items()),
        ]


_NUMBERS = {
    "base_level": 0,
    "tested_gain": 1,
    "found_gain": 1,
    "others_change": 1,
    "exploitative_share": 0,
    "onset": 0,
}
"""Summary numbers of a base level, with the decimals of their percentage."""
