"""Rank tables: who comes where, how sure that is, and who cannot be told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from benchmarks.analysis.aggregates import interquartile_mean
from benchmarks.analysis.bootstrap import Bootstrap, Statistic, estimate, resampled
from benchmarks.analysis.estimates import BoolArray, Estimate, FloatArray
from benchmarks.analysis.grid import Entrant
from benchmarks.analysis.letters import compact_letters
from benchmarks.analysis.paired import Comparison, comparisons
from benchmarks.analysis.scores import ScoreTable

SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class RankRow:
    """An algorithm in a rank table; rank 1 is the best, equals share the mean of their ranks."""

    entrant: Entrant
    score: Estimate
    rank: float
    low: float
    high: float
    """Interval of the rank over resamples; equal to `low` where nothing is random."""
    best: float
    """Share of resamples in which nobody is better."""
    letters: str
    """Two algorithms share a letter just when their paired difference is not significant."""


@dataclass(frozen=True)
class RankTable:
    """Algorithms that all have scores on the same tasks, best first."""

    rows: tuple[RankRow, ...]
    comparisons: tuple[Comparison, ...]
    """All pairs, with Holm's correction within this table."""


def rank_table(
    table: ScoreTable,
    settings: Bootstrap,
    statistic: Statistic = interquartile_mean,
    significance: float = SIGNIFICANCE,
) -> RankTable:
    """Rank the algorithms of a table.

    Scores are drawn anew within each task, independently for each algorithm. Letters come from paired t tests over
    common seeds.

    Args:
        table: with scores of everybody on every task (`ScoreTable.covering`, `ScoreTable.shared`). The more algorithms
            it holds, the more comparisons the letters are corrected for.
        settings: of the bootstrap.
        statistic: what algorithms are ranked by.
        significance: level of the letters after Holm's correction.

    Raises:
        ValueError: an algorithm has no score on one of the tasks.
    """
    if not table.algorithms:
        return RankTable((), ())
    scores, draws = [], []
    for name in table.names:
        replicates = table.replicates(name)
        scores.append(estimate(replicates, statistic, settings, settings.generator(name)))
        draws.append(resampled(replicates, statistic, settings, settings.generator(name)))
    drawn = np.stack(draws, axis=1)  # (R, A)
    tail = (1 - settings.confidence) / 2
    low, high = np.quantile(_ranks(drawn), [tail, 1 - tail], axis=0)
    best = (drawn == drawn.max(1, keepdims=True)).mean(0)
    ranks = _ranks(np.array([[score.value for score in scores]]))[0]
    order = sorted(range(len(scores)), key=lambda i: (-scores[i].value, table.names[i]))
    found = comparisons(table, settings)
    letters = compact_letters(significant([table.names[i] for i in order], found, significance))
    rows = tuple(
        RankRow(
            entrant=table.algorithms[i],
            score=scores[i],
            rank=float(ranks[i]),
            low=float(low[i]),
            high=float(high[i]),
            best=float(best[i]),
            letters=letter,
        )
        for i, letter in zip(order, letters, strict=True)
    )
    return RankTable(rows, found)


def class_rankings(table: ScoreTable, settings: Bootstrap) -> dict[str, RankTable]:
    """Rank the algorithms within each mechanism class, on tasks where all who take part have scores.

    In each class only algorithms with scores on every task of the class take part.
    """
    return {name: rank_table(table.of_class(name).covering(), settings) for name in table.classes}


def significant(names: Sequence[str], found: Sequence[Comparison], significance: float = SIGNIFICANCE) -> BoolArray:
    """Return who differs from whom ``(A, A)`` by adjusted paired t tests; pairs without a test do not."""
    place = {name: i for i, name in enumerate(names)}
    different = np.zeros((len(names), len(names)), dtype=bool)
    for each in found:
        if each.p_t_holm is not None and each.p_t_holm < significance:
            different[place[each.first], place[each.second]] = different[place[each.second], place[each.first]] = True
    return different


def _ranks(scores: FloatArray) -> FloatArray:
    """Ranks from the best, ``(R, A)``; equals share the mean of their ranks."""
    return rankdata(-scores, axis=1)
