"""``coopgym case``: four historical relations, and what models of them earn beside chance."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from coopgym.benchmarks.cli.commands.errors import user_errors
from coopgym.benchmarks.cli.standard_streams import say

case = typer.Typer(help="Historical relations: models of them, scored beside chance.", no_args_is_help=True)

CaseArgument = Annotated[str, typer.Argument(metavar="CASE", help="Name of a case, or all.")]


class EditionName(StrEnum):
    """Which edition of the registered game a history is replayed in."""

    v0 = "v0"
    v1 = "v1"


class GridName(StrEnum):
    """How finely parameters are swept."""

    quick = "quick"
    full = "full"


class RubricName(StrEnum):
    """By which rules models are scored."""

    reference = "reference"
    v2 = "v2"


@case.command(name="list")
def list_cases() -> None:
    """List the cases."""
    from coopgym.benchmarks.case_studies import case_names, load_case

    for name in case_names():
        about = load_case(name)
        say(f"{name:15} {about.title}, {about.period}: {about.mechanism}, {about.game}")


@case.command()
def score(
    name: CaseArgument,
    rubric: Annotated[
        RubricName, typer.Option(help="The published rules with their faults, or those in which all can fail.")
    ] = RubricName.reference,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write everything as JSON.")] = None,
    page: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write a page, HTML, with replays.")
    ] = None,
) -> None:
    """Score the models of a case, and beside them what knows nothing of it."""
    import json

    from coopgym.benchmarks.case_studies import CaseFileError, case_names, load_case, score_case
    from coopgym.benchmarks.cli.case_tables import print_dependence, print_scorecard
    from coopgym.benchmarks.drawing.terminal import TerminalConsole
    from coopgym.corpus.writer import write_atomically

    console = TerminalConsole()
    with user_errors(CaseFileError, OSError):
        cards = {each: score_case(each, rubric.value) for each in (case_names() if name == "all" else [name])}
        for each, scored in cards.items():
            print_dependence(console, load_case(each))
            for card in scored:
                print_scorecard(console, card)
        if json_file is not None:
            records = [card.record() for scored in cards.values() for card in scored]
            write_atomically(json_file, json.dumps(records, indent=1, ensure_ascii=False).encode())
            say(f"written: {json_file}")
        if page is not None:
            from coopgym.benchmarks.case_studies.page import render_cases

            write_atomically(page, render_cases(cards).encode())
            say(f"written: {page}")


@case.command()
def replay(
    name: Annotated[str, typer.Argument(metavar="CASE", help="Name of a case.")],
    edition: Annotated[
        list[EditionName] | None, typer.Option(help="Of the registered game.", show_default="both")
    ] = None,
    fit: Annotated[
        bool, typer.Option("--fit", help="Also fit partners to the coded path, the last phase aside.")
    ] = False,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write everything as JSON.")] = None,
) -> None:
    """Replay the coded history in its registered game, and what might have been done instead."""
    import json

    from coopgym.benchmarks.case_studies import CaseFileError, load_case
    from coopgym.benchmarks.case_studies.fitting import fit_case
    from coopgym.benchmarks.case_studies.replay import replay as replay_case
    from coopgym.benchmarks.case_studies.replay import scripts
    from coopgym.benchmarks.cli.case_tables import partners_table, print_replay
    from coopgym.benchmarks.drawing.terminal import TerminalConsole
    from coopgym.corpus.writer import write_atomically

    console = TerminalConsole()
    with user_errors(CaseFileError, ValueError, OSError):
        replays = [
            replay_case(name, each.value, script)
            for each in edition or EditionName
            for script in scripts(load_case(name))
        ]
        for each in replays:
            print_replay(console, each)
        partners = fit_case(name) if fit else ()
        if partners:
            console.print(partners_table(partners))
        if json_file is not None:
            record = {
                "replays": [each.record() for each in replays],
                "partners": [partner.record() for partner in partners],
            }
            write_atomically(json_file, json.dumps(record, indent=1, ensure_ascii=False).encode())
            say(f"written: {json_file}")


@case.command()
def experiment(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of an experiment, or all.")],
    grid: Annotated[GridName, typer.Option(help="How finely parameters are swept.")] = GridName.quick,
    folder: Annotated[
        Path | None, typer.Option("--keep", metavar="FOLDER", help="Keep finished pieces; the same command goes on.")
    ] = None,
) -> None:
    """Sweep what a mechanism does over a grid of parameters, and say which results are algebra alone."""
    from coopgym.benchmarks.case_studies.experiments import EXPERIMENTS
    from coopgym.benchmarks.case_studies.sweep import run_experiment
    from coopgym.benchmarks.cli.case_tables import findings_table
    from coopgym.benchmarks.drawing.terminal import TerminalConsole
    from coopgym.benchmarks.study.schema import unknown

    console = TerminalConsole()
    with user_errors(ValueError, OSError):
        if name != "all" and name not in EXPERIMENTS:
            raise ValueError(unknown("experiment", name, [*EXPERIMENTS, "all"]))
        for each in EXPERIMENTS.values() if name == "all" else [EXPERIMENTS[name]]:
            console.print(findings_table(each.name, run_experiment(each, grid.value, folder)))
