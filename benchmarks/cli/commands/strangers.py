"""``coopgym strangers``: who may be met in a game, and what meeting them is worth."""

from __future__ import annotations

from typing import Annotated

import typer

from coopgym.benchmarks.cli.commands.errors import agents_errors, fail_with, interruptible, user_errors
from coopgym.benchmarks.cli.standard_streams import say

strangers = typer.Typer(
    help="Partners that were never met: who they are, and how an agent fares.", no_args_is_help=True
)

PopulationOption = Annotated[str, typer.Option("--population", metavar="NAME", help="training or test.")]


@strangers.command(name="list")
def list_partners(
    game: Annotated[str, typer.Argument(metavar="GAME", help="Game to meet them in.")],
    name: PopulationOption = "test",
) -> None:
    """List the partners of a game."""
    from coopgym.strangers import population

    with user_errors(ValueError, FileNotFoundError, ImportError):
        met = population(game, name)
    for partner in met.partners:
        say(f"{partner.kind:12} {partner.name:24} {partner.agent}")
    for absent in met.untrained:
        say(f"{'not trained':12} {absent}")


@strangers.command()
def score(
    game: Annotated[str, typer.Argument(metavar="GAME", help="Game to play.")],
    agent: Annotated[str, typer.Option(metavar="NAME", help="Agent, or module:Class.")],
    name: PopulationOption = "test",
    episodes: Annotated[
        int | None, typer.Option(min=1, help="Episodes per scenario.", show_default="1, or 32 where anything is drawn")
    ] = None,
) -> None:
    """Let an agent meet strangers: 0 is the best single number, 1 a best response to everybody."""
    from coopgym.benchmarks.strangers import strangers_score

    with user_errors(ValueError, TypeError, FileNotFoundError, ImportError), agents_errors():
        result = strangers_score(game, agent, name, episodes=episodes)
    say(f"{agent} in {result.game}, {result.population} population, {len(result.scenarios)} scenarios")
    say(f"score    {result.score:7.3f}   (0: always {result.level:.2f}, 1: a best response to everybody)")
    for kind, value in result.kinds.items():
        say(f"  {kind:14} {value:7.3f}")
    worst = result.worst
    say(f"worst    {worst.scenario.name}: {worst.focal_return:.2f} of {worst.ceiling:.2f}")
    if result.untrained:
        say(f"missing  {', '.join(result.untrained)}: not trained in this game")


@strangers.command()
def build(
    games: Annotated[
        list[str] | None, typer.Argument(metavar="[GAME...]", help="Games.", show_default="the formal edition")
    ] = None,
    name: PopulationOption = "test",
    quick: Annotated[bool, typer.Option("--quick", help="Search best responses less thoroughly.")] = False,
    minutes: Annotated[
        float | None, typer.Option(min=0.0, help="Begin nothing after that; the same command goes on.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=0, help="Processes; 0 works in this one.", show_default="number of cores")
    ] = None,
) -> None:
    """Train partners and compute ceilings and floors, whatever is missing or no longer fits, in resumable pieces."""
    from coopgym.benchmarks.drawing.terminal import TerminalConsole
    from coopgym.benchmarks.execute.executors import WorkerDiedError, number_of_processes
    from coopgym.benchmarks.execute.store import FolderInUseError
    from coopgym.benchmarks.execute.strangers_build import BuildRequest
    from coopgym.benchmarks.execute.strangers_build import build as build_strangers
    from coopgym.benchmarks.progress import progress_on
    from coopgym.games.registry import games as game_ids
    from coopgym.strangers import strangers_folder

    status = TerminalConsole(stderr=True)
    with user_errors(ValueError, OSError, ImportError, FolderInUseError, WorkerDiedError):
        request = BuildRequest(
            games=tuple(games or game_ids("formal")),
            populations=(name,),
            effort="quick" if quick else "full",
            seconds=float("inf") if minutes is None else 60.0 * minutes,
            workers=number_of_processes(workers),
        )
        with interruptible(
            f"interrupted: what was made is kept in {strangers_folder()}; run the same command to go on"
        ):
            built = build_strangers(request, progress_on(status, "trainings"), progress_on(status, "scenarios"))
    say(f"{built.trained} populations trained, {built.anchors} scenarios valued, {built.left} pieces left")
    say(f"folder: {strangers_folder()}")
    fail_with(f"{piece} could not be valued: {fault}" for piece, fault in built.faults.items())
