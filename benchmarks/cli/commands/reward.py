"""``coopgym reward``: what rewards ask for, how far they are apart, and which one a behaviour looks like."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coopgym.benchmarks.cli.commands.errors import fail_with, interruptible, user_errors
from coopgym.benchmarks.cli.commands.options import PageFile, Parameters
from coopgym.benchmarks.cli.standard_streams import say

reward = typer.Typer(help="Rewards: what they ask for, and how far they are apart.", no_args_is_help=True)


@reward.callback()
def _options() -> None:
    """Rewards: what they ask for, and how far they are apart."""


@reward.command(name="list")
def list_rewards() -> None:
    """List modes, and transforms with what they declare and how far they lead from the mode that they transform."""
    from coopgym.benchmarks.cli.reward_page import print_cards
    from coopgym.benchmarks.drawing.terminal import TerminalConsole
    from coopgym.benchmarks.experiments.rewards.cards import transform_cards
    from coopgym.rewards.modes import FAMILIES, NAMED

    say(f"modes: {', '.join((*NAMED, *(form for form, _ in FAMILIES.values())))}")
    print_cards(TerminalConsole(), transform_cards())


@reward.command(name="compare")
def compare_rewards(
    game: Annotated[str, typer.Argument(metavar="GAME", help="Where the rewards are compared.")],
    rewards: Annotated[
        list[str],
        typer.Argument(
            metavar="REWARD...", help="Two or more, such as private mutuality=0.5 'private + shaping(trust)'."
        ),
    ],
    seat: Annotated[int | None, typer.Option(min=0, help="Only this seat.", show_default="all seats")] = None,
    episodes: Annotated[int, typer.Option(help="Episodes of uniform actions.")] = 256,
    gamma: Annotated[float, typer.Option(help="Discount of the learners.")] = 0.99,
    seed: Annotated[int, typer.Option(min=0, help="Of the actions and of the game's chance.")] = 0,
    fitting: Annotated[
        int, typer.Option(min=0, help="Episodes of uniform actions that learned transforms are fitted on before.")
    ] = 0,
    settings: Parameters = None,
    out: PageFile = None,
) -> None:
    """Find out how far rewards are apart in what they ask for: STARC distances, seat by seat."""
    from coopgym.benchmarks.cli.pages import require_page, write_page
    from coopgym.benchmarks.cli.reward_page import comparison_page, comparison_rows, print_comparison
    from coopgym.benchmarks.drawing.terminal import TerminalConsole
    from coopgym.benchmarks.experiments.rewards.comparison import Coverage, compare
    from coopgym.benchmarks.study.settings import parse_settings
    from coopgym.games.registry import make_game

    with user_errors(ValueError, TypeError, OSError, ImportError):
        require_page(out)
        made = make_game(game, **parse_settings(settings or ()))
        found = compare(made, rewards, Coverage(episodes, gamma, seed), None if seat is None else [seat], fitting)
        print_comparison(TerminalConsole(), found)
        write_page(out, lambda: comparison_page(found), comparison_rows(found))


@reward.command(name="read")
def read_rewards(
    corpus: Annotated[str, typer.Argument(metavar="CORPUS", help="Folder of a corpus, such as runs/quick.")],
    agent: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only these agents: names or parts of names, in any case."),
    ] = None,
    game: Annotated[str | None, typer.Option(metavar="GLOB", help="Only games whose id matches.")] = None,
    seed: Annotated[int | None, typer.Option(help="Only runs with this seed.")] = None,
    mode: Annotated[
        list[str] | None,
        typer.Option(metavar="MODE", help="Hold behaviour against these.", show_default="the three named modes"),
    ] = None,
    episodes: Annotated[int, typer.Option(help="Episodes that are cloned.")] = 50,
    gamma: Annotated[float, typer.Option(help="Discount of the learners.")] = 0.99,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write everything as JSON.")] = None,
    out: PageFile = None,
) -> None:
    """Find out which reward mode a behaviour looks like it is optimising, nearest first."""
    from coopgym.benchmarks.cli.pages import require_page, write_page
    from coopgym.benchmarks.cli.reading_page import print_readings, reading_page, reading_rows, write_readings
    from coopgym.benchmarks.drawing.terminal import TerminalConsole
    from coopgym.benchmarks.execute.exploit import Selection
    from coopgym.benchmarks.experiments.rewards.corpus_reading import read_corpus
    from coopgym.benchmarks.experiments.rewards.reading import MODES, ReadingSettings
    from coopgym.benchmarks.progress import fraction_on

    with user_errors(ValueError, TypeError, OSError, ImportError), interruptible("interrupted"):
        require_page(out)
        settings = ReadingSettings(cloned=episodes, gamma=gamma)
        with fraction_on(TerminalConsole(stderr=True), "reading rewards") as report:
            found = read_corpus(corpus, Selection(agent or (), game, seed=seed), mode or MODES, settings, watch=report)
        print_readings(TerminalConsole(), found.runs, settings)
        if found.runs:
            write_readings(json_file, found.runs)
            write_page(out, lambda: reading_page(found.runs, settings), reading_rows(found.runs))
    fail_with(found.faults)


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
    json: Annotated[
        Path | None, typer.Option(help="File to write the design into, for designed(FILE).", show_default=False)
    ] = None,
) -> None:
    """Say which few situations to reward so that a learner finds the optimum sooner, and the optimum stays."""
    from coopgym.benchmarks.cli.reward_page import keep_designed, print_designed, write_designed
    from coopgym.benchmarks.drawing.terminal import TerminalConsole
    from coopgym.benchmarks.experiments.rewards.design import design_for
    from coopgym.games.registry import make_game
    from coopgym.oracles.finite.linear_programme import SolverError

    with user_errors(ValueError, TypeError, OSError, ImportError, SolverError), interruptible("interrupted"):
        designed = design_for(make_game(game), partner, seat, budget=budget, method=method, reward=mode, seed=seed)
        print_designed(TerminalConsole(), designed)
        write_designed(out, designed)
        keep_designed(json, designed)
