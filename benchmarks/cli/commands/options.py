"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CorpusPlace = Annotated[
    str, typer.Argument(metavar="CORPUS", help="Name of a released corpus, a folder, a zip archive, or an address.")
]
Trust = Annotated[
    bool,
    typer.Option(
        "--trust",
        help="Import and run agents that the corpus names as code, module:Class; only if you know that code.",
    ),
]
Parameters = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Change a parameter; values are TOML.")
]
AllGames = Annotated[bool, typer.Option("--all", help="All games, into a folder: what it does not hold yet.")]
AllAgain = Annotated[bool, typer.Option("--fresh", help="With --all: everything again.")]
GameWorkers = Annotated[int | None, typer.Option(min=0, help="With --all: processes.", show_default="number of cores")]
"""How many processes work through all games; None for as many as there are cores."""

Against = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PARTNER",
        help="Partners to meet: strangers:test, strangers:training, strangers:test/NAME, or any agents.",
    ),
]
PageFile = Annotated[
    Path | None,
    typer.Option(
        "--out", "-o", help="HTML file to write; its numbers go into a CSV file beside it.", show_default=False
    ),
]
