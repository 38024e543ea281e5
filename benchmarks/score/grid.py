"""Rows of ``runs`` laid out by algorithm, task and seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from coopgym.benchmarks.score.settings import Setting, mode_order
from coopgym.corpus.schema import worlds_of
from coopgym.typing import BoolArray, FloatArray, IntArray
from coopgym.worlds import FIXED

SCRIPTED = ("constant", "heuristic", "oracle")
"""Kinds of agents that may leave nothing to chance."""
_TOLD_APART_BY = ("study", "view", "objective", "episodes", "scenario", "hyperparameters", "n_agents")


@dataclass(frozen=True)
class Algorithm:
    """Whatever is compared: an algorithm by the name it has in tables."""

    name: str
    kind: str


@dataclass(frozen=True)
class Task:
    """Where runs are comparable: a configured game under one reward mode, with facts of the game."""

    setting: Setting
    mechanism_class: str
    n_agents: int
    horizon: int

    @property
    def game(self) -> str:
        """The game's id, with its overridden parameters if there are any."""
        return self.setting.game

    @property
    def reward_mode(self) -> str:
        """The reward mode of training."""
        return self.setting.reward_mode


@dataclass(frozen=True, eq=False)
class RunGrid:
    """Runs by algorithm (A), task (T) and seed (S).

    One run has one place: what a run did in several episodes was averaged when it was evaluated, because the seed, not
    the episode, is the unit of replication.
    """

    runs: pa.Table
    algorithms: tuple[Algorithm, ...]
    """In order of name."""
    tasks: tuple[Task, ...]
    """In order of reward mode, mechanism class and game."""
    seeds: tuple[int, ...]
    """Ascending."""
    row: IntArray
    """``(A, T, S)`` row of ``runs``, -1 where there is none."""

    @property
    def present(self) -> BoolArray:
        """``(A, T, S)`` True where there is a run, however it ended."""
        return self.row >= 0

    def column(self, name: str) -> FloatArray:
        """Return a column of numbers as ``(A, T, S)``, NaN where there is no run or a null."""
        return self.place(np.array(self.runs.column(name).to_pylist(), dtype=np.float64))

    def measured(self, column: str, measure: Callable[[FloatArray], float | None]) -> FloatArray:
        """Return a measure of each run's list of numbers as ``(A, T, S)``; NaN where there is no list or no answer."""
        lists = self.runs.column(column).to_pylist()
        found = [None if values is None else measure(np.array(values, dtype=np.float64)) for values in lists]
        return self.place(np.array(found, dtype=np.float64))

    def ended(self, status: str) -> BoolArray:
        """``(A, T, S)`` True where a run ended with this status."""
        return self.place(np.array(self.runs.column("status").to_pylist()) == status) > 0

    def place(self, values: FloatArray | BoolArray) -> FloatArray:
        """Lay out what rows of `runs` tell, ``(runs, ...)``, as ``(A, T, S, ...)``; NaN where there is no run."""
        placed = np.full((*self.row.shape, *values.shape[1:]), np.nan)
        placed[self.present] = values[self.row[self.present]]
        return placed

    def of_kinds(self, kinds: Iterable[str]) -> RunGrid:
        """Keep the algorithms of these kinds."""
        kept = [i for i, algorithm in enumerate(self.algorithms) if algorithm.kind in set(kinds)]
        return replace(self, algorithms=tuple(self.algorithms[i] for i in kept), row=self.row[kept])


def self_play(runs: pa.Table) -> pa.Table:
    """Keep the runs of the fixed world in which copies of one agent had all seats; before protocols, all had."""
    return runs.filter(pc.and_(_by_copies(runs), pc.equal(worlds_of(runs), FIXED)))


def self_play_in_worlds(runs: pa.Table) -> pa.Table:
    """Keep those of all other worlds; what was played before schema 1.6 did not meet the test draws."""
    return runs.filter(pc.and_(_by_copies(runs), pc.fill_null(pc.not_equal(runs.column("world"), FIXED), False)))


def _by_copies(runs: pa.Table) -> pa.ChunkedArray:
    return pc.equal(pc.fill_null(runs.column("protocol"), "self_play"), "self_play")


def task_order(task: Task) -> tuple[object, ...]:
    """Return a sorting key: reward mode, the named ones first, then mechanism class and game."""
    setting = task.setting
    return (mode_order(setting.reward_mode), task.mechanism_class, setting.environment, setting.env_parameters)


def run_grid(runs: pa.Table) -> RunGrid:
    """Lay out runs that share a protocol, and a scenario if they have one.

    Raises:
        ValueError: two runs claim the same place, as when episodes were stacked as runs.
    """
    names, kinds, seeds, *facts = (
        runs.column(name).to_pylist()
        for name in (
            *("algorithm", "algorithm_kind", "seed", "environment", "env_parameters", "reward_mode"),
            *("mechanism_class", "n_agents", "horizon"),
        )
    )
    settings = [Setting(*each) for each in zip(*facts[:3], strict=True)]
    tasks = {s: Task(s, *each) for s, *each in zip(settings, *facts[3:], strict=True)}
    algorithms = {name: Algorithm(name, kind) for name, kind in zip(names, kinds, strict=True)}
    algorithm_places = {name: i for i, name in enumerate(sorted(algorithms))}
    task_places = {setting: i for i, setting in enumerate(sorted(tasks, key=lambda each: task_order(tasks[each])))}
    seed_places = {seed: i for i, seed in enumerate(sorted(set(seeds)))}
    where = (
        np.array([algorithm_places[name] for name in names], dtype=np.int64),
        np.array([task_places[setting] for setting in settings], dtype=np.int64),
        np.array([seed_places[seed] for seed in seeds], dtype=np.int64),
    )
    row = np.full((len(algorithm_places), len(task_places), len(seed_places)), -1, dtype=np.int64)
    row[where] = np.arange(len(runs))
    overwritten = np.flatnonzero(row[where] != np.arange(len(runs)))
    if len(overwritten):
        _refuse_second(runs, int(overwritten[0]), int(row[tuple(index[overwritten[0]] for index in where)]))
    return RunGrid(
        runs,
        tuple(algorithms[name] for name in algorithm_places),
        tuple(tasks[setting] for setting in task_places),
        tuple(seed_places),
        row,
    )


def _refuse_second(runs: pa.Table, first: int, second: int) -> None:
    one, other = runs.slice(first, 1).to_pylist()[0], runs.slice(second, 1).to_pylist()[0]
    differing = [name for name in _TOLD_APART_BY if one[name] != other[name]]
    reason = f"they differ in {', '.join(differing)}" if differing else "nothing tells them apart"
    raise ValueError(
        f"{one['algorithm']} in {one['environment']} {one['env_parameters']} ({one['reward_mode']}), "
        f"seed {one['seed']}: two runs, {reason}; expected one run per seed, because seeds are the replicates: "
        "average episodes within a run, and select runs or name them apart where their settings differ"
    )
