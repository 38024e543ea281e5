"""The page of a leaderboard: the table that stands first, made from several corpora, and how to take part in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from coopgym.benchmarks.drawing.formatting import listed
from coopgym.benchmarks.drawing.series_style import styles
from coopgym.benchmarks.report.content.blocks import Cell, Code, Column, Section, Table, Text
from coopgym.benchmarks.report.page import PageHead, page_of
from coopgym.benchmarks.report.sections.first_table import first_section
from coopgym.benchmarks.score import Algorithm
from coopgym.benchmarks.score.pooling import Pool, Source
from coopgym.corpus.writer import write_atomically

SHOWN_DIGITS = 16
"""Of the SHA-256 of a corpus."""
PLAY = """\
coopgym run strangers --agent my_module:MyAgent      # partners that it never met
coopgym run worlds --agent my_module:MyAgent         # costs and synergy that have to be found out"""
HAND_IN = """\
coopgym data release runs/strangers -o my-agent-v1 --description "MyAgent among strangers"
coopgym data verify my-agent-v1 --trust              # every file and row, and against its study
coopgym leaderboard my-agent-v1 runs/worlds -o board.html"""
CHECK = """\
coopgym run strangers --agent my_module:MyAgent --only '*/my_module:MyAgent/*' --out runs/again
coopgym leaderboard runs/again my-agent-v1 runs/strangers"""


def write_leaderboard(pool: Pool, path: Path) -> None:
    """Write the page of some corpora.

    Raises:
        CorpusError: there is no table to show.
        OSError: the file cannot be written.
    """
    write_atomically(path, render_leaderboard(pool).encode())


def render_leaderboard(pool: Pool) -> str:
    """Return the page. The same corpora under the same names give the same bytes.

    Raises:
        CorpusError: there is no table to show.
    """
    found = pool.table
    shown = styles(map(Algorithm, *(pool.runs.column(name).to_pylist() for name in ("algorithm", "algorithm_kind"))))
    asked = listed([question.name for question in found.questions])
    sections = [first_section(found, shown), _corpora(pool), _submission()]
    facts = {
        "agents": f"{sum(len(row.agents) for row in found.rows if not row.is_reference):,}",
        "games": f"{len({task.setting.environment for each in found.questions for task in each.table.tasks}):,}",
        "corpora": f"{len(pool.sources):,}",
        "runs": f"{len(pool.runs):,}",
    }
    head = PageHead("coopgym leaderboard", "How good agents are", f"One number for each question: {asked}.")
    return page_of([section for section in sections if section is not None], head, facts)


def _corpora(pool: Pool) -> Section:
    columns = [
        Column("corpus"),
        Column("hash", "beginning of the SHA-256 of what its runs are and came to, whatever its files are called"),
        Column("made", "when its runs began"),
        Column("coopgym", "version that computed it"),
        Column("runs"),
        Column("counted", "runs that count as this corpus’s"),
        Column("repeated", "runs that a corpus above had too, with the same numbers"),
    ]
    remarks = [Text(f"{remark}.") for remark in pool.remarks]
    return Section(
        id="corpora",
        title="What it is made of",
        how=(
            "A run that several corpora hold counts once. Where they hold different runs of one agent in one place, or "
            "different code under one name, those of the corpus that was named first count."
        ),
        blocks=[Table(columns, [_corpus(source) for source in pool.sources]), *remarks],
    )


def _corpus(source: Source) -> Sequence[Cell]:
    return [
        Cell(source.name),
        Cell(source.digest[:SHOWN_DIGITS]),
        Cell(source.made),
        Cell(", ".join(source.versions)),
        Cell(f"{source.runs:,}", source.runs),
        Cell(f"{source.counted:,}", source.counted),
        Cell(f"{source.repeated:,}", source.repeated),
    ]


def _submission() -> Section:
    return Section(
        id="submit",
        title="How to submit",
        how=(
            "A run is a pure function of its specification: game, partners, agent, settings, seed. Whoever has the "
            "agent comes to the same numbers, so that a submission is checked by running it again."
        ),
        blocks=[
            Text(
                "Let your agent play what everybody plays. --only '*/my_module:MyAgent/*' computes its own runs alone; "
                "what they are held against is then taken from other corpora, named beside them."
            ),
            Code(PLAY),
            Text("Make a corpus of it, check that, and look where it stands."),
            Code(HAND_IN),
            Text(
                "Hand in the whole folder: its runs, its study, the Croissant file with the SHA-256 of every file, and "
                "the datasheet. With it the code of the agent, its module with the local modules that it imports, or "
                "its package, whose hash its runs hold; what has to be installed for it; and the weights if it was "
                "trained. Every seed that the study asks for must be there, failed runs too."
            ),
            Text(
                "It is checked like this. Runs of one specification have one id; the command counts how many copies "
                "came to the same numbers, and says where they did not and where other code goes by the same name."
            ),
            Code(CHECK),
        ],
    )
