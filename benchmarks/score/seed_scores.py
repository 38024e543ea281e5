"""Scores by algorithm, task and seed, and the one statistic that orders, compares and draws algorithms."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from coopgym.benchmarks.score.anchors import Scale
from coopgym.benchmarks.score.estimates import Estimate, crossed_estimate, mean_estimate, mean_over_seeds
from coopgym.benchmarks.score.grid import Algorithm, Task
from coopgym.benchmarks.score.settings import SHOWN_CONSTANTS
from coopgym.typing import BoolArray, FloatArray


@dataclass(frozen=True, eq=False)
class SeedScores:
    """Scores of A algorithms on T tasks under S seeds; NaN where a run is missing, failed or excluded.

    The score of an algorithm under a seed is its mean over tasks, and its score the mean of those over seeds. Orders,
    letters, differences and intervals all come from these numbers. An agent that leaves nothing to chance has
    one run per task, at its first seed, that stands for all seeds.
    """

    scale: Scale
    algorithms: tuple[Algorithm, ...]
    tasks: tuple[Task, ...]
    seeds: tuple[int, ...]
    scores: FloatArray
    """``(A, T, S)``."""
    deterministic: BoolArray
    """``(A, T)`` True where nothing is left to chance."""
    diverged: BoolArray
    """``(A, T, S)`` True where a run's numbers stopped being finite."""

    @property
    def lower_is_better(self) -> bool:
        """Whether the best score is the lowest."""
        return self.scale.lower_is_better

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the algorithms."""
        return tuple(algorithm.name for algorithm in self.algorithms)

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

    def only(self, algorithms: Collection[str]) -> Self:
        """Keep these algorithms.

        Raises:
            ValueError: one of them is not in the table.
        """
        return self._keep(sorted({self.index(name) for name in algorithms}))

    def of_kinds(self, kinds: Collection[str]) -> Self:
        """Keep the algorithms of these kinds."""
        return self._keep([i for i, algorithm in enumerate(self.algorithms) if algorithm.kind in kinds])

    def where(self, condition: Callable[[Task], bool]) -> Self:
        """Keep the tasks that meet a condition."""
        return self.of_tasks([t for t, task in enumerate(self.tasks) if condition(task)])

    def of_class(self, mechanism_class: str) -> Self:
        """Keep the tasks of one mechanism class."""
        return self.where(lambda task: task.mechanism_class == mechanism_class)

    def of_mode(self, reward_mode: str) -> Self:
        """Keep the tasks of one reward mode."""
        return self.where(lambda task: task.reward_mode == reward_mode)

    def of_tasks(self, kept: list[int]) -> Self:
        """Keep the tasks at these places on the second axis."""
        return replace(
            self,
            tasks=tuple(self.tasks[t] for t in kept),
            scores=self.scores[:, kept],
            deterministic=self.deterministic[:, kept],
            diverged=self.diverged[:, kept],
        )

    def covering(self) -> Self:
        """Keep the algorithms that have a score on every task, so that all are averaged over the same tasks."""
        return self._keep(np.flatnonzero(self._scored().all(axis=1)).tolist())

    def shared(self) -> Self:
        """Keep the tasks on which every algorithm has a score."""
        everybody = np.flatnonzero(self._scored().all(axis=0)).tolist()
        return self.of_tasks(everybody)

    def index(self, name: str) -> int:
        """Return an algorithm's place on the first axis.

        Raises:
            ValueError: it is not in the table.
        """
        if name not in self.names:
            raise ValueError(f"no algorithm {name!r} in the table; it has {', '.join(self.names)}")
        return self.names.index(name)

    def every_seed(self, name: str) -> FloatArray:
        """Return an algorithm's scores ``(T, S)``; where nothing is left to chance, its run stands for every seed."""
        row = self.index(name)
        return np.where(self.deterministic[row][:, None], self.scores[row, :, :1], self.scores[row])

    def by_seed(self, name: str) -> FloatArray:
        """Return an algorithm's score under every seed ``(S,)``; NaN for seeds that lack a task."""
        scores = self.every_seed(name)
        return scores.mean(axis=0) if len(scores) else np.full(len(self.seeds), np.nan)

    def crossed(self, name: str) -> FloatArray:
        """Return an algorithm's score by all that is drawn, ``(P, S)``: partner, of whom there may be none, and seed.

        The mean over partners is the score under each seed. Estimates go by these numbers.
        """
        return self.by_seed(name)[None]

    def differences(self, first: str, second: str) -> FloatArray:
        """Return by how much one algorithm scores more than another, ``(P, S)`` likewise; comparisons go by these."""
        return self.crossed(first) - self.crossed(second)

    def surely(self, name: str) -> bool:
        """Whether an algorithm leaves nothing to chance on any task."""
        return bool(self.deterministic[self.index(name)].all())

    def estimate(self, name: str) -> Estimate | None:
        """Return an algorithm's score over seeds; None where it lacks a task.

        Where no seed has every task, as when games were played under different ones, the score is that of the means
        over seeds, of which no seed tells how certain it is.
        """
        found = crossed_estimate(self.crossed(name), self.surely(name))
        if found is not None:
            return found
        by_task = mean_over_seeds(self.scores[self.index(name)])
        scored = len(by_task) and np.isfinite(by_task).all()
        return Estimate(float(by_task.mean()), None, None, 0) if scored else None

    def cell(self, name: str, task: Task) -> Estimate | None:
        """Return an algorithm's score on one task over its seeds; None where it has none."""
        if name not in self.names or task not in self.tasks:
            return None
        return mean_estimate(self.scores[self.index(name), self.tasks.index(task)])

    def reference_score(self, name: str) -> FloatArray | None:
        """Return mean scores ``(T,)`` of well-known play; None where it is not in the table."""
        return mean_over_seeds(self.scores[self.index(name)]) if name in self.names else None

    def _scored(self) -> BoolArray:
        return np.isfinite(mean_over_seeds(self.scores))

    def _keep(self, kept: list[int]) -> Self:
        return replace(
            self,
            algorithms=tuple(self.algorithms[i] for i in kept),
            scores=self.scores[kept],
            deterministic=self.deterministic[kept],
            diverged=self.diverged[kept],
        )


