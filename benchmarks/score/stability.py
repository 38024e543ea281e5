"""How runs ended, and how steadily learners trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from coopgym.benchmarks.score.anchors import common_draws, find_anchors
from coopgym.benchmarks.score.estimates import TIE, Estimate, mean_estimate
from coopgym.benchmarks.score.grid import Algorithm, Task, run_grid, self_play
from coopgym.benchmarks.score.scores import METRICS, Metric
from coopgym.typing import FloatArray

WARM_UP = 0.2
"""Share of training at its beginning that may be as unsteady as it likes."""
WINDOW = 0.01
"""Share of the points of a curve that are averaged."""
COLLAPSE = 0.5
"""Share of the best so far below which training has collapsed."""

Unit = Literal["episode", "step"]
"""What a curve counts: the sum over seats of an episode's returns, or the mean over seats and steps."""


@dataclass(frozen=True)
class Censoring:
    """How the runs of an algorithm on a task ended."""

    algorithm: Algorithm
    task: Task
    completed: int
    diverged: int
    failed: int
    diverged_at: tuple[int, ...]
    """Environment steps at which runs diverged, ascending, where known."""


@dataclass(frozen=True)
class Instability:
    """Share of training, after its first fifth, in which a learner stood below half of its own best."""

    algorithm: Algorithm
    task: Task
    share: Estimate
    """Over seeds."""


def censoring(runs: pa.Table) -> tuple[Censoring, ...]:
    """Count how runs ended, for every algorithm and task that has any."""
    grid = run_grid(self_play(runs))
    ended = {status: grid.ended(status) for status in ("completed", "diverged", "failed")}
    steps = grid.column("diverged_at_step")
    found = []
    for a, t in np.argwhere(grid.present.any(-1)).tolist():
        at = steps[a, t][np.isfinite(steps[a, t])]
        counts = {status: int(each[a, t].sum()) for status, each in ended.items()}
        found.append(Censoring(grid.algorithms[a], grid.tasks[t], **counts, diverged_at=tuple(sorted(map(int, at)))))
    return tuple(found)


def instability(steps: npt.ArrayLike, values: npt.ArrayLike, zero: float = 0.0, one: float = 1.0) -> float | None:
    """Return the share of a training curve below half of its running maximum, in scores between two anchors.

    The curve is smoothed by a trailing mean over a hundredth of its points, at least one. As long as the best so far is
    no better than the zero anchor there is nothing to collapse from. A point that is not finite counts as collapsed.

    Args:
        steps: ``(K,)`` ascending environment steps of the points.
        values: ``(K,)`` what was reached; NaN where it was not finite.
        zero: value that scores 0.
        one: value that scores 1.

    Returns:
        The share of the points after the first fifth of training; None where there are none.

    Raises:
        ValueError: different numbers of steps and values, or steps that do not ascend.

    >>> instability(np.arange(10), [0.0, 0.5, 1.0, 1.0, 1.0, 0.2, 0.2, 1.0, 1.0, 1.0])  # of the last 8 points, 2
    0.25
    """
    at, scores = np.asarray(steps, dtype=np.float64), (np.asarray(values, dtype=np.float64) - zero) / (one - zero)
    if at.ndim != 1 or at.shape != scores.shape or (np.diff(at) <= 0).any():
        raise ValueError(f"{at.shape} steps and {scores.shape} values; expected a value at each of ascending steps")
    if not len(at):
        return None
    smooth = _trailing_mean(scores, max(1, int(WINDOW * len(scores))))
    best = np.maximum.accumulate(np.where(np.isfinite(smooth), smooth, -np.inf))
    collapsed = ~np.isfinite(scores) | ((best > 0) & (smooth < (COLLAPSE - TIE) * best))
    late = at > WARM_UP * at[-1]
    return float(collapsed[late].mean())


def instabilities(
    runs: pa.Table,
    curves: pa.Table,
    curve: str,
    unit: Unit = "episode",
    metric: Metric = "return_mode",
) -> tuple[Instability, ...]:
    """Measure the instability of every learner that left curves, between the anchors of its task.

    Args:
        runs: the ``runs`` table.
        curves: the ``curves`` table.
        curve: its name, as in the column ``metric``.
        unit: what the curve counts; anchors are divided by seats and horizon for curves of steps.
        metric: the column of ``runs`` whose anchors the curve is held against.

    Raises:
        ValueError: unknown unit or metric, or there are curves but none of this name.
    """
    if unit not in get_args(Unit) or metric not in METRICS:
        raise ValueError(
            f"unit={unit!r}, metric={metric!r}: expected one of {', '.join(get_args(Unit))}, and one of "
            f"{', '.join(METRICS)}"
        )
    chosen = _curves_by_run(curves, curve)
    grid = run_grid(self_play(runs))
    completed = np.where(grid.ended("completed"), grid.column(metric), np.nan)
    _, anchors = find_anchors(grid, np.where(common_draws(grid, completed), completed, np.nan), metric)
    ids = grid.runs.column("run_id").to_pylist()
    found = []
    for a, t in np.argwhere(grid.present.any(-1)).tolist():
        task, ends = grid.tasks[t], anchors[t]
        if ends is None:
            continue
        size = task.n_agents * task.horizon if unit == "step" else 1
        own = [chosen[ids[row]] for row in grid.row[a, t].tolist() if row >= 0 and ids[row] in chosen]
        shares = [instability(steps, values, ends.zero / size, ends.one / size) for steps, values in own]
        share = mean_estimate(np.array(shares, dtype=np.float64))
        if share is not None:
            found.append(Instability(grid.algorithms[a], task, share))
    return tuple(found)


def _curves_by_run(curves: pa.Table, name: str) -> dict[str, tuple[FloatArray, FloatArray]]:
    chosen = curves.filter(pc.equal(curves.column("metric"), name)).sort_by(
        [("run_id", "ascending"), ("step", "ascending")]
    )
    if len(curves) and not len(chosen):
        known = sorted(set(curves.column("metric").unique().to_pylist()))
        raise ValueError(f"no curve {name!r}; the corpus has {', '.join(known)}")
    steps = np.array(chosen.column("step").to_pylist(), dtype=np.float64)
    values = np.array(chosen.column("value").to_pylist(), dtype=np.float64)
    names, starts = np.unique(np.array(chosen.column("run_id").to_pylist(), dtype=np.str_), return_index=True)
    parts = zip(np.split(steps, starts[1:]), np.split(values, starts[1:]), strict=True)
    return dict(zip(names.tolist(), parts, strict=False))


def _trailing_mean(values: FloatArray, window: int) -> FloatArray:
    """Mean of the finite ones among the last points, NaN where there are none."""
    finite = np.isfinite(values)
    sums, counts = (
        np.concatenate([[0.0], np.cumsum(each)]) for each in (np.where(finite, values, 0.0), finite.astype(np.float64))
    )
    ends = np.arange(1, len(values) + 1)
    begins = np.maximum(ends - window, 0)
    number = counts[ends] - counts[begins]
    return np.divide(sums[ends] - sums[begins], number, out=np.full(len(values), np.nan), where=number > 0)
