"""``coopgym hire``: whom to pay for finding out what before a game is played."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from coopgym.benchmarks.cli.commands.errors import user_errors
from coopgym.benchmarks.cli.commands.options import PageFile, Parameters
from coopgym.benchmarks.cli.standard_streams import say


def hire(
    game: Annotated[str, typer.Argument(metavar="GAME", help="Id of a game, such as SynergySearch-v1.")],
    situation: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="What may be the case: a parameter with a value, such as phase=crisis; twice or more.",
            show_default="what the game hides",
        ),
    ] = None,
    chooser: Annotated[
        Literal["seat", "all"], typer.Option(help="Who decides on it: one seat, or all of them together.")
    ] = "all",
    seat: Annotated[int, typer.Option(min=0, help="With --chooser seat: which.")] = 0,
    accuracy: Annotated[
        list[float] | None,
        typer.Option(help="How likely an analyst who works is right; once per analyst.", show_default="0.8 and 0.75"),
    ] = None,
    cost: Annotated[
        list[float] | None,
        typer.Option(
            help="What work costs, payoff units; once per analyst.", show_default="a tenth of what is to know"
        ),
    ] = None,
    pay_cap: Annotated[
        float | None,
        typer.Option(help="The largest payment, payoff units.", show_default="what perfect information is worth"),
    ] = None,
    slack: Annotated[float, typer.Option(help="What disobedience must lose at least, payoff units.")] = 0.0,
    settings: Parameters = None,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write everything as JSON.")] = None,
    out: PageFile = None,
) -> None:
    """Find out whom to pay for which effort before play, what the information is worth, and whether incentives hold."""
    import json

    from coopgym.benchmarks.cli.hire_page import hired, hiring_page, hiring_record, hiring_rows, print_hired
    from coopgym.benchmarks.cli.pages import require_page, write_page
    from coopgym.benchmarks.drawing.terminal import TerminalConsole
    from coopgym.benchmarks.study.settings import parse_settings
    from coopgym.corpus.writer import write_atomically
    from coopgym.games.registry import make_game
    from coopgym.oracles.finite.linear_programme import SolverError
    from coopgym.oracles.mechanism_design.survey import ACCURACIES, survey_before_play

    with user_errors(ValueError, TypeError, OSError, ImportError, SolverError):
        require_page(out)
        own = parse_settings(settings or ())
        made = make_game(game, **own)
        cases = {text: make_game(game, **(own | parse_settings([text], "--situation"))) for text in situation or ()}
        if not cases and not made.traits().hidden:
            raise ValueError(
                f"{made.id} hides nothing from its seats: say what may be the case, --situation twice or more"
            )
        if len(cases) == 1:
            raise ValueError(f"--situation {next(iter(cases))} alone: give two different ones or more to tell apart")
        accuracies, units = accuracy or list(ACCURACIES), cost
        if units is not None and len(units) != len(accuracies):
            raise ValueError(f"{len(units)} costs for {len(accuracies)} analysts: give --cost as often as --accuracy")
        survey = survey_before_play(made, cases or None, chooser=chooser, seat=seat, accuracies=accuracies)
        if units is not None or pay_cap is not None:
            survey = survey_before_play(
                made,
                cases or None,
                chooser=chooser,
                seat=seat,
                accuracies=accuracies,
                costs=None if units is None else [each / survey.unit for each in units],
                pay_cap=None if pay_cap is None else pay_cap / survey.unit,
            )
        found = hired(survey, slack / survey.unit)
        print_hired(TerminalConsole(), found)
        if json_file is not None:
            write_atomically(json_file, json.dumps(hiring_record(found), indent=1, ensure_ascii=False).encode())
            say(f"written: {json_file}")
        write_page(out, lambda: hiring_page(found), hiring_rows(found))
