"""Probability of improvement: how probable it is that one algorithm beats another on the same task and seed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from coopgym.benchmarks.score.estimates import TIE, Estimate, mean_estimate
from coopgym.benchmarks.score.seed_scores import SeedScores


@dataclass(frozen=True)
class Improvement:
    """How probable it is that a run of the first algorithm beats one of the second on the same task."""

    first: str
    second: str
    probability: Estimate | None
    """None where no seed has both on every task."""


def improvements(table: SeedScores) -> tuple[Improvement, ...]:
    """Compare every pair of algorithms; the probability of the swapped pair is what is missing to 1."""
    return tuple(
        Improvement(first, second, probability_of_improvement(table, first, second))
        for first, second in combinations(table.names, 2)
    )


def probability_of_improvement(table: SeedScores, first: str, second: str) -> Estimate | None:
    """Return P(X > Y) + P(X = Y)/2 for runs X and Y under one seed, averaged over tasks, with its interval over seeds.

    Raises:
        ValueError: one of them is not in the table.

    >>> from coopgym.benchmarks.score import score_table
    >>> table = score_table(coopgym.load_corpus("learners-v1").runs).of_mode("cooperative")
    >>> round(probability_of_improvement(table, "IPPO", "Random").value, 2)
    1.0
    """
    differences = table.every_seed(first) - table.every_seed(second)  # (T, S)
    wins = 0.5 + 0.5 * np.sign(np.where(np.abs(differences) <= TIE, 0.0, differences))
    by_seed = wins.mean(axis=0) if len(wins) else np.full(len(table.seeds), np.nan)
    return mean_estimate(by_seed[:1] if table.surely(first) and table.surely(second) else by_seed)
