"""What commands about rewards print and write."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from coopgym.benchmarks.cli.standard_streams import say
from coopgym.benchmarks.drawing.formatting import signed
from coopgym.benchmarks.drawing.terminal import TerminalConsole, ruled_table
from coopgym.benchmarks.rewards.design import DesignedReward
from coopgym.benchmarks.score.csv_files import csv_text
from coopgym.corpus.writer import write_atomically


def print_designed(console: TerminalConsole, designed: DesignedReward) -> None:
    """Show which situations a designed reward rewards, and what is known of it."""
    told = designed.abstraction
    table = ruled_table(
        title=f"{told.game.id}, seat {told.seat}: reward these situations",
        caption=f"added to the {told.reward} reward of a step by share of endowment; levels that are not named add 0",
    )
    for name in ("situation", "trust", "best", "add to the reward"):
        table.add_column(name)
    for situation, group in groupby(designed.rows(), key=lambda row: row["situation"]):
        changes = list(group)
        state = next(s for s in designed.design.states if told.situations.words(told.known[s]) == situation)
        table.add_row(
            situation,
            f"{changes[0]['trust_from']:.2f} to {changes[0]['trust_to']:.2f}",
            f"{told.levels[designed.expert.policy[state]]:.0%}",
            ", ".join(f"{row['level']:.0%}: {signed(row['added'])}" for row in changes),
        )
    console.print(table)
    console.print(designed.said(), highlight=False)


def write_designed(path: Path | None, designed: DesignedReward) -> None:
    """Write the rows of a designed reward as CSV and say where; do nothing where nobody wants it.

    Raises:
        ValueError: no name of a CSV file.
        OSError: it cannot be written.
    """
    if path is None:
        return
    rows = list(designed.rows())
    write_atomically(path, csv_text(list(rows[0]), [list(row.values()) for row in rows]).encode())
    say(f"numbers: {path}")
