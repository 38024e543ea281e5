"""``coopgym run``: a study, its corpus and its report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coopgym.benchmarks.cli.commands.errors import interruptible, user_errors
from coopgym.benchmarks.cli.standard_streams import say

if TYPE_CHECKING:
    from coopgym.benchmarks.execute.runner import Older


def run(
    study: Annotated[str, typer.Argument(metavar="STUDY", help="Name of a shipped study, or a TOML file.")],
    out: Annotated[Path | None, typer.Option(help="Folder of results.", show_default="runs/<study>")] = None,
    workers: Annotated[
        int | None, typer.Option(min=0, help="Processes; 0 runs in this one.", show_default="number of cores")
    ] = None,
    agent: Annotated[
        list[str] | None,
        typer.Option(metavar="AGENT", help="Add your agent to all games and modes: module:Class, or llm:URL#model."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="Only runs whose game/algorithm/reward/seed matches; several may be given."),
    ] = None,
    device: Annotated[str, typer.Option(help="Where learners train.")] = "cpu",
    ray: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Use a Ray cluster: auto, local, or its address."),
    ] = None,
    gpus_per_job: Annotated[float, typer.Option(help="With --ray: share of a GPU for a training job.")] = 1.0,
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Keep runs that are there, or compute all of them anew.")
    ] = True,
    redo: Annotated[
        bool | None,
        typer.Option(
            "--redo/--keep-older",
            help="What an older version of coopgym made: compute it anew, or keep it.",
            show_default="asks, where there is any",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would run.")] = False,
) -> None:
    """Run a study: only what its folder does not hold yet. Ends with a ranking and a report."""
    from coopgym.benchmarks.cli.tables import print_failures, print_first_table, print_outlook, print_rankings
    from coopgym.benchmarks.drawing.terminal import TerminalConsole
    from coopgym.benchmarks.execute.executors import WorkerDiedError, choose_executor, number_of_processes
    from coopgym.benchmarks.execute.runner import OlderRunsError, dry_run_of, run_study
    from coopgym.benchmarks.execute.store import FolderInUseError, RunStore
    from coopgym.benchmarks.execute.stranger_runs import unvalued
    from coopgym.benchmarks.progress import progress_on
    from coopgym.benchmarks.report import TABLE_FILES, is_current, write_report
    from coopgym.benchmarks.score import Leaderboards, failures
    from coopgym.benchmarks.study import StudyError, expand, in_words, load_study
    from coopgym.corpus import CorpusError, load_corpus
    from coopgym.interrupts import recognisable_interrupts

    console = TerminalConsole()
    with user_errors(ValueError), recognisable_interrupts():
        chosen = load_study(study)
        for name in agent or ():
            chosen = chosen.with_agent(name)
        runs = expand(chosen, only)
        if not runs:
            raise StudyError(
                f"--only {' '.join(only or ())!r} matches none of the runs; their names look like "
                f"{expand(chosen)[0].path}"
            )
    folder = out or Path("runs") / chosen.name
    older: Older = "ask" if redo is None else "redo" if redo else "keep"
    with user_errors(OlderRunsError, FolderInUseError, CorpusError, WorkerDiedError, ImportError, ValueError, OSError):
        executor = choose_executor(workers, device, ray, gpus_per_job)
        if dry_run:
            store = RunStore(folder, chosen)
            store.check()
            finished = store.finished() if resume else set()
            plan = dry_run_of(runs, finished, store.superseded(runs), older if resume else "redo")
            print_outlook(console, plan, folder, number_of_processes(workers))
            for fault in unvalued(plan.pending):
                say(f"would fail: {fault}", error=True)
            return
        with interruptible(f"interrupted: finished runs are kept in {folder}; run the same command to go on"):
            progress = progress_on(TerminalConsole(stderr=True))
            outcome = run_study(chosen, runs, folder, executor, progress, resume=resume, older=older)
        corpus, page = load_corpus(folder), folder / "report.html"
        if not is_current(corpus, page, TABLE_FILES):
            write_report(corpus, page)
    leaderboards = Leaderboards(corpus.runs.arrow)
    print_first_table(console, leaderboards.first_table)
    print_rankings(console, leaderboards)
    print_failures(console, failures(corpus.runs.arrow).values())
    say(f"{outcome.computed} runs computed, {outcome.skipped} already there, {outcome.failed} failed")
    if outcome.superseded:
        say(f"{outcome.replaced} earlier runs were replaced: {in_words(outcome.superseded)}")
    if outcome.kept:
        say(f"{len(outcome.kept)} runs of an older version were kept: {in_words(outcome.kept)}")
    say(f"corpus:  {folder}  (coopgym.load_corpus({str(folder)!r}))")
    say(f"scores:  {', '.join(str(folder / name) for name in TABLE_FILES)}")
    say(f"report:  {page}")
    if outcome.failed:
        say("some runs failed: their tracebacks are in the report and in the column `error`", error=True)
        raise typer.Exit(1)
