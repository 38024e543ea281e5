"""``coopgym games``: which games there are."""

from __future__ import annotations

from typing import Annotated

import typer

from coopgym.benchmarks.cli.commands.errors import user_errors


def games(
    game: Annotated[str | None, typer.Argument(metavar="[ID]", help="Show this game in full.")] = None,
) -> None:
    """List the games, or describe one."""
    from coopgym.benchmarks.cli.tables import game_list, print_game
    from coopgym.benchmarks.drawing.terminal import TerminalConsole
    from coopgym.games.registry import games as game_ids
    from coopgym.games.registry import make_game

    console = TerminalConsole()
    if game is None:
        console.print(game_list(game_ids()))
        return
    with user_errors(ValueError):
        made = make_game(game)
    print_game(console, made)
