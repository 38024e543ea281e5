"""Learners against oracles, and against the best constant that was played."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coopgym.benchmarks.score.estimates import TIE, Estimate, mean_estimate, mean_over_seeds
from coopgym.benchmarks.score.grid import Algorithm, Task
from coopgym.benchmarks.score.scores import ScoreTable
from coopgym.typing import FloatArray


@dataclass(frozen=True)
class Gap:
    """An algorithm minus a reference on one task, over the algorithm's seeds, in units of the metric."""

    algorithm: Algorithm
    task: Task
    reference: str
    difference: Estimate
    relative: float | None
    """Difference over the size of what the reference reaches; None where that is zero."""
    on_every_seed: bool
    """Whether the algorithm exceeds the reference under every seed."""


def oracle_gaps(table: ScoreTable, oracle: str) -> tuple[Gap, ...]:
    """Compare everybody else with one oracle, on the tasks that it played.

    Raises:
        ValueError: the oracle is not in the table.
    """
    own = mean_over_seeds(table.values[table.index(oracle)])
    return tuple(
        gap for t in np.flatnonzero(np.isfinite(own)).tolist() for gap in _gaps(table, t, oracle, float(own[t]))
    )


def exceedances(table: ScoreTable) -> tuple[Gap, ...]:
    """Compare everybody who is no constant with the best of all constants that were played on the task."""
    constants = np.array([algorithm.kind == "constant" for algorithm in table.algorithms], dtype=bool)
    heights = np.where(constants[:, None], mean_over_seeds(table.values), -np.inf)
    heights = np.where(np.isnan(heights), -np.inf, heights)
    found: list[Gap] = []
    for t in range(len(table.tasks)):
        best = float(heights[:, t].max(initial=-np.inf))
        if np.isfinite(best):
            name = table.names[int(heights[:, t].argmax())]
            found += [gap for gap in _gaps(table, t, name, best) if gap.algorithm.kind != "constant"]
    return tuple(found)


def _gaps(table: ScoreTable, t: int, reference: str, height: float) -> list[Gap]:
    gaps = []
    for a, algorithm in enumerate(table.algorithms):
        differences: FloatArray = table.values[a, t] - height
        found = mean_estimate(differences)
        if found is None or algorithm.name == reference:
            continue
        relative = found.value / abs(height) if height else None
        every = bool((differences[np.isfinite(differences)] > TIE * max(1.0, abs(height))).all())
        gaps.append(Gap(algorithm, table.tasks[t], reference, found, relative, every))
    return gaps
