"""What ``coopgym reward read`` shows: which mode the behaviour of runs looks like, in the terminal and as a page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from coopgym.benchmarks.cli.standard_streams import say
from coopgym.benchmarks.drawing.formatting import between, signed, slug, spread
from coopgym.benchmarks.drawing.plots.maps import Matrix
from coopgym.benchmarks.drawing.terminal import TerminalConsole, ruled_table
from coopgym.benchmarks.experiments.rewards.corpus_reading import RunReading
from coopgym.benchmarks.experiments.rewards.reading import ReadingSettings
from coopgym.benchmarks.report import PageHead, page_of
from coopgym.benchmarks.report.content.blocks import Cell, Column, Fold, Heatmap, Section, Table
from coopgym.corpus.writer import write_atomically
from coopgym.rewards.distances import FURTHEST
from coopgym.typing import FloatArray

KICKER = "coopgym reward read"
MEANING = "STARC distances of the endogenous reward, 0 to 2"


def print_readings(console: TerminalConsole, runs: Sequence[RunReading], settings: ReadingSettings) -> None:
    """Show which modes the rewards inside behaviours are near, nearest first, with intervals."""
    if not runs:
        return
    table = ruled_table(title="the reward inside, nearest first", collapse_padding=True)
    for heading in ("game", "agent", "played under", "seed", "seat", "reward", "STARC"):
        table.add_column(heading, no_wrap=True)
    for run in runs:
        told = (run.reading.game, run.agent, run.trained_on, f"{run.seed}")
        for seat, reward in run.reading.nearest_first():
            value = run.reading.of(seat, reward)
            distance = f"{signed(value.value)} ({spread(value)})"
            table.add_row(*told, f"{seat}", run.reading.rewards[reward], distance)
            told = ("", "", "", "")
    console.print(table)
    console.print("STARC distances of the endogenous reward, 0 to 2, with their intervals.", highlight=False)
    console.print(f"Coverage: {settings}; 95 % bootstrap intervals over the latter.", highlight=False)


def reading_rows(runs: Sequence[RunReading]) -> Iterator[dict[str, Any]]:
    """Yield a tidy row per run, seat and reward, of every seat the nearest first."""
    return (row for run in runs for row in run.rows())


def write_readings(path: Path | None, runs: Sequence[RunReading]) -> None:
    """Write everything as JSON and say where; do nothing where nobody wants it.

    Raises:
        OSError: it cannot be written.
    """
    if path is None:
        return
    write_atomically(path, json.dumps(list(reading_rows(runs)), indent=1, ensure_ascii=False).encode())
    say(f"written: {path}")


def reading_page(runs: Sequence[RunReading], settings: ReadingSettings) -> str:
    """Return the page: for each game a picture of the distances of all runs, and the numbers."""
    ordered = sorted(runs, key=lambda run: run.reading.game)
    games = {game: list(found) for game, found in groupby(ordered, key=lambda run: run.reading.game)}
    facts = {
        "runs": f"{len(runs)}",
        "episodes": f"{settings.episodes}",
        "cloned": f"{settings.cloned}",
        "discount": f"{settings.gamma:g}",
    }
    head = PageHead(KICKER, "Rewards inside behaviours", "Which mode what was played looks like it is maximising.")
    return page_of([_game_section(game, found, settings) for game, found in games.items()], head, facts)


def _game_section(game: str, runs: Sequence[RunReading], settings: ReadingSettings) -> Section:
    known = [run for run in runs if run.trained_on in run.reading.rewards]
    named = sum(run.reading.nearest() == run.trained_on for run in known)
    return Section(
        id=slug(game),
        title=game,
        how=f"{MEANING}: 0 for a mode that orders all policies as the behaviour does. Coverage: {settings}.",
        blocks=[_distances(game, runs), Fold("Numbers", [_numbers(runs)])],
        finding=f"The nearest mode is the one that was played under in {named} of {len(known)} runs." if known else "",
    )


def _distances(game: str, runs: Sequence[RunReading]) -> Heatmap:
    """Mean distances of runs of an agent under a mode, over seeds and seats."""
    kinds: dict[str, list[FloatArray]] = {}
    for run in runs:
        kinds.setdefault(f"{run.agent}, {run.trained_on}", []).append(run.reading.distance.mean(0))
    means = np.array([np.mean(found, axis=0) for found in kinds.values()])
    shown = [[signed(value) for value in row] for row in means]
    matrix = Matrix(list(kinds), list(runs[0].reading.rewards), means, shown, -means / FURTHEST)
    counts = sorted({len(found) for found in kinds.values()})
    caption = f"Means over seats and {' to '.join(map(str, counts))} runs; the smallest of a row is the nearest mode."
    label = f"Distances of rewards inside behaviours in {game}"
    return Heatmap(f"inside-{slug(game)}", label, matrix, "played", "mode", caption)


def _numbers(runs: Sequence[RunReading]) -> Table:
    columns = [Column(name) for name in ("agent", "played under", "seed", "seat", "reward", "distance", "interval")]
    rows = []
    for row in reading_rows(runs):
        told = (row["agent"], row["trained_on"], f"{row['seed']}", f"{row['seat']}", row["reward"])
        interval = between(row["low"], row["high"])
        rows.append([*map(Cell, told), Cell(signed(row["distance"]), row["distance"]), Cell(interval, row["low"])])
    return Table(columns, rows, MEANING)
