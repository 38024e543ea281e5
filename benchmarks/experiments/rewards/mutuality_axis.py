"""How far each game's rewards lie from private reward.

``python -m coopgym.benchmarks.experiments.rewards.mutuality_axis`` measures it and keeps the results.

The suite keeps a game and varies its reward. What that varies is measured here for every game: the STARC distance of
private reward from the points of the mutuality continuum, and from integrated and cooperative reward.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from coopgym.benchmarks.drawing.plots.lines import Axis, Line, lines
from coopgym.benchmarks.drawing.theme import HUES, figure_file
from coopgym.benchmarks.experiments.rewards.comparison import Comparison, Coverage, compare
from coopgym.benchmarks.experiments.rewards.kept import RESULTS, Kept, keep
from coopgym.corpus.writer import write_atomically
from coopgym.games.registry import games, make_game

DEGREES = tuple(step / 10 for step in range(1, 11))
"""λ, without the 0 that is private."""
NAMED = ("integrated", "cooperative")
COVERAGE = Coverage(episodes=256, resamples=200)
MOST_SEATS = 6
"""Seats of a game that are measured; of more than these, as many from the first to the last."""
COMMAND = "python -m coopgym.benchmarks.experiments.rewards.mutuality_axis"
KEPT = RESULTS / "mutuality-axis.json"
PICTURE = Path(__file__).resolve().parents[3] / "docs" / "mutuality-axis.svg"


def reward_of(degree: float) -> str:
    """Return the reward at a point of the continuum."""
    return f"mutuality={degree:g}"


def measured(game: str, coverage: Coverage = COVERAGE) -> dict[str, Any]:
    """Return what is kept of a game: by reward, how far it is from private, with an interval, seat by seat."""
    made = make_game(game)
    seats = np.unique(np.linspace(0, made.n_agents - 1, MOST_SEATS).round().astype(int)).tolist()
    found = compare(made, ["private", *map(reward_of, DEGREES), *NAMED], coverage, seats)
    return {"seats": seats} | {
        reward: _from_private(found, column) for column, reward in enumerate(found.rewards) if column
    }


def _from_private(found: Comparison, column: int) -> dict[str, Any]:
    """The distance of each seat with its interval."""
    bounds = {"distance": found.distance, "low": found.low, "high": found.high}
    return {name: np.round(each[:, 0, column], 4).tolist() for name, each in bounds.items()}


def axis_figure(kept: Kept) -> Figure:
    """Draw how far from private a degree of mutuality leads, a line per game."""
    drawn = []
    for number, (game, found) in enumerate(kept["parts"].items()):
        heights = [0.0, *(float(np.mean(found[reward_of(degree)]["distance"])) for degree in DEGREES)]
        colour = list(HUES.values())[number % len(HUES)]
        drawn.append(Line(game.removesuffix("-v1"), [0.0, *DEGREES], heights, colour))
    return lines(drawn, Axis("λ", (0.0, 1.0)), Axis("distance from private", (0.0, 1.6)), names="at ends")


def main() -> None:
    """Measure what is not kept yet, and draw all."""
    settings = {**asdict(COVERAGE), "degrees": DEGREES}
    found = keep(KEPT, COMMAND, settings, games("formal"), measured)
    label = "STARC distance of private reward from the mutuality continuum, in every game"
    write_atomically(PICTURE, figure_file(axis_figure(found), label, "svg"))


if __name__ == "__main__":
    main()
