"""Who beats whom: probability of improvement, paired differences, and the noise floor to hold them against."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations

import numpy as np
from matplotlib.figure import Figure

from coopgym.benchmarks.drawing.formatting import game_title, probability, sample_size
from coopgym.benchmarks.drawing.plots.dots import Dot, Row, dots
from coopgym.benchmarks.drawing.plots.maps import Matrix
from coopgym.benchmarks.drawing.series_style import SeriesStyle
from coopgym.benchmarks.drawing.theme import MUTED
from coopgym.benchmarks.report.content import interval_cells
from coopgym.benchmarks.report.content.blocks import (
    Block,
    Cell,
    Chart,
    Column,
    Fold,
    Heading,
    Heatmap,
    Section,
    Table,
    Text,
)
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.score import Comparison, ComparisonSet, NoiseFloor, comparison_sets, improvements, principal
from coopgym.benchmarks.score import comparisons as compared
from coopgym.benchmarks.score.estimates import FEWEST, STUDENT

MOST_ENTRANTS = 16
"""Algorithms in the matrix: learners first, then the best of the others."""
MOST_PAIRS = 24
"""Pairs up to which all differences are drawn; of more, those of neighbours in rank, at most so many."""


def comparisons(report_data: ReportData) -> Section | None:
    """Compare algorithms pair by pair on the games they share."""
    blocks: list[Block] = []
    for leaderboard in report_data.leaderboards:
        ranked = principal(comparison_sets(leaderboard))
        if ranked is not None and len(ranked.table.names) > 1:
            blocks += _comparison_set(ranked, report_data.styles)
    blocks += _noise(report_data)
    if not blocks:
        return None
    return Section(
        id="comparisons",
        title="Pair by pair",
        how=(
            "The matrix tells how probable it is that the row’s algorithm beats the column’s on the same game, mode "
            "and seed; one half is a tie, and numbers in brackets have intervals that hold one half, or too few seeds "
            "for one. Below it the scores of the ranking are compared seed by seed, which removes what a seed does to "
            "both; p-values are adjusted after Holm for all tests of the table, and the effect size is the mean "
            f"difference over its standard deviation between seeds. Tests need {FEWEST} seeds."
        ),
        blocks=blocks,
    )


def _comparison_set(ranked: ComparisonSet, styles: Mapping[str, SeriesStyle]) -> Iterator[Block]:
    yield Heading(ranked.title)
    yield _matrix(ranked)
    pairs = _pairs(ranked)
    if not pairs:
        return
    found = compared(ranked.table, pairs)
    drawable = [each for each in found if each.test.difference is not None]
    neighbours = set(zip(ranked.learners, ranked.learners[1:], strict=False))
    few = len(drawable) <= MOST_PAIRS
    shown = [each for each in drawable if few or (each.first, each.second) in neighbours][:MOST_PAIRS]
    if shown:
        yield Chart(
            name=f"paired-{ranked.name}",
            label=f"Paired differences, {ranked.title}",
            draw=partial(_paired_figure, shown if not few else sorted(shown, key=_difference, reverse=True)),
            caption=(
                "Right of zero the first of the two is better. "
                f"{'' if few else 'Each learner less the next in rank. '}{STUDENT}, "
                f"{sample_size(each.test.difference.n for each in shown if each.test.difference)}; hollow where the "
                "two are not told apart."
            ),
        )
    table = _table(found)
    yield Fold("All paired comparisons", [table], f"{len(found)} pairs") if len(found) > 6 else table


def _pairs(ranked: ComparisonSet) -> list[tuple[str, str]]:
    """Every two learners; a single one, or whoever else came to be ranked, against everybody."""
    names = [row.algorithm.name for row in ranked.ranks.rows]
    alone = [row.algorithm.name for row in ranked.ranks.rows if row.algorithm.kind == "plugin"]
    learners = ranked.learners
    alone += learners if len(learners) == 1 else []
    pairs = list(combinations(learners, 2))
    pairs += [(name, other) for i, name in enumerate(alone) for other in names if other not in alone[: i + 1]]
    return pairs


def _matrix(ranked: ComparisonSet) -> Heatmap:
    names = _algorithms(ranked)
    found = {(each.first, each.second): each.probability for each in improvements(ranked.table.only(names))}
    size = len(names)
    values, texts = np.full((size, size), np.nan), [[""] * size for _ in names]
    for (first, second), estimate in found.items():
        if estimate is None:
            continue
        i, j = names.index(first), names.index(second)
        exact = ranked.table.surely(first) and ranked.table.surely(second)
        unsure = not exact and (estimate.low is None or estimate.high is None or estimate.low <= 0.5 <= estimate.high)
        for row, column, value in ((i, j, estimate.value), (j, i, 1 - estimate.value)):
            values[row, column] = value
            texts[row][column] = f"({value:.2f})" if unsure else f"{value:.2f}"
    return Heatmap(
        name=f"improvement-{ranked.name}",
        label=f"Probability of improvement, {ranked.title}",
        matrix=Matrix(names, names, values, texts, 2 * (values - 0.5)),
        rows_are="how often this one",
        columns_are="beats this one",
        caption=f"Mean over games, modes and seeds of P(row > column) + ½ P(equal). {STUDENT}.",
    )


def _algorithms(ranked: ComparisonSet) -> list[str]:
    """Names in order of rank, few enough for a matrix."""
    others = [row.algorithm.name for row in ranked.ranks.rows if row.algorithm.name not in ranked.learners]
    kept = {*ranked.learners[:MOST_ENTRANTS], *others[: max(0, MOST_ENTRANTS - len(ranked.learners))]}
    return [row.algorithm.name for row in ranked.ranks.rows if row.algorithm.name in kept]


def _difference(comparison: Comparison) -> float:
    return comparison.test.difference.value if comparison.test.difference else 0.0


def _paired_figure(found: Sequence[Comparison]) -> Figure:
    return dots([_row(each) for each in found], "difference of scores, first minus second", anchors=(0.0,))


def _row(comparison: Comparison) -> Row:
    difference = comparison.test.difference
    assert difference is not None, "only pairs with common seeds are drawn"
    return Row(f"{comparison.first} − {comparison.second}", [Dot.of(difference, MUTED, full=comparison.different())])


def _table(found: Sequence[Comparison]) -> Table:
    columns = [
        Column("pair"),
        Column("difference", "mean over seeds of first minus second, in scores of the ranking"),
        Column("effect size", "mean over standard deviation of the differences"),
        Column("p, t test", "paired t test, adjusted after Holm"),
        Column("p, sign flips", "permutation test over signs, adjusted after Holm"),
        Column("seeds"),
    ]
    rows = []
    for each in found:
        test = each.test
        rows.append(
            [
                Cell(f"{each.first} − {each.second}"),
                interval_cells.measured(test.difference, 3),
                interval_cells.number(test.effect_size, 2),
                Cell("exact" if each.exact else probability(each.p_t_holm), each.p_t_holm),
                Cell(probability(each.p_signflip_holm), each.p_signflip_holm),
                interval_cells.number(float(test.difference.n) if test.difference else None, 0),
            ]
        )
    return Table(columns, rows)


def _noise(report_data: ReportData) -> Iterator[Block]:
    for (original, copy), floors in report_data.noise.items():
        yield Heading(f"Noise floor: {copy} against {original}")
        yield Text(
            "Both names are the same learner with the same settings and other random numbers, so that whatever lies "
            "between them is chance. A difference of other learners counts for little below the last column."
        )
        yield _noise_table(floors)


def _noise_table(floors: Mapping[str, NoiseFloor]) -> Table:
    columns = [
        Column("game"),
        Column("difference in welfare", f"duplicate minus original, pooled over reward modes; {STUDENT}"),
        Column("spread", "root mean square of the differences"),
        Column("floor", "a mean difference over as many seeds that chance exceeds in one of twenty cases"),
    ]
    return Table(
        columns,
        [
            [
                Cell(game_title(game)),
                interval_cells.measured(floor.difference),
                interval_cells.number(floor.spread),
                interval_cells.number(floor.of_mean(floor.difference.n)),
            ]
            for game, floor in floors.items()
        ],
    )