def shown(table: SeedScores) -> list[str]:
    """Return the names of a table without those constants of a scan that are neither well known nor the best."""
    constants = [(score.value, algorithm.name) for algorithm in table.algorithms
                 if algorithm.kind == "constant" and (score := table.estimate(algorithm.name))]  # fmt: skip
    kept = {*SHOWN_CONSTANTS, (min if table.lower_is_better else max)(constants, default=(0.0, ""))[1]}
    return [each.name for each in table.algorithms if each.kind != "constant" or each.name in kept]


def once_where_deterministic(values: FloatArray, scripted: BoolArray, drawn: BoolArray) -> tuple[FloatArray, BoolArray]:
    """Let agents that leave nothing to chance count once, at the first seed.

    They are known by a single run, since studies run them once, or by the same value under every seed.

    Args:
        values: ``(A, T, S)``.
        scripted: ``(A,)`` who may leave nothing to chance.
        drawn: ``(T,)`` tasks whose game draws numbers, so that no run stands for another seed.

    Returns:
        The values ``(A, T, S)``, and where nothing is left to chance ``(A, T)``.
    """
    finite = np.isfinite(values)
    low = np.where(finite, values, np.inf).min(-1, initial=np.inf)
    high = np.where(finite, values, -np.inf).max(-1, initial=-np.inf)
    known = scripted[:, None] & ~drawn & finite.any(-1)
    deterministic = known & np.isclose(np.where(known, low, 0.0), np.where(known, high, 0.0), rtol=1e-9, atol=0.0)
    once = np.full(values.shape, np.nan)
    once[..., :1] = np.where(deterministic, low, np.nan)[..., None]
    return np.where(deterministic[..., None], once, values), deterministic
