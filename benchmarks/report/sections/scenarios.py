"""Agents among others that they did not choose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from matplotlib.figure import Figure

from coopgym.benchmarks.drawing.formatting import game_title, mode_title, sample_size, slug
from coopgym.benchmarks.drawing.plots.dots import Dot, Row, dots
from coopgym.benchmarks.drawing.series_style import SeriesStyle
from coopgym.benchmarks.report.content import interval_cells
from coopgym.benchmarks.report.content.blocks import (
    Block,
    Cell,
    Chart,
    Column,
    Fold,
    Gallery,
    Section,
    SeriesLegend,
    Table,
)
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.score import Estimate, ScenarioScore, scenario_scores
from coopgym.benchmarks.score.estimates import STUDENT
from coopgym.benchmarks.score.scenarios import AMONG


def scenarios(report_data: ReportData) -> Section | None:
    """Show what focal agents and those around them earn, scenario by scenario."""
    found = [each for each in _scores(report_data) if not each.scenario.startswith(AMONG) and each.advantage]
    if not found:
        return None
    names = dict.fromkeys(each.algorithm.name for each in found)
    blocks: list[Block] = [SeriesLegend({name: report_data.styles[name] for name in names})]
    by_scenario = {each.scenario: [other for other in found if other.scenario == each.scenario] for each in found}
    for scenario, own in by_scenario.items():
        charts = list(_charts(scenario, own, report_data.styles))
        caption = f"{STUDENT}, {sample_size(each.advantage.n for each in own if each.advantage)}."
        blocks.append(
            Fold(
                scenario,
                [Gallery(charts, caption), Fold("Numbers", [_table(own, report_data.styles)])],
                f"{len(names)} focal agents",
                open=len(by_scenario) <= 3,
            )
        )
    return Section(
        id="scenarios",
        title="Scenarios",
        how=(
            "A focal agent sits among a fixed background that it never trained with. Figures show the advantage: its "
            "payoff less the mean payoff of the others in the same run. Right of zero it lives off them, left of zero "
            "they live off it; a large advantage with poor company is nothing to be proud of, so the table gives both "
            "payoffs."
        ),
        blocks=blocks,
    )


def _scores(report_data: ReportData) -> Sequence[ScenarioScore]:
    return () if report_data.inconsistency else scenario_scores(report_data.runs)


def _charts(scenario: str, found: Sequence[ScenarioScore], styles: Mapping[str, SeriesStyle]) -> Iterator[Chart]:
    for mode in dict.fromkeys(each.task.reward_mode for each in found):
        own = [each for each in found if each.task.reward_mode == mode]
        yield Chart(
            name=f"scenario-{slug(scenario)}-{slug(mode)}",
            label=f"Advantage of focal agents in {scenario}, {mode_title(mode)}",
            draw=partial(_figure, own, styles, mode_title(mode)),
        )


def _figure(found: Sequence[ScenarioScore], styles: Mapping[str, SeriesStyle], title: str) -> Figure:
    rows: dict[str, list[Dot]] = {}
    for each in found:
        if each.advantage is not None:
            rows.setdefault(game_title(each.task.game), []).append(_dot(each.advantage, styles[each.algorithm.name]))
    return dots([Row(*row) for row in rows.items()], "focal minus background payoff", title=title, anchors=(0.0,))


def _dot(value: Estimate, style: SeriesStyle) -> Dot:
    return Dot.of(value, style.colour, style.mark)


def _table(found: Sequence[ScenarioScore], styles: Mapping[str, SeriesStyle]) -> Table:
    columns = [
        Column("focal agent"),
        Column("game"),
        Column("reward"),
        Column("focal payoff", "mean over focal seats"),
        Column("background payoff", "mean over the other seats"),
        Column("advantage"),
        Column("focal played", "mean share of endowment"),
        Column("background played"),
    ]
    return Table(
        columns,
        [
            [
                interval_cells.agent(each.algorithm.name, styles),
                Cell(game_title(each.task.game)),
                Cell(each.task.reward_mode),
                interval_cells.measured(each.focal_payoff),
                interval_cells.measured(each.background_payoff),
                interval_cells.measured(each.advantage),
                interval_cells.measured_share(each.focal_cooperation),
                interval_cells.measured_share(each.background_cooperation),
            ]
            for each in found
        ],
    )
