"""Scores of one algorithm on several tasks, grouped for resampling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coopgym.typing import FloatArray, IntArray

Axes = tuple[str, ...]
AXES: tuple[Axes, ...] = (("runs", "tasks"), ("tasks", "runs"), ("runs",))
"""What the axes of an array of scores can mean."""


@dataclass(frozen=True, eq=False)
class Replicates:
    """N runs of one algorithm on T tasks; tasks may have different numbers of runs, but each has at least one."""

    scores: FloatArray
    """``(N,)`` task after task."""
    sizes: IntArray
    """``(T,)`` runs of each task."""

    @classmethod
    def of(cls, scores: npt.ArrayLike, axes: Axes) -> Replicates:
        """Group an array whose axes are declared; NaN is a missing run.

        Args:
            scores: one score per run, never per episode.
            axes: ``("runs", "tasks")``, ``("tasks", "runs")`` or, for a single task, ``("runs",)``.

        Raises:
            ValueError: the axes are not declared or do not fit, a task has no run, or a score is infinite.
        """
        array = np.asarray(scores, dtype=np.float64)
        if tuple(axes) not in AXES or array.ndim != len(axes):
            raise ValueError(
                f"scores of shape {array.shape} with axes={axes!r}: expected one of {', '.join(map(str, AXES))}, as "
                "many names as axes; episodes are no axis: average them within a run first"
            )
        tasks = array.T if axes == ("runs", "tasks") else np.atleast_2d(array)
        present = ~np.isnan(tasks)
        sizes = present.sum(1)
        if not len(sizes) or not sizes.all():
            raise ValueError(f"tasks without a run: {np.flatnonzero(sizes == 0).tolist()}; leave them out on all sides")
        if np.isinf(tasks).any():
            raise ValueError("scores hold infinity; expected finite numbers, and NaN for a missing run")
        return cls(tasks[present], sizes)

    @property
    def starts(self) -> IntArray:
        """``(T,)`` where each task begins in `scores`."""
        return np.cumsum(self.sizes) - self.sizes

    @property
    def replicated(self) -> bool:
        """Whether any task has more than one run, so that there is a spread to learn from."""
        return bool((self.sizes > 1).any())

    @property
    def once(self) -> IntArray:
        """``(1, N)`` counts with which every run counts once."""
        return np.ones((1, len(self.scores)), dtype=np.int64)

    def weights(self, counts: IntArray) -> FloatArray:
        """Turn counts ``(B, N)`` into weights that sum to one per row and treat every task alike."""
        drawn = np.add.reduceat(counts, self.starts, axis=1) * len(self.sizes)
        return counts / np.repeat(drawn, self.sizes, axis=1)
