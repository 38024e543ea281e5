"""Speed of the statistics: one batched bootstrap against a loop over resamples."""

from __future__ import annotations

import numpy as np
from scipy.stats import trim_mean

from coopgym.benchmarks.perf.measure import Ratio, compare, rate
from coopgym.benchmarks.score.bootstrap import Bootstrap, interquartile_mean, resampled
from coopgym.benchmarks.score.replicates import Replicates

SEEDS, GAMES, RESAMPLES = 7, 20, 2000


def c13(quick: bool = False) -> Ratio:
    """Resamples of the interquartile mean per second, 7 seeds × 20 games: 2,000 in a batch against one at a time."""
    scores = np.random.default_rng(0).normal(0.6, 0.2, (SEEDS, GAMES))
    replicates, settings = Replicates.of(scores, axes=("runs", "tasks")), Bootstrap(RESAMPLES)
    rng = np.random.default_rng(1)

    def one_by_one() -> None:
        for _ in range(RESAMPLES):
            drawn = rng.integers(SEEDS, size=(SEEDS, GAMES))
            trim_mean(np.take_along_axis(scores, drawn, axis=0), 0.25, axis=None)

    return compare(
        lambda: rate(lambda: resampled(replicates, interquartile_mean, settings, rng), 20, RESAMPLES),
        lambda: rate(one_by_one, 1, RESAMPLES),
        quick,
        id="C13", title="stratified bootstrap of the IQM: batched ÷ one by one", unit="resamples/s", floor=20.0,
        aim=60.0,
    )  # fmt: skip
