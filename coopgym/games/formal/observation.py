"""Observation layouts of the formal edition (formal edition §1.9): which entries of the world a seat sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from coopgym.backend import Array, Backend
from coopgym.games.spec import View

Named = list[tuple[str, list[int]]]
"""Blocks of an observation in order: name and positions in the world vector."""


@dataclass(frozen=True)
class World:
    """Positions in the world vector ``[c | T | R | D | private | public | hidden | t/T_max]``."""

    n_agents: int
    private: Mapping[str, int]
    """Entries per agent of each private block."""
    public: Mapping[str, int]
    hidden: Mapping[str, int]
    with_classes: bool
    """Whether D and the private and public blocks are present."""
    with_hidden: bool

    def pair(self, matrix: int, i: int, j: int) -> int:
        """Position of entry (i, j) of matrix 0 (trust), 1 (damage) or 2 (interdependence)."""
        return self.n_agents + (matrix * self.n_agents + i) * self.n_agents + j

    @property
    def _classes(self) -> int:
        return self.n_agents * (1 + 3 * self.n_agents)

    def private_of(self, agent: int) -> Named:
        """Positions of one agent's private blocks."""
        blocks: Named = []
        start = self._classes
        for name, entries in self.private.items():
            first = start + agent * entries
            blocks.append((name, list(range(first, first + entries))))
            start += self.n_agents * entries
        return blocks

    @property
    def _public_start(self) -> int:
        return self._classes + self.n_agents * sum(self.private.values())

    def public_blocks(self) -> Named:
        """Positions of the public blocks."""
        return _consecutive(self.public, self._public_start)

    def hidden_blocks(self) -> Named:
        """Positions of the hidden blocks."""
        return _consecutive(self.hidden, self._public_start + sum(self.public.values()))

    @property
    def time(self) -> int:
        """Position of t/T_max, the last entry."""
        if not self.with_classes:
            return self.n_agents * (1 + 2 * self.n_agents)
        hidden = sum(self.hidden.values()) if self.with_hidden else 0
        return self._public_start + sum(self.public.values()) + hidden


def _consecutive(sizes: Mapping[str, int], start: int) -> Named:
    blocks: Named = []
    for name, size in sizes.items():
        blocks.append((name, list(range(start, start + size))))
        start += size
    return blocks


def _own_view(world: World, i: int) -> Named:
    others = [j for j in range(world.n_agents) if j != i]
    return [
        ("own_action", [i]),
        ("partner_actions", others),
        ("trust", [world.pair(0, i, j) for j in others]),
        ("trust_received", [world.pair(0, j, i) for j in others]),
        ("damage", [world.pair(1, i, j) for j in others]),
        ("standing", [world.pair(1, j, i) for j in others]),
        ("dependence", [world.pair(2, i, j) for j in others]),
        *world.private_of(i),
        *world.public_blocks(),
        ("time", [world.time]),
    ]


def _minimal_view(world: World, i: int) -> Named:
    others = [j for j in range(world.n_agents) if j != i]
    return [
        ("own_action", [i]),
        ("trust", [world.pair(0, i, j) for j in others]),
        ("time", [world.time]),
    ]


def _world_view(world: World) -> Named:
    agents = range(world.n_agents)
    pairs = [(i, j) for i in agents for j in agents if i != j]
    return [
        ("actions", list(agents)),
        ("all_trust", [world.pair(0, i, j) for i, j in pairs]),
        ("all_damage", [world.pair(1, i, j) for i, j in pairs]),
        ("all_dependence", [world.pair(2, i, j) for i, j in pairs]),
        ("all_private", [k for i in agents for _, block in world.private_of(i) for k in block]),
        *world.public_blocks(),
        *world.hidden_blocks(),
        ("time", [world.time]),
    ]


def _full_view(world: World, i: int) -> Named:
    # Nobody's trust in themselves is ever other than one, nor the damage other than zero: constants to read.
    one, zero = world.pair(0, 0, 0), world.pair(1, 0, 0)
    return [("seat", [one if j == i else zero for j in range(world.n_agents)]), *_world_view(world)]


@dataclass(frozen=True)
class ObservationMap:
    """Gathers observations from the world vector by precomputed positions."""

    seats: tuple[Named, ...]
    shape: tuple[int, int]
    joint_size: int
    _by_seat: Array
    _joint: Array

    @classmethod
    def build(
        cls,
        backend: Backend,
        view: View,
        n_agents: int,
        private: Mapping[str, int],
        public: Mapping[str, int],
        hidden: Mapping[str, int],
    ) -> ObservationMap:
        """Lay out a view for a game whose class blocks have these sizes."""
        world = World(n_agents, private, public, hidden, view != "minimal", view == "full")
        seat_view = {"own": _own_view, "full": _full_view, "minimal": _minimal_view}[view]
        seats = tuple(seat_view(world, i) for i in range(n_agents))
        rows = [[position for _, block in seat for position in block] for seat in seats]
        joint = (
            [position for _, block in _world_view(world) for position in block]
            if view == "full"
            else [position for row in rows for position in row]
        )
        return cls(
            seats=seats,
            shape=(n_agents, len(rows[0])),
            joint_size=len(joint),
            _by_seat=backend.integers(rows),
            _joint=backend.integers(joint),
        )

    def per_agent(self, world: Array) -> Array:
        """Gather ``(..., N, obs_dim)`` from the world ``(..., size)``."""
        return world[..., self._by_seat]

    def joint(self, world: Array) -> Array:
        """Gather what a joint controller sees, ``(..., joint_size)``: all seats, or the world once when full."""
        return world[..., self._joint]

    def layout(self, seat: int) -> dict[str, list[int]]:
        """Columns of each block of a seat's observation."""
        columns: dict[str, list[int]] = {}
        start = 0
        for name, block in self.seats[seat]:
            columns[name] = list(range(start, start + len(block)))
            start += len(block)
        if "actions" in columns:
            columns["own_action"] = [columns["actions"][seat]]
            columns["partner_actions"] = [column for j, column in enumerate(columns["actions"]) if j != seat]
            n = len(columns["actions"])
            row = columns["all_trust"][seat * (n - 1) : (seat + 1) * (n - 1)]
            columns["trust"] = row
        return columns
