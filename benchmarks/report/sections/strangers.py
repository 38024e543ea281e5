"""Play among partners that were never met: who does well, with whom, and whether it follows from self-play."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from coopgym.benchmarks.drawing.formatting import counted, game_title, probability, signed
from coopgym.benchmarks.drawing.plots.dots import Dot, Row, Span, dots
from coopgym.benchmarks.drawing.plots.maps import Matrix
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
    Heatmap,
    Section,
    Table,
    Text,
)
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.report.sections.grids import Entry, grid
from coopgym.benchmarks.score import Comparison, FirstTable, Question, StrangersScores
from coopgym.benchmarks.score.estimates import FEWEST, score_text
from coopgym.benchmarks.score.first_table import EXPLOITED_BY, WITH_ITSELF, WITH_STRANGERS, WORST_PARTNER
from coopgym.benchmarks.score.partner_training import gains_of_partners
from coopgym.benchmarks.score.scored_agents import ScoredAgent

SHOWN = Span(low=-3.0)
INTERVALS = f"95 % Student t intervals for other partners and other seeds; none below {FEWEST} seeds of a learner"
LEAD = "what it earns more than they, as a part of what lies between Random and a best response"
NUMBER = "best single number"
FULL = 0.25
"""Lead over the best single number at which a field has its fullest shade."""


def strangers(report_data: ReportData) -> Section | None:
    """Tell who does well among strangers."""
    first = report_data.scored.first_table
    if first.strangers is None:
        return None
    (question,) = [each for each in first.questions if each.name == WITH_STRANGERS]
    return Section(
        id="strangers",
        title="Strangers",
        how=(
            "Every agent meets partners that it was not trained with, and seeks its own payoff. 0 is what the best "
            "single number earns, played all the time and whoever is there, and 1 what best responses to everybody "
            "earn; no constant scores above 0. Other partners might have been chosen, so intervals and letters allow "
            "for these as well as for other seeds. The worst partner is the one with whom an agent earns least of what "
            "a best response would."
        ),
        blocks=list(_blocks(question, first.strangers, report_data)),
        finding=_agreement(first),
    )


def _agreement(first: FirstTable) -> str:
    """Say how far self-play tells who does well among strangers."""
    found = first.rank_correlation(WITH_ITSELF, WITH_STRANGERS)
    if found is None:
        return ""
    low, high = found.low, found.high
    interval = "" if low is None or high is None else f" ({score_text(low)} to {score_text(high)})"
    return (
        f"Ranks {WITH_ITSELF} and {WITH_STRANGERS} correlate by {score_text(found.value)}{interval} over "
        f"{counted(found.n, 'row')} of agents."
    )


def _blocks(question: Question, table: StrangersScores, report_data: ReportData) -> Iterator[Block]:
    agents = sorted(question.shown, key=lambda agent: -_value(question, agent))
    yield Beside(_ranking(question, agents, report_data.styles), _numbers(question, table, agents, report_data.styles))
    if table.set_aside:
        yield Text(
            f"Not compared: {counted(table.set_aside, 'run')} that met others than most runs of the same game did."
        )
    if gains := gains_of_partners(table, report_data.runs):
        yield Heading("Trained with partners or in self-play")
        yield _gains(gains)
    yield Heading("By kind of partner")
    yield _kinds(table, agents)
    yield Fold("Scores by kind", [_kind_scores(table, agents)])
    yield Fold("Game by game", [_games(table, agents)])


def _value(question: Question, agent: ScoredAgent) -> float:
    answer = question.answer(agent)
    return -np.inf if answer is None else answer.value


def _ranking(question: Question, agents: Sequence[ScoredAgent], styles: Mapping[str, SeriesStyle]) -> Chart:
    return Chart(
        "strangers-ranking",
        "Ranking among strangers",
        partial(_figure, question, agents, styles),
        f"The further right the better, {question.table.scale.label}; {question.scope}. {INTERVALS}.",
    )


def _figure(question: Question, agents: Sequence[ScoredAgent], styles: Mapping[str, SeriesStyle]) -> Figure:
    rows = []
    for agent in agents:
        style, answer = styles[agent.algorithm], question.answer(agent)
        rows.append(Row(agent.name, [Dot.of(answer, style.colour, style.mark)] if answer else []))
    return dots(rows, "score among strangers", anchors=(0.0, 1.0), shown=SHOWN)


def _numbers(
    question: Question, table: StrangersScores, agents: Sequence[ScoredAgent], styles: Mapping[str, SeriesStyle]
) -> Table:
    columns = [
        Column("agent"),
        Column("score", question.table.scale.label),
        Column("group", "agents that compete share a letter where their paired differences do not tell them apart"),
        Column("lead", f"over its partners: {LEAD}"),
        Column(EXPLOITED_BY, WORST_PARTNER),
        Column("lead there", f"over that partner: {LEAD}"),
    ]
    return Table(columns, [list(_cells(question, table, agent, styles)) for agent in agents])


def _cells(
    question: Question, table: StrangersScores, agent: ScoredAgent, styles: Mapping[str, SeriesStyle]
) -> Iterator[Cell]:
    worst = table.worst_partner(agent.name)
    yield Cell(agent.name, style=styles.get(agent.algorithm))
    yield interval_cells.score(question.answer(agent))
    yield Cell(question.group(agent))
    yield interval_cells.number(table.advantage(agent.name), 2)
    if worst is None:
        yield from (interval_cells.EMPTY, interval_cells.EMPTY)
        return
    yield Cell(signed(worst.normalised.value), worst.normalised.value, note=worst.partner)
    yield interval_cells.number(worst.advantage, 2)


def _gains(gains: Sequence[Comparison]) -> Table:
    columns = [
        Column("trained with partners"),
        Column("in self-play"),
        Column("difference", "first less second, paired by partner and seed"),
        Column("p", "of a t test with the error of partners and seeds, adjusted after Holm"),
    ]
    rows = [
        [
            Cell(each.first),
            Cell(each.second),
            interval_cells.score(each.test.difference),
            Cell(probability(each.p_t_holm), each.p_t_holm),
        ]
        for each in gains
    ]
    return Table(columns, rows, f"{INTERVALS}.")


def _kinds(table: StrangersScores, agents: Sequence[ScoredAgent]) -> Heatmap:
    """Show what is earned with each kind, beside what the best single number earns."""
    found = [[each.normalised for each in table.by_kind(agent.name)] for agent in agents]
    floors = list(table.kind_floors.values())
    values = np.array([floors, *found])
    matrix = Matrix(
        [NUMBER, *(agent.name for agent in agents)],
        table.kinds,
        values,
        [[signed(value) for value in row] for row in values],
        np.clip((values - values[0]) / FULL, -1.0, 1.0),
    )
    caption = (
        "Means over games: 0 is what Random earns with these partners, 1 a best response. Blue: more than the best "
        "single number earns, orange: less."
    )
    return Heatmap("strangers-kinds", "Return by kind of partner", matrix, "agent", "kind of partner", caption)


def _kind_scores(table: StrangersScores, agents: Sequence[ScoredAgent]) -> Heatmap:
    values = np.array([[each.score for each in table.by_kind(agent.name)] for agent in agents])
    texts = [[signed(value) if np.isfinite(value) else "" for value in row] for row in values]
    matrix = Matrix([agent.name for agent in agents], table.kinds, values, texts, np.clip(values, -1.0, 1.0))
    caption = (
        f"Scores with these partners alone, {table.scale.label}. Where that number is already nearly a best response, "
        "small losses make large negative scores."
    )
    return Heatmap("strangers-kind-scores", "Score by kind of partner", matrix, "agent", "kind of partner", caption)


def _games(table: StrangersScores, agents: Sequence[ScoredAgent]) -> Heatmap:
    entries = [
        Entry(game_title(task.game), agent.name, found.value, found.excludes_zero)
        for task in table.tasks
        for agent in agents
        if (found := table.cell(agent.name, task)) is not None
    ]
    caption = f"Scores among strangers, {table.scale.label}."
    return grid("strangers-games", "Scores among strangers by game", entries, 1.0, caption, per_cent=False)
