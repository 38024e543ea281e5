"""Learners against the best constant that was played."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from matplotlib.figure import Figure

from coopgym.benchmarks.drawing.formatting import game_title, mode_title, sample_size, slug
from coopgym.benchmarks.drawing.plots.dots import Dot, Row, Span, dots
from coopgym.benchmarks.drawing.series_style import SeriesStyle
from coopgym.benchmarks.report.content import interval_cells
from coopgym.benchmarks.report.content.blocks import Block, Cell, Chart, Column, Fold, Gallery, Heading, Section, Table
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.report.sections.grids import FEW, Entry, grid, legend, relative_dot
from coopgym.benchmarks.score import Gap, Leaderboard, exceedances
from coopgym.benchmarks.score.estimates import STUDENT
from coopgym.benchmarks.score.settings import LEARNER, PRIVATE
from coopgym.rewards import MODES

EDGE = Span(low=-1.0, high=1.0)


def learner_vs_best_constant(report_data: ReportData) -> Section | None:
    """Show by how much learners exceed, or miss, the best of all constants."""
    blocks: list[Block] = []
    every: list[Gap] = []
    for leaderboard in report_data.leaderboards:
        found = [
            gap
            for gap in exceedances(leaderboard.table().where(lambda task: task.reward_mode != PRIVATE))
            if gap.algorithm.kind == LEARNER and gap.relative is not None
        ]
        if found:
            blocks += [Heading(leaderboard.title.capitalize())] if leaderboard.title else []
            blocks += list(_figures(found, report_data.styles, leaderboard))
            blocks.append(Fold("Every learner and game", [_table(found, report_data.styles)]))
            every += found
    if not every:
        return None
    names = dict.fromkeys(gap.algorithm.name for gap in every)
    above = sum(gap.on_every_seed for gap in every)
    return Section(
        id="exceedance",
        title="Against the best constant",
        how=(
            "Every seat holding one and the same level throughout is the simplest play there is, so a learner is worth "
            "something where it beats the best of all levels that the study played, by the return in its reward mode. "
            "Beating an oracle says less: some oracles are themselves constants, and not the best ones."
        ),
        blocks=[*legend(names, report_data.styles), *blocks],
        finding=(
            f"In {above} of {len(every)} cases (learner, game, reward mode) a learner beats the best constant under "
            "every seed."
        ),
    )


def _figures(found: Sequence[Gap], styles: Mapping[str, SeriesStyle], leaderboard: Leaderboard) -> Iterator[Block]:
    named = [gap for gap in found if gap.task.reward_mode in MODES] or found
    by_mode = {mode: [gap for gap in named if gap.task.reward_mode == mode] for mode in leaderboard.table().modes}
    how = (
        "Zero is the best constant; below it a learner earns less. As a share of what that constant reaches, "
        f"{STUDENT}, {sample_size(gap.difference.n for gap in named)}."
    )
    crowded = len({gap.algorithm.name for gap in named}) > FEW
    charts: list[Chart] = []
    for mode, own in by_mode.items():
        name, title = f"exceedance-{slug(mode)}{leaderboard.suffix}", mode_title(mode)
        label = f"Learners against the best constant, {title} {leaderboard.title}".strip()
        if own and crowded:
            yield Fold(title, [grid(name, label, [_entry(gap) for gap in own], 0.5, f"In %. {how}")], open=not charts)
        elif own:
            charts.append(Chart(name, label, partial(_figure, own, styles, title)))
    if charts:
        yield Gallery(charts, f"{how} Full marks: better under every seed. Beyond 100 %: at the edge.")


def _entry(gap: Gap) -> Entry:
    return Entry(game_title(gap.task.game), gap.algorithm.name, gap.relative or 0.0, gap.difference.excludes_zero)


def _figure(found: Sequence[Gap], styles: Mapping[str, SeriesStyle], title: str) -> Figure:
    rows: dict[str, list[Dot]] = {}
    for gap in found:
        if gap.relative is not None:
            dot = relative_dot(gap.difference, gap.relative, styles[gap.algorithm.name], gap.on_every_seed)
            rows.setdefault(game_title(gap.task.game), []).append(dot)
    axis = "return over the best constant’s"
    return dots([Row(*row) for row in rows.items()], axis, title=title, anchors=(0.0,), shown=EDGE, as_percent=True)


def _table(found: Sequence[Gap], styles: Mapping[str, SeriesStyle]) -> Table:
    columns = [
        Column("learner"),
        Column("game"),
        Column("reward"),
        Column("best constant"),
        Column("difference"),
        Column("relative"),
        Column("every seed", "whether the learner is better under every seed"),
    ]
    return Table(
        columns,
        [
            [
                interval_cells.agent(gap.algorithm.name, styles),
                Cell(game_title(gap.task.game)),
                Cell(gap.task.reward_mode),
                Cell(gap.reference),
                interval_cells.measured(gap.difference),
                interval_cells.share(gap.relative, 1),
                Cell("yes" if gap.on_every_seed else "no"),
            ]
            for gap in found
        ],
    )
