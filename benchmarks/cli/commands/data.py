"""``coopgym data``: look into corpora, and make them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from coopgym.benchmarks.cli.commands.errors import interruptible, user_errors
from coopgym.benchmarks.cli.commands.options import CorpusPlace, Trust
from coopgym.benchmarks.cli.standard_streams import say

data = typer.Typer(help="Look into released and own corpora.", no_args_is_help=True)


@data.command(name="list")
def list_released() -> None:
    """List the released corpora."""
    from coopgym.benchmarks.corpora.tables import list_corpora
    from coopgym.benchmarks.drawing.terminal import TerminalConsole
    from coopgym.corpus import CorpusError

    with user_errors(CorpusError):
        list_corpora(TerminalConsole())


@data.command()
def get(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Released corpora.")],
    address: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="ADDRESS",
            help="Where their folders lie: https, http or file.",
            show_default="$COOPGYM_DATA_URL",
        ),
    ] = None,
) -> None:
    """Fetch released corpora that this machine does not have, and check them; what was interrupted goes on."""
    from coopgym.benchmarks.corpora.fetching import fetch_with_bar
    from coopgym.benchmarks.drawing.terminal import TerminalConsole

    for name in names:
        with user_errors(ValueError, OSError), interruptible(f"stopped; `coopgym data get {name}` goes on from here"):
            place = fetch_with_bar(name, address, TerminalConsole(stderr=True))
        say(f"{name}: {place}")


@data.command()
def show(corpus: CorpusPlace) -> None:
    """Say what is in a corpus, on one screen."""
    from coopgym.benchmarks.corpora.tables import print_corpus
    from coopgym.benchmarks.drawing.terminal import TerminalConsole
    from coopgym.corpus import CorpusError, load_corpus

    with user_errors(CorpusError, ImportError):
        print_corpus(TerminalConsole(), load_corpus(corpus))


@data.command()
def verify(corpus: CorpusPlace, trust: Trust = False) -> None:
    """Check every file and row of a corpus, also against its study; list all faults."""
    from coopgym.benchmarks.corpora.verification import verify as find_faults
    from coopgym.corpus import CorpusError

    with user_errors(CorpusError, ImportError):
        found = find_faults(corpus, trust=trust)
    for fault in found.faults:
        say(str(fault))
    say(f"{corpus}: {len(found.faults)} faults" if found.faults else f"{corpus}: sound")
    for note in found.notes:
        say(f"note: {note}")
    if found.faults:
        raise typer.Exit(1)


@data.command()
def export(
    corpus: CorpusPlace,
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write.")],
    form: Annotated[
        str | None, typer.Option("--format", help="csv, jsonl or parquet.", show_default="ending of the file")
    ] = None,
    table: Annotated[str, typer.Option(help="Table to write.")] = "runs",
) -> None:
    """Write a table to a file for other programs."""
    from coopgym.benchmarks.corpora.exchange import export as write_file
    from coopgym.corpus import load_corpus

    with user_errors(ValueError, OSError, ImportError):
        rows = write_file(load_corpus(corpus), table, form, out)
    say(f"written: {out} ({rows:,} rows of {table})")


@data.command(name="import")
def import_published(
    path: Annotated[Path, typer.Argument(help="Records of the published study: a file, or a folder of them.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to make.")],
    reward: Annotated[
        str | None, typer.Option(metavar="MODE", help="Reward mode of records whose folder does not tell.")
    ] = None,
) -> None:
    """Turn the published study's JSON records into a corpus."""
    from coopgym.benchmarks.corpora.exchange import import_records
    from coopgym.corpus import CorpusError

    with user_errors(CorpusError, OSError):
        sizes = import_records(path, out, reward)
    say(f"corpus: {out} ({', '.join(f'{name} {size:,}' for name, size in sizes.items())})")


@data.command()
def merge(
    corpora: Annotated[list[str], typer.Argument(metavar="CORPUS...", help="Released corpora by name, or folders.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to make.")],
) -> None:
    """Put corpora together in a new folder; runs that several hold are taken from the first."""
    from coopgym.benchmarks.corpora.merging import merge as put_together

    with user_errors(ValueError, OSError, ImportError):
        merged = put_together(corpora, out)
    say(f"merged: {out} ({merged.runs:,} runs; {merged.repeated:,} more were there several times)")
    if not merged.resumable:
        say("it holds several studies, or versions of one: report on it, but run studies into their own folders")


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
    changes: Annotated[
        str,
        typer.Option(help="What moved, for a corpus made anew, which is named like audit-v0.1.", show_default=False),
    ] = "",
) -> None:
    """Make a released corpus: one file per table, Croissant metadata and a datasheet."""
    from coopgym.benchmarks.corpora.release import release as make_release

    day = (published or datetime.now(tz=UTC)).date()
    with user_errors(ValueError, OSError):
        make_release(runs, out, description, version, day, url, changes)
    say(f"released: {out}")
