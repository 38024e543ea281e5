"""``coopgym train``: one learner on one game."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coopgym.benchmarks.cli.commands.errors import agents_errors, interruptible, user_errors
from coopgym.benchmarks.cli.standard_streams import say


def train(
    game: Annotated[str, typer.Argument(metavar="GAME", help="Game to train on.")],
    agent: Annotated[str, typer.Option(metavar="NAME", help="Learner, such as mappo; any case will do.")],
    reward: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODE", help="Reward modes, with transforms: private + shaping(trust).", show_default="integrated"
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Number of seeds, trained side by side.")] = 1,
    steps: Annotated[
        int | None,
        typer.Option(
            min=1, help="Joint steps per seed and mode; of a language model, decisions.", show_default="by learner"
        ),
    ] = None,
    objective: Annotated[
        str | None, typer.Option(help="Learn from the own reward or from the sum: individual or team.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="Set a hyper-parameter, or game.NAME of the game; values are TOML."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the policies.", show_default=False)
    ] = None,
    device: Annotated[str, typer.Option(help="Where to train: cpu, cuda, cuda:1, …")] = "cpu",
) -> None:
    """Train a learner in all seats of a game and say what it earns beside the best constant."""
    from coopgym.benchmarks.cli.tables import print_trained
    from coopgym.benchmarks.drawing.terminal import TerminalConsole
    from coopgym.benchmarks.execute.training import TrainRequest
    from coopgym.benchmarks.execute.training import train as train_learner
    from coopgym.benchmarks.progress import progress_on

    request = TrainRequest(
        game, agent, tuple(reward or ["integrated"]), seeds, steps, objective, tuple(settings or ()), out, device
    )
    advice = "add --out FOLDER to keep checkpoints" if out is None else "run the same command to go on"
    with (
        user_errors(ValueError, TypeError, OSError, ImportError),
        interruptible(f"interrupted; {advice}"),
        agents_errors(),
    ):
        trained = train_learner(request, progress_on(TerminalConsole(stderr=True), "replicas"))
    print_trained(TerminalConsole(), trained)
    if out is not None:
        say(f"policies: {out}  (coopgym.algorithms.loading.load_agents({str(out)!r}))")
    if trained.failures:
        raise typer.Exit(1)
