"""``coopgym solve``: certificates of games."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coopgym.benchmarks.cli.commands.errors import fail_with, interruptible, user_errors
from coopgym.benchmarks.cli.commands.options import AllAgain, AllGames, GameWorkers, Parameters
from coopgym.benchmarks.cli.standard_streams import say


def solve(
    game: Annotated[str | None, typer.Argument(metavar="[ID]", help="Game to solve.")] = None,
    every: AllGames = False,
    edition: Annotated[str | None, typer.Option(help="With --all: only formal or only released games.")] = None,
    reward: Annotated[
        str | None, typer.Option(metavar="MODE", help="Also solve under this reward, such as mutuality=0.3.")
    ] = None,
    settings: Parameters = None,
    factors: Annotated[
        list[str] | None,
        typer.Option("--world", metavar="FACTOR", help="Solve this draw of a common world: cost=1.4, synergy=0.7."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder of files.", show_default="certificates with --all")
    ] = None,
    workers: GameWorkers = None,
    fresh: AllAgain = False,
) -> None:
    """Find out which dilemma a game is: equilibria, optima, greed, fear, commitment play, its mechanism."""
    from coopgym.benchmarks.certificates.certificates import SolveRequest, solve_many, solve_one
    from coopgym.benchmarks.drawing.terminal import TerminalConsole
    from coopgym.benchmarks.execute.executors import WorkerDiedError, number_of_processes
    from coopgym.benchmarks.execute.store import FolderInUseError
    from coopgym.benchmarks.progress import progress_on

    status = TerminalConsole(stderr=True)
    with user_errors(ValueError, TypeError, OSError, FolderInUseError, WorkerDiedError):
        request = SolveRequest(game, every, edition, reward, tuple(settings or ()), out, fresh, tuple(factors or ()))
        if not request.all_games:
            for path in solve_one(request, TerminalConsole(), status):
                say(f"written: {path}")
            return
        with interruptible(f"interrupted: solved games are kept in {request.folder}; run the same command to go on"):
            outcome = solve_many(request, TerminalConsole(), number_of_processes(workers), progress_on(status, "games"))
    say(f"{outcome.computed} games solved, {len(outcome.results) - outcome.computed} already there")
    say(f"page and files: {request.folder / 'index.html'}")
    fail_with(f"{name} could not be solved: {fault}" for name, fault in outcome.faults.items())
