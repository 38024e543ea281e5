"""From runs to normalised scores with declared axes: algorithms × tasks × seeds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Self, get_args

import numpy as np
import pyarrow as pa

from coopgym.benchmarks.score.anchors import Anchors, common_draws, find_anchors
from coopgym.benchmarks.score.grid import SCRIPTED, RunGrid, Task, run_grid, self_play
from coopgym.benchmarks.score.replicates import Replicates
from coopgym.benchmarks.score.seed_scores import SeedScores, once_where_deterministic
from coopgym.benchmarks.score.settings import RANDOM
from coopgym.typing import BoolArray, FloatArray

Metric = Literal[
    "return_mode",
    "return_private",
    "return_integrated",
    "return_cooperative",
    "welfare",
    "sto_return_mode",
    "sto_return_private",
    "sto_return_integrated",
    "sto_return_cooperative",
    "sto_welfare",
]
"""What is scored. ``return_mode`` is read in each run's own reward mode; the others mean the same under every mode."""
METRICS: tuple[Metric, ...] = get_args(Metric)
Diverged = Literal["worst", "random", "excluded"]
"""What a diverged run counts as: the worst value that anybody's run reached on the task, Random, or nothing."""
REFERENCES = ("Constant_50", "Oracle_Nash")
"""Well-known play to show on the axis beside the anchors."""


@dataclass(frozen=True, eq=False)
class ScoreTable(SeedScores):
    """Scores between the anchors of each task, with what they come from."""

    metric: Metric
    diverged_as: Diverged
    values: FloatArray
    """``(A, T, S)`` in units of the metric."""
    anchors: tuple[Anchors, ...]
    """Of each task."""
    unscored: tuple[Task, ...]
    """Tasks of the corpus that are left out because their anchors are missing or coincide."""

    @property
    def masked_scores(self) -> np.ma.MaskedArray:
        """`scores` with missing runs masked, for code that prefers masks to NaN."""
        return np.ma.masked_invalid(self.scores)

    def replicates(self, name: str) -> Replicates:
        """Return an algorithm's scores for resampling.

        Raises:
            ValueError: there are no tasks, or it has no score on one of them.
        """
        own = self.scores[self.index(name)]
        if not len(self.tasks):
            raise ValueError("the table has no tasks; scores need runs of Random and of constants")
        missing = [task for task, scored in zip(self.tasks, np.isfinite(own).any(1), strict=True) if not scored]
        if missing:
            raise ValueError(
                f"{name} has no score in {len(missing)} of {len(self.tasks)} tasks, first {missing[0].game} "
                f"({missing[0].reward_mode}); averages need the same tasks for everybody: use covering() to leave out "
                "such algorithms or shared() to leave out such tasks"
            )
        return Replicates.of(own, axes=("tasks", "runs"))

    def of_tasks(self, kept: list[int]) -> Self:
        return replace(
            super().of_tasks(kept), anchors=tuple(self.anchors[t] for t in kept), values=self.values[:, kept]
        )

    def _keep(self, kept: list[int]) -> Self:
        return replace(super()._keep(kept), values=self.values[kept])


def score_table(runs: pa.Table, metric: Metric = "return_mode", diverged: Diverged = "worst") -> ScoreTable:
    """Score the self-play of a corpus.

    Args:
        runs: the ``runs`` table; other protocols are passed over.
        metric: what is scored. Under a ``sto_`` metric agents that were not trained count with the only
            evaluation they have.
        diverged: what a diverged run counts as.

    Raises:
        ValueError: unknown metric or treatment, two runs under one seed, or ``diverged="random"`` without Random.

    >>> table = score_table(coopgym.load_corpus("learners-v1").runs)
    >>> {mode: round(table.of_mode(mode).estimate("IPPO").value, 2) for mode in ("private", "cooperative")}
    {'private': -0.71, 'cooperative': 1.04}
    """
    if metric not in METRICS or diverged not in get_args(Diverged):
        raise ValueError(
            f"metric={metric!r}, diverged={diverged!r}: expected one of {', '.join(METRICS)}, and one of "
            f"{', '.join(get_args(Diverged))}"
        )
    grid = run_grid(self_play(runs))
    observed = _observed(grid, metric)
    comparable = common_draws(grid, observed)
    observed = np.where(comparable, observed, np.nan)
    scale, found = find_anchors(grid, observed, metric)
    counted = np.where(comparable, with_diverged(grid, observed, diverged), np.nan)
    drawn = np.array([task.setting.draws for task in grid.tasks], dtype=bool)
    values, deterministic = once_where_deterministic(counted, _scripted(grid, besides=RANDOM), drawn)
    kept = [t for t, anchors in enumerate(found) if anchors is not None]
    anchors = tuple(each for each in found if each is not None)
    zero, one = (np.array([getattr(each, end) for each in anchors])[:, None] for end in ("zero", "one"))
    return ScoreTable(
        metric=metric,
        diverged_as=diverged,
        scale=scale,
        algorithms=grid.algorithms,
        tasks=tuple(grid.tasks[t] for t in kept),
        seeds=grid.seeds,
        values=values[:, kept],
        scores=(values[:, kept] - zero) / (one - zero),
        diverged=grid.ended("diverged")[:, kept],
        deterministic=deterministic[:, kept],
        anchors=anchors,
        unscored=tuple(task for task, anchors in zip(grid.tasks, found, strict=True) if anchors is None),
    )


def both_tables(runs: pa.Table, metric: Metric = "return_mode") -> tuple[ScoreTable, ScoreTable]:
    """Return two tables to show side by side: diverged runs as the worst value, and without them."""
    return score_table(runs, metric, "worst"), score_table(runs, metric, "excluded")


def _observed(grid: RunGrid, metric: Metric) -> FloatArray:
    """What completed runs reached, ``(A, T, S)``."""
    values = grid.column(metric)
    if metric.startswith("sto_"):
        values = np.where(_scripted(grid)[:, None, None], grid.column(metric.removeprefix("sto_")), values)
    return np.where(grid.ended("completed"), values, np.nan)


def with_diverged(grid: RunGrid, observed: FloatArray, diverged: Diverged) -> FloatArray:
    """Return what completed runs reached ``(A, T, S)`` and, where runs diverged, what these count as."""
    lost = grid.ended("diverged")
    if diverged == "excluded" or not lost.any():
        return observed
    if diverged == "worst":
        by_task = np.where(np.isfinite(observed), observed, np.inf).min(axis=(0, 2), initial=np.inf)
    else:
        random = observed[[algorithm.name == RANDOM for algorithm in grid.algorithms]].swapaxes(0, 1)
        by_task = np.array([runs[np.isfinite(runs)].mean() if np.isfinite(runs).any() else np.inf for runs in random])
    counted_as = np.where(np.isfinite(by_task), by_task, np.nan)[:, None]
    if diverged == "random" and np.isnan(counted_as[lost.any(axis=(0, 2))]).any():
        raise ValueError("diverged='random' needs runs of Random on every task where a run diverged; use 'worst'")
    return np.where(lost, counted_as, observed)


def _scripted(grid: RunGrid, besides: str = "") -> BoolArray:
    return np.array([each.kind in SCRIPTED and each.name != besides for each in grid.algorithms], dtype=bool)
