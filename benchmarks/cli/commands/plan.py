"""``coopgym plan``: best plans of whole episodes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coopgym.benchmarks.cli.commands.errors import fail_with, interruptible, user_errors
from coopgym.benchmarks.cli.commands.options import AllAgain, AllGames, GameWorkers, Parameters
from coopgym.benchmarks.cli.standard_streams import say


def plan(
    game: Annotated[str | None, typer.Argument(metavar="[ID]", help="Game to plan.")] = None,
    every: AllGames = False,
    reward: Annotated[
        list[str] | None, typer.Option(metavar="MODE", help="Reward modes.", show_default="the three named ones")
    ] = None,
    settings: Parameters = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder of files.", show_default="plans with --all")
    ] = None,
    workers: GameWorkers = None,
    fresh: AllAgain = False,
) -> None:
    """Find the best plan of a whole episode for all seats together, with a proved upper bound where there is one."""
    from coopgym.benchmarks.certificates.plans import PlanRequest, plan_many, plan_one
    from coopgym.benchmarks.drawing.terminal import TerminalConsole
    from coopgym.benchmarks.execute.executors import WorkerDiedError, number_of_processes
    from coopgym.benchmarks.execute.store import FolderInUseError
    from coopgym.benchmarks.progress import progress_on

    status = TerminalConsole(stderr=True)
    with user_errors(ValueError, TypeError, OSError, ImportError, FolderInUseError, WorkerDiedError):
        request = PlanRequest(game, every, tuple(reward or ()), tuple(settings or ()), out, fresh)
        if not request.all_games:
            for path in plan_one(request, TerminalConsole(), status):
                say(f"written: {path}")
            return
        with interruptible(f"interrupted: plans are kept in {request.folder}; run the same command to go on"):
            outcome = plan_many(request, TerminalConsole(), number_of_processes(workers), progress_on(status, "games"))
    say(f"{outcome.computed} games planned, {len(outcome.results) - outcome.computed} already there")
    say(f"table: {request.folder / 'plans.md'}")
    fail_with(f"{name} could not be planned: {fault}" for name, fault in outcome.faults.items())
