"""What constant cooperation of all seats earns, where a study scanned it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from coopgym.agents import constant_names
from coopgym.benchmarks.drawing.formatting import class_name, counted, game_title, slug
from coopgym.benchmarks.drawing.plots.lines import Axis, Line, lines
from coopgym.benchmarks.drawing.theme import MODE_DASHES, mode_colour
from coopgym.benchmarks.report.content.blocks import Block, Chart, Fold, Gallery, Section
from coopgym.benchmarks.report.content.legends import mode_legend
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.score import ScoreTable
from coopgym.rewards import MODES

FLOOR, CEILING = -1.0, 1.1
Response = tuple[list[float], list[float]]
"""Levels and scores."""


def constant_sweeps(report_data: ReportData) -> Section | None:
    """Draw the score of constant levels, one figure per game."""
    if not report_data.leaderboards:
        return None
    table = report_data.leaderboards[0].table()
    found = {game: _responses(table, game) for game in table.games}
    drawn = {game: curves for game, curves in found.items() if curves}
    if not drawn:
        return None
    classes = {task.game: task.mechanism_class for task in table.tasks}
    blocks: list[Block] = [mode_legend(list(dict.fromkeys(mode for curves in drawn.values() for mode in curves)))]
    for mechanism_class in sorted(set(classes.values())):
        charts = list(_charts({game: each for game, each in drawn.items() if classes[game] == mechanism_class}))
        if charts:
            gallery = Gallery(charts)
            blocks.append(Fold(class_name(mechanism_class), [gallery], counted(len(charts), "game"), open=True))
    return Section(
        id="responses",
        title="Response to constant cooperation",
        how=(
            "All seats play the same share of their endowment throughout. The line shows the score of the return in "
            f"each reward mode ({table.scale.label}), the dot its best level. Where a curve peaks inside, neither "
            "greed nor blind cooperation is best; where modes peak apart, they ask for different conduct; where "
            "private and cooperative coincide, sharing moves money between seats but does not change its sum. Scores "
            "below −1 are drawn at −1. Where a game draws numbers, the line is the mean over seeds."
        ),
        blocks=blocks,
    )


def _responses(table: ScoreTable, game: str) -> dict[str, Response]:
    constants = table.of_kinds(("constant",))
    found: dict[str, Response] = {}
    for t, task in enumerate(constants.tasks):
        if task.game == game and task.reward_mode in MODES:
            means = np.ma.masked_invalid(constants.scores[:, t]).mean(axis=-1).filled(np.nan)
            points = sorted(
                (int(name.rpartition("_")[2]) / 100, float(score))
                for name, score in zip(constants.names, means, strict=True)
                if np.isfinite(score) and name in constant_names()
            )
            if len(points) > 1:
                found[task.reward_mode] = ([level for level, _ in points], [score for _, score in points])
    return found


def _charts(found: Mapping[str, Mapping[str, Response]]) -> Iterator[Chart]:
    for game, curves in found.items():
        title = game_title(game)
        yield Chart(
            name=f"response-{slug(title)}",
            label=f"Response of {title} to constant cooperation",
            draw=partial(_figure, title, curves),
        )


def _figure(title: str, curves: Mapping[str, Response]) -> Figure:
    return lines(
        [_line(mode, levels, scores) for mode, (levels, scores) in curves.items()],
        Axis("all seats play, % of endowment", (0.0, 1.0), (0, 0.25, 0.5, 0.75, 1), as_percent=True),
        Axis("score", (FLOOR, CEILING), (-1, 0, 1)),
        title=title,
        anchors=(0.0, 1.0),
        names="nowhere",
    )


def _line(mode: str, levels: Sequence[float], scores: Sequence[float]) -> Line:
    return Line(mode, levels, scores, mode_colour(mode), MODE_DASHES.get(mode, "-"), dot=int(np.argmax(scores)))
