"""``coopgym bench``: speed on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coopgym.benchmarks.cli.commands.errors import user_errors


def bench(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ratios such as C1; all if none.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer repetitions.")] = False,
    reference: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Where the package coopetition_gym is, for R2 to R40b; not needed once installed."
        ),
    ] = None,
) -> None:
    """Measure speed as ratios of things timed in turn on this machine: coopgym and well-known libraries.

    Each is the median of seven pairs (three with --quick) with the smallest and the largest of them.
    """
    from coopgym.benchmarks.perf import run_all

    with user_errors(ValueError):
        run_all(ids, quick, reference=reference)
