"""``coopgym play``: a person plays."""

from __future__ import annotations

from typing import Annotated

import typer

from coopgym.benchmarks.cli.commands.errors import agents_errors, user_errors
from coopgym.benchmarks.cli.commands.options import Parameters
from coopgym.benchmarks.cli.standard_streams import say


def play(
    game: Annotated[str, typer.Argument(metavar="ID", help="Game to play.")],
    seat: Annotated[int, typer.Option(help="Your seat, from 0.")] = 0,
    partner: Annotated[
        str, typer.Option(help="Agent in the other seats: a name, module:Class, or llm:URL#model.")
    ] = "TitForTat",
    reward: Annotated[str, typer.Option(help="Reward mode, or a form like mutuality=0.5.")] = "private",
    seed: Annotated[int, typer.Option(min=0, help="Seed of all chance.")] = 0,
    settings: Parameters = None,
) -> None:
    """Play a seat yourself, in the terminal."""
    from coopgym.agents import Seat
    from coopgym.benchmarks.cli.human_player import Person, farewell, introduction, partners, play_with_person
    from coopgym.benchmarks.study.schema import require_agent
    from coopgym.benchmarks.study.settings import parse_settings
    from coopgym.games.registry import make_game
    from coopgym.interrupts import recognisable_interrupts
    from coopgym.rewards import reward_layer

    with user_errors(ValueError, TypeError), recognisable_interrupts():
        made = make_game(game, **parse_settings(settings or ()))
        layer = reward_layer(reward).evaluated
        Seat.of(made, seat, made.spec.default_view, layer.name)
        require_agent(partner)
    for line in introduction(made, seat, partner, layer.name):
        say(line)
    with user_errors(ConnectionError, ImportError, ValueError), agents_errors():
        episode = play_with_person(made, Person(input, say), seat, partners(partner), layer, seed)
    say("")
    for line in farewell(made.spec, seat, episode):
        say(line)
