"""Play in worlds, where the right level must be found out: scores, and how fast it is found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from matplotlib.figure import Figure

from coopgym.benchmarks.drawing.formatting import game_title, listed, sample_size, signed, slug
from coopgym.benchmarks.drawing.plots.lines import BANDS, Axis, Line, lines
from coopgym.benchmarks.drawing.series_style import SeriesStyle
from coopgym.benchmarks.metrics import AFTER_CHANGE
from coopgym.benchmarks.report.content import interval_cells
from coopgym.benchmarks.report.content.blocks import (
    Block,
    Chart,
    Column,
    Fold,
    Gallery,
    Heading,
    Heatmap,
    Section,
    SeriesLegend,
    Table,
    Text,
)
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.report.sections.grids import Entry, grid
from coopgym.benchmarks.score import WorldBoard, WorldRanking
from coopgym.benchmarks.score.estimates import STUDENT
from coopgym.benchmarks.score.worlds import AFTER_CHANGES, RegretCurve, regret_curves
from coopgym.worlds import WORLDS

MOST_LINES = 10
"""Agents whose regret is drawn: the best."""
EDGE = (-0.5, 2.5)
"""Regrets between which lines are drawn; beyond, at the edge."""
MEANINGS = {
    "welfare score": "mean over games and worlds, and over seeds",
    AFTER_CHANGES: f"score of the {AFTER_CHANGE} steps from every change of a shifting world on, or up to the next",
    **{name: world.summary for name, world in WORLDS.items()},
}


def worlds(report_data: ReportData) -> Section | None:
    """Tell who finds out what worlds have drawn, and how fast."""
    boards = report_data.scored.worlds
    if not boards:
        return None
    blocks = [block for board in boards for block in _board(board, report_data.styles)]
    verdicts = [ranking.verdict for board in boards for ranking in board.rankings]
    return Section(
        id="worlds",
        title="Worlds",
        how=(
            "What cooperation costs and what working together yields are drawn anew in every episode. A score of 0 is "
            "what the best single level earns that knows nothing of the draws, 1 what the plan earns that is told "
            "them, both on the test draws that everybody meets. What is earned is welfare, which training on private "
            "reward does not seek; a score is a ratio of sums over draws. Regret of a step is what the informed plan "
            "earns more in it, as a part of its lead over that level per step, so that its mean over an episode is one "
            "minus the score. In a shifting world the plan knows the present only and may be beaten."
        ),
        blocks=blocks,
        finding=" ".join(filter(None, verdicts)),
    )


def _board(board: WorldBoard, styles: Mapping[str, SeriesStyle]) -> Iterator[Block]:
    for ranking in board.rankings:
        yield Heading(ranking.heading.removeprefix("Worlds, ").capitalize())
        yield _table(ranking, styles)
        for reason, names in ranking.absences.items():
            yield Text(f"Not in this table: {listed(names, len(names))} ({reason}).")
        yield from _regrets(ranking, styles)
        yield Fold("Game by game", [_games(ranking, world) for world in ranking.table.worlds])
    if board.remark:
        yield Text(board.remark)


def _table(ranking: WorldRanking, styles: Mapping[str, SeriesStyle]) -> Table:
    numbers = {row.algorithm.name: ranking.numbers(row.algorithm.name) for row in ranking.ranks.rows}
    measures = list(dict.fromkeys(measure for found in numbers.values() for measure in found))
    columns = [Column("algorithm"), *(Column(measure, MEANINGS[measure]) for measure in measures)]
    rows = [
        [interval_cells.agent(name, styles), *(interval_cells.score(found.get(measure)) for measure in measures)]
        for name, found in numbers.items()
    ]
    size = sample_size(row.score.n for row in ranking.ranks.rows)
    return Table(columns, rows, f"{ranking.scope}. {STUDENT}, {size}.")


def _regrets(ranking: WorldRanking, styles: Mapping[str, SeriesStyle]) -> Iterator[Block]:
    """Draw regret per step, a figure for each world, if steps are known."""
    names = [row.algorithm.name for row in ranking.ranks.rows][:MOST_LINES]
    drawn = {world: regret_curves(ranking.table.of_world(world).only(names)) for world in ranking.table.worlds}
    charts = [
        Chart(
            f"regret-{world}-{slug(ranking.heading)}",
            f"Regret per step, {ranking.heading}, {world}",
            partial(_figure, curves, styles, world),
        )
        for world, curves in drawn.items()
        if curves
    ]
    if charts:
        yield SeriesLegend({name: styles[name] for name in names}, with_lines=True)
        best = f"The best {MOST_LINES} of {len(ranking.ranks.rows)}. " if len(ranking.ranks.rows) > MOST_LINES else ""
        yield Gallery(
            charts,
            f"{best}Means over games, of the steps that all of them have: 0 is the informed plan, 1 the best level on "
            f"average. Bands: {STUDENT}; none where there are more than {BANDS} lines. Beyond {signed(EDGE[0], 1)} and "
            f"{signed(EDGE[1], 1)} lines run at the edge.",
        )


def _figure(curves: Sequence[RegretCurve], styles: Mapping[str, SeriesStyle], world: str) -> Figure:
    drawn = []
    for each in curves:
        style = styles[each.algorithm]
        drawn.append(Line(each.algorithm, each.steps, each.regret, style.colour, style.dash, each.low, each.high))
    return lines(drawn, Axis("step"), Axis("regret", EDGE), title=world, anchors=(0.0, 1.0), names="nowhere")


def _games(ranking: WorldRanking, world: str) -> Heatmap:
    table = ranking.table.of_world(world)
    entries = [
        Entry(game_title(task.setting.environment), name, found.value, found.excludes_zero)
        for task in table.tasks
        for name in table.names
        if (found := table.cell(name, task)) is not None
    ]
    label = f"Welfare scores in the world {world}, {ranking.heading}"
    caption = f"Welfare scores in the world {world}."
    return grid(f"worlds-{world}-{slug(ranking.heading)}", label, entries, 1.0, caption, per_cent=False)
