"""What language models said and heard, message by message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from coopgym.benchmarks.drawing.formatting import counted, game_title, listed, percent
from coopgym.benchmarks.drawing.series_style import SeriesStyle
from coopgym.benchmarks.report.content import interval_cells
from coopgym.benchmarks.report.content.blocks import (
    Block,
    Cell,
    Column,
    EmbeddedTranscript,
    Fold,
    Section,
    Table,
    Text,
    Transcripts,
)
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.report.data.transcripts import (
    MOST_DECISIONS,
    MOST_EPISODES,
    MOST_RUNS,
    MOST_SEATS,
    Transcript,
    embedded_transcripts,
    evaluated,
    selected,
    talks,
)

MOST_COUNTED = 400
"""Runs with a row in the table of counts."""
COLUMNS = (
    Column("algorithm"),
    Column("game", "with the scenario, if there is one"),
    Column("reward"),
    Column("seed"),
    Column("decisions", "levels to choose: episodes × conversing seats × steps"),
    Column("answered", "decisions in which a message led to a level; in the others the fallback was played"),
    Column("messages", "that models wrote"),
    Column("a decision", "messages per decision"),
    Column("legal", "share of messages that could be read and carried out"),
    Column("cut off", "messages that ended for want of tokens, by a filter or by a fault of the server"),
    Column("tool calls", "illegal ones included"),
    Column("read", "tokens that models read"),
    Column("written", "tokens that models wrote"),
    Column("a decision", "tokens written per decision"),
    Column("paid", "tokens of both kinds that a server was asked for; the others had been answered before"),
    Column("cost", "of the paid tokens, where their price was given, in its currency"),
)


def transcripts(report_data: ReportData) -> Section | None:
    """Show the beginnings of conversations, and count what all of them hold."""
    turns = evaluated(report_data.corpus.turns.arrow)
    found = talks(report_data.runs, turns) if len(turns) else []
    if not found:
        return None
    embedded = embedded_transcripts(selected(found), turns)
    blocks: list[Block] = [
        Text(_bound(found, embedded)),
        Transcripts(embedded),
        Fold("Counts of all runs", list(_counts(found, report_data.styles)), counted(len(found), "run")),
    ]
    return Section(
        id="transcripts",
        title="Transcripts",
        how=(
            "What language models were told, wrote and heard when they were evaluated. A decision is a dialogue: the "
            "game says where it stands, the model calls tools and hears their answers, and the level that it submits "
            "is played. An illegal message could not be read or not be carried out; it is shown as it was written."
        ),
        blocks=blocks,
        finding=_finding(found),
    )


def _finding(found: Sequence[Transcript]) -> str:
    decisions, messages = (sum(getattr(each, name) for each in found) for name in ("decisions", "messages"))
    answered, legal = (sum(getattr(each, name) for each in found) for name in ("answered", "legal"))
    told = f"Language models wrote {counted(messages, 'message')} for {counted(decisions, 'decision')}"
    return f"{told}; {percent(legal / max(messages, 1))} were legal, and {percent(answered / decisions)} answered."


def _bound(found: Sequence[Transcript], embedded: Sequence[EmbeddedTranscript]) -> str:
    shown, every = sum(len(each.decisions) for each in embedded), sum(each.decisions for each in found)
    runs = len({each.run for each in embedded})
    if shown == every:
        return f"All {counted(every, 'decision')} can be read here."
    return (
        f"{counted(shown, 'decision')} of {every:,} can be read here, from {counted(runs, 'run')} of {len(found):,}: "
        f"the first run of every algorithm in a game and reward mode, {MOST_RUNS} runs at most, and of each the first "
        f"{MOST_DECISIONS} decisions in up to {MOST_EPISODES} episodes and {MOST_SEATS} seats. The others are in the "
        "table turns of the corpus."
    )


def _counts(found: Sequence[Transcript], styles: Mapping[str, SeriesStyle]) -> list[Block]:
    table = Table(COLUMNS, [_row(each, styles) for each in found[:MOST_COUNTED]])
    left_out = len(found) - MOST_COUNTED
    return [table] if left_out <= 0 else [table, Text(f"{counted(left_out, 'more run')} have no row here.")]


def _row(talk: Transcript, styles: Mapping[str, SeriesStyle]) -> list[Cell]:
    calls = listed((f"{name} {number:,}" for name, number in talk.calls.items()), 4)
    return [
        interval_cells.agent(talk.algorithm, styles),
        Cell(game_title(talk.setting.game), note=talk.scenario or ""),
        Cell(talk.setting.reward_mode),
        Cell(str(talk.seed), talk.seed),
        interval_cells.number(talk.decisions, 0),
        interval_cells.share(talk.answered / talk.decisions),
        interval_cells.number(talk.messages, 0),
        interval_cells.number(talk.messages / talk.decisions, 2),
        interval_cells.share(talk.legal / talk.messages if talk.messages else None),
        interval_cells.number(talk.cut, 0),
        Cell(f"{sum(talk.calls.values()):,}", sum(talk.calls.values()), note=calls),
        interval_cells.number(talk.read, 0),
        interval_cells.number(talk.written, 0),
        interval_cells.number(None if talk.written is None else talk.written / talk.decisions, 1),
        interval_cells.number(talk.paid, 0),
        interval_cells.number(talk.cost, 4),
    ]
