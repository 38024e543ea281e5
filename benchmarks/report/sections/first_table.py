"""The table that stands first, with who comes first in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from coopgym.benchmarks.drawing.formatting import game_title, listed
from coopgym.benchmarks.drawing.series_style import SeriesStyle
from coopgym.benchmarks.report.content import interval_cells
from coopgym.benchmarks.report.content.blocks import Cell, Column, Section, Table, Text
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.score import FirstRow, FirstTable, Question
from coopgym.benchmarks.score.estimates import STUDENT
from coopgym.benchmarks.score.first_table import EXPLOITED_BY, WORST_PARTNER


def first_table(report_data: ReportData) -> Section | None:
    """Answer every question about every agent that the corpus has runs for."""
    found = report_data.scored.first_table
    if not found.rows:
        return None
    among_strangers = " Among strangers, intervals are for other partners as well as for other seeds."
    return Section(
        id="first",
        title="How good they are",
        how=(
            "One number for each question. A learner is told with the reward that it was trained on. Agents whose "
            "numbers are all equal share a row; constants and oracles are there to be compared with. Learners of "
            "private reward stand by themselves: they do not seek the largest sum, so they go by what seats could gain "
            "by deviating, and their welfare tells which convention they reached. "
            f"{STUDENT}.{among_strangers if found.tells_exploited else ''}"
        ),
        blocks=[_table(found, report_data.styles), *map(_games, found.questions), *_alike(found)],
        finding=" ".join(found.verdicts),
    )


def _table(found: FirstTable, styles: Mapping[str, SeriesStyle]) -> Table:
    columns = [
        Column("agent"),
        Column("among"),
        *(Column(question.name, f"{question.meaning}: {question.table.scale.label}") for question in found.questions),
        *([Column(EXPLOITED_BY, WORST_PARTNER)] if found.tells_exploited else []),
    ]
    rows = [
        [
            _agent(row, styles),
            Cell(part),
            *(_answer(row, question) for question in found.questions),
            *([interval_cells.worst_partner(row.exploited_by)] if found.tells_exploited else []),
        ]
        for part, rows in found.parts.items()
        for row in rows
    ]
    return Table(columns, rows)


def _agent(row: FirstRow, styles: Mapping[str, SeriesStyle]) -> Cell:
    return Cell(row.title, style=styles.get(row.agents[0].algorithm))


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
