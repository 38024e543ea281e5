"""What commands about rewards show: tables for the terminal, and a page with a map."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from coopgym.benchmarks.cli.standard_streams import say
from coopgym.benchmarks.drawing.formatting import between, signed, spread
from coopgym.benchmarks.drawing.plots.maps import Matrix
from coopgym.benchmarks.drawing.plots.scatter import Point, scatter
from coopgym.benchmarks.drawing.series_style import SeriesStyle
from coopgym.benchmarks.drawing.terminal import TerminalConsole, ruled_table
from coopgym.benchmarks.drawing.theme import HUES, MODE_COLOURS
from coopgym.benchmarks.experiments.rewards.cards import COVERAGE, FLAGS, REFERENCE, TransformCard
from coopgym.benchmarks.experiments.rewards.comparison import REGRET, Comparison, classical_scaling
from coopgym.benchmarks.experiments.rewards.design import DesignedReward
from coopgym.benchmarks.report import PageHead, page_of
from coopgym.benchmarks.report.content.blocks import Beside, Cell, Chart, Column, Fold, Heatmap, Section, Table
from coopgym.benchmarks.score import Estimate
from coopgym.benchmarks.score.csv_files import csv_text
from coopgym.corpus.writer import write_atomically
from coopgym.rewards.distances import FURTHEST

KICKER = "coopgym reward compare"
SHORT_TEXT = 19
"""Characters of a transform that stay on one line."""


def print_comparison(console: TerminalConsole, found: Comparison) -> None:
    """Show the distances of some seats, their intervals above the diagonal, and what they mean."""
    for seat in found.seats:
        table = ruled_table(title=f"{found.game}, seat {seat}", collapse_padding=True)
        table.add_column("reward")
        for number in range(len(found.rewards)):
            table.add_column(f"{number + 1}", justify="right")
        for row, name in enumerate(found.rewards):
            table.add_row(f"{row + 1} {name}", *_row(found, seat, row))
        console.print(table)
    console.print("STARC distances, 0 to 2, with their intervals above the diagonal.", highlight=False)
    console.print(f"Coverage: {found.covered}.", highlight=False)
    console.print(REGRET, highlight=False)


def _row(found: Comparison, seat: int, row: int) -> Iterator[str]:
    """Yield distances up to the diagonal, and intervals beyond it."""
    for column in range(len(found.rewards)):
        value = found.between(seat, row, column)
        yield spread(value) if column > row else signed(value.value) if column < row else "–"


def print_cards(console: TerminalConsole, cards: Iterable[TransformCard]) -> None:
    """Show transforms with their flags and how far they lead from the mode that they transform."""
    table = ruled_table(title="transforms", collapse_padding=True)
    table.add_column("transform", overflow="fold", min_width=SHORT_TEXT)
    for flag in FLAGS:
        words = flag.split("_")
        table.add_column(" ".join(words), width=max(map(len, words)))
    table.add_column("STARC")
    for card in cards:
        flags = ("yes" if card.flags.get(flag) else "no" if flag in card.flags else "–" for flag in FLAGS)
        table.add_row(card.text, *flags, _measured(card))
    console.print(table)
    console.print(
        f"STARC: distance from the mode that is transformed, private where it may be, else integrated, in {REFERENCE}, "
        f"of the seat where it is largest ({COVERAGE}); 0 asks for the same policies.",
        highlight=False,
    )


def _measured(card: TransformCard) -> str:
    if card.distance is None:
        return card.note
    return f"{signed(card.distance.value)} ({spread(card.distance)})"


def comparison_rows(found: Comparison) -> Iterator[dict[str, Any]]:
    """Yield a tidy row per seat and pair of rewards."""
    for seat in found.seats:
        for first, second in _pairs(found):
            value = found.between(seat, first, second)
            yield {
                "game": found.game,
                "seat": seat,
                "reward": found.rewards[first],
                "from": found.rewards[second],
                "distance": value.value,
                "low": value.low,
                "high": value.high,
                "episodes": value.n,
                "gamma": found.coverage.gamma,
                "seed": found.coverage.seed,
                "fitted": found.fitted,
            }


def comparison_page(found: Comparison) -> str:
    """Return the page: for each seat a matrix of distances, a map, and the numbers."""
    facts = {
        "rewards": f"{len(found.rewards)}",
        "episodes": f"{found.coverage.episodes}",
        "discount": f"{found.coverage.gamma:g}",
    }
    head = PageHead(KICKER, f"Rewards in {found.game}", f"What they ask for, seat by seat. {REGRET}")
    return page_of([_seat_section(found, seat) for seat in found.seats], head, facts)


def _seat_section(found: Comparison, seat: int) -> Section:
    distances = found.of_seat(seat)
    names = list(found.rewards)
    matrix = Matrix(
        names, names, distances, [[signed(value) for value in row] for row in distances], -distances / FURTHEST
    )
    heatmap = Heatmap(
        f"distances-{seat}",
        f"Distances between rewards of seat {seat}",
        matrix,
        "reward",
        "reward",
        found.covered,
    )
    chart = Chart(
        f"map-{seat}",
        f"Map of rewards of seat {seat}",
        partial(_map, found, seat),
        "Distances in the plane are as near to the measured ones as a plane allows (classical scaling).",
    )
    return Section(
        id=f"seat-{seat}",
        title=f"Seat {seat}",
        how="STARC distances: 0 for rewards that order all policies alike, 2 for opposite ones.",
        blocks=[Beside(chart, _numbers(found, seat)), Fold("Matrix", [heatmap])],
        finding=_furthest(found, seat),
    )


def _map(found: Comparison, seat: int) -> Figure:
    hues = list(HUES.items())
    points = []
    for number, (name, (x, y)) in enumerate(zip(found.rewards, classical_scaling(found.of_seat(seat)), strict=True)):
        variable, colour = hues[number % len(hues)]
        if name in MODE_COLOURS:
            variable, colour = name, MODE_COLOURS[name]
        style = SeriesStyle("reward", variable, colour, "-", "o")
        points.append(Point(name, _exact(x), _exact(y), style))
    return scatter(points, "", "", title=f"seat {seat}", true_to_scale=True)


def _exact(value: float) -> Estimate:
    return Estimate(float(value), None, None, 1)


def _numbers(found: Comparison, seat: int) -> Table:
    columns = [Column("reward"), Column("from"), Column("distance"), Column("interval")]
    rows = []
    for first, second in _pairs(found):
        value = found.between(seat, first, second)
        interval = between(value.low, value.high)
        rows.append(
            [
                Cell(found.rewards[first]),
                Cell(found.rewards[second]),
                Cell(signed(value.value), value.value),
                Cell(interval, value.low),
            ]
        )
    return Table(columns, rows, found.covered)


def _furthest(found: Comparison, seat: int) -> str:
    first, second = max(_pairs(found), key=lambda pair: found.of_seat(seat)[pair])
    value = found.between(seat, first, second)
    return (
        f"{found.rewards[first]} and {found.rewards[second]} are furthest apart: "
        f"{signed(value.value)} ({spread(value)})."
    )


def _pairs(found: Comparison) -> list[tuple[int, int]]:
    kinds = len(found.rewards)
    return [(first, second) for first in range(kinds) for second in range(first + 1, kinds)]


def print_designed(console: TerminalConsole, designed: DesignedReward) -> None:
    """Show which situations a designed reward rewards, and what is known of it."""
    told = designed.abstraction
    table = ruled_table(
        title=f"{told.game.id}, seat {told.seat}: reward these situations",
        caption=f"added to the {told.reward} reward of a step by share of endowment; levels that are not named add 0",
    )
    for name in ("situation", "trust", "best", "add to the reward"):
        table.add_column(name)
    for situation, group in groupby(designed.rows(), key=lambda row: row["situation"]):
        changes = list(group)
        state = next(s for s in designed.design.states if told.situations.words(told.known[s]) == situation)
        table.add_row(
            situation,
            f"{changes[0]['trust_from']:.2f} to {changes[0]['trust_to']:.2f}",
            f"{told.levels[designed.expert.policy[state]]:.0%}",
            ", ".join(f"{row['level']:.0%}: {signed(row['added'])}" for row in changes),
        )
    console.print(table)
    console.print(designed.said(), highlight=False)


def write_designed(path: Path | None, designed: DesignedReward) -> None:
    """Write the rows of a designed reward as CSV and say where; do nothing where nobody wants it.

    Raises:
        ValueError: no name of a CSV file.
        OSError: it cannot be written.
    """
    if path is None:
        return
    rows = list(designed.rows())
    write_atomically(path, csv_text(list(rows[0]), [list(row.values()) for row in rows]).encode())
    say(f"numbers: {path}")


def keep_designed(path: Path | None, designed: DesignedReward) -> None:
    """Write a design as the transform ``designed`` reads it and say how to use it; do nothing where nobody wants it.

    Raises:
        OSError: it cannot be written.
    """
    if path is None:
        return
    notes = {"method": designed.method, "partner": designed.partner, "reward": designed.abstraction.reward}
    write_atomically(path, designed.table.written(**notes).encode())
    say(f'design: {path}; learn with reward="{designed.abstraction.reward} + designed({path})"')
