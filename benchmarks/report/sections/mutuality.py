"""From private to cooperative reward: what play becomes along the continuum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from coopgym.benchmarks.drawing.formatting import game_title, sample_size, slug
from coopgym.benchmarks.drawing.plots.lines import Axis, Line, lines
from coopgym.benchmarks.drawing.series_style import SeriesStyle
from coopgym.benchmarks.report.content.blocks import Block, Chart, Gallery, Heading, Section, SeriesLegend
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.score import Algorithm, Estimate, Leaderboard, ScoreTable, mean_estimate
from coopgym.benchmarks.score.estimates import STUDENT
from coopgym.benchmarks.score.settings import LEARNER

FLOOR = -1.0
"""Scores below are drawn at the edge."""

Path = list[tuple[float, Estimate]]
"""Points λ with what was reached there."""


def mutuality(report_data: ReportData) -> Section | None:
    """Draw the welfare that learners reach under rewards between private and cooperative."""
    degrees = {row["reward_mode"]: row["mutuality"] for row in report_data.rows if row["mutuality"] is not None}
    if len(degrees) < 2:
        return None
    blocks: list[Block] = []
    names: dict[str, SeriesStyle] = {}
    for leaderboard in report_data.leaderboards:
        charts = list(_charts(leaderboard, degrees, report_data.styles, names))
        if charts:
            blocks += [Heading(leaderboard.title.capitalize())] if leaderboard.title else []
            scale = leaderboard.table("welfare").scale
            blocks.append(
                Gallery(
                    charts,
                    f"Score of welfare: {scale.label}. Bands: {STUDENT}, {sample_size(_sizes(leaderboard, degrees))}. "
                    "Scores below −1 are drawn there.",
                )
            )
    if not names:
        return None
    return Section(
        id="mutuality",
        title="Mutuality continuum",
        how=(
            "Along the axis the reward passes from a seat’s own payoff (λ = 0) to the mean payoff of all (λ = 1); the "
            "height is what all seats earn together, read with one yardstick whatever the reward. A line that rises "
            "says that caring for others pays everybody; where it is flat, the reward hardly matters."
        ),
        blocks=[SeriesLegend(names), *blocks],
    )


def _charts(
    leaderboard: Leaderboard,
    degrees: Mapping[str, float],
    styles: Mapping[str, SeriesStyle],
    names: dict[str, SeriesStyle],
) -> Iterator[Chart]:
    table = leaderboard.table("welfare").where(lambda task: task.reward_mode in degrees)
    for game in table.games:
        here = table.of_game(game)
        paths = {algorithm.name: _path(here, algorithm, degrees) for algorithm in here.algorithms if _moves(algorithm)}
        drawn = {name: path for name, path in paths.items() if len(path) > 1}
        if drawn:
            names |= {name: styles[name] for name in drawn}
            yield Chart(
                name=f"mutuality-{slug(game)}{leaderboard.suffix}",
                label=f"Mutuality continuum of {game_title(game)} {leaderboard.title}".strip(),
                draw=partial(_figure, game_title(game), drawn, styles),
            )


def _moves(algorithm: Algorithm) -> bool:
    return algorithm.kind == LEARNER


def _path(table: ScoreTable, algorithm: Algorithm, degrees: Mapping[str, float]) -> Path:
    scores = table.scores[table.index(algorithm.name)]
    found = [(degrees[task.reward_mode], mean_estimate(own)) for task, own in zip(table.tasks, scores, strict=True)]
    return sorted(((degree, each) for degree, each in found if each is not None), key=lambda point: point[0])


def _sizes(leaderboard: Leaderboard, degrees: Mapping[str, float]) -> Iterator[int]:
    table = leaderboard.table("welfare").where(lambda task: task.reward_mode in degrees).of_kinds((LEARNER,))
    counts = np.isfinite(table.scores).sum(axis=-1)
    return iter(counts[counts > 0].tolist())


def _figure(title: str, paths: Mapping[str, Path], styles: Mapping[str, SeriesStyle]) -> Figure:
    ends = [end for path in paths.values() for _, each in path for end in (each.value, each.low, each.high) if end]
    return lines(
        [_line(name, path, styles[name]) for name, path in paths.items()],
        Axis("mutuality λ", (0.0, 1.0), (0, 0.25, 0.5, 0.75, 1)),
        Axis("score of welfare", (max(FLOOR, min(0.0, *ends)), max(1.0, *ends))),
        title=title,
        anchors=(0.0, 1.0),
    )


def _line(name: str, path: Sequence[tuple[float, Estimate]], style: SeriesStyle) -> Line:
    banded = all(each.low is not None for _, each in path)
    low, high = ([getattr(each, end) for _, each in path] if banded else None for end in ("low", "high"))
    degrees, values = [degree for degree, _ in path], [each.value for _, each in path]
    return Line(name, degrees, values, style.colour, style.dash, low, high, mark=style.mark)
