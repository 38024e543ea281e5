"""Rank tables: who comes where, how sure that is, and who cannot be told apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from coopgym.benchmarks.score.estimates import FEWEST, TIE, Estimate
from coopgym.benchmarks.score.grid import Algorithm
from coopgym.benchmarks.score.paired import SIGNIFICANCE, Comparison, comparisons
from coopgym.benchmarks.score.seed_scores import SeedScores
from coopgym.benchmarks.score.significance_groups import compact_letters
from coopgym.typing import BoolArray


@dataclass(frozen=True)
class RankRow:
    """An algorithm in a rank table; rank 1 is the best, equals share the mean of their ranks."""

    algorithm: Algorithm
    score: Estimate
    rank: float
    low: int | None
    high: int | None
    """First and last place that it may have: behind all who are surely better, before all who are surely worse. None
    where there are too few seeds to tell."""
    significance_groups: str
    """Two algorithms share a letter just when their paired difference is not significant; empty where there are too
    few seeds to tell."""


@dataclass(frozen=True)
class RankTable:
    """Algorithms that all have scores on the same tasks, best first."""

    rows: tuple[RankRow, ...]
    comparisons: tuple[Comparison, ...]
    """All pairs, with Holm's correction within this table."""

    def leaders(self, names: Sequence[str]) -> tuple[RankRow, ...]:
        """Return the best of some algorithms and all those among them that cannot be told apart from it."""
        rows = [row for row in self.rows if row.algorithm.name in names]
        return tuple(row for row in rows if not self.told_apart(rows[0].algorithm.name, row.algorithm.name))

    def told_apart(self, first: str, second: str) -> bool:
        """Whether two algorithms differ."""
        return any(each.different() for each in self.comparisons if {each.first, each.second} == {first, second})


def rank_table(table: SeedScores, significance: float = SIGNIFICANCE) -> RankTable:
    """Rank the algorithms of a table by their scores; letters come from the paired differences of the same scores.

    Args:
        table: with scores of everybody on every task (`SeedScores.covering`, `SeedScores.shared`). The more algorithms
            it holds, the more comparisons the letters are corrected for.
        significance: level of the letters after Holm's correction.

    Raises:
        ValueError: an algorithm has no score on one of the tasks.

    >>> from coopgym.benchmarks.score import score_table
    >>> private = score_table(coopgym.load_corpus("learners-v1").runs).of_mode("private")
    >>> ranked = rank_table(private.only(["IPPO", "Random", "Oracle_Nash"]))
    >>> [(row.algorithm.name, row.rank, round(row.score.value, 2)) for row in ranked.rows]
    [('Random', 1.0, 0.0), ('IPPO', 2.0, -0.71), ('Oracle_Nash', 3.0, -2.6)]
    """
    from scipy.stats import rankdata  # half a second to import, and few ask for ranks

    scores = [table.estimate(name) for name in table.names]
    if missing := [name for name, score in zip(table.names, scores, strict=True) if score is None]:
        raise ValueError(f"{missing[0]} lacks a score on a task of the table; use covering() or shared() first")
    values = np.array([score.value for score in scores if score is not None])
    heights = (values if table.lower_is_better else -values) / TIE
    ranks = rankdata(np.round(heights)) if len(values) else values
    order = sorted(range(len(values)), key=lambda i: (ranks[i], table.names[i]))
    rows = [RankRow(table.algorithms[i], score, float(ranks[i]), None, None, "") for i in order if (score := scores[i])]
    found = comparisons(table)
    return RankTable(tuple(_with_groups(rows, table, found, significance)), found)


def _with_groups(
    rows: Sequence[RankRow], table: SeedScores, found: Sequence[Comparison], significance: float
) -> Iterator[RankRow]:
    """Tell who cannot be told apart, among those with seeds enough or without chance."""
    testable = [row.algorithm.name for row in rows if row.score.n >= FEWEST or table.surely(row.algorithm.name)]
    different = differing(testable, found, significance)
    letters = dict(zip(testable, compact_letters(different), strict=True)) if testable else {}
    for row in rows:
        if row.algorithm.name not in letters:
            yield row
            continue
        place = testable.index(row.algorithm.name)
        better, worse = int(different[place, :place].sum()), int(different[place, place + 1 :].sum())
        yield replace(row, low=1 + better, high=len(rows) - worse, significance_groups=letters[row.algorithm.name])


def differing(names: Sequence[str], found: Sequence[Comparison], significance: float = SIGNIFICANCE) -> BoolArray:
    """Return who differs from whom ``(A, A)``; pairs without a test do not."""
    place = {name: i for i, name in enumerate(names)}
    different = np.zeros((len(names), len(names)), dtype=bool)
    for each in found:
        if each.first in place and each.second in place and each.different(significance):
            different[place[each.first], place[each.second]] = different[place[each.second], place[each.first]] = True
    return different
