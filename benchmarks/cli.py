"""The command line. Heavy imports live inside the commands, so that ``--help`` answers at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(name="coopgym", no_args_is_help=True, pretty_exceptions_enable=False)
data = typer.Typer(help="Look into released and own corpora.", no_args_is_help=True)
app.add_typer(data, name="data")


def main() -> None:
    """Run the command line."""
    app()


@contextmanager
def _user_errors(*kinds: type[Exception]) -> Iterator[None]:
    """Turn mistakes of the user into one message and exit code 2."""
    try:
        yield
    except kinds as error:
        typer.echo(f"coopgym: {error}", err=True)
        raise typer.Exit(2) from None


def _show_version(wanted: bool) -> None:
    if wanted:
        from benchmarks.provenance import package_version

        typer.echo(f"coopgym {package_version()}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Mixed-motive games: look at them, play them, benchmark agents on them."""


@app.command()
def games(
    game: Annotated[str | None, typer.Argument(metavar="[ID]", help="Show this game in full.")] = None,
) -> None:
    """List the games, or describe one."""
    from rich.console import Console

    from benchmarks.console import game_list, print_game
    from coopgym.games.registry import games as game_ids
    from coopgym.games.registry import make_game

    console = Console()
    if game is None:
        console.print(game_list(game_ids()))
        return
    with _user_errors(ValueError):
        spec = make_game(game).spec
    print_game(console, spec)


@app.command()
def play(
    game: Annotated[str, typer.Argument(metavar="ID", help="Game to play.")],
    seat: Annotated[int, typer.Option(help="Your seat, from 0.")] = 0,
    partner: Annotated[
        str, typer.Option(help="Agent in the other seats: a name, module:Class, or llm:URL#model.")
    ] = "TitForTat",
    reward: Annotated[str, typer.Option(help="Reward mode, or a form like mutuality=0.5.")] = "private",
    seed: Annotated[int, typer.Option(min=0, help="Seed of all chance.")] = 0,
) -> None:
    """Play a seat yourself, in the terminal."""
    from benchmarks.entries import require_agent
    from benchmarks.terminal import Person, farewell, introduction, partners, play_with_person
    from coopgym.agents import Seat
    from coopgym.games.registry import make_game
    from coopgym.rewards import reward_layer

    with _user_errors(ValueError):
        made = make_game(game)
        layer = reward_layer(reward)
        Seat.of(made, seat, made.spec.default_view, layer.name)
        require_agent(partner)
    for line in introduction(made.spec, seat, partner, layer.name):
        typer.echo(line)
    with _user_errors(ConnectionError, ImportError, ValueError):
        sitting = play_with_person(made, Person(input, typer.echo), seat, partners(partner), layer, seed)
    typer.echo("")
    for line in farewell(made.spec, seat, sitting):
        typer.echo(line)


@app.command()
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
        str | None, typer.Option(metavar="GLOB", help="Only runs whose game/algorithm/reward/seed matches.")
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
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would run.")] = False,
) -> None:
    """Run a study: only what its folder does not hold yet. Ends with a ranking and a report."""
    from rich.console import Console

    from benchmarks.console import print_outlook, print_rankings
    from benchmarks.executors import WorkerDiedError, choose_executor
    from benchmarks.plan import expand
    from benchmarks.progress import progress_on
    from benchmarks.report import SUMMARY_FILE, write_report
    from benchmarks.runner import outlook, run_study
    from benchmarks.store import FolderInUseError, RunStore
    from benchmarks.study import StudyError, load_study
    from benchmarks.summary import summarise
    from coopgym.corpus import CorpusError, load_corpus

    console = Console()
    with _user_errors(StudyError):
        chosen = load_study(study)
        for name in agent or ():
            chosen = chosen.with_agent(name)
        runs = expand(chosen, only)
        if not runs:
            raise StudyError(
                f"--only {only!r} matches none of the runs; their names look like {expand(chosen)[0].path}"
            )
    folder = out or Path("runs") / chosen.name
    with _user_errors(FolderInUseError, CorpusError, WorkerDiedError, ImportError, ValueError, ConnectionError):
        executor = choose_executor(workers, device, ray, gpus_per_job)
        if dry_run:
            processes = len(os.sched_getaffinity(0)) if workers is None else workers
            finished = RunStore(folder, chosen).finished() if resume else set()
            print_outlook(console, outlook(runs, finished), folder, processes)
            return
        try:
            outcome = run_study(chosen, runs, folder, executor, progress_on(Console(stderr=True)), resume=resume)
        except KeyboardInterrupt:
            typer.echo(f"\ninterrupted: finished runs are kept in {folder}; run the same command to go on", err=True)
            raise typer.Exit(130) from None
        corpus, page = load_corpus(folder), folder / "report.html"
        summary = summarise(corpus.runs)
        if outcome.computed or not page.exists():
            write_report(corpus, summary, page)
    print_rankings(console, summary)
    typer.echo(f"{outcome.computed} runs computed, {outcome.skipped} already there, {outcome.failed} failed")
    if outcome.replaced:
        typer.echo(f"{outcome.replaced} earlier runs had another specification and were replaced")
    typer.echo(f"corpus:  {folder}  (coopgym.load_corpus({str(folder)!r}))")
    typer.echo(f"summary: {folder / SUMMARY_FILE}")
    typer.echo(f"report:  {page}")
    if outcome.failed:
        typer.echo("some runs failed: their tracebacks are in the report and in the column `error`", err=True)
        raise typer.Exit(1)


