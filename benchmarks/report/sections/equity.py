"""How much there is and who gets it: welfare against inequality, with cooperation and trust."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from coopgym.benchmarks.drawing.formatting import mode_title, slug
from coopgym.benchmarks.drawing.plots.scatter import Point, scatter
from coopgym.benchmarks.drawing.series_style import SeriesStyle
from coopgym.benchmarks.report.content import interval_cells
from coopgym.benchmarks.report.content.blocks import (
    Block,
    Cell,
    Chart,
    Column,
    Fold,
    Gallery,
    Heading,
    Section,
    SeriesLegend,
    Table,
)
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.score import Algorithm, ComparisonSet, Distribution, Estimate, comparison_sets, principal
from coopgym.benchmarks.score.estimates import STUDENT

MEASURES = {
    "gini": Column("Gini", "Gini coefficient of seats’ payoffs: 0 all get the same"),
    "worst_off": Column("worst off", "payoff of the seat that got least, as a share of an equal split"),
    "cooperation": Column("played", "mean share of endowment put in"),
    "least_cooperation": Column("least played", "that of the seat that put in least"),
    "trust": Column("trust", "mean trust between different seats at the end"),
}
"""Columns beside welfare, by field of `Distribution`."""


@dataclass(frozen=True)
class Standing:
    """An algorithm under one reward mode, averaged over games."""

    algorithm: Algorithm
    mode: str
    welfare: Estimate
    means: Mapping[str, float]
    """By name in `MEASURES`, over the games that have the measure."""


def equity(report_data: ReportData) -> Section | None:
    """Show welfare against inequality, one figure per reward mode."""
    blocks: list[Block] = []
    shown: dict[str, SeriesStyle] = {}
    for leaderboard in report_data.leaderboards:
        compared = principal(comparison_sets(leaderboard, "welfare"))
        if compared is None:
            continue
        found = _standings(compared)
        charts = [
            _chart(found, mode, report_data.styles, compared) for mode in compared.table.modes if _drawable(found, mode)
        ]
        if charts:
            blocks += [Heading(compared.title)]
            blocks.append(Gallery(charts, _caption(compared)))
            blocks.append(Fold("Numbers", [_table(found, report_data.styles, compared)], compared.title))
            shown |= {each.algorithm.name: report_data.styles[each.algorithm.name] for each in found}
    if not blocks:
        return None
    return Section(
        id="equity",
        title="Welfare and equity",
        how=(
            "A group can be rich because everybody earns or because a few do. To the right there is more to share, "
            "measured in everybody’s payoffs whatever the reward; further down it is shared more equally. The corner "
            "at the lower right is where one wants to be. Seats that bring different things need not get the same, so "
            "compare marks with each other rather than with zero."
        ),
        blocks=[SeriesLegend(shown), *blocks],
    )


def _standings(compared: ComparisonSet) -> list[Standing]:
    by_place: dict[tuple[str, str], list[Distribution]] = {}
    tasks = set(compared.table.tasks)
    for each in compared.leaderboard.distributions:
        if each.task in tasks:
            by_place.setdefault((each.algorithm.name, each.task.reward_mode), []).append(each)
    found = []
    for mode in compared.table.modes:
        own = compared.table.of_mode(mode)
        for algorithm in own.algorithms:
            welfare = own.estimate(algorithm.name)
            if welfare is not None:
                means = _means(by_place.get((algorithm.name, mode), ()))
                found.append(Standing(algorithm, mode, welfare, means))
    return found


def _means(own: Sequence[Distribution]) -> dict[str, float]:
    values = {
        name: [estimate.value for each in own if (estimate := getattr(each, name)) is not None] for name in MEASURES
    }
    return {name: float(np.mean(each)) for name, each in values.items() if each}


def _drawable(found: Sequence[Standing], mode: str) -> bool:
    return any(each.mode == mode and "gini" in each.means for each in found)


def _caption(compared: ComparisonSet) -> str:
    return (
        f"Score of welfare: {compared.table.scale.label}. Horizontal lines: {STUDENT}. Games in which "
        "some seat’s payoff is negative have no Gini coefficient and do not enter the height."
    )


def _chart(found: Sequence[Standing], mode: str, styles: Mapping[str, SeriesStyle], compared: ComparisonSet) -> Chart:
    return Chart(
        name=f"equity-{slug(mode)}-{compared.name}",
        label=f"Welfare and inequality, {mode_title(mode)}, {compared.title}",
        draw=partial(_figure, [each for each in found if each.mode == mode], styles, mode_title(mode)),
    )


def _figure(found: Sequence[Standing], styles: Mapping[str, SeriesStyle], title: str) -> Figure:
    points = [
        Point(
            each.algorithm.name, each.welfare, Estimate(each.means["gini"], None, None, 1), styles[each.algorithm.name]
        )
        for each in found
        if "gini" in each.means
    ]
    return scatter(points, "score of welfare", "Gini coefficient of payoffs", title=title, anchors=(0.0, 1.0))


def _table(found: Sequence[Standing], styles: Mapping[str, SeriesStyle], compared: ComparisonSet) -> Table:
    columns = [Column("algorithm"), Column("reward"), Column("welfare", compared.table.scale.label), *MEASURES.values()]
    return Table(
        columns,
        [
            [
                interval_cells.agent(each.algorithm.name, styles),
                Cell(each.mode),
                interval_cells.score(each.welfare),
                *(interval_cells.number(each.means.get(name), 2) for name in MEASURES),
            ]
            for each in found
        ],
    )
