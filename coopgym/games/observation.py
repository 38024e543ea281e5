"""Observations as a gather: which entries of a game's world vector each seat sees, under which names."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from coopgym.backend import Array, Backend
from coopgym.games.spec import View

Positions = npt.NDArray[np.int64]
Blocks = list[tuple[str, Positions]]
"""Blocks of the observations of S seats, in order: name and positions in the world vector, ``(S, m)`` or ``(m,)``."""

GREATEST = 2**27
"""Numbers that all seats together may see at once: one gibibyte in double precision."""


class ObservationMap:
    """Gathers observations from the world by positions, which are worked out when they are first needed.

    What all seats see together grows with the cube of their number under a full view; one seat or a joint controller
    can still look where all seats at once cannot.
    """

    def __init__(
        self,
        backend: Backend,
        view: View,
        n_agents: int,
        blocks: Callable[[Positions], Blocks],
        joint: Blocks | None = None,
    ) -> None:
        """Describe a view.

        Args:
            backend: where the world vectors live.
            view: its name.
            n_agents: number of seats N.
            blocks: from seats ``(S, 1)`` to the blocks that they see, of the same sizes for every seat.
            joint: blocks ``(m,)`` that a joint controller sees; None for those of all seats, one after the other.
        """
        self.n_agents = n_agents
        self._backend = backend
        self._view = view
        self._blocks = blocks
        self._joint_blocks = joint
        self._of_seat: dict[int, Array] = {}
        self._sizes = {name: block.shape[-1] for name, block in blocks(np.array([[0]]))}
        self.size = sum(self._sizes.values())
        """Numbers that one seat sees."""

    @property
    def joint_size(self) -> int:
        """Numbers that a joint controller sees."""
        if self._joint_blocks is None:
            return self.n_agents * self.size
        return sum(block.shape[-1] for _, block in self._joint_blocks)

    @cached_property
    def positions(self) -> Positions:
        """Positions in the world vector of what all seats see, ``(N, size)``.

        Raises:
            ValueError: too many to hold.
        """
        if self.n_agents * self.size > GREATEST:
            raise ValueError(
                f"under the {self._view!r} view {self.n_agents} seats see {self.size} numbers each, too many to hold "
                "at once; choose view='own' or 'minimal', play one seat, or use a joint controller"
            )
        return self._positions(np.arange(self.n_agents))

    @cached_property
    def _by_seat(self) -> Array:
        return self._backend.integers(self.positions)

    @cached_property
    def _jointly(self) -> Array:
        if self._joint_blocks is None:
            return self._by_seat.reshape(-1)
        return self._backend.integers(np.concatenate([block for _, block in self._joint_blocks]))

    def per_agent(self, world: Array) -> Array:
        """Gather ``(..., N, size)`` from the world ``(..., length)``."""
        return self._gathered(world, self._by_seat)

    def of_seat(self, world: Array, seat: int) -> Array:
        """Gather what one seat sees, ``(..., size)``."""
        if seat not in self._of_seat:
            self._of_seat[seat] = self._backend.integers(self.seat_positions(seat))
        return self._gathered(world, self._of_seat[seat])

    def joint(self, world: Array) -> Array:
        """Gather what a joint controller sees, ``(..., joint_size)``."""
        return self._gathered(world, self._jointly)

    def _gathered(self, world: Array, positions: Array) -> Array:
        # NumPy's method takes between a sixth and two thirds of the time of its indexing.
        return world.take(positions, axis=-1) if self._backend.xp is np else world[..., positions]

    def seat_positions(self, seat: int) -> Positions:
        """Positions in the world vector of what one seat sees, ``(size,)``."""
        return self._positions(np.array([seat]))[0]

    @cached_property
    def _columns(self) -> dict[str, list[int]]:
        ends = accumulate(self._sizes.values())
        return {name: list(range(end - self._sizes[name], end)) for name, end in zip(self._sizes, ends, strict=True)}

    def columns(self) -> dict[str, list[int]]:
        """Columns of each named block in the observation of any seat."""
        return {name: list(columns) for name, columns in self._columns.items()}

    def _positions(self, seats: Positions) -> Positions:
        parts = [block for _, block in self._blocks(seats[:, None])]
        return np.concatenate([np.broadcast_to(part, (len(seats), part.shape[-1])) for part in parts], axis=-1)


def other_seats(seats: Positions, n_agents: int) -> Positions:
    """The other seats in ascending order, ``(S, N - 1)``, of seats ``(S, 1)``."""
    rank = np.arange(n_agents - 1)
    return rank + (rank >= seats)
