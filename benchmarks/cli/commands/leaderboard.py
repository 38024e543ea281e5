"""``coopgym leaderboard``: the table that stands first, of any corpora."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coopgym.benchmarks.cli.commands.errors import user_errors
from coopgym.benchmarks.cli.standard_streams import say


def leaderboard(
    corpora: Annotated[
        list[str],
        typer.Argument(metavar="CORPUS...", help="Released corpora by name, folders, zip archives, or addresses."),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="HTML file to write.", show_default="prints the table")
    ] = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the table as CSV too.")] = None,
) -> None:
    """Say how good the agents of several corpora are: one table, one page that needs nothing else.

    Runs that several corpora hold count once; where they contradict one another, the corpus named first counts.
    """
    from coopgym.benchmarks.cli.pages import require_page
    from coopgym.benchmarks.cli.tables import print_first_table
    from coopgym.benchmarks.drawing.terminal import TerminalConsole
    from coopgym.benchmarks.report import write_leaderboard
    from coopgym.benchmarks.score import first_table_csv, pool
    from coopgym.corpus import CorpusError
    from coopgym.corpus.writer import write_atomically

    with user_errors(CorpusError, ValueError, OSError, ImportError):
        require_page(out)
        found = pool(corpora)
        table = found.table
        if out is None:
            print_first_table(TerminalConsole(), table)
        else:
            write_leaderboard(found, out)
            say(f"leaderboard: {out}")
        if csv is not None:
            write_atomically(csv, first_table_csv(found.leaderboards).encode())
            say(f"table:       {csv}")
    for source in found.sources:
        say(f"{source.name}: {source.runs:,} runs, {source.counted:,} counted, {source.repeated:,} repeated")
    for remark in found.remarks:
        say(f"note: {remark}")
