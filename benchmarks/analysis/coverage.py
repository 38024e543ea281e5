"""How often intervals hold the truth: a simulation over numbers of seeds, games and kinds of chance.

``python -m benchmarks.analysis.coverage benchmarks/results/coverage.json`` keeps its results.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.analysis.bootstrap import Bootstrap, estimate, interquartile_mean
from benchmarks.analysis.estimates import (
    FloatArray,
    interquartile_mean_over_tasks,
    student_quantile,
)
from benchmarks.analysis.replicates import Replicates

Chance = Callable[[np.random.Generator, tuple[int, ...]], FloatArray]
CHANCES: Mapping[str, Chance] = {
    "normal": lambda rng, shape: rng.normal(0.7, 0.2, shape),
    "uniform": lambda rng, shape: rng.uniform(0.2, 1.0, shape),
    "skewed": lambda rng, shape: 1.0 - 0.2 * rng.exponential(1.0, shape),
    "collapsing": lambda rng, shape: np.where(rng.random(shape) < 0.2, 0.1, 0.9) + rng.normal(0.0, 0.02, shape),
}
"""What training can do to a score: errors around a mean, errors to one side, and runs that fail one time in five."""
SEEDS, GAMES = (3, 5, 7, 10), (1, 20)
TRIALS, RESAMPLES, TRUTH_TRIALS = 2000, 500, 400_000


@dataclass(frozen=True)
class Coverage:
    """Share of intervals of nominally 95 % that hold the truth."""

    method: str
    chance: str
    seeds: int
    games: int
    share: float


def student_coverage(chance: Chance, seeds: int, games: int, trials: int, rng: np.random.Generator) -> float:
    """Simulate the interval of tables: Student's t on the interquartile means of seeds."""
    by_seed = interquartile_mean_over_tasks(chance(rng, (games, trials, seeds)))
    half = student_quantile(seeds) * by_seed.std(axis=-1, ddof=1) / np.sqrt(seeds)
    return float((np.abs(by_seed.mean(axis=-1) - _truth(chance, games)) <= half).mean())


def bootstrap_coverage(
    chance: Chance, seeds: int, games: int, trials: int, rng: np.random.Generator, settings: Bootstrap
) -> float:
    """Simulate the stratified bootstrap of the interquartile mean over runs and games."""
    drawn = chance(rng, (trials, seeds, games))
    truth = float(np.mean([_pooled(chance(rng, (seeds, games))) for _ in range(20_000)]))
    found = (estimate(Replicates.of(each, ("runs", "tasks")), interquartile_mean, settings, rng) for each in drawn)
    return float(np.mean([each.low is not None and each.high is not None and each.low <= truth <= each.high
                          for each in found]))  # fmt: skip


def coverages(trials: int = TRIALS) -> Iterator[Coverage]:
    """Simulate every method, kind of chance, number of seeds and of games."""
    for name, chance in CHANCES.items():
        for seeds in SEEDS:
            for games in GAMES:
                rng = np.random.default_rng([seeds, games])
                yield Coverage("student", name, seeds, games, student_coverage(chance, seeds, games, 10 * trials, rng))
                settings = Bootstrap(RESAMPLES)
                share = bootstrap_coverage(chance, seeds, games, trials // 4, rng, settings)
                yield Coverage("percentile bootstrap", name, seeds, games, share)


def _truth(chance: Chance, games: int) -> float:
    rng = np.random.default_rng(0)
    return float(interquartile_mean_over_tasks(chance(rng, (games, TRUTH_TRIALS))).mean())


def _pooled(scores: FloatArray) -> float:
    flat = np.sort(scores, axis=None)
    cut = len(flat) // 4
    return float(flat[cut : len(flat) - cut].mean())


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps([asdict(each) for each in coverages()], indent=1) + "\n")
