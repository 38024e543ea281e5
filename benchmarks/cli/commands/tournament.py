"""``coopgym tournament``: agents among copies of each other."""

from __future__ import annotations

from typing import Annotated

import typer

from coopgym.benchmarks.cli.commands.errors import agents_errors, user_errors


def tournament(
    games: Annotated[list[str], typer.Argument(metavar="ID...", help="Games to play; several make a league.")],
    agent: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Agents, or module:Class.", show_default="the classic strategies"),
    ] = None,
    reward: Annotated[str, typer.Option(metavar="MODE", help="Reward mode, or a form like mutuality=0.5.")] = "private",
    seeds: Annotated[int, typer.Option(min=1, help="Number of seeds; only chance makes them differ.")] = 3,
    episodes: Annotated[int, typer.Option(min=1, help="Episodes per pairing and seed.")] = 1,
) -> None:
    """Let every agent play among copies of every other one, and rate them: replicator, alpha-rank, Nash averaging."""
    from rich.progress import Progress

    from coopgym.benchmarks.drawing.terminal import TerminalConsole
    from coopgym.benchmarks.tournament import CLASSICS, compete, print_meta_game

    status = TerminalConsole(stderr=True)
    with (
        user_errors(ValueError, TypeError, ImportError),
        agents_errors(),
        Progress(console=status, transient=True, disable=not status.is_terminal) as bar,
    ):
        task = bar.add_task("playing", total=1.0)
        played = compete(
            games,
            agent or CLASSICS,
            reward,
            range(seeds),
            episodes,
            report=lambda fraction: bar.update(task, completed=fraction),
        )
    print_meta_game(TerminalConsole(), played)
