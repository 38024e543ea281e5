"""How often intervals hold the truth: a simulation over numbers of seeds, games and kinds of chance.

``python -m coopgym.benchmarks.score.coverage benchmarks/results/coverage.json`` keeps its results.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import numpy as np
from scipy.stats import trim_mean

from coopgym.benchmarks.score.bootstrap import Bootstrap, estimate, interquartile_mean
from coopgym.benchmarks.score.estimates import student_quantile
from coopgym.benchmarks.score.replicates import Replicates
from coopgym.typing import FloatArray

Sampler = Callable[[np.random.Generator, tuple[int, ...]], FloatArray]
CHANCES: Mapping[str, Sampler] = {
    "normal": lambda rng, shape: rng.normal(0.7, 0.2, shape),
    "uniform": lambda rng, shape: rng.uniform(0.2, 1.0, shape),
    "skewed": lambda rng, shape: 1.0 - 0.2 * rng.exponential(1.0, shape),
    "collapsing": lambda rng, shape: np.where(rng.random(shape) < 0.2, 0.1, 0.9) + rng.normal(0.0, 0.02, shape),
}
"""What training can do to a score: errors around a mean, errors to one side, and runs that fail one time in five."""
SEEDS, GAMES = (3, 5, 7, 10), (1, 20)
TRIALS, RESAMPLES, TRUTH_TRIALS = 2000, 500, 200_000


@dataclass(frozen=True)
class Coverage:
    """Share of intervals of nominally 95 % that hold the truth."""

    method: str
    chance: str
    seeds: int
    games: int
    share: float


def student_coverage(
    chance: Sampler, seeds: int, games: int, trials: int, rng: np.random.Generator, middle: bool = False
) -> float:
    """Simulate the interval of tables: Student's t on the scores of seeds.

    Args:
        chance: what training does to a score.
        seeds: in a study.
        games: over which a seed's score is averaged.
        trials: studies to simulate.
        rng: draws them.
        middle: average over the middle half of games only, whose distribution over seeds is further from normal.
    """
    over_games = _middle if middle else np.mean
    truth = float(np.mean(over_games(chance(np.random.default_rng(0), (games, TRUTH_TRIALS)), axis=0)))
    by_seed = over_games(chance(rng, (games, trials, seeds)), axis=0)
    half = student_quantile(seeds) * by_seed.std(axis=-1, ddof=1) / np.sqrt(seeds)
    return float((np.abs(by_seed.mean(axis=-1) - truth) <= half).mean())


def bootstrap_coverage(
    chance: Sampler, seeds: int, games: int, trials: int, rng: np.random.Generator, settings: Bootstrap
) -> float:
    """Simulate the stratified bootstrap of the interquartile mean over all runs of all games."""
    drawn = chance(rng, (trials, seeds, games))
    truth = float(np.mean(_middle(chance(rng, (seeds * games, 20_000)), axis=0)))
    found = (estimate(Replicates.of(each, ("runs", "tasks")), interquartile_mean, settings, rng) for each in drawn)
    hits = [each.low is not None and each.high is not None and each.low <= truth <= each.high for each in found]
    return float(np.mean(hits))


def coverages(trials: int = TRIALS) -> Iterator[Coverage]:
    """Simulate every method, kind of chance, number of seeds and of games."""
    for (name, chance), seeds, games in product(CHANCES.items(), SEEDS, GAMES):
        rng = np.random.default_rng([seeds, games])
        shares = {
            "Student’s t": student_coverage(chance, seeds, games, 10 * trials, rng),
            "Student’s t, middle half of games": student_coverage(chance, seeds, games, 10 * trials, rng, middle=True),
            "percentile bootstrap, middle half of runs": bootstrap_coverage(
                chance, seeds, games, trials // 4, rng, Bootstrap(RESAMPLES)
            ),
        }
        yield from (Coverage(method, name, seeds, games, share) for method, share in shares.items())


def _middle(values: FloatArray, axis: int) -> FloatArray:
    """Interquartile mean along the first axis."""
    return np.asarray(trim_mean(values, 0.25, axis=axis))


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps([asdict(each) for each in coverages()], indent=1) + "\n")
