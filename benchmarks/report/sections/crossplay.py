"""Everybody among everybody."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow.compute as pc

from coopgym.benchmarks.drawing.formatting import amount, counted, game_title, listed, mode_title, signed, slug
from coopgym.benchmarks.drawing.plots.maps import Matrix
from coopgym.benchmarks.report.content.blocks import Block, Fold, Heading, Heatmap, Section, Text
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.score import CrossPlay, cross_play
from coopgym.benchmarks.score.scenarios import AMONG
from coopgym.typing import FloatArray


def crossplay(report_data: ReportData) -> Section | None:
    """Show what each agent earns alone among copies of each other one."""
    if report_data.inconsistency:
        return None
    blocks = [block for mode in _modes(report_data) for block in _matrices(cross_play(report_data.runs, mode))]
    if not blocks:
        return None
    return Section(
        id="crossplay",
        title="Cross-play",
        how=(
            "The row’s agent has one seat, copies of the column’s have all others; the diagonal is a seat of "
            "self-play. Read along a row to see with whom an agent does well, and down a column to see who does well "
            "among its copies. An agent that beats the diagonal of a column gains by invading that population."
        ),
        blocks=blocks,
    )


def _modes(report_data: ReportData) -> list[str]:
    met = report_data.runs.filter(pc.fill_null(pc.starts_with(report_data.runs.column("scenario"), AMONG), False))
    present = set(met.column("reward_mode").to_pylist())
    return [mode for mode in report_data.modes if mode in present]


def _matrices(found: CrossPlay) -> Iterator[Block]:
    title = mode_title(found.reward_mode)
    yield Heading(title[0].upper() + title[1:])
    overall = found.matrix
    anchored = [
        task.game for task, scores in zip(found.tasks, found.scores.T, strict=True) if np.isfinite(scores).any()
    ]
    if np.isfinite(overall).any():
        texts = [[signed(value) if np.isfinite(value) else "" for value in row] for row in overall]
        yield Heatmap(
            name=f"cross-play-{slug(found.reward_mode)}",
            label=f"Cross-play over games, {title}",
            matrix=Matrix(found.names, found.names, overall, texts, np.clip(overall, -1, 1)),
            rows_are="focal agent",
            columns_are="among copies of",
            caption=(
                f"Payoff per seat as a score, {found.scale}, averaged over {counted(len(anchored), 'game')}: "
                f"{listed(map(game_title, anchored))}. Blue: positive scores, orange: negative."
            ),
        )
    elif np.isfinite(found.scores).any():
        yield Text("No pair met in all games, so there is no matrix over games.")
    games = [_by_game(found, number) for number in range(len(found.tasks))]
    yield Fold("Game by game", games, counted(len(games), "game"), open=not anchored)


def _by_game(found: CrossPlay, number: int) -> Heatmap:
    payoffs, game = found.payoffs[..., number], game_title(found.tasks[number].game)
    return Heatmap(
        name=f"cross-play-{slug(found.reward_mode)}-{slug(game)}",
        label=f"Cross-play in {game}, {mode_title(found.reward_mode)}",
        matrix=Matrix(
            found.names,
            found.names,
            payoffs,
            [[amount(value) if np.isfinite(value) else "" for value in row] for row in payoffs],
            _heat(payoffs),
        ),
        rows_are="focal agent",
        columns_are="among copies of",
        caption=f"{game}: payoff per seat, mean over seeds. Blue: above the mean of the matrix, orange: below.",
    )


def _heat(payoffs: FloatArray) -> FloatArray:
    centred = payoffs - np.nanmean(payoffs)
    largest = float(np.nanmax(np.abs(centred)))
    return centred / largest if largest else centred