@app.command()
def train(
    game: Annotated[str, typer.Argument(metavar="GAME", help="Game to train on.")],
    agent: Annotated[str, typer.Option(metavar="NAME", help="Learner, such as mappo; any case will do.")],
    reward: Annotated[
        list[str] | None, typer.Option(metavar="MODE", help="Reward modes.", show_default="integrated")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Number of seeds, trained side by side.")] = 1,
    steps: Annotated[int, typer.Option(min=1, help="Joint steps per seed and mode.")] = 200_000,
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
    from rich.console import Console

    from benchmarks.progress import progress_on
    from benchmarks.train_command import Request, print_trained
    from benchmarks.train_command import train as train_learner

    request = Request(
        game, agent, tuple(reward or ["integrated"]), seeds, steps, objective, tuple(settings or ()), out, device
    )
    with _user_errors(ValueError, TypeError, OSError, ImportError):
        try:
            trained = train_learner(request, progress_on(Console(stderr=True), "replicas"))
        except KeyboardInterrupt:
            advice = "add --out FOLDER to keep checkpoints" if out is None else "run the same command to go on"
            typer.echo(f"\ninterrupted; {advice}", err=True)
            raise typer.Exit(130) from None
    print_trained(Console(), trained)
    if out is not None:
        typer.echo(f"policies: {out}  (algorithms.marl.load_agents({str(out)!r}))")
    if trained.failures:
        raise typer.Exit(1)


@app.command()
def report(
    corpus: Where,
    out: Annotated[
        Path | None, typer.Option(help="HTML file to write.", show_default="report.html in the corpus, or here")
    ] = None,
    figures: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write every figure as a file of its own instead.")
    ] = None,
    form: Annotated[Literal["svg", "pdf", "png"], typer.Option("--format", help="Kind of those files.")] = "svg",
) -> None:
    """Write the report of a corpus: one HTML file that needs nothing else."""
    from benchmarks.report import write_figures, write_report
    from benchmarks.summary import summarise
    from coopgym.corpus import CorpusError, load_corpus

    with _user_errors(CorpusError, OSError, ImportError):
        loaded = load_corpus(corpus)
        if figures is not None:
            written = sum(1 for _ in write_figures(loaded, figures, form))
            typer.echo(f"figures: {figures} ({written} files)")
            return
        page = out or Path(corpus if Path(corpus).is_dir() else ".") / "report.html"
        table = write_report(loaded, summarise(loaded.runs), page)
    typer.echo(f"summary: {table}")
    typer.echo(f"report:  {page}")


@app.command()
def exploit(
    path: Annotated[Path, typer.Argument(metavar="RUNS", help="Folder of a corpus, such as runs/quick.")],
    agent: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only these agents: names or parts of names, in any case.")
    ] = None,
    game: Annotated[str | None, typer.Option(metavar="GLOB", help="Only games whose id matches.")] = None,
    reward: Annotated[str | None, typer.Option(metavar="MODE", help="Only runs under this reward mode.")] = None,
    seed: Annotated[int | None, typer.Option(help="Only runs with this seed.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Search less thoroughly, in half the time.")] = False,
) -> None:
    """Find out how much anyone could gain by deviating from what was played, and write it into the corpus."""
    from rich.console import Console

    from benchmarks.console import print_deviations
    from benchmarks.exploit import Selection, SelectionError
    from benchmarks.exploit import exploit as search
    from benchmarks.progress import progress_on
    from benchmarks.store import FolderInUseError
    from coopgym.corpus import CorpusError

    selection = Selection(agent or (), game, reward, seed)
    with _user_errors(CorpusError, SelectionError, FolderInUseError):
        try:
            outcome = search(path, selection, "quick" if quick else "full", progress_on(Console(stderr=True)))
        except KeyboardInterrupt:
            typer.echo(f"\ninterrupted: what was found is kept in {path}; run the same command to go on", err=True)
            raise typer.Exit(130) from None
    print_deviations(Console(), outcome.rows)
    typer.echo(f"{outcome.computed} runs searched, {outcome.known} already known; see `exploitability` in {path}")
    for fault in outcome.faults:
        typer.echo(f"coopgym: {fault}", err=True)
    if outcome.faults:
        raise typer.Exit(1)


