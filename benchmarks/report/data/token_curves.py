"""How trainings of language models went by the tokens they spent, so that methods are compared at equal budgets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from coopgym.benchmarks.score import Estimate, mean_estimate
from coopgym.benchmarks.score.settings import Setting, mode_order
from coopgym.typing import FloatArray

TOKENS, OUTCOME = "tokens", "outcome"
MEASURES = (
    *(OUTCOME, "welfare", "oracle_gap", "answered", "calls_valid"),
    *("flat_groups", "distinct_answers", "turns_per_decision", "tokens_per_decision"),
)
"""Curves that are compared, besides the tokens."""
WINDOW = 0.1
"""Part of the budget over which a curve is averaged: a batch is small, and its mean a matter of luck."""
WARM_UP, PLAIN = "warm_up", "grpo"
"""The model before training, and the method that others are held against."""


@dataclass(frozen=True, eq=False)
class TokenCurve:
    """One run of a method: what its batches came to, by the tokens that were spent before each was played."""

    seed: int
    spent: FloatArray
    """``(B,)`` tokens, generated ones and help together, ascending from 0."""
    measures: Mapping[str, FloatArray]
    """``(B,)`` each, NaN where a batch has no such number."""

    @property
    def reach(self) -> float:
        """Tokens after which the last batch was played."""
        return float(self.spent[-1])

    def at(self, measure: str, tokens: npt.ArrayLike, window: float) -> FloatArray:
        """Return a measure after some ``(K,)`` tokens: the mean of its curve over as many tokens before as ``window``.

        The curve is straight between batches, and a mean over less than a token is its height. NaN without any number.
        """
        values = self.measures[measure]
        known = np.isfinite(values)
        x, y, ends = self.spent[known], values[known], np.asarray(tokens, dtype=np.float64)
        if not len(x):
            return np.full(ends.shape, np.nan)
        starts = np.maximum(ends - window, 0.0)
        width = ends - starts
        area = _area_until(x, y, ends) - _area_until(x, y, starts)
        return np.where(width < 1.0, np.interp(ends, x, y), area / np.maximum(width, 1.0))


def _area_until(x: FloatArray, y: FloatArray, ends: FloatArray) -> FloatArray:
    """Return the integral from 0 of the line through some points, level before the first and after the last."""
    corners = np.unique(np.concatenate([[0.0], x, ends]))
    heights = np.interp(corners, x, y)
    areas = np.concatenate([[0.0], np.cumsum(np.diff(corners) * (heights[1:] + heights[:-1]) / 2)])
    return areas[np.searchsorted(corners, ends)]


@dataclass(frozen=True, eq=False)
class MethodComparison:
    """Methods that were trained alike: in one game and reward mode, for the same kind of outcome."""

    setting: Setting
    mechanism_class: str
    outcome: str
    """What a rollout is worth, by the name of the hyper-parameter."""
    curves: Mapping[str, Sequence[TokenCurve]]
    """By name of the learner, one per seed."""
    plain: str | None
    """Name of the learner with the plain method."""

    @property
    def budget(self) -> float:
        """The most tokens that every run of every method spent before its last batch."""
        return min(each.reach for runs in self.curves.values() for each in runs)

    @property
    def has_plain(self) -> bool:
        """Whether there is something to hold against the plain method."""
        return self.plain is not None and len(self.curves) > 1

    def curve(self, name: str, measure: str, tokens: npt.ArrayLike) -> FloatArray:
        """Return a measure of a method ``(seeds, K)`` after some tokens."""
        return np.stack([each.at(measure, tokens, WINDOW * self.budget) for each in self.curves[name]])

    def reached(self, name: str, measure: str) -> Estimate | None:
        """Return a measure of a method at the budget, over seeds."""
        return mean_estimate(self.curve(name, measure, [self.budget]))

    def start(self, measure: str) -> Estimate | None:
        """Return a measure of the first batches, which the model plays as it is before training, over seeds."""
        by_seed: dict[int, list[float]] = {}
        for each in (curve for runs in self.curves.values() for curve in runs):
            by_seed.setdefault(each.seed, []).append(float(each.measures[measure][0]))
        known = [[value for value in values if np.isfinite(value)] for values in by_seed.values()]
        return mean_estimate([float(np.mean(values)) for values in known if values])

    def against_plain(self, name: str) -> Estimate | None:
        """Return how much higher a method's outcome is at the budget than the plain method's, over seeds of both."""
        if self.plain is None or name == self.plain:
            return None
        own, plain = (
            {each.seed: float(each.at(OUTCOME, [self.budget], WINDOW * self.budget)[0]) for each in self.curves[which]}
            for which in (name, self.plain)
        )
        return mean_estimate([own[seed] - plain[seed] for seed in sorted(own.keys() & plain.keys())])


def method_comparisons(runs: pa.Table, curves: pa.Table) -> list[MethodComparison]:
    """Return what methods of language models came to, by reward mode, class and game.

    Only completed runs with at least two batches count: after a single one nothing was played by a trained model.
    """
    facts = {row["run_id"]: row for row in _learners(runs)}
    drawn = pc.and_(
        pc.is_in(curves.column("metric"), pa.array((TOKENS, *MEASURES))),
        pc.is_in(curves.column("run_id"), pa.array(facts, pa.string())),
    )
    found: dict[str, dict[str, dict[int, float | None]]] = {}
    for row in curves.filter(drawn).to_pylist():
        found.setdefault(row["run_id"], {}).setdefault(row["metric"], {})[row["step"]] = row["value"]
    methods: dict[tuple[Setting, str], dict[str, list[TokenCurve]]] = {}
    classes, plain = dict[Setting, str](), dict[tuple[Setting, str], str]()
    for run_id, metrics in found.items():
        run = facts[run_id]
        curve = _curve(run["seed"], metrics)
        if curve is None:
            continue
        setting, settings = _setting(run), json.loads(run["hyperparameters"])
        key = setting, str(settings.get("outcome", ""))
        classes[setting] = run["mechanism_class"]
        methods.setdefault(key, {}).setdefault(run["algorithm"], []).append(curve)
        if settings.get("method") == PLAIN:
            plain[key] = min(plain.get(key, run["algorithm"]), run["algorithm"])
    return [
        MethodComparison(
            setting, classes[setting], outcome, _in_order(methods[setting, outcome]), plain.get((setting, outcome))
        )
        for setting, outcome in sorted(
            methods, key=lambda key: (mode_order(key[0].reward_mode), classes[key[0]], key[0].game, key[1])
        )
    ]


def warm_ups(runs: pa.Table) -> dict[Setting, str]:
    """Return the name of the learner that is the model before training, where there is one."""
    found: dict[Setting, str] = {}
    for row in _learners(runs):
        if json.loads(row["hyperparameters"]).get("method") == WARM_UP:
            found.setdefault(_setting(row), row["algorithm"])
    return found


_COLUMNS = ("run_id", "algorithm", "algorithm_kind", "environment", "env_parameters", "reward_mode", "mechanism_class")


def _learners(runs: pa.Table) -> list[dict[str, Any]]:
    rows = runs.select([*_COLUMNS, "seed", "status", "protocol", "hyperparameters"]).to_pylist()
    return [
        row
        for row in rows
        if row["algorithm_kind"] == "learner"
        and row["status"] == "completed"
        and row["protocol"] in (None, "self_play")
    ]


def _setting(run: Mapping[str, Any]) -> Setting:
    return Setting(run["environment"], run["env_parameters"], run["reward_mode"])


def _curve(seed: int, metrics: Mapping[str, Mapping[int, float | None]]) -> TokenCurve | None:
    if TOKENS not in metrics or OUTCOME not in metrics:
        return None
    steps = sorted(step for step, value in metrics[TOKENS].items() if value is not None)
    if len(steps) < 2:
        return None
    spent = np.array([0.0, *(metrics[TOKENS][step] for step in steps[:-1])], dtype=np.float64)
    measures = {
        name: np.array([metrics.get(name, {}).get(step) for step in steps], dtype=np.float64) for name in MEASURES
    }
    return TokenCurve(seed, spent, measures)


def _in_order(curves: Mapping[str, Iterable[TokenCurve]]) -> dict[str, list[TokenCurve]]:
    return {name: sorted(runs, key=lambda each: each.seed) for name, runs in sorted(curves.items())}
