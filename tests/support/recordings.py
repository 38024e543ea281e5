"""Recorded trajectories as arrays, for tests that replay them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

DATA = Path(__file__).parents[1] / "data"
FILES = {"v0": "trajectories.parquet", "v1": "formal_trajectories.parquet"}


@dataclass(frozen=True)
class Recording:
    """Episodes of one game; columns are ``(episodes, longest + 1, ...)``, padded with an episode's last row.

    Row 0 of an episode is the state after reset: its actions, payoffs and rewards are NaN, like all numbers that a file
    leaves out.
    """

    modes: list[str]
    scripts: list[str]
    seeds: list[int]
    lengths: npt.NDArray[np.int64]
    columns: dict[str, npt.NDArray[Any]]

    def at(self, column: str, step: int) -> npt.NDArray[Any]:
        return self.columns[column][:, step]

    def live(self, step: int) -> npt.NDArray[np.bool_]:
        """Episodes that have a row for this step."""
        return step <= self.lengths

    def where(self, chosen: npt.NDArray[np.bool_]) -> Recording:
        """Only some episodes."""
        rows = np.flatnonzero(chosen)
        longest = self.lengths[rows].max() + 1
        return Recording(
            [self.modes[row] for row in rows],
            [self.scripts[row] for row in rows],
            [self.seeds[row] for row in rows],
            self.lengths[rows],
            {name: values[rows, :longest] for name, values in self.columns.items()},
        )

    def episode(self, mode: str, script: str, seed: int = 0) -> Recording:
        """A single episode."""
        keys = zip(self.modes, self.scripts, self.seeds, strict=True)
        return self.where(np.array([key == (mode, script, seed) for key in keys]))


@cache
def recording(game_id: str) -> Recording:
    """All episodes of one game, released or formal."""
    file = FILES[game_id.rsplit("-", 1)[1]]
    table = pq.read_table(DATA / file, filters=pc.field("env_id") == game_id)
    order = [(name, "ascending") for name in ("reward_mode", "script", "seed", "step")]
    table = table.set_column(1, "reward_mode", table["reward_mode"].cast(pa.string()))
    table = table.set_column(2, "script", table["script"].cast(pa.string()))
    table = table.sort_by(order).combine_chunks()
    steps = table["step"].to_numpy()
    first = np.flatnonzero(steps == 0)
    lengths = np.diff(np.append(first, len(steps))) - 1
    rows = first[:, None] + np.minimum(np.arange(lengths.max() + 1), lengths[:, None])
    columns = {
        name: _numbers(table[name])[rows]
        for name in table.column_names
        if name not in ("env_id", "reward_mode", "script", "seed", "step")
    }
    labels = table.select(["reward_mode", "script", "seed"]).take(first).to_pydict()
    return Recording(labels["reward_mode"], labels["script"], labels["seed"], lengths, columns)


def _numbers(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """Numbers as they are, lists as rows of a matrix; rows whose list is empty become NaN."""
    if not pa.types.is_list(column.type):
        return column.to_numpy()
    array = column.combine_chunks()
    present = pc.list_value_length(array).to_numpy() > 0
    entries = array.flatten().to_numpy()
    matrix = np.full((len(array), len(entries) // max(1, present.sum())), np.nan)
    matrix[present] = entries.reshape(-1, matrix.shape[1]) if entries.size else 0.0
    return matrix


def assert_close(actual: Any, expected: Any, tolerance: Any, what: str) -> None:
    """Absolute errors within ``tolerance``; what the recording leaves out (NaN) is not compared."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, f"{what}: shape {actual.shape}, recorded {expected.shape}"
    recorded = ~np.isnan(expected)
    error = np.where(recorded, np.abs(actual - np.where(recorded, expected, 0.0)), 0.0)
    assert (error <= tolerance).all(), f"{what}: error {error.max():g}"
