"""Who comes first, in words; nobody is called best who may be equalled by another."""

from __future__ import annotations

from coopgym.benchmarks.score.estimates import FEWEST, score_text
from coopgym.benchmarks.score.ranks import RankRow, RankTable
from coopgym.benchmarks.score.seed_scores import SeedScores
from coopgym.benchmarks.score.settings import PLAYERS


def verdict(scope: str, measure: str, best: str, table: SeedScores, ranks: RankTable) -> str:
    """Say who comes first of those who compete; nothing where nobody does.

    Args:
        scope: where, in words that begin the sentence.
        measure: what the ranks go by.
        best: what to call who comes first alone.
        table: the scores.
        ranks: of the same.
    """
    rows = [row for row in ranks.rows if row.algorithm.kind in PLAYERS]
    if not rows:
        return ""
    leading = f"{scope}, {_leading(rows[0], measure, table.lower_is_better)}"
    if len(rows) == 1:
        return f"{leading}; there is no other agent to compare with."
    leaders = ranks.leaders([row.algorithm.name for row in rows])
    if len(leaders) == 1:
        return f"{scope}, {rows[0].algorithm.name} is {best} of {len(rows)} agents: {score_text(rows[0].score.value)}."
    if few := [row for row in leaders if row.score.n < FEWEST and not table.surely(row.algorithm.name)]:
        seeds = "1 seed" if few[0].score.n == 1 else f"{few[0].score.n} seeds"
        return f"{leading}; with {seeds} instead of {FEWEST} nobody is called the best."
    names = ", ".join(row.algorithm.name for row in leaders[:-1])
    scores = ", ".join(score_text(row.score.value) for row in leaders)
    return f"{scope}, {names} and {leaders[-1].algorithm.name} come first and cannot be told apart: {scores}."


def _leading(row: RankRow, measure: str, lower_is_better: bool) -> str:
    extreme = "lowest" if lower_is_better else "highest"
    return f"{row.algorithm.name} has the {extreme} {measure}, {score_text(row.score.value)}"
