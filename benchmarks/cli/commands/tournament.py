"""``coopgym tournament``: agents among copies of each other, or of partners."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coopgym.benchmarks.cli.commands.errors import agents_errors, fail_with, interruptible, user_errors
from coopgym.benchmarks.cli.commands.options import Against, PageFile
from coopgym.benchmarks.cli.standard_streams import say


def tournament(
    games: Annotated[list[str], typer.Argument(metavar="ID...", help="Games to play; several make a league.")],
    agent: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Agents, or module:Class.", show_default="the classic strategies"),
    ] = None,
    against: Against = None,
    reward: Annotated[str, typer.Option(metavar="MODE", help="Reward mode, or a form like mutuality=0.5.")] = "private",
    seeds: Annotated[int, typer.Option(min=1, help="Number of seeds; only chance makes them differ.")] = 3,
    episodes: Annotated[int, typer.Option(min=1, help="Episodes per pairing and seed.")] = 1,
    out: PageFile = None,
    runs: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Corpus to keep matches in; those that it holds are not played again."),
    ] = None,
) -> None:
    """Let every agent play among copies of every other one, and rate them: replicator, alpha-rank, Nash averaging.

    With --against, let agents play among copies of those partners instead, and see who earns what, kind by kind.
    """
    from coopgym.benchmarks.cli.pages import require_page, write_page
    from coopgym.benchmarks.cli.tournament_page import encounters_page, tournament_page
    from coopgym.benchmarks.drawing.terminal import TerminalConsole
    from coopgym.benchmarks.execute.store import FolderInUseError, OtherStudyError
    from coopgym.benchmarks.progress import fraction_on, part_of
    from coopgym.benchmarks.tournament import (
        CLASSICS,
        FailedMatchesError,
        compete,
        encounters,
        print_encounters,
        print_meta_game,
    )
    from coopgym.corpus import CorpusError

    console, status, who = TerminalConsole(), TerminalConsole(stderr=True), agent or CLASSICS
    kept = f"what was played is kept in {runs}; run the same command to go on" if runs else "nothing is kept"
    try:
        with (
            user_errors(ValueError, TypeError, ImportError, OSError, CorpusError, FolderInUseError, OtherStudyError),
            interruptible(f"interrupted: {kept}"),
            agents_errors(),
        ):
            require_page(out)
            if against:
                with fraction_on(status, "playing") as report:
                    met = [
                        encounters(
                            game,
                            who,
                            against,
                            reward,
                            range(seeds),
                            episodes,
                            report=part_of(report, number, len(games)),
                            runs=runs,
                        )
                        for number, game in enumerate(games)
                    ]
                for each in met:
                    print_encounters(console, each)
                write_page(out, lambda: encounters_page(met), (row for each in met for row in each.rows()))
            else:
                with fraction_on(status, "playing") as report:
                    played = compete(games, who, reward, range(seeds), episodes, report=report, runs=runs)
                print_meta_game(console, played)
                write_page(out, lambda: tournament_page(played), played.rows())
    except FailedMatchesError as error:
        fail_with(str(error).splitlines())
    if runs is not None:
        say(f"matches: {runs}")
