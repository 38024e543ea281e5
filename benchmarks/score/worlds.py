"""How good play in worlds is: between the best uninformed level and the informed plan of the very draws that were met.

Both ends are runs of the corpus, as the ends of all other scores are. Under a seed everybody meets the same test draws
(`coopgym.worlds.scored_draws`), so a seed is a part of these draws, and a score is a ratio of sums over all parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import pyarrow as pa

from coopgym.benchmarks.score.anchors import Scale
from coopgym.benchmarks.score.estimates import FEWEST, Estimate, linearised_ratios, score_text, student_quantile
from coopgym.benchmarks.score.grid import RunGrid, Task, run_grid
from coopgym.benchmarks.score.ranks import RankTable, rank_table
from coopgym.benchmarks.score.scores import with_diverged
from coopgym.benchmarks.score.seed_scores import SeedScores
from coopgym.benchmarks.score.settings import PLAYERS
from coopgym.typing import BoolArray, FloatArray
from coopgym.worlds import WORLDS

UNINFORMED, INFORMED = "Oracle_Uninformed", "Oracle_InformedPlan"
"""Agents that score 0 and 1, by the welfare that they earn in self-play."""
SCALE = Scale("the best uninformed level", "the informed plan")
AFTER_CHANGES = "changed"
"""The score of the steps from every change of a shifting world on."""


@dataclass(frozen=True, eq=False)
class WorldScores(SeedScores):
    """Welfare scores Σ(W - W_c) / Σ(W* - W_c): W_c of the best uninformed level, W* of the informed plan."""

    after_changes: FloatArray
    """``(A, T, S)`` the same of the ten steps from every change of a world on; NaN where none is known."""
    regret: FloatArray
    """``(A, T, S, steps)`` what the informed plan earns more in a step, over what it earns more than the best level in
    a step on average: its mean over an episode is one minus the score. NaN where none is known, and past the end."""
    unscored: tuple[Task, ...]
    """Tasks that are left out because an end of the score is missing, or the two coincide."""

    @property
    def worlds(self) -> tuple[str, ...]:
        """Worlds, in their order."""
        present = {task.setting.world for task in self.tasks}
        return tuple(world for world in WORLDS if world in present)

    def of_world(self, world: str) -> Self:
        """Keep the tasks of one world."""
        return self.where(lambda task: task.setting.world == world)

    def of_changes(self) -> Self:
        """Return the scores of the steps after changes, on the tasks that have any."""
        told = np.flatnonzero(np.isfinite(self.after_changes).any(axis=(0, 2))).tolist()
        return replace(self.of_tasks(told), scores=self.after_changes[:, told])

    def of_tasks(self, kept: list[int]) -> Self:
        return replace(super().of_tasks(kept), after_changes=self.after_changes[:, kept], regret=self.regret[:, kept])

    def _keep(self, kept: list[int]) -> Self:
        return replace(super()._keep(kept), after_changes=self.after_changes[kept], regret=self.regret[kept])


def world_scores(grid: RunGrid) -> WorldScores:
    """Score self-play in worlds. A run that diverged counts as the worst that anybody reached on its task.

    Args:
        grid: of self-play in worlds other than the fixed one.
    """
    welfare = np.where(grid.ended("completed"), grid.column("welfare"), np.nan)
    after, by_step = grid.column("welfare_after_change"), _by_step(grid)
    counted = np.where(_on_common_draws(grid), with_diverged(grid, welfare, "worst"), np.nan)
    zero, one = (_reference(grid, name, welfare) for name in (UNINFORMED, INFORMED))
    zero_after, one_after = (_reference(grid, name, after) for name in (UNINFORMED, INFORMED))
    gap = (one - zero) / np.array([task.horizon for task in grid.tasks])[:, None]
    missed = np.moveaxis(_reference(grid, INFORMED, by_step) - by_step, -1, -2)
    table = WorldScores(
        scale=SCALE,
        algorithms=grid.algorithms,
        tasks=grid.tasks,
        seeds=grid.seeds,
        scores=linearised_ratios(counted - zero, one - zero),
        deterministic=np.zeros(grid.row.shape[:2], dtype=bool),
        diverged=grid.ended("diverged"),
        after_changes=linearised_ratios(after - zero_after, one_after - zero_after),
        regret=np.moveaxis(linearised_ratios(missed, gap[:, None]), -2, -1),
        unscored=(),
    )
    scored: BoolArray = np.asarray(np.isfinite(table.scores).any(axis=(0, 2)))
    unscored = tuple(task for task, has in zip(grid.tasks, scored, strict=True) if not has)
    return replace(table.of_tasks(np.flatnonzero(scored).tolist()), unscored=unscored)


def _reference(grid: RunGrid, name: str, values: FloatArray) -> FloatArray:
    """Return values ``(T, S, ...)`` of a reference agent, whatever the reward mode under which it played the game."""
    found = np.full(values.shape[1:], np.nan)
    for row in (a for a, algorithm in enumerate(grid.algorithms) if algorithm.name == name):
        for t, task in enumerate(grid.tasks):
            for other in (u for u, each in enumerate(grid.tasks) if each.game == task.game):
                found[t] = np.where(np.isfinite(found[t]), found[t], values[row, other])
    return found


def _on_common_draws(grid: RunGrid) -> BoolArray:
    """``(A, T, S)`` whether a run has met the draws of both ends: seed and number of episodes tell which these were."""
    episodes = grid.column("episodes")
    ends = [_reference(grid, name, episodes) for name in (UNINFORMED, INFORMED)]
    common: BoolArray = np.logical_and.reduce([episodes == end for end in ends])
    return common


def _by_step(grid: RunGrid) -> FloatArray:
    """Welfare by step ``(A, T, S, steps)``; zero from an early end on, and NaN past the horizon."""
    lists = grid.runs.column("step_welfare").to_pylist()
    horizons = grid.runs.column("horizon").to_pylist()
    values = np.full((len(lists), max(horizons, default=0)), np.nan)
    for row, (told, horizon) in enumerate(zip(lists, horizons, strict=True)):
        if told is not None:
            values[row, :horizon] = 0.0
            values[row, : len(told)] = told
    return grid.place(values)


@dataclass(frozen=True, eq=False)
class RegretCurve:
    """Regret of an agent in the steps that all games of a table have, its mean over them."""

    algorithm: str
    steps: FloatArray
    """``(steps,)`` from 1."""
    regret: FloatArray
    """``(steps,)`` mean over seeds."""
    low: FloatArray | None
    """``(steps,)`` ends of its interval, step by step; None where there are too few seeds for one."""
    high: FloatArray | None


def regret_curves(table: WorldScores) -> tuple[RegretCurve, ...]:
    """Return the curves of all agents of a table whose steps are known in all its games, under a seed at least."""
    if not table.tasks:
        return ()
    together = table.regret.mean(1)[..., : min(task.horizon for task in table.tasks)]
    return tuple(
        _curve(name, own[known])
        for name, own in zip(table.names, together, strict=True)
        if (known := np.isfinite(own).all(-1)).any()
    )


def _curve(name: str, by_seed: FloatArray) -> RegretCurve:
    """The curve of regrets ``(seeds, steps)``."""
    seeds, steps = by_seed.shape
    mean, half = by_seed.mean(0), None
    if seeds >= FEWEST:
        half = student_quantile(seeds) * by_seed.std(0, ddof=1) / np.sqrt(seeds)
    ends = (None, None) if half is None else (mean - half, mean + half)
    return RegretCurve(name, np.arange(1.0, steps + 1.0), mean, *ends)


@dataclass(frozen=True, eq=False)
class WorldRanking:
    """Agents that have scores in all games and worlds under one reward mode, best first."""

    mode: str
    objective: str | None
    table: WorldScores
    """Of those agents, on the tasks of the mode."""
    absent: tuple[str, ...]
    """Agents that lack some of these games or worlds."""

    @property
    def measure(self) -> str:
        """What it is ordered by."""
        return "welfare score"

    @property
    def heading(self) -> str:
        """What is ranked."""
        return f"Worlds, {self.mode} reward" + (f", {self.objective} objective" if self.objective else "")

    @property
    def scope(self) -> str:
        """What it covers."""
        games, worlds = len({task.setting.environment for task in self.table.tasks}), len(self.table.worlds)
        return f"{games} game{'s' * (games > 1)} in {worlds} world{'s' * (worlds > 1)}"

    @cached_property
    def ranks(self) -> RankTable:
        """The agents, best first."""
        return rank_table(self.table)

    @property
    def absences(self) -> Mapping[str, list[str]]:
        """Why agents are not in it, with the names that the reason holds for."""
        return {f"not scored in all of {self.scope}": list(self.absent)} if self.absent else {}

    def numbers(self, name: str) -> dict[str, Estimate]:
        """Return what stands in an agent's row, by what it is: first the number by which the ranking is ordered."""
        found = {self.measure: self.table.estimate(name)}
        if len(self.table.worlds) > 1:
            found |= {world: self.table.of_world(world).estimate(name) for world in self.table.worlds}
        changes = self.table.of_changes()
        if changes.tasks:
            found[AFTER_CHANGES] = changes.estimate(name)
        return {measure: estimate for measure, estimate in found.items() if estimate is not None}

    @property
    def verdict(self) -> str:
        """Who comes first, in words."""
        rows = [row for row in self.ranks.rows if row.algorithm.kind in PLAYERS]
        scope = f"In worlds under {self.mode} reward"
        if not rows:
            return ""
        leaders = self.ranks.leaders([row.algorithm.name for row in rows])
        names = [row.algorithm.name for row in leaders]
        if len(names) == 1:
            return f"{scope} {names[0]} scores most: {_in_words(rows[0].score)}."
        scores = f"{names[0]} scores {_in_words(rows[0].score)}"
        return f"{scope} {', '.join(names[:-1])} and {names[-1]} come first and cannot be told apart: {scores}."


