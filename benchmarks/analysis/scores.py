"""From runs to normalised scores with declared axes: algorithms × tasks × seeds."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import pyarrow as pa

from benchmarks.analysis.anchors import Anchors, Scale, find_anchors
from benchmarks.analysis.estimates import BoolArray, FloatArray, mean_over_seeds
from benchmarks.analysis.grid import SCRIPTED, Entrant, RunGrid, Task, run_grid, self_play
from benchmarks.analysis.replicates import Replicates
from benchmarks.summary import RANDOM

Yardstick = Literal[
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
YARDSTICKS: tuple[Yardstick, ...] = get_args(Yardstick)
Diverged = Literal["worst", "random", "excluded"]
"""What a diverged run counts as: the worst value that anybody's run reached on the task, Random, or nothing."""
LANDMARKS = ("Constant_50", "Oracle_Nash")
"""Well-known play to show on the axis beside the anchors."""


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """Scores of A algorithms on T tasks under S seeds; NaN where a run is missing, failed or excluded.

    An agent that leaves nothing to chance has one run per task, at its first seed, that stands for all seeds.
    """

    yardstick: Yardstick
    diverged_as: Diverged
    scale: Scale
    algorithms: tuple[Entrant, ...]
    tasks: tuple[Task, ...]
    seeds: tuple[int, ...]
    values: FloatArray
    """``(A, T, S)`` in units of the yardstick."""
    scores: FloatArray
    """``(A, T, S)`` between the anchors."""
    diverged: BoolArray
    """``(A, T, S)``."""
    certain: BoolArray
    """``(A, T)`` True where nothing is left to chance."""
    anchors: tuple[Anchors, ...]
    """Of each task."""
    unscored: tuple[Task, ...]
    """Tasks of the corpus that are left out because their anchors are missing or coincide."""

    @property
    def masked_scores(self) -> np.ma.MaskedArray:
        """`scores` with missing runs masked, for code that prefers masks to NaN."""
        return np.ma.masked_invalid(self.scores)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the algorithms."""
        return tuple(entrant.name for entrant in self.algorithms)

    @property
    def modes(self) -> tuple[str, ...]:
        """Reward modes, in order of tasks."""
        return tuple(dict.fromkeys(task.reward_mode for task in self.tasks))

    @property
    def classes(self) -> tuple[str, ...]:
        """Mechanism classes, sorted."""
        return tuple(sorted({task.mechanism_class for task in self.tasks}))

    @property
    def games(self) -> tuple[str, ...]:
        """Configured games, in order of tasks."""
        return tuple(dict.fromkeys(task.game for task in self.tasks))

    def only(self, algorithms: Collection[str]) -> ScoreTable:
        """Keep these algorithms.

        Raises:
            ValueError: one of them is not in the table.
        """
        return self._keep(sorted({self.index(name) for name in algorithms}))

    def of_kinds(self, kinds: Collection[str]) -> ScoreTable:
        """Keep the algorithms of these kinds."""
        return self._keep([i for i, entrant in enumerate(self.algorithms) if entrant.kind in kinds])

    def where(self, condition: Callable[[Task], bool]) -> ScoreTable:
        """Keep the tasks that meet a condition."""
        return self._keep_tasks([t for t, task in enumerate(self.tasks) if condition(task)])

    def of_class(self, mechanism_class: str) -> ScoreTable:
        """Keep the tasks of one mechanism class."""
        return self.where(lambda task: task.mechanism_class == mechanism_class)

    def of_mode(self, reward_mode: str) -> ScoreTable:
        """Keep the tasks of one reward mode."""
        return self.where(lambda task: task.reward_mode == reward_mode)

    def covering(self) -> ScoreTable:
        """Keep the algorithms that have a score on every task, so that all are averaged over the same tasks."""
        return self._keep(np.flatnonzero(self._scored().all(axis=1)).tolist())

    def shared(self) -> ScoreTable:
        """Keep the tasks on which every algorithm has a score."""
        everybody = np.flatnonzero(self._scored().all(axis=0)).tolist()
        return self._keep_tasks(everybody)

    def index(self, name: str) -> int:
        """Return an algorithm's place on the first axis.

        Raises:
            ValueError: it is not in the table.
        """
        if name not in self.names:
            raise ValueError(f"no algorithm {name!r} in the table; it has {', '.join(self.names)}")
        return self.names.index(name)

    def replicates(self, name: str) -> Replicates:
        """Return an algorithm's scores for resampling.

        Raises:
            ValueError: there are no tasks, or it has no score on one of them.
        """
        own = self.scores[self.index(name)]
        if not len(self.tasks):
            raise ValueError("the table has no tasks; scores need runs of Random and of constants or the planner")
        missing = [task for task, scored in zip(self.tasks, np.isfinite(own).any(1), strict=True) if not scored]
        if missing:
            raise ValueError(
                f"{name} has no score in {len(missing)} of {len(self.tasks)} tasks, first {missing[0].game} "
                f"({missing[0].reward_mode}); averages need the same tasks for everybody: use covering() to leave out "
                "such algorithms or shared() to leave out such tasks"
            )
        return Replicates.of(own, axes=("tasks", "runs"))

    def by_seed(self, name: str) -> FloatArray:
        """Return mean scores over all tasks, seed by seed ``(S,)``; NaN for seeds that lack a task.

        Where nothing is left to chance the single run stands for every seed.
        """
        row = self.index(name)
        own = np.where(self.certain[row][:, None], self.scores[row, :, :1], self.scores[row])
        return own.mean(0) if len(own) else np.full(len(self.seeds), np.nan)

    def surely(self, name: str) -> bool:
        """Whether an algorithm leaves nothing to chance on any task."""
        return bool(self.certain[self.index(name)].all())

    def landmark(self, name: str) -> FloatArray | None:
        """Return mean scores ``(T,)`` of well-known play, such as `LANDMARKS`; None where it is not in the table."""
        if name not in self.names:
            return None
        return mean_over_seeds(self.scores[self.index(name)])

    def _scored(self) -> BoolArray:
        return np.isfinite(mean_over_seeds(self.scores))

    def _keep(self, kept: list[int]) -> ScoreTable:
        return replace(
            self,
            algorithms=tuple(self.algorithms[i] for i in kept),
            values=self.values[kept],
            scores=self.scores[kept],
            diverged=self.diverged[kept],
            certain=self.certain[kept],
        )

    def _keep_tasks(self, kept: list[int]) -> ScoreTable:
        return replace(
            self,
            tasks=tuple(self.tasks[t] for t in kept),
            anchors=tuple(self.anchors[t] for t in kept),
            values=self.values[:, kept],
            scores=self.scores[:, kept],
            diverged=self.diverged[:, kept],
            certain=self.certain[:, kept],
        )


def score_table(runs: pa.Table, yardstick: Yardstick = "return_mode", diverged: Diverged = "worst") -> ScoreTable:
    """Score the self-play of a corpus.

    Args:
        runs: the ``runs`` table; other protocols are passed over.
        yardstick: what is scored. Under a ``sto_`` yardstick agents that were not trained count with the only
            evaluation they have.
        diverged: what a diverged run counts as.

    Raises:
        ValueError: unknown yardstick or treatment, two runs under one seed, or ``diverged="random"`` without Random.
    """
    if yardstick not in YARDSTICKS or diverged not in get_args(Diverged):
        raise ValueError(
            f"yardstick={yardstick!r}, diverged={diverged!r}: expected one of {', '.join(YARDSTICKS)}, and one of "
            f"{', '.join(get_args(Diverged))}"
        )
    grid = run_grid(self_play(runs))
    observed = _observed(grid, yardstick)
    scale, found = find_anchors(grid, observed, yardstick)
    values, certain = _once_where_certain(grid, _with_diverged(grid, observed, diverged))
    kept = [t for t, anchors in enumerate(found) if anchors is not None]
    anchors = tuple(each for each in found if each is not None)
    zero, one = (np.array([getattr(each, end) for each in anchors])[:, None] for end in ("zero", "one"))
    return ScoreTable(
        yardstick=yardstick,
        diverged_as=diverged,
        scale=scale,
        algorithms=grid.algorithms,
        tasks=tuple(grid.tasks[t] for t in kept),
        seeds=grid.seeds,
        values=values[:, kept],
        scores=(values[:, kept] - zero) / (one - zero),
        diverged=grid.ended("diverged")[:, kept],
        certain=certain[:, kept],
        anchors=anchors,
        unscored=tuple(task for task, anchors in zip(grid.tasks, found, strict=True) if anchors is None),
    )


def both_tables(runs: pa.Table, yardstick: Yardstick = "return_mode") -> tuple[ScoreTable, ScoreTable]:
    """Return two tables to show side by side: diverged runs as the worst value, and without them."""
    return score_table(runs, yardstick, "worst"), score_table(runs, yardstick, "excluded")


def _observed(grid: RunGrid, yardstick: Yardstick) -> FloatArray:
    """What completed runs reached, ``(A, T, S)``."""
    values = grid.column(yardstick)
    if yardstick.startswith("sto_"):
        values = np.where(_scripted(grid)[:, None, None], grid.column(yardstick.removeprefix("sto_")), values)
    return np.where(grid.ended("completed"), values, np.nan)


def _with_diverged(grid: RunGrid, observed: FloatArray, diverged: Diverged) -> FloatArray:
    """Put in what diverged runs count as."""
    lost = grid.ended("diverged")
    if diverged == "excluded" or not lost.any():
        return observed
    if diverged == "worst":
        by_task = np.where(np.isfinite(observed), observed, np.inf).min(axis=(0, 2), initial=np.inf)
    else:
        random = observed[[entrant.name == RANDOM for entrant in grid.algorithms]].swapaxes(0, 1)
        by_task = np.array([runs[np.isfinite(runs)].mean() if np.isfinite(runs).any() else np.inf for runs in random])
    counted_as = np.where(np.isfinite(by_task), by_task, np.nan)[:, None]
    if diverged == "random" and np.isnan(counted_as[lost.any(axis=(0, 2))]).any():
        raise ValueError("diverged='random' needs runs of Random on every task where a run diverged; use 'worst'")
    return np.where(lost, counted_as, observed)


def _once_where_certain(grid: RunGrid, values: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Let agents that leave nothing to chance count once, at the first seed.

    They are known by a single run, since studies run them once, or by the same value under every seed.
    """
    scripted = _scripted(grid, besides=RANDOM)[:, None]
    finite = np.isfinite(values)
    low = np.where(finite, values, np.inf).min(-1, initial=np.inf)
    high = np.where(finite, values, -np.inf).max(-1, initial=-np.inf)
    known = scripted & finite.any(-1)
    certain = known & np.isclose(np.where(known, low, 0.0), np.where(known, high, 0.0), rtol=1e-9, atol=0.0)
    once = np.full(values.shape, np.nan)
    once[..., :1] = np.where(certain, low, np.nan)[..., None]
    return np.where(certain[..., None], once, values), certain


def _scripted(grid: RunGrid, besides: str = "") -> BoolArray:
    return np.array([each.kind in SCRIPTED and each.name != besides for each in grid.algorithms], dtype=bool)
