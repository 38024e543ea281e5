"""What learning under integrated reward brings, measured in welfare: the D contribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from matplotlib.figure import Figure

from coopgym.benchmarks.drawing.formatting import class_name, game_title, percent, sample_size
from coopgym.benchmarks.drawing.plots.dots import Dot, Row, Span, dots
from coopgym.benchmarks.drawing.series_style import SeriesStyle
from coopgym.benchmarks.report.content import interval_cells
from coopgym.benchmarks.report.content.blocks import Block, Cell, Chart, Column, Fold, Heading, Heatmap, Section, Table
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.report.sections.grids import FEW, Entry, grid, legend, relative_dot
from coopgym.benchmarks.score import (
    Contribution,
    ContributionSummary,
    NoiseFloor,
    contributions,
    summarise_contributions,
)
from coopgym.benchmarks.score.contribution import PERCENTILES
from coopgym.benchmarks.score.estimates import STUDENT

EDGE = Span(-1.0, 1.0)


def contribution(report_data: ReportData) -> Section | None:
    """Compare training under integrated reward with training under private reward."""
    floors = _floors(report_data)
    blocks: list[Block] = []
    every: list[Contribution] = []
    for leaderboard in report_data.leaderboards:
        found = contributions(leaderboard.runs, floors)
        if found:
            blocks += [Heading(leaderboard.title.capitalize())] if leaderboard.title else []
            relative = [each for each in found if each.relative_welfare is not None]
            blocks += [_chart(relative, report_data.styles, leaderboard.suffix, leaderboard.title)] if relative else []
            blocks.append(_summary(found))
            blocks.append(Fold("Every learner and game", [_table(found, report_data.styles)]))
            every += found
    if not every:
        return None
    judged = [each.welfare for each in every if each.welfare.low is not None]
    better = sum(welfare.excludes_zero and welfare.value > 0 for welfare in judged)
    names = dict.fromkeys(each.algorithm.name for each in every)
    return Section(
        id="contribution",
        title="What integrated reward contributes",
        how=(
            "ΔW is the welfare, the sum of everybody’s payoffs, reached after training under integrated reward, less "
            "that after training under private reward with the same seeds: one yardstick for both. The metric shift "
            "compares returns that are read each in its own reward mode instead. It moves even where play stays the "
            "same, so it says how the yardsticks differ, not what learning achieved."
        ),
        blocks=[*legend(names, report_data.styles), *blocks],
        finding=(
            f"Training under integrated instead of private reward raises welfare in {better} of {len(judged)} pairs of "
            "learner and game by more than seeds explain."
            if judged
            else ""
        ),
    )


def _floors(report_data: ReportData) -> Mapping[str, NoiseFloor] | None:
    """Noise floors of the first learner that was entered twice."""
    return next(iter(report_data.noise.values()), None)


def _chart(
    found: Sequence[Contribution], styles: Mapping[str, SeriesStyle], suffix: str, title: str
) -> Chart | Heatmap:
    name, label = f"contribution{suffix}", f"Welfare after integrated less after private reward {title}".strip()
    how = (
        "Change of welfare as a share of the welfare under private reward; above zero integrated reward makes the "
        f"group richer. {STUDENT}, {sample_size(each.welfare.n for each in found)} in pairs."
    )
    if len({each.algorithm.name for each in found}) > FEW:
        return grid(name, label, [_entry(each) for each in found], 0.25, f"In %. {how}")
    edge = "Changes beyond 100 % are drawn at the edge. Hollow: within the noise floor, where there is one."
    return Chart(name, label, partial(_figure, found, styles), f"{how} {edge}")


def _entry(found: Contribution) -> Entry:
    change = found.relative_welfare or 0.0
    return Entry(game_title(found.game), found.algorithm.name, change, found.welfare.excludes_zero)


def _figure(found: Sequence[Contribution], styles: Mapping[str, SeriesStyle]) -> Figure:
    rows: dict[str, list[Dot]] = {}
    for each in found:
        if each.relative_welfare is not None:
            style, full = styles[each.algorithm.name], each.beyond_noise is not False
            dot = relative_dot(each.welfare, each.relative_welfare, style, full)
            rows.setdefault(game_title(each.game), []).append(dot)
    drawn = [Row(game, dots) for game, dots in rows.items()]
    return dots(drawn, "ΔW over welfare under private reward", anchors=(0.0,), shown=EDGE, as_percent=True)


def _summary(found: Sequence[Contribution]) -> Table:
    columns = [
        Column("class"),
        Column("pairs", "learners × games"),
        *(Column(f"{level} %", f"{level}th percentile of relative ΔW over pairs") for level in PERCENTILES),
        Column("negative", "pairs with ΔW below zero"),
        Column("beyond noise", "pairs whose ΔW exceeds the noise floor"),
    ]
    return Table(columns, [_class_row(each) for each in summarise_contributions(found)])


def _class_row(each: ContributionSummary) -> list[Cell]:
    return [
        Cell(class_name(each.mechanism_class)),
        interval_cells.number(float(each.pairs), 0),
        *(interval_cells.share(each.percentiles.get(level)) for level in PERCENTILES),
        interval_cells.number(float(each.negative), 0),
        Cell("–") if each.beyond_noise is None else interval_cells.number(float(each.beyond_noise), 0),
    ]


def _table(found: Sequence[Contribution], styles: Mapping[str, SeriesStyle]) -> Table:
    columns = [
        Column("learner"),
        Column("game"),
        Column("ΔW"),
        Column("of W", "ΔW over welfare under private reward"),
        Column("Δ trust", "change of mean trust at the end"),
        Column("noise floor", "size of a mean difference that chance makes"),
        Column("metric shift", "(R integrated − R private) / R integrated, each return in its own mode"),
    ]
    return Table(
        columns,
        [
            [
                interval_cells.agent(each.algorithm.name, styles),
                Cell(game_title(each.game)),
                interval_cells.measured(each.welfare),
                Cell("–") if each.relative_welfare is None else interval_cells.share(each.relative_welfare),
                interval_cells.measured(each.trust, 2),
                Cell("–") if each.noise is None else interval_cells.number(each.noise),
                Cell("–") if each.metric_shift is None else Cell(percent(each.metric_shift), each.metric_shift),
            ]
            for each in found
        ],
    )
