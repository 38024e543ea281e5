"""What learning under integrated reward contributes, measured by one metric: the D contribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from coopgym.benchmarks.score.estimates import Estimate, mean_estimate
from coopgym.benchmarks.score.grid import Algorithm, RunGrid, run_grid, self_play
from coopgym.benchmarks.score.noise import NoiseFloor
from coopgym.benchmarks.score.settings import LEARNER
from coopgym.typing import FloatArray

PERCENTILES = (5, 25, 50, 75, 95)


@dataclass(frozen=True)
class Contribution:
    """A learner on one game: trained under integrated reward minus trained under private reward, over paired seeds."""

    algorithm: Algorithm
    game: str
    mechanism_class: str
    welfare: Estimate
    """ΔW, with W the sum of all payoffs of an episode."""
    relative_welfare: float | None
    """ΔW over the size of W under private reward; None where that is zero."""
    trust: Estimate | None
    """Change of mean trust at the end."""
    metric_shift: float | None
    """(R integrated - R private) / R integrated, each mean return read in its own mode: the quantity once reported as
    D contribution. It moves with the metric even where play does not."""
    noise: float | None
    """Size of a mean difference that chance makes in this game; None without a duplicated learner."""

    @property
    def beyond_noise(self) -> bool | None:
        """Whether |ΔW| exceeds the noise floor."""
        return None if self.noise is None else abs(self.welfare.value) > self.noise


@dataclass(frozen=True)
class ContributionSummary:
    """Contributions of a mechanism class."""

    mechanism_class: str
    pairs: int
    """Learners × games."""
    percentiles: Mapping[int, float]
    """Of relative ΔW over pairs, at 5, 25, 50, 75 and 95 per cent."""
    negative: int
    """Pairs with ΔW below zero."""
    beyond_noise: int | None
    """Pairs beyond the noise floor; None where a pair has none."""


def contributions(runs: pa.Table, floors: Mapping[str, NoiseFloor] | None = None) -> tuple[Contribution, ...]:
    """Compare training under integrated and private reward for every learner and game that has both.

    Args:
        runs: the ``runs`` table.
        floors: noise floors of welfare by game (`noise_floors`).
    """
    grid = run_grid(self_play(runs)).of_kinds((LEARNER,))
    welfare, trust, returns = (grid.column(name) for name in ("welfare", "mean_trust_final", "return_mode"))
    found = []
    for private, integrated in _pairs_of_tasks(grid):
        task = grid.tasks[private]
        for a, algorithm in enumerate(grid.algorithms):
            before = welfare[a, private]
            change = mean_estimate(welfare[a, integrated] - before)
            if change is None:
                continue
            base = abs(float(np.nanmean(before)))
            floor = (floors or {}).get(task.game)
            found.append(
                Contribution(
                    algorithm=algorithm,
                    game=task.game,
                    mechanism_class=task.mechanism_class,
                    welfare=change,
                    relative_welfare=change.value / base if base > 0 else None,
                    trust=mean_estimate(trust[a, integrated] - trust[a, private]),
                    metric_shift=_metric_shift(returns[a, integrated], returns[a, private]),
                    noise=None if floor is None else floor.of_mean(change.n),
                )
            )
    return tuple(found)


def summarise_contributions(found: Sequence[Contribution]) -> tuple[ContributionSummary, ...]:
    """Summarise contributions class by class; pairs without a relative one count everywhere but in percentiles."""
    summaries = []
    for name in sorted({each.mechanism_class for each in found}):
        own = [each for each in found if each.mechanism_class == name]
        relative = [each.relative_welfare for each in own if each.relative_welfare is not None]
        levels = np.percentile(relative, PERCENTILES).tolist() if relative else []
        beyond = [each.beyond_noise for each in own]
        summaries.append(
            ContributionSummary(
                mechanism_class=name,
                pairs=len(own),
                percentiles=dict(zip(PERCENTILES, levels, strict=False)),
                negative=sum(each.welfare.value < 0 for each in own),
                beyond_noise=None if None in beyond else sum(map(bool, beyond)),
            )
        )
    return tuple(summaries)


def _pairs_of_tasks(grid: RunGrid) -> list[tuple[int, int]]:
    """Places of each game under private and under integrated reward."""
    places = {(task.game, task.reward_mode): t for t, task in enumerate(grid.tasks)}
    games = dict.fromkeys(task.game for task in grid.tasks)
    return [
        (places[game, "private"], places[game, "integrated"])
        for game in games
        if (game, "private") in places and (game, "integrated") in places
    ]


def _metric_shift(integrated: FloatArray, private: FloatArray) -> float | None:
    one, other = mean_estimate(integrated), mean_estimate(private)
    return None if one is None or other is None or one.value == 0 else (one.value - other.value) / one.value