@app.command()
def solve(
    game: Annotated[str | None, typer.Argument(metavar="[ID]", help="Game to solve.")] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Solve all games into a folder, what it does not hold yet.")
    ] = False,
    edition: Annotated[str | None, typer.Option(help="With --all: only formal or only released games.")] = None,
    reward: Annotated[
        str | None, typer.Option(metavar="MODE", help="Also solve under this reward, such as mutuality=0.3.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Change a parameter; values are TOML.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder of files.", show_default="certificates with --all")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=0, help="With --all: processes.", show_default="number of cores")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="With --all: solve everything again.")] = False,
) -> None:
    """Find out which dilemma a game is: equilibria, optima, greed, fear, commitment play, its mechanism."""
    from rich.console import Console

    from benchmarks.executors import WorkerDiedError
    from benchmarks.progress import progress_on
    from benchmarks.solve.command import Request, solve_many, solve_one
    from benchmarks.store import FolderInUseError

    status = Console(stderr=True)
    processes = len(os.sched_getaffinity(0)) if workers is None else workers
    with _user_errors(ValueError, TypeError, OSError, FolderInUseError, WorkerDiedError):
        request = Request(game, every, edition, reward, tuple(settings or ()), out, fresh)
        if not request.all_games:
            for path in solve_one(request, Console(), status):
                typer.echo(f"written: {path}")
            return
        try:
            outcome = solve_many(request, Console(), processes, progress_on(status, "games"))
        except KeyboardInterrupt:
            typer.echo(
                f"\ninterrupted: solved games are kept in {request.folder}; run the same command to go on", err=True
            )
            raise typer.Exit(130) from None
    typer.echo(f"{outcome.computed} games solved, {len(outcome.results) - outcome.computed} already there")
    typer.echo(f"page and files: {request.folder / 'index.html'}")
    for name, fault in outcome.faults.items():
        typer.echo(f"coopgym: {name} could not be solved: {fault}", err=True)
    if outcome.faults:
        raise typer.Exit(1)


@app.command()
def plan(
    game: Annotated[str | None, typer.Argument(metavar="[ID]", help="Game to plan.")] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Plan all games into a folder, what it does not hold yet.")
    ] = False,
    reward: Annotated[
        list[str] | None, typer.Option(metavar="MODE", help="Reward modes.", show_default="the three named ones")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Change a parameter; values are TOML.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder of files.", show_default="plans with --all")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=0, help="With --all: processes.", show_default="number of cores")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="With --all: plan everything again.")] = False,
) -> None:
    """Find the best plan of a whole episode for all seats together, with a proved upper bound where there is one."""
    from rich.console import Console

    from benchmarks.executors import WorkerDiedError
    from benchmarks.progress import progress_on
    from benchmarks.solve.plans import PlanRequest, plan_many, plan_one
    from benchmarks.store import FolderInUseError

    status = Console(stderr=True)
    processes = len(os.sched_getaffinity(0)) if workers is None else workers
    with _user_errors(ValueError, TypeError, OSError, ImportError, FolderInUseError, WorkerDiedError):
        request = PlanRequest(game, every, tuple(reward or ()), tuple(settings or ()), out, fresh)
        if not request.all_games:
            for path in plan_one(request, Console(), status):
                typer.echo(f"written: {path}")
            return
        try:
            outcome = plan_many(request, Console(), processes, progress_on(status, "games"))
        except KeyboardInterrupt:
            typer.echo(f"\ninterrupted: plans are kept in {request.folder}; run the same command to go on", err=True)
            raise typer.Exit(130) from None
    typer.echo(f"{outcome.computed} games planned, {len(outcome.results) - outcome.computed} already there")
    typer.echo(f"table: {request.folder / 'plans.md'}")
    for name, fault in outcome.faults.items():
        typer.echo(f"coopgym: {name} could not be planned: {fault}", err=True)
    if outcome.faults:
        raise typer.Exit(1)


