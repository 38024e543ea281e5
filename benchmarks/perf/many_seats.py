"""Steps per second and peak memory of games of 10, 100 and 1,000 seats, alone and as a batch.

``python -m coopgym.benchmarks.perf.many_seats [GAME ...]`` measures games that take a number of seats, each cell in a
process of its own whose peak memory is its alone, and keeps the results of a game at a time.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import resource
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypedDict

from coopgym.benchmarks.perf import machine
from coopgym.benchmarks.perf.measure import cpu_seconds, native_steps, rate
from coopgym.corpus.writer import write_atomically
from coopgym.games.registry import game_class, games

KEPT = Path(__file__).resolve().parents[1] / "results" / "many-seats.json"
SEATS = (10, 100, 1000)
ROWS = (1, 8)
"""Sizes of batches."""
OTHER_SEATS: Mapping[str, int] = {"n_agents": 0, "n_developers": 1}
"""Parameters that set the number of seats, and how many seats there are besides."""
SECONDS = 0.5
"""CPU time of a measurement."""


class Cell(TypedDict):
    """What one size of a game takes."""

    game: str
    seats: int
    rows: int
    steps_per_second: float
    """Steps of single environments per CPU second, with rewards and what all seats see under the own view."""
    peak_mebibytes: float
    """Resident memory of the process at its peak, Python and its packages included."""


def resizable() -> dict[str, str]:
    """Return the formal games that take a number of seats, with the parameter that sets it."""
    parameters = {id: {field.name for field in dataclasses.fields(game_class(id).Parameters)} for id in games("formal")}
    return {id: name for id, known in parameters.items() for name in OTHER_SEATS if name in known}


def measured(id: str, seats: int, rows: int) -> Cell:
    """Measure one cell in this process, whose earlier peak of memory counts too."""
    name = resizable()[id]
    step = native_steps(id, rows, "private", **{name: seats - OTHER_SEATS[name]})
    once = min(cpu_seconds(step) for _ in range(2))
    speed = rate(step, max(3, int(SECONDS / max(once, 1e-6))), rows)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return Cell(game=id, seats=seats, rows=rows, steps_per_second=speed, peak_mebibytes=peak)


def _in_a_process(id: str, seats: int, rows: int) -> Cell:
    program = f"import json; from {__spec__.name} import measured; print(json.dumps(measured({id!r}, {seats}, {rows})))"
    command = [sys.executable, "-c", program]
    cell: Cell = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return cell


def _keep(found: Iterable[Cell]) -> None:
    """Put cells into the file, in place of earlier ones of the same game."""
    new = list(found)
    again = {cell["game"] for cell in new}
    kept = json.loads(KEPT.read_text(encoding="utf-8"))["cells"] if KEPT.exists() else []
    content = {
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "command": "python -m coopgym.benchmarks.perf.many_seats",
        "machine": machine(),
        "cells": [cell for cell in kept if cell["game"] not in again] + new,
    }
    write_atomically(KEPT, (json.dumps(content, indent=1) + "\n").encode())


if __name__ == "__main__":
    for game in sys.argv[1:] or resizable():
        _keep(_in_a_process(game, seats, rows) for seats in SEATS for rows in ROWS)
        print(game, flush=True)
