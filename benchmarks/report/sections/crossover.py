"""Whether a change of the training reward turns the order of paradigms around."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from matplotlib.figure import Figure

from coopgym.benchmarks.drawing.formatting import class_name, game_title, sample_size
from coopgym.benchmarks.drawing.plots.dots import Dot, Row, dots
from coopgym.benchmarks.drawing.theme import mode_colour
from coopgym.benchmarks.report.content import interval_cells
from coopgym.benchmarks.report.content.blocks import Block, Cell, Chart, Column, Fold, Heading, Section, Table
from coopgym.benchmarks.report.content.legends import mode_legend
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.score import Crossover, Leaderboard, ParadigmGap, paradigm_crossovers
from coopgym.benchmarks.score.crossover import ByPlace
from coopgym.benchmarks.score.estimates import STUDENT
from coopgym.benchmarks.score.settings import mode_order


def crossover(report_data: ReportData) -> Section | None:
    """Compare independent learners with centralised ones under every training reward."""
    blocks: list[Block] = []
    crossed: list[Crossover] = []
    judged = False
    for leaderboard in report_data.leaderboards:
        by_class, by_game = (_found(leaderboard, places) for places in ("class", "game"))
        if by_game:
            blocks += [Heading(leaderboard.title.capitalize())] if leaderboard.title else []
            blocks += [_chart(by_class, leaderboard, "class")] if by_class else []
            blocks.append(_chart(by_game, leaderboard, "game"))
            blocks.append(Fold("Every pair of rewards", [_table(by_game)]))
            crossed += [each for each in by_game if each.crossed]
            judged |= any(each.judged for each in by_game)
    if not blocks:
        return None
    return Section(
        id="crossover",
        title="Crossover of paradigms",
        how=(
            "Independent learners, where every seat learns from its own reward, less learners with centralised "
            "training: right of zero the independent ones reach more welfare. A crossover is a place where the gap "
            "lies on different sides of zero under two training rewards, with intervals that exclude zero on both."
        ),
        blocks=[mode_legend(report_data.modes), *blocks],
        finding=(
            f"{len(crossed)} crossovers between independent and centralised learners."
            if crossed
            else "No training reward was found to turn the order of independent and centralised learners around."
            if judged
            else ""
        ),
    )


def _found(leaderboard: Leaderboard, places: ByPlace) -> list[Crossover]:
    """Crossovers at places where both paradigms have learners."""
    every = paradigm_crossovers(leaderboard.table("welfare"), places=places)
    return [each for each in every if each.first.gap is not None and each.second.gap is not None]


def _chart(found: Sequence[Crossover], leaderboard: Leaderboard, places: str) -> Chart:
    gaps = {(gap.place, gap.reward_mode): gap for each in found for gap in (each.first, each.second)}
    return Chart(
        name=f"crossover-by-{places}{leaderboard.suffix}",
        label=f"Gap between paradigms by {places} {leaderboard.title}".strip(),
        draw=partial(_figure, list(gaps.values())),
        caption=(
            f"Difference of welfare scores, independent minus centralised, by {places}. {STUDENT}, "
            f"{sample_size(gap.gap.n for gap in gaps.values() if gap.gap)}."
        ),
    )


def _figure(gaps: Sequence[ParadigmGap]) -> Figure:
    rows: dict[str, list[Dot]] = {}
    for each in sorted(gaps, key=lambda gap: (gap.place, mode_order(gap.reward_mode))):
        if each.gap is not None:
            dot = Dot.of(each.gap, mode_colour(each.reward_mode))
            rows.setdefault(class_name(game_title(each.place)), []).append(dot)
    return dots([Row(*row) for row in rows.items()], "independent minus centralised, welfare score", anchors=(0.0,))


def _table(found: Sequence[Crossover]) -> Table:
    columns = [Column("game"), Column("rewards"), Column("first gap"), Column("second gap"), Column("crossed")]
    return Table(
        columns,
        [
            [
                Cell(game_title(each.place)),
                Cell(f"{each.first.reward_mode}, {each.second.reward_mode}"),
                interval_cells.measured(each.first.gap, 2),
                interval_cells.measured(each.second.gap, 2),
                Cell("yes" if each.crossed else "no"),
            ]
            for each in found
        ],
    )
