"""What self-play brings and to whom: welfare, equity, exploitation, trust and cooperation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from coopgym.benchmarks.metrics import gini
from coopgym.benchmarks.score.estimates import Estimate, mean_estimate
from coopgym.benchmarks.score.grid import Algorithm, RunGrid, Task, run_grid, self_play
from coopgym.typing import FloatArray


@dataclass(frozen=True)
class Distribution:
    """An algorithm on a task; every estimate is over seeds, and None where no run has the number."""

    algorithm: Algorithm
    task: Task
    welfare: Estimate | None
    """Sum of all seats' payoffs."""
    gini: Estimate | None
    """Gini coefficient of payoffs; runs with a negative payoff have none."""
    jain: Estimate | None
    """Jain's index of payoffs."""
    spread: Estimate | None
    """How far payoffs lie from an equal split."""
    worst_off: Estimate | None
    """Payoff of the seat that got least, as a share of an equal split."""
    cooperation: Estimate | None
    """Mean share of endowment played."""
    least_cooperation: Estimate | None
    """That of the seat that cooperated least."""
    trust: Estimate | None
    """Mean trust at the end."""
    effective_trust: Estimate | None
    """Mean trust net of reputation damage at the end."""
    reputation_damage: Estimate | None
    episode_length: Estimate | None
    class_metrics: Mapping[str, Estimate]
    """What the game tells of its last state, by name."""


def distributions(runs: pa.Table) -> tuple[Distribution, ...]:
    """Describe the self-play of every algorithm on every task it played."""
    grid = run_grid(self_play(runs))
    measures = {
        **{name: grid.column(column) for name, column in _COLUMNS.items()},
        "gini": grid.measured("seat_payoffs", gini),
        "jain": grid.measured("seat_payoffs", jain_index),
        "spread": grid.measured("seat_payoffs", payoff_spread),
        "worst_off": grid.measured("seat_payoffs", worst_off),
        "least_cooperation": grid.measured("seat_cooperation", lambda shares: float(shares.min())),
    }
    of_class = _class_metrics(grid)
    found = []
    for a, t in np.argwhere(grid.present.any(-1)).tolist():
        estimates = {name: mean_estimate(values[a, t]) for name, values in measures.items()}
        told = {name: mean_estimate(values[a, t]) for name, values in of_class.items()}
        metrics = {name: estimate for name, estimate in told.items() if estimate is not None}
        found.append(Distribution(grid.algorithms[a], grid.tasks[t], **estimates, class_metrics=metrics))
    return tuple(found)


def jain_index(amounts: FloatArray) -> float | None:
    """Return (Σx)² / (n Σx²) of ``(n,)`` amounts: 1 equal, 1/n all with one; Jain, Chiu and Hawe (1984), DEC TR-301.

    None when all are zero or one is negative, for which it does not measure fairness.

    >>> jain_index(np.array([1.0, 1.0, 1.0, 1.0])), jain_index(np.array([4.0, 0.0, 0.0, 0.0]))
    (1.0, 0.25)
    """
    squares = float((amounts**2).sum())
    if squares == 0 or (amounts < 0).any():
        return None
    return float(amounts.sum() ** 2 / (len(amounts) * squares))


def payoff_spread(amounts: FloatArray) -> float | None:
    """Return the mean distance of ``(n,)`` amounts from their mean, relative to it: 0 equal; None for a mean of zero.

    Seats that differ in what they bring also differ in what is fair; compare with other play of the same game.

    >>> payoff_spread(np.array([1.0, 3.0]))  # both are 1 from a mean of 2
    0.5
    """
    equal = float(amounts.mean())
    return None if equal == 0 else float(np.abs(amounts - equal).mean() / abs(equal))


def worst_off(amounts: FloatArray) -> float | None:
    """Return the smallest of ``(n,)`` amounts as a share of an equal split; None unless there is something to split.

    >>> worst_off(np.array([1.0, 2.0, 6.0]))  # a third of an equal split
    0.3333333333333333
    """
    equal = float(amounts.mean())
    return float(amounts.min() / equal) if equal > 0 else None


_COLUMNS = {
    "welfare": "welfare",
    "cooperation": "cooperation_rate",
    "trust": "mean_trust_final",
    "effective_trust": "mean_effective_trust",
    "reputation_damage": "mean_reputation_damage",
    "episode_length": "episode_length",
}


def _class_metrics(grid: RunGrid) -> dict[str, FloatArray]:
    rows = [dict(told or ()) for told in grid.runs.column("class_metrics").to_pylist()]
    names = sorted({name for told in rows for name in told})
    return {name: grid.place(np.array([told.get(name) for told in rows], dtype=np.float64)) for name in names}
