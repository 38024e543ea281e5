"""The command line ``coopgym``, put together from its commands."""

from __future__ import annotations

from typing import Annotated

import typer

from coopgym.benchmarks.cli.commands.bench import bench
from coopgym.benchmarks.cli.commands.case import case
from coopgym.benchmarks.cli.commands.data import data
from coopgym.benchmarks.cli.commands.exploit import exploit
from coopgym.benchmarks.cli.commands.games import games
from coopgym.benchmarks.cli.commands.hire import hire
from coopgym.benchmarks.cli.commands.leaderboard import leaderboard
from coopgym.benchmarks.cli.commands.plan import plan
from coopgym.benchmarks.cli.commands.play import play
from coopgym.benchmarks.cli.commands.prefer import prefer
from coopgym.benchmarks.cli.commands.report import report
from coopgym.benchmarks.cli.commands.reward import reward
from coopgym.benchmarks.cli.commands.run import run
from coopgym.benchmarks.cli.commands.solve import solve
from coopgym.benchmarks.cli.commands.steer import steer
from coopgym.benchmarks.cli.commands.strangers import strangers
from coopgym.benchmarks.cli.commands.tournament import tournament
from coopgym.benchmarks.cli.commands.train import train
from coopgym.benchmarks.cli.standard_streams import spell_what_cannot_be_encoded

app = typer.Typer(name="coopgym", no_args_is_help=True, pretty_exceptions_enable=False)


def main() -> None:
    """Run the command line."""
    spell_what_cannot_be_encoded()
    app()


def _show_version(wanted: bool) -> None:
    if wanted:
        from coopgym.benchmarks.provenance import package_version

        typer.echo(f"coopgym {package_version()}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Mixed-motive games: look at them, play them, benchmark agents on them."""


COMMANDS = (games, play, run, train, report, leaderboard, exploit, prefer, solve, plan, hire, steer, tournament, bench)
for command in COMMANDS:
    app.command()(command)
app.add_typer(case, name="case")
app.add_typer(data, name="data")
app.add_typer(reward, name="reward")
app.add_typer(strangers, name="strangers")
