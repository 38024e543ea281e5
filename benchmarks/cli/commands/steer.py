"""``coopgym steer``: how a planner steers a stream of agents by how clear it makes their signals."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from coopgym.benchmarks.cli.commands.errors import user_errors
from coopgym.benchmarks.cli.commands.options import PageFile, Parameters
from coopgym.benchmarks.cli.standard_streams import say


def steer(
    game: Annotated[str, typer.Argument(metavar="GAME", help="Id of a game, such as ReputationMarket-v1.")],
    planner: Annotated[
        Literal["altruistic", "biased"],
        typer.Option(help="Whether it wants agents to be right, or to cooperate whether that is right or wrong."),
    ] = "altruistic",
    baseline: Annotated[float, typer.Option(help="Precision of signals that costs nothing.")] = 0.7,
    cost: Annotated[
        float, typer.Option(help="Of a unit of precision away from it, in mean costs of an agent's error.")
    ] = 0.3,
    stake: Annotated[float, typer.Option(help="With a biased planner: what an agent's defection costs it.")] = 1.0,
    discount: Annotated[float, typer.Option(help="Of agents to come.")] = 0.9,
    levels: Annotated[
        tuple[float, float] | None,
        typer.Option(
            metavar="LOW HIGH", help="Shares of endowment.", show_default="private equilibrium and welfare optimum"
        ),
    ] = None,
    seat: Annotated[int, typer.Option(min=0, help="Of the agents.")] = 0,
    settings: Parameters = None,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write everything as JSON.")] = None,
    out: PageFile = None,
) -> None:
    """Find the planner's policy over beliefs, its phases, and the welfare it moves, also if it must be transparent."""
    import json

    from coopgym.benchmarks.cli.pages import require_page, write_page
    from coopgym.benchmarks.cli.steer_page import print_steered, steered, steering_page, steering_record, steering_rows
    from coopgym.benchmarks.drawing.terminal import TerminalConsole
    from coopgym.benchmarks.study.settings import parse_settings
    from coopgym.corpus.writer import write_atomically
    from coopgym.games.registry import make_game
    from coopgym.oracles.finite.linear_programme import SolverError
    from coopgym.oracles.mechanism_design.herd import Herd
    from coopgym.oracles.mechanism_design.herd_games import herd_in

    with user_errors(ValueError, TypeError, OSError, ImportError, SolverError):
        require_page(out)
        made = make_game(game, **parse_settings(settings or ()))
        herd = Herd(planner, baseline, cost, stake=stake, discount=discount)
        found = steered(herd_in(made, herd, seat=seat, levels=levels))
        print_steered(TerminalConsole(), found)
        if json_file is not None:
            write_atomically(json_file, json.dumps(steering_record(found), indent=1, ensure_ascii=False).encode())
            say(f"written: {json_file}")
        write_page(out, lambda: steering_page(found), steering_rows(found))
