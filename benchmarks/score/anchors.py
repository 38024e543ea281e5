"""The two points of a game that scores stand between, found among the runs themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from coopgym.benchmarks.metrics import normalised_score
from coopgym.benchmarks.score.estimates import TextArray, mean_over_seeds
from coopgym.benchmarks.score.grid import RunGrid
from coopgym.benchmarks.score.settings import RANDOM
from coopgym.typing import BoolArray, FloatArray

PLANNER = "Oracle_Planner"
CONSTANT_ORACLES = ("Oracle_BestConstant", "Oracle_SocialOptimum")
"""Oracles that hold a level for every seat, and so belong to the best known plans."""
PRIVATE_NASH: Mapping[str, bool] = {"Oracle_CommitmentNash": True, "Oracle_Nash": False}
"""Oracles of private play, the preferred one first, and whether one follows the reward it is told, so that only its
runs under private reward are private play."""


@dataclass(frozen=True)
class Anchors:
    """What scores 0 and what scores 1 on one task, in units of the metric."""

    zero: float
    one: float
    best: str
    """The run that scores 1."""


@dataclass(frozen=True)
class Scale:
    """What the ends of the axis are, in words; the same for every task of a table."""

    zero: str
    one: str
    lower_is_better: bool = False

    @property
    def label(self) -> str:
        """The axis in words."""
        return f"0 = {self.zero}, 1 = {self.one}"


def find_anchors(grid: RunGrid, values: FloatArray, metric: str) -> tuple[Scale, list[Anchors | None]]:
    """Find what scores 0 and 1 on every task.

    By the return, zero is Random and one the best constant that was played, whoever else took part. By welfare, which
    means the same under every reward mode, zero is the private Nash equilibrium and one the best known plan, each if
    the runs have one for every game, among the runs of a game under any mode.

    Args:
        grid: self-play of everybody.
        values: ``(A, T, S)`` what runs reach on the metric, on common draws (`common_draws`).
        metric: the column that ``values`` come from.

    Returns:
        The scale, and per task its anchors; None where one is missing or they stand the wrong way round.
    """
    welfare = metric.endswith("welfare")
    together = _tasks_together(grid, by_mode=metric.endswith("return_mode"))
    names = np.array([algorithm.name for algorithm in grid.algorithms])
    zero, zeros = _zeros(grid, values, names, together, welfare)
    candidates = np.array([algorithm.kind == "constant" for algorithm in grid.algorithms], dtype=bool)
    one = "best constant"
    if welfare and _everywhere(values[names == PLANNER], together):
        candidates, one = candidates | np.isin(names, (*CONSTANT_ORACLES, PLANNER)), "best known plan"
    heights = mean_over_seeds(values)
    anchors = [
        _anchors(zeros[t], np.where(candidates[:, None] & together[t], heights, np.nan), names)
        for t in range(len(grid.tasks))
    ]
    return Scale(zero, one), anchors


def common_draws(grid: RunGrid, values: FloatArray) -> BoolArray:
    """Return where runs can be compared ``(T, S)``: under which seeds all anchors of a task played.

    Where a game draws numbers, another seed is another game: an agent is held against what its own draws allowed.

    Args:
        grid: self-play of everybody.
        values: ``(A, T, S)`` what completed runs reached.
    """
    anchoring = np.array(
        [each.kind == "constant" or each.name in (RANDOM, *CONSTANT_ORACLES, PLANNER, *PRIVATE_NASH)
         for each in grid.algorithms],
        dtype=bool,
    )  # fmt: skip
    played = np.isfinite(values)
    takes_part = anchoring[:, None] & played.any(-1)
    drawn = np.array([task.setting.draws for task in grid.tasks], dtype=bool)
    common = np.logical_and.reduce(played | ~takes_part[..., None], axis=0)
    return np.logical_or(common, ~drawn[:, None])


def _anchors(zero: float, heights: FloatArray, names: TextArray) -> Anchors | None:
    if np.isnan(zero) or np.isnan(heights).all():
        return None
    highest = float(np.nanmax(heights))
    if normalised_score(highest, zero, highest) is None:
        return None
    return Anchors(zero, highest, str(names[np.argwhere(heights == highest)[0, 0]]))


def _tasks_together(grid: RunGrid, by_mode: bool) -> BoolArray:
    """``(T, T)`` True where the second task's runs can be anchors of the first."""
    keys = [(task.game, task.reward_mode if by_mode else "") for task in grid.tasks]
    return np.array([[one == other for other in keys] for one in keys], dtype=bool).reshape(len(keys), len(keys))


def _zeros(
    grid: RunGrid, values: FloatArray, names: TextArray, together: BoolArray, welfare: bool
) -> tuple[str, list[float]]:
    private = np.array([task.reward_mode == "private" for task in grid.tasks], dtype=bool)
    for name, follows_reward in PRIVATE_NASH.items() if welfare else ():
        played = values[names == name]
        if follows_reward:
            played = np.where(private[:, None], played, np.nan)
        if _everywhere(played, together):
            return "private Nash", _means(played, together)
    return RANDOM, _means(values[names == RANDOM], together)


def _means(played: FloatArray, together: BoolArray) -> list[float]:
    """Mean over everything one algorithm ``(1, T, S)`` or ``(0, T, S)`` did on tasks together with each task."""
    return [float(np.mean(found)) if len(found := _finite(played[:, group])) else np.nan for group in together]


def _everywhere(played: FloatArray, together: BoolArray) -> bool:
    return bool(len(played)) and all(len(_finite(played[:, group])) for group in together)


def _finite(values: FloatArray) -> FloatArray:
    return values[np.isfinite(values)]
