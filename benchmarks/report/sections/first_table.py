"""The table that stands first, with who comes first in words and where everybody stands in a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

from matplotlib.figure import Figure

from coopgym.benchmarks.drawing.formatting import game_title, listed, slug
from coopgym.benchmarks.drawing.plots.dots import Span
from coopgym.benchmarks.drawing.plots.scatter import Point, scatter
from coopgym.benchmarks.drawing.series_style import SeriesStyle
from coopgym.benchmarks.report.content import interval_cells
from coopgym.benchmarks.report.content.blocks import Cell, Chart, Column, Section, Table, Text
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.score import FirstRow, FirstTable, Question
from coopgym.benchmarks.score.estimates import STUDENT
from coopgym.benchmarks.score.first_table import EXPLOITED_BY, WITH_ITSELF, WITH_STRANGERS, WORST_PARTNER

SHOWN = Span(-2.5, 1.5)
"""Scores that the picture shows; to lose much more than nothing is not told apart there."""


def first_table(report_data: ReportData) -> Section | None:
    """Answer every question about every agent that the corpus has runs for."""
    return first_section(report_data.scored.first_table, report_data.styles)


def first_section(found: FirstTable, styles: Mapping[str, SeriesStyle]) -> Section | None:
    """Show the table, below it the picture, and what both mean; None for an empty one."""
    if not found.rows:
        return None
    among_strangers = " Among strangers, intervals are for other partners as well as for other seeds."
    return Section(
        id="first",
        title="How good they are",
        how=(
            "One number for each question. A learner is told with the reward that it was trained on. Agents whose "
            "numbers are all equal share a row; constants and oracles are there to be compared with. Who shares a "
            "letter in a column cannot be told apart. Learners of "
            "private reward stand by themselves: they do not seek the largest sum, so they go by what seats could gain "
            "by deviating, and their welfare tells which convention they reached. "
            f"{STUDENT}.{among_strangers if found.tells_exploited else ''}"
        ),
        blocks=[
            _table(found, styles),
            *picture(found, styles, WITH_ITSELF, WITH_STRANGERS),
            *map(_games, found.questions),
            *_alike(found),
        ],
        finding="\n".join(found.verdicts),
    )


def picture(found: FirstTable, styles: Mapping[str, SeriesStyle], x: str, y: str) -> Iterator[Chart]:
    """Yield the picture of two questions, a mark for every row that answers both; nothing where no row does."""
    asked = {question.name: question for question in found.questions}
    both = [row for row in found.rows if row.answers.get(x) and row.answers.get(y)]
    if both:
        yield Chart(
            name=f"first-{slug(x)}-{slug(y)}",
            label=f"{x.capitalize()} against {y}",
            draw=partial(_figure, both, styles, x, y),
            caption=(
                f"To the right: {x}, {asked[x].table.scale.label}, {asked[x].scope}. Upwards: {y}, "
                f"{asked[y].table.scale.label}, {asked[y].scope}. Dashed: 0 and 1 of both; grey: constants and "
                f"oracles; arrows at the edge lie beyond it. Lines: 95 % intervals."
            ),
        )


def _figure(rows: list[FirstRow], styles: Mapping[str, SeriesStyle], x: str, y: str) -> Figure:
    points = []
    for row in rows:
        style, across, up = styles[row.agents[0].algorithm], row.answers[x], row.answers[y]
        if across and up:
            points.append(Point(row.title, across, up, style.greyed if row.is_reference else style, row.is_reference))
    return scatter(points, x, y, unit_square=True, shown=SHOWN)


def _table(found: FirstTable, styles: Mapping[str, SeriesStyle]) -> Table:
    columns = [
        Column("agent"),
        *(Column(question.name, f"{question.meaning}: {question.table.scale.label}") for question in found.questions),
        *([Column(EXPLOITED_BY, WORST_PARTNER)] if found.tells_exploited else []),
        Column("among"),
    ]
    rows = [
        [
            _agent(row, styles),
            *(_lettered(row, question) for question in found.questions),
            *([interval_cells.worst_partner(row.exploited_by)] if found.tells_exploited else []),
            Cell(part),
        ]
        for part, rows in found.parts.items()
        for row in rows
    ]
    order = [row for rows in found.parts.values() for row in rows]
    return Table(columns, rows, references=frozenset(place for place, row in enumerate(order) if row.is_reference))


def _agent(row: FirstRow, styles: Mapping[str, SeriesStyle]) -> Cell:
    return Cell(row.title, style=styles.get(row.agents[0].algorithm))


def _lettered(row: FirstRow, question: Question) -> Cell:
    cell = _answer(row, question)
    return replace(cell, note=f"{cell.note} {row.groups[question.name]}".strip())


def _answer(row: FirstRow, question: Question) -> Cell:
    answer = row.answers[question.name]
    return interval_cells.NOT_ENTERED if answer is None else interval_cells.score(answer)


def _games(question: Question) -> Text:
    games = listed(map(game_title, question.table.games), len(question.table.games))
    return Text(f"{question.name.capitalize()}: {question.meaning}, {question.table.scale.label}; {games}.")


def _alike(found: FirstTable) -> Iterator[Text]:
    for row in found.rows:
        if len(row.agents) > 1:
            yield Text(f"All numbers are equal of {listed([each.name for each in row.agents], len(row.agents))}.")
