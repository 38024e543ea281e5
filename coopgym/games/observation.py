"""Observations as a gather: which entries of a game's world vector each seat sees, under which names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coopgym.backend import Array, Backend

Blocks = list[tuple[str, list[int]]]
"""Blocks of an observation in order: name and positions in the world vector."""


@dataclass(frozen=True, eq=False)
class ObservationMap:
    """Gathers the observations of all seats from the world by precomputed positions."""

    seats: tuple[Blocks, ...]
    positions: npt.NDArray[np.int64]
    """``(N, obs_dim)`` positions in the world vector."""
    joint_size: int
    _by_seat: Array
    _joint: Array

    @classmethod
    def build(cls, backend: Backend, seats: Sequence[Blocks], joint: Blocks | None = None) -> ObservationMap:
        """Lay out a view.

        Args:
            backend: where the world vectors live.
            seats: blocks of every seat, all of one size.
            joint: blocks that a joint controller sees; None for those of all seats, one after the other.
        """
        positions = np.array([_positions(blocks) for blocks in seats], dtype=np.int64)
        together = positions.reshape(-1) if joint is None else np.array(_positions(joint), dtype=np.int64)
        return cls(tuple(seats), positions, len(together), backend.integers(positions), backend.integers(together))

    def per_agent(self, world: Array) -> Array:
        """Gather ``(..., N, obs_dim)`` from the world ``(..., size)``."""
        return world[..., self._by_seat]

    def joint(self, world: Array) -> Array:
        """Gather what a joint controller sees, ``(..., joint_size)``."""
        return world[..., self._joint]

    def columns(self, seat: int) -> dict[str, list[int]]:
        """Columns of each named block in a seat's observation."""
        columns: dict[str, list[int]] = {}
        start = 0
        for name, block in self.seats[seat]:
            columns[name] = list(range(start, start + len(block)))
            start += len(block)
        return columns


def _positions(blocks: Blocks) -> list[int]:
    return [position for _, block in blocks for position in block]