def _in_words(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return score_text(estimate.value)
    return f"{score_text(estimate.value)} ({score_text(estimate.low)} to {score_text(estimate.high)})"


@dataclass(frozen=True, eq=False)
class WorldBoard:
    """Self-play in worlds that may be compared: agents without an objective, and the learners of one."""

    objective: str | None
    runs: pa.Table
    first_objective: str | None = None

    @cached_property
    def grid(self) -> RunGrid:
        """Its runs by agent, task and seed."""
        return run_grid(self.runs)

    @cached_property
    def scores(self) -> WorldScores:
        """The scores."""
        return world_scores(self.grid)

    def table(self) -> WorldScores:
        """Return the scores."""
        return self.scores

    @property
    def remark(self) -> str:
        """What is not scored, and why; empty where everything is."""
        missing = len(self.scores.unscored)
        ends = f"scores need runs of {UNINFORMED} and {INFORMED} with the same seeds and episodes"
        return f"Not scored in worlds: {missing} of {len(self.grid.tasks)} tasks; {ends}." if missing else ""

    @cached_property
    def rankings(self) -> tuple[WorldRanking, ...]:
        """A ranking for each reward mode."""
        return tuple(self._ranking(mode) for mode in self.scores.modes)

    def _ranking(self, mode: str) -> WorldRanking:
        table = self.scores.of_mode(mode)
        covering = table.covering()
        absent = tuple(
            each.name
            for each in table.algorithms
            if each.name not in covering.names and np.isfinite(table.only([each.name]).scores).any()
        )
        return WorldRanking(mode, self.objective, covering, absent)