@app.command()
def tournament(
    games: Annotated[list[str], typer.Argument(metavar="ID...", help="Games to play; several make a league.")],
    agent: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Agents, or module:Class.", show_default="the classic strategies"),
    ] = None,
    reward: Annotated[str, typer.Option(metavar="MODE", help="Reward mode, or a form like mutuality=0.5.")] = "private",
    seeds: Annotated[int, typer.Option(min=1, help="Number of seeds; only chance makes them differ.")] = 3,
    episodes: Annotated[int, typer.Option(min=1, help="Episodes per pairing and seed.")] = 1,
) -> None:
    """Let every agent play among copies of every other one, and rate them: replicator, alpha-rank, Nash averaging."""
    from rich.console import Console
    from rich.progress import Progress

    from benchmarks.tournament import CLASSICS, compete, print_meta_game

    status = Console(stderr=True)
    with (
        _user_errors(ValueError, TypeError),
        Progress(console=status, transient=True, disable=not status.is_terminal) as bar,
    ):
        task = bar.add_task("playing", total=1.0)
        played = compete(
            games,
            agent or CLASSICS,
            reward,
            range(seeds),
            episodes,
            report=lambda fraction: bar.update(task, completed=fraction),
        )
    print_meta_game(Console(), played)


@app.command()
def bench(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ratios such as C1; all if none.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer repetitions.")] = False,
) -> None:
    """Measure speed as ratios against well-known libraries on this machine."""
    from benchmarks.perf import run_all

    with _user_errors(ValueError):
        run_all(ids, quick)


@data.command(name="list")
def list_released() -> None:
    """List the released corpora."""
    from rich.console import Console

    from benchmarks.data_commands import list_corpora
    from coopgym.corpus import CorpusError

    with _user_errors(CorpusError):
        list_corpora(Console())


Where = Annotated[
    str, typer.Argument(metavar="CORPUS", help="Name of a released corpus, a folder, a zip archive, or an address.")
]


@data.command()
def show(corpus: Where) -> None:
    """Say what is in a corpus, on one screen."""
    from rich.console import Console

    from benchmarks.data_commands import print_corpus
    from coopgym.corpus import CorpusError, load_corpus

    with _user_errors(CorpusError, ImportError):
        print_corpus(Console(), load_corpus(corpus))


@data.command()
def verify(corpus: Where) -> None:
    """Check every file and row of a corpus, also against its study; list all faults."""
    from benchmarks.data_commands import verify as find_faults
    from coopgym.corpus import CorpusError

    with _user_errors(CorpusError, ImportError):
        faults = find_faults(corpus)
    for fault in faults:
        typer.echo(fault)
    typer.echo(f"{corpus}: {len(faults)} faults" if faults else f"{corpus}: sound")
    if faults:
        raise typer.Exit(1)


@data.command()
def export(
    corpus: Where,
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write.")],
    form: Annotated[
        str | None, typer.Option("--format", help="csv, jsonl or parquet.", show_default="ending of the file")
    ] = None,
    table: Annotated[str, typer.Option(help="Table to write.")] = "runs",
) -> None:
    """Write a table to a file for other programs."""
    from benchmarks.data_commands import export as write_file
    from coopgym.corpus import load_corpus

    with _user_errors(ValueError, OSError, ImportError):
        rows = write_file(load_corpus(corpus), table, form, out)
    typer.echo(f"written: {out} ({rows:,} rows of {table})")


@data.command(name="import")
def import_published(
    path: Annotated[Path, typer.Argument(help="Records of the published study: a file, or a folder of them.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to make.")],
    reward: Annotated[
        str | None, typer.Option(metavar="MODE", help="Reward mode of records whose folder does not tell.")
    ] = None,
) -> None:
    """Turn the published study's JSON records into a corpus."""
    from benchmarks.data_commands import import_records
    from coopgym.corpus import CorpusError

    with _user_errors(CorpusError, OSError):
        sizes = import_records(path, out, reward)
    typer.echo(f"corpus: {out} ({', '.join(f'{name} {size:,}' for name, size in sizes.items())})")


@data.command()
def release(
    runs: Annotated[Path, typer.Argument(metavar="RUNS", help="Folder of runs, such as runs/quick.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to make; its name is the corpus's, like audit-v0.")],
    description: Annotated[str | None, typer.Option(help="What it is.", show_default="the study's")] = None,
    version: Annotated[str, typer.Option(help="Version of the release.")] = "1.0.0",
    published: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Day of publication.", show_default="today")
    ] = None,
    url: Annotated[str, typer.Option(help="Web page of the release.", show_default=False)] = "",
) -> None:
    """Make a released corpus: one file per table, Croissant metadata and a datasheet."""
    from benchmarks.data_commands import release as make_release

    day = (published or datetime.now(tz=UTC)).date()
    with _user_errors(ValueError, OSError):
        make_release(runs, out, description, version, day, url)
    typer.echo(f"released: {out}")


if __name__ == "__main__":
    main()
