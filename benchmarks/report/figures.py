"""The figures of the report. Each returns inline SVG."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.lines import Line2D

from benchmarks.report.ink import (
    INK,
    KIND_COLOURS,
    MODE_COLOURS,
    MODE_DASHES,
    MUTED,
    OTHER_MODE,
    canvas,
    svg,
)
from benchmarks.summary import Cell, Interval, Ranking

FLOOR = -1.0
"""Scores below are drawn at the edge: a few disastrous constants would flatten everything else."""


@dataclass(frozen=True)
class Point:
    """A learning curve at one step, over seeds."""

    step: int
    value: Interval


def ranking_figure(ranking: Ranking) -> str:
    """Draw scores with their intervals, best on top."""
    rows = ranking.rows[::-1]
    with canvas(4.6, 0.6 + 0.24 * len(rows)) as (figure, axes):
        for height, row in enumerate(rows):
            colour, score = KIND_COLOURS[row.kind], row.score
            if score.low is not None and score.high is not None:
                axes.plot([max(score.low, FLOOR), score.high], [height, height], color=colour, linewidth=2.2)
            axes.plot(max(score.mean, FLOOR), height, "o" if score.mean >= FLOOR else "<", color=colour, markersize=5)
        _anchors(axes.axvline)
        axes.set_yticks(range(len(rows)), [row.algorithm for row in rows])
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.grid(axis="y", visible=False)
        axes.set_xticks([-1, -0.5, 0, 0.5, 1], ["−1", "", "0", "", "1"])
        axes.set_xlabel("score: 0 = Random, 1 = best constant")
        axes.set_ylim(-0.7, len(rows) - 0.3)
        return svg(figure, f"Ranking of {len(rows)} algorithms on {len(ranking.games)} games")


def response_figure(game: str, constants: Mapping[str, Sequence[Cell]]) -> str:
    """Draw the score of constant cooperation levels, one line per reward mode."""
    with canvas(3.4, 2.3) as (figure, axes):
        _anchors(axes.axhline)
        for mode, cells in constants.items():
            levels, scores = _levels_and_scores(cells)
            axes.plot(levels, np.maximum(scores, FLOOR), color=mode_colour(mode), linestyle=MODE_DASHES.get(mode, "-"))
            best = int(np.argmax(scores))
            axes.plot(levels[best], scores[best], "o", color=mode_colour(mode), markersize=5)
        axes.set_ylim(FLOOR - 0.05, 1.12)
        axes.set_xlim(-2, 102)
        axes.set_xticks([0, 25, 50, 75, 100])
        axes.set_yticks([-1, 0, 1])
        axes.set_xlabel("cooperation of all seats, % of endowment")
        axes.set_ylabel("score")
        axes.set_title(game)
        return svg(figure, f"Response of {game} to constant cooperation")


def learning_figure(title: str, metric: str, curves: Mapping[str, Sequence[Point]]) -> str:
    """Draw a metric over training, one line and interval per reward mode."""
    with canvas(3.4, 2.3) as (figure, axes):
        for mode, points in curves.items():
            steps = np.array([point.step for point in points]) / 1000
            colour = mode_colour(mode)
            axes.plot(steps, [point.value.mean for point in points], color=colour, linestyle=MODE_DASHES.get(mode, "-"))
            if all(point.value.low is not None for point in points):
                low, high = [point.value.low for point in points], [point.value.high for point in points]
                axes.fill_between(steps, np.array(low, float), np.array(high, float), color=colour, alpha=0.15, lw=0)
        axes.set_xlabel("environment steps, thousands")
        axes.set_ylabel(metric)
        axes.set_title(title)
        return svg(figure, f"Learning curve of {title}")


def mode_colour(mode: str) -> str:
    """Return the colour that stands for a reward mode in every figure."""
    return MODE_COLOURS.get(mode, OTHER_MODE)


def _anchors(line: Callable[..., Line2D]) -> None:
    """Draw the two anchors of the score with ``axhline`` or ``axvline``."""
    for score in (0.0, 1.0):
        line(score, color=MUTED, linewidth=0.8, zorder=0.5)


def _levels_and_scores(cells: Sequence[Cell]) -> tuple[list[int], list[float]]:
    pairs = [(int(cell.algorithm.rpartition("_")[2]), cell.score.mean) for cell in cells if cell.score]
    levels, scores = zip(*sorted(pairs), strict=True)
    return list(levels), list(scores)
