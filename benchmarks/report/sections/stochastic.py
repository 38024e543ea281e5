"""Policies by their means and by their draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from matplotlib.figure import Figure

from coopgym.benchmarks.drawing.formatting import game_title, mode_title, sample_size, slug
from coopgym.benchmarks.drawing.plots.dots import Dot, Row, Span, dots
from coopgym.benchmarks.drawing.series_style import SeriesStyle
from coopgym.benchmarks.report.content import interval_cells
from coopgym.benchmarks.report.content.blocks import Block, Cell, Chart, Column, Fold, Gallery, Heading, Section, Table
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.report.sections.grids import FEW, Entry, grid, legend
from coopgym.benchmarks.score import Algorithm, Estimate, Leaderboard, Task, mean_estimate
from coopgym.benchmarks.score.estimates import STUDENT
from coopgym.rewards import MODES

EDGE = Span(-1.0, 1.5)


@dataclass(frozen=True)
class Drawn:
    """A learner on a task, in scores."""

    algorithm: Algorithm
    task: Task
    mean: Estimate
    """When the mean of each policy is played."""
    draws: Estimate
    """When actions are drawn from it."""
    difference: Estimate
    """Draws less means, seed by seed."""


def stochastic(report_data: ReportData) -> Section | None:
    """Compare the two evaluations of learners."""
    found = [(leaderboard, list(_found(leaderboard))) for leaderboard in report_data.leaderboards]
    every = [each for _, own in found for each in own]
    if not every:
        return None
    blocks: list[Block] = []
    for leaderboard, own in found:
        if own:
            blocks += [Heading(leaderboard.title.capitalize())] if leaderboard.title else []
            blocks += list(_figures(own, leaderboard, report_data.styles))
    names = dict.fromkeys(each.algorithm.name for each in every)
    return Section(
        id="stochastic",
        title="Means and draws",
        how=(
            "A trained policy is a distribution over actions. Rankings let it play the mean; here the same policy also "
            "draws its actions. Where the two lie apart, the noise of exploration still does much of the work, or "
            "harm, and the learner had not finished."
        ),
        blocks=[
            *legend(names, report_data.styles),
            *blocks,
            Fold("Numbers", [_table(every, report_data.styles)]),
        ],
    )


def _found(leaderboard: Leaderboard) -> Iterator[Drawn]:
    means, draws = leaderboard.table(), leaderboard.table("sto_return_mode")
    for a, algorithm in enumerate(draws.algorithms):
        if algorithm.kind != "learner":
            continue
        for t, task in enumerate(draws.tasks):
            if task in means.tasks:
                own = means.scores[means.index(algorithm.name), means.tasks.index(task)]
                one, other, difference = (
                    mean_estimate(each) for each in (own, draws.scores[a, t], draws.scores[a, t] - own)
                )
                if one is not None and other is not None and difference is not None:
                    yield Drawn(algorithm, task, one, other, difference)


def _figures(found: Sequence[Drawn], leaderboard: Leaderboard, styles: Mapping[str, SeriesStyle]) -> Iterator[Block]:
    scale = leaderboard.table().scale.label
    named = [each for each in found if each.task.reward_mode in MODES] or found
    crowded = len({each.algorithm.name for each in named}) > FEW
    size = sample_size(each.mean.n for each in named)
    charts = []
    for mode in dict.fromkeys(each.task.reward_mode for each in named):
        own = [each for each in named if each.task.reward_mode == mode]
        name, title = f"means-and-draws-{slug(mode)}{leaderboard.suffix}", mode_title(mode)
        label = f"Means and draws of policies, {title} {leaderboard.title}".strip()
        if crowded:
            how = f"Score of draws less score of means, {scale}; {size}."
            yield Fold(title, [grid(name, label, [_entry(each) for each in own], 0.5, how, per_cent=False)])
        else:
            charts.append(Chart(name, label, partial(_figure, own, styles, title, scale)))
    if charts:
        yield Gallery(
            charts,
            f"Full marks: means; hollow marks: draws. {STUDENT}, {size}; scores below −1 or above 1.5 are drawn at the "
            "edge.",
        )


def _entry(drawn: Drawn) -> Entry:
    difference = drawn.difference
    return Entry(game_title(drawn.task.game), drawn.algorithm.name, difference.value, difference.excludes_zero)


def _figure(found: Sequence[Drawn], styles: Mapping[str, SeriesStyle], title: str, scale: str) -> Figure:
    rows: dict[str, list[Dot]] = {}
    for each in found:
        style = styles[each.algorithm.name]
        rows.setdefault(game_title(each.task.game), []).extend(
            Dot.of(value, style.colour, style.mark, full) for value, full in ((each.mean, True), (each.draws, False))
        )
    drawn = [Row(*row) for row in rows.items()]
    return dots(drawn, f"score: {scale}", title=title, anchors=(0.0, 1.0), shown=EDGE)


def _table(found: Sequence[Drawn], styles: Mapping[str, SeriesStyle]) -> Table:
    columns = [Column("learner"), Column("game"), Column("reward"), Column("means"), Column("draws")]
    return Table(
        columns,
        [
            [
                interval_cells.agent(each.algorithm.name, styles),
                Cell(game_title(each.task.game)),
                Cell(each.task.reward_mode),
                interval_cells.score(each.mean),
                interval_cells.score(each.draws),
            ]
            for each in found
        ],
    )
