"""``coopgym bench``: speed on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from benchmarks.commands.endings import user_errors


def bench(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ratios such as C1; all if none.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer repetitions.")] = False,
) -> None:
    """Measure speed as ratios against well-known libraries on this machine."""
    from benchmarks.perf import run_all

    with user_errors(ValueError):
        run_all(ids, quick)
