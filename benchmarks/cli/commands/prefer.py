"""``coopgym prefer``: which agents of a corpus are preferred to which, and who wins where preferences cycle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coopgym.benchmarks.cli.commands.errors import user_errors
from coopgym.benchmarks.cli.commands.options import CorpusPlace, PageFile


def prefer(
    corpus: CorpusPlace,
    criteria: Annotated[
        str, typer.Option(metavar="NAME,...", help="What agents are compared by.")
    ] = "payoff,welfare,equality,trust",
    agent: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Only these agents: names or parts of names, in any case.",
            show_default="all but constants and oracles",
        ),
    ] = None,
    game: Annotated[str | None, typer.Option(metavar="GLOB", help="Only games whose id matches.")] = None,
    reward: Annotated[str | None, typer.Option(metavar="MODE", help="Only runs under this reward mode.")] = None,
    beta: Annotated[float, typer.Option(help="Regularisation of the Nash equilibrium.")] = 0.1,
    out: PageFile = None,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write everything as JSON.")] = None,
) -> None:
    """Compare agents pair by pair, criterion by criterion: cycles, and winners by several rules."""
    from coopgym.benchmarks.cli.pages import require_page, write_page
    from coopgym.benchmarks.cli.preference_page import preference_page, preference_rows, print_preferences, write_json
    from coopgym.benchmarks.drawing.terminal import TerminalConsole
    from coopgym.benchmarks.execute.exploit import Selection
    from coopgym.benchmarks.experiments.preferences.agent_preferences import agent_preferences
    from coopgym.corpus import CorpusError, load_corpus
    from coopgym.oracles.finite.linear_programme import SolverError

    with user_errors(CorpusError, SolverError, ValueError, OSError, ImportError):
        require_page(out)
        loaded = load_corpus(corpus)
        names = [name for name in map(str.strip, criteria.split(",")) if name]
        found = agent_preferences(loaded.runs, names, Selection(agent or (), game, reward), beta=beta)
        print_preferences(TerminalConsole(), found)
        title = (loaded.study or {}).get("name") or loaded.path.name
        write_page(out, lambda: preference_page(found, str(title)), preference_rows(found))
        write_json(json_file, found)
