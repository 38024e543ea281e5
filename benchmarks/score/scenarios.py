"""Agents among others: scores of focal agents, and everybody against everybody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from coopgym.benchmarks.score.estimates import Estimate, mean_estimate, mean_over_seeds
from coopgym.benchmarks.score.grid import Algorithm, RunGrid, Task, run_grid, self_play, task_order
from coopgym.benchmarks.score.scores import score_table
from coopgym.typing import FloatArray

AMONG = "among:"
"""Beginning of the names of scenarios in which the focal agent sits alone among copies of the one named after it."""

SIDES = ("focal", "background")
NUMBERS = ("return", "payoff", "cooperation")
"""What `ScenarioScore` tells of each side."""


@dataclass(frozen=True)
class ScenarioScore:
    """A focal agent in a scenario on one task, over seeds; numbers are means over seats."""

    scenario: str
    algorithm: Algorithm
    task: Task
    focal_return: Estimate | None
    focal_payoff: Estimate | None
    focal_cooperation: Estimate | None
    background_return: Estimate | None
    background_payoff: Estimate | None
    background_cooperation: Estimate | None
    advantage: Estimate | None
    """Focal payoff minus background payoff, run by run: above zero the focal agent lives off the others, below zero
    they live off it."""


@dataclass(frozen=True, eq=False)
class CrossPlay:
    """What an agent earns alone among copies of another, under one reward mode; A agents, T games."""

    names: tuple[str, ...]
    tasks: tuple[Task, ...]
    reward_mode: str
    payoffs: FloatArray
    """``(A, A, T)`` mean payoff per seat of the row's agent among copies of the column's, mean over seeds; on the
    diagonal a seat of its self-play. NaN where nobody played."""
    scores: FloatArray
    """``(A, A, T)`` payoffs between the anchors of welfare, per seat; NaN also where a game has no anchors."""
    scale: str
    """What scores 0 and 1."""

    @property
    def matrix(self) -> FloatArray:
        """``(A, A)`` mean score over games that have anchors; NaN where a pair lacks one of them."""
        anchored = np.isfinite(self.scores).any(axis=(0, 1))
        return self.scores[..., anchored].mean(-1) if anchored.any() else np.full(self.scores.shape[:2], np.nan)


def scenario_scores(runs: pa.Table) -> tuple[ScenarioScore, ...]:
    """Score every focal agent in every scenario on every task, in order of scenario, agent and task.

    Raises:
        ValueError: two runs of one agent in one scenario under one seed.
    """
    return tuple(score for name, grid in _grids(runs).items() for score in _scenario(name, grid))


def cross_play(runs: pa.Table, reward_mode: str) -> CrossPlay:
    """Arrange encounters of pairs of agents as matrices.

    Args:
        runs: the ``runs`` table, with encounters ``among:<name>`` and self-play.
        reward_mode: whose runs are taken.

    Raises:
        ValueError: there are no encounters under this mode.
    """
    own = runs.filter(pc.equal(runs.column("reward_mode"), reward_mode))
    among = {name.removeprefix(AMONG): grid for name, grid in _grids(own).items() if name.startswith(AMONG)}
    if not among:
        raise ValueError(f"no encounters {AMONG}<name> under {reward_mode} reward; run a study with cross-play")
    tasks = tuple(sorted({task for grid in among.values() for task in grid.tasks}, key=task_order))
    names = tuple(sorted({*among, *(algorithm.name for grid in among.values() for algorithm in grid.algorithms)}))
    seats = np.array([task.n_agents for task in tasks], dtype=np.float64)
    alone = _laid_out(run_grid(self_play(own)), "welfare", names, tasks) / seats
    payoffs = np.full((len(names), len(names), len(tasks)), np.nan)
    for column, name in enumerate(names):
        if name in among:
            payoffs[:, column] = _laid_out(among[name], "focal_payoff", names, tasks)
        payoffs[column, column] = alone[column]
    table = score_table(runs, "welfare")
    anchors = dict(zip(table.tasks, table.anchors, strict=True))
    ends = [(anchors[task].zero, anchors[task].one) if task in anchors else (np.nan, np.nan) for task in tasks]
    zero, one = np.array(ends).T / seats
    return CrossPlay(names, tasks, reward_mode, payoffs, (payoffs - zero) / (one - zero), table.scale.label)


def _grids(runs: pa.Table) -> dict[str, RunGrid]:
    """One grid per scenario, in order of their names."""
    met = runs.filter(pc.fill_null(pc.equal(runs.column("protocol"), "scenario"), False))
    names = sorted(met.column("scenario").drop_null().unique().to_pylist())
    return {name: run_grid(met.filter(pc.equal(met.column("scenario"), name))) for name in names}


def _scenario(name: str, grid: RunGrid) -> Iterator[ScenarioScore]:
    columns = {f"{side}_{what}": grid.column(f"{side}_{what}") for side in SIDES for what in NUMBERS}
    columns["advantage"] = columns["focal_payoff"] - columns["background_payoff"]
    for a, t in np.argwhere(grid.present.any(-1)).tolist():
        estimates = {column: mean_estimate(values[a, t]) for column, values in columns.items()}
        yield ScenarioScore(name, grid.algorithms[a], grid.tasks[t], **estimates)


def _laid_out(grid: RunGrid, column: str, names: tuple[str, ...], tasks: tuple[Task, ...]) -> FloatArray:
    """Return means over seeds in the order of ``names`` and ``tasks``, ``(A, T)``, NaN where there is none."""
    laid_out = np.full((len(names), len(tasks)), np.nan)
    means = mean_over_seeds(grid.column(column))
    rows = [a for a, algorithm in enumerate(grid.algorithms) if algorithm.name in names]
    columns = [t for t, task in enumerate(grid.tasks) if task in tasks]
    to_rows = [names.index(grid.algorithms[a].name) for a in rows]
    to_columns = [tasks.index(grid.tasks[t]) for t in columns]
    laid_out[np.ix_(to_rows, to_columns)] = means[np.ix_(rows, columns)]
    return laid_out
