"""``coopgym reward``: what rewards ask for, how far they are apart, and which one a behaviour looks like."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coopgym.benchmarks.cli.commands.errors import interruptible, user_errors
from coopgym.benchmarks.cli.standard_streams import say

reward = typer.Typer(help="Rewards: what they ask for, and how far they are apart.", no_args_is_help=True)


@reward.callback()
def _options() -> None:
    """Rewards: what they ask for, and how far they are apart."""


@reward.command(name="list")
def list_rewards() -> None:
    """List modes, and transforms with their flags."""
    from coopgym.rewards import transform_class, transform_kinds
    from coopgym.rewards.modes import FAMILIES, NAMED

    say(f"modes: {', '.join((*NAMED, *(form for form, _ in FAMILIES.values())))}")
    for kind in transform_kinds():
        transform = transform_class(kind)
        say(transform.usage())


@reward.command()
def design(
    game: Annotated[str, typer.Argument(metavar="GAME", help="Id of a game, such as TrustDilemma-v1.")],
    budget: Annotated[int, typer.Option(help="Situations to reward.")] = 5,
    partner: Annotated[str, typer.Option(metavar="AGENT", help="Who sits in all other seats.")] = "TitForTat",
    seat: Annotated[int, typer.Option(help="Whose reward it is.")] = 0,
    method: Annotated[str, typer.Option(help="exprd, or expadard for a learner that knows nothing yet.")] = "exprd",
    mode: Annotated[str, typer.Option("--reward", metavar="MODE", help="The reward to begin with.")] = "private",
    seed: Annotated[int, typer.Option(min=0, help="Of the play that is learned from.")] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="CSV file to write the table into.", show_default=False)
    ] = None,
) -> None:
    """Say which few situations to reward so that a learner finds the optimum sooner, and the optimum stays."""
    from coopgym.benchmarks.cli.reward_tables import print_designed, write_designed
    from coopgym.benchmarks.drawing.terminal import TerminalConsole
    from coopgym.benchmarks.rewards.design import design_for
    from coopgym.games.registry import make_game
    from coopgym.oracles.finite.linear_programme import SolverError

    with user_errors(ValueError, TypeError, OSError, ImportError, SolverError), interruptible("interrupted"):
        designed = design_for(make_game(game), partner, seat, budget=budget, method=method, reward=mode, seed=seed)
        print_designed(TerminalConsole(), designed)
        write_designed(out, designed)
