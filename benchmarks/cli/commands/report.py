"""``coopgym report``: a corpus as a page or as figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from coopgym.benchmarks.cli.commands.errors import user_errors
from coopgym.benchmarks.cli.commands.options import CorpusPlace
from coopgym.benchmarks.cli.standard_streams import say


def report(
    corpus: CorpusPlace,
    out: Annotated[
        Path | None, typer.Option(help="HTML file to write.", show_default="report.html in the corpus, or here")
    ] = None,
    figures: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write every figure as a file of its own instead.")
    ] = None,
    form: Annotated[Literal["svg", "pdf", "png"], typer.Option("--format", help="Kind of those files.")] = "svg",
) -> None:
    """Write the report of a corpus: one HTML file that needs nothing else."""
    from coopgym.benchmarks.report import RANKING_FILE, write_figures, write_report
    from coopgym.corpus import CorpusError, load_corpus

    with user_errors(CorpusError, OSError, ImportError):
        loaded = load_corpus(corpus)
        if figures is not None:
            written = sum(1 for _ in write_figures(loaded, figures, form))
            say(f"figures: {figures} ({written} files)")
            return
        page = out or Path(corpus if Path(corpus).is_dir() else ".") / "report.html"
        table = write_report(loaded, page)
    say(f"scores:  {table}, {table.with_name(RANKING_FILE)}")
    say(f"report:  {page}")
