"""Who does best: ranks with their groups, and performance profiles; private play by how exploitable it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from coopgym.benchmarks.drawing.formatting import counted, game_title, listed, sample_size
from coopgym.benchmarks.drawing.plots.dots import Dot, Row, Span, dots
from coopgym.benchmarks.drawing.plots.lines import Axis, Line, lines
from coopgym.benchmarks.drawing.series_style import SeriesStyle
from coopgym.benchmarks.report.content import interval_cells
from coopgym.benchmarks.report.content.blocks import (
    Beside,
    Block,
    Cell,
    Chart,
    Column,
    Fold,
    Heading,
    Section,
    SeriesLegend,
    Table,
    Text,
)
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.score import (
    ComparisonSet,
    Estimate,
    Leaderboard,
    Profile,
    RankRow,
    comparison_sets,
    principal,
    private_comparison_sets,
    profiles,
    rankings,
)
from coopgym.benchmarks.score.estimates import FEWEST, STUDENT
from coopgym.benchmarks.score.settings import PRIVATE

FLOOR = Span(low=-1.0)
"""Scores below are drawn at the edge: a few disastrous constants would flatten everything else."""
CEILING = Span(high=1.0)
"""So is what could gain more than all earn."""
THRESHOLDS = np.linspace(-0.5, 1.25, 71)
GROUPS = (
    "two algorithms share a letter where paired t tests over common seeds, adjusted after Holm, do not tell them apart "
    f"at 5 %; none below {FEWEST} seeds"
)
MOST_LINES = 12
"""Profiles drawn in one figure: the best."""


def ranking(report_data: ReportData) -> Section | None:
    """Rank algorithms, each objective of learners by itself."""
    blocks = [
        block for leaderboard in report_data.leaderboards for block in _leaderboard(leaderboard, report_data.styles)
    ]
    if not blocks:
        return None
    shown = {
        name
        for leaderboard in report_data.leaderboards
        for compared in rankings(leaderboard)
        for name in compared.table.names
    }
    legend = SeriesLegend({name: style for name, style in report_data.styles.items() if name in shown})
    scale = report_data.leaderboards[0].table().scale
    return Section(
        id="ranking",
        title="Ranking",
        how=(
            f"A score of 0 is what {scale.zero} reaches in the same game and reward mode, 1 what the {scale.one} of "
            "this study reaches, by the return in that mode. Everybody plays with copies of itself. The score of an "
            "algorithm under a seed is its mean over games and modes, its score the mean of those over seeds; orders, "
            "groups and differences come from the same numbers. A run that diverged counts as the worst that anybody "
            "reached in its game. Under private reward nobody seeks the largest sum, so private play is not ranked by "
            "it but by what seats could gain by deviating."
        ),
        blocks=[legend, *blocks],
        finding=" ".join(
            compared.verdict
            for leaderboard in report_data.leaderboards
            if (compared := principal(comparison_sets(leaderboard))) is not None and compared.verdict
        ),
    )


def _leaderboard(leaderboard: Leaderboard, styles: Mapping[str, SeriesStyle]) -> Iterator[Block]:
    found = rankings(leaderboard)
    chosen, stablest = principal(comparison_sets(leaderboard)), principal(private_comparison_sets(leaderboard))
    if chosen is not None:
        yield Heading(chosen.heading)
        yield from _comparison_set(chosen, styles)
        if chosen.has_diverged:
            without = principal(comparison_sets(leaderboard, diverged="excluded"))
            if without is not None:
                yield Heading(f"{without.heading}, without runs that diverged")
                yield from _comparison_set(without, styles, "-without-diverged")
        if len(chosen.table.names) > 1:
            yield Heading(f"How scores spread: {chosen.title[0].lower()}{chosen.title[1:]}")
            yield _profiles(chosen, styles)
    if stablest is not None:
        yield Heading(stablest.heading)
        yield from _comparison_set(stablest, styles)
    elif chosen is not None and any(task.reward_mode == PRIVATE for task in leaderboard.grid.tasks):
        yield Text(
            "Play under private reward is not ranked: nobody searched what seats could gain by deviating from it, "
            "which coopgym exploit does."
        )
    for compared in found:
        if compared not in (chosen, stablest):
            yield Fold(
                compared.heading,
                list(_comparison_set(compared, styles)),
                counted(len(compared.table.names), "algorithm"),
            )


def _comparison_set(compared: ComparisonSet, styles: Mapping[str, SeriesStyle], remark: str = "") -> Iterator[Block]:
    rows = compared.ranks.rows
    if len(compared.table.games) < compared.games:
        games = listed(map(game_title, compared.table.games), 12)
        yield Text(f"Games: {games}, under {listed(compared.table.modes)} reward.")
    chart = Chart(
        name=f"{'private-' if compared.table.lower_is_better else ''}ranking-{compared.name}{remark}",
        label=f"Ranking, {compared.heading}{remark.replace('-', ' ')}",
        draw=partial(_figure, rows, styles, compared),
        caption=f"{_direction(compared)} {STUDENT}, {sample_size(row.score.n for row in rows)}.",
    )
    yield Beside(chart, _table(compared, styles))
    for reason, names in compared.absences.items():
        yield Text(f"Not in this table: {listed(names, len(names))} ({reason}).")


def _direction(compared: ComparisonSet) -> str:
    if compared.table.lower_is_better:
        return f"The further left the better: {compared.table.scale.label}."
    return "The further right the better; grey lines are the two anchors."


def _figure(rows: Sequence[RankRow], styles: Mapping[str, SeriesStyle], compared: ComparisonSet) -> Figure:
    drawn = []
    for row in rows:
        style = styles[row.algorithm.name]
        drawn.append(Row(row.algorithm.name, [Dot.of(row.score, style.colour, style.mark)]))
    if compared.table.lower_is_better:
        return dots(drawn, "gain by deviating", anchors=(0.0,), shown=CEILING, as_percent=True)
    axis = f"score: {compared.table.scale.label}"
    return dots(drawn, axis, anchors=(0.0, 1.0), reference_scores=compared.reference_scores, shown=FLOOR)


MEANINGS = {
    "score": "mean over games and modes, and over seeds",
    "exploitability": "what seats could gain by deviating, each alone; mean over games",
    "welfare": "score of welfare, for description: what private play is worth to all",
    "played": "mean share of endowment put in",
}


def _table(compared: ComparisonSet, styles: Mapping[str, SeriesStyle]) -> Table:
    numbers = {row.algorithm.name: compared.numbers(row.algorithm.name) for row in compared.ranks.rows}
    measures = list(dict.fromkeys(measure for found in numbers.values() for measure in found))
    rows = []
    for row in compared.ranks.rows:
        name, found = row.algorithm.name, numbers[row.algorithm.name]
        places = f"{row.low} … {row.high}" if row.low is not None and row.low != row.high else ""
        rows.append(
            [
                interval_cells.agent(name, styles),
                Cell(f"{row.rank:g}", row.rank, note=places),
                interval_cells.score(found[measures[0]]),
                Cell(row.significance_groups),
                *(_number(measure, found.get(measure)) for measure in measures[1:]),
            ]
        )
    columns = [
        Column("algorithm"),
        Column("rank", "place by score, with the places that it may have"),
        Column(measures[0], MEANINGS[measures[0]]),
        Column("group", GROUPS),
        *(Column(measure, MEANINGS.get(measure, "score in this reward mode")) for measure in measures[1:]),
    ]
    return Table(columns, rows)


def _number(measure: str, estimate: Estimate | None) -> Cell:
    if measure == "played":
        return interval_cells.measured_share(estimate)
    return interval_cells.number(None if estimate is None else estimate.value, 2)


def _profiles(compared: ComparisonSet, styles: Mapping[str, SeriesStyle]) -> Chart:
    best = [row.algorithm.name for row in compared.ranks.rows[:MOST_LINES]]
    of = (
        f"the best {MOST_LINES} of {len(compared.ranks.rows)} algorithms; "
        if len(compared.ranks.rows) > MOST_LINES
        else ""
    )
    return Chart(
        name=f"profiles-{compared.name}",
        label=f"Performance profiles, {compared.title}",
        draw=partial(_profile_figure, compared, best, styles),
        caption=(
            f"Share of runs that score above a threshold, every game and mode with the same weight: {of}the higher "
            "a line the better, and where two cross, one is better at its best and the other at its worst. Names "
            f"stand in order of rank. Bands: 95 % Student t over seeds, pointwise; none below {FEWEST} seeds."
        ),
    )


def _profile_figure(compared: ComparisonSet, names: Sequence[str], styles: Mapping[str, SeriesStyle]) -> Figure:
    found = {each.algorithm.name: each for each in profiles(compared.table.only(names), THRESHOLDS)}
    return lines(
        [_profile(found[name], styles[name]) for name in names],
        Axis(f"score threshold: {compared.table.scale.label}", (THRESHOLDS[0], THRESHOLDS[-1])),
        Axis("share of runs above", (0.0, 1.0), (0, 0.25, 0.5, 0.75, 1.0), as_percent=True),
        names="listed",
        size=(4.2, 3.0),
    )


def _profile(found: Profile, style: SeriesStyle) -> Line:
    return Line(found.algorithm.name, found.thresholds, found.share, style.colour, style.dash, found.low, found.high)
