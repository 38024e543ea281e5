"""Scores by mechanism class and reward mode."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from coopgym.benchmarks.drawing.formatting import class_name, signed
from coopgym.benchmarks.drawing.series_style import SeriesStyle
from coopgym.benchmarks.report.content import interval_cells
from coopgym.benchmarks.report.content.blocks import Block, Cell, Column, Heading, Section, Table
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.score import ScoreTable, comparison_sets
from coopgym.benchmarks.score.comparison_sets import ranked_scores


def classes(report_data: ReportData) -> Section | None:
    """Show scores of the ranked algorithms over the games of each class."""
    blocks: list[Block] = []
    for leaderboard in report_data.leaderboards:
        found = comparison_sets(leaderboard)
        names = dict.fromkeys(row.algorithm.name for compared in found for row in compared.ranks.rows)
        if names:
            blocks += [Heading(leaderboard.title.capitalize())] if leaderboard.title else []
            blocks.append(_table(ranked_scores(leaderboard), list(names), report_data.styles))
    if not blocks:
        return None
    return Section(
        id="classes",
        title="By mechanism class",
        how=(
            "Score over the games of a class, per reward mode. The fuller the blue, the closer to the upper "
            "anchor or above it; orange is worse than the lower one. A fraction says that only some games of the "
            "class were played, so that the number does not compare with its column."
        ),
        blocks=blocks,
    )


def _table(table: ScoreTable, names: list[str], styles: Mapping[str, SeriesStyle]) -> Table:
    places = [
        (name, mode, here)
        for name in table.classes
        for mode in table.modes
        if (here := table.of_class(name).of_mode(mode)).tasks
    ]
    columns = [Column("algorithm"), *(Column(mode, group=class_name(each)) for each, mode, _ in places)]
    rows = [[interval_cells.agent(name, styles), *(_cell(here, name) for *_, here in places)] for name in names]
    return Table(columns, rows, shaded=True)


def _cell(here: ScoreTable, name: str) -> Cell:
    scored = np.flatnonzero(np.isfinite(here.scores[here.index(name)]).any(axis=-1)).tolist()
    found = here.of_tasks(scored).estimate(name)
    if found is None:
        return interval_cells.EMPTY
    part = f"{len(scored)}/{len(here.tasks)}" if len(scored) < len(here.tasks) else ""
    return Cell(signed(found.value), found.value, max(-1.0, min(1.0, found.value)), part)
