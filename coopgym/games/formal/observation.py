"""Observation layouts of the formal edition (formal edition §1.9): which entries of the world a seat sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from coopgym.backend import Backend
from coopgym.games.observation import Blocks, ObservationMap, Positions, other_seats
from coopgym.games.spec import View


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

    def pair(self, matrix: int, i: Positions, j: Positions) -> Positions:
        """Positions of entries (i, j) of matrix 0 (trust), 1 (damage) or 2 (interdependence)."""
        return self.n_agents + (matrix * self.n_agents + i) * self.n_agents + j

    @property
    def _classes(self) -> int:
        return self.n_agents * (1 + 3 * self.n_agents)

    def private_of(self, seats: Positions) -> Blocks:
        """Positions of the private blocks of seats ``(S, 1)``."""
        blocks: Blocks = []
        start = self._classes
        for name, entries in self.private.items():
            blocks.append((name, start + seats * entries + np.arange(entries)))
            start += self.n_agents * entries
        return blocks

    @property
    def _public_start(self) -> int:
        return self._classes + self.n_agents * sum(self.private.values())

    def public_blocks(self) -> Blocks:
        """Positions of the public blocks."""
        return _consecutive(self.public, self._public_start)

    def hidden_blocks(self) -> Blocks:
        """Positions of the hidden blocks."""
        return _consecutive(self.hidden, self._public_start + sum(self.public.values()))

    @property
    def time(self) -> int:
        """Position of t/T_max, the last entry."""
        if not self.with_classes:
            return self.n_agents * (1 + 2 * self.n_agents)
        hidden = sum(self.hidden.values()) if self.with_hidden else 0
        return self._public_start + sum(self.public.values()) + hidden


def _consecutive(sizes: Mapping[str, int], start: int) -> Blocks:
    blocks: Blocks = []
    for name, size in sizes.items():
        blocks.append((name, np.arange(start, start + size)))
        start += size
    return blocks


def _own_view(world: World, seats: Positions) -> Blocks:
    partners = other_seats(seats, world.n_agents)
    return [
        ("own_action", seats),
        ("partner_actions", partners),
        ("trust", world.pair(0, seats, partners)),
        ("trust_received", world.pair(0, partners, seats)),
        ("damage", world.pair(1, seats, partners)),
        ("standing", world.pair(1, partners, seats)),
        ("dependence", world.pair(2, seats, partners)),
        *world.private_of(seats),
        *world.public_blocks(),
        ("time", np.array([world.time])),
    ]


def _minimal_view(world: World, seats: Positions) -> Blocks:
    return [
        ("own_action", seats),
        ("trust", world.pair(0, seats, other_seats(seats, world.n_agents))),
        ("time", np.array([world.time])),
    ]


def _world_view(world: World) -> Blocks:
    agents = np.arange(world.n_agents)[:, None]
    partners = other_seats(agents, world.n_agents)
    private = [np.zeros((world.n_agents, 0), dtype=np.int64), *(block for _, block in world.private_of(agents))]
    return [
        ("actions", agents.reshape(-1)),
        ("all_trust", world.pair(0, agents, partners).reshape(-1)),
        ("all_damage", world.pair(1, agents, partners).reshape(-1)),
        ("all_dependence", world.pair(2, agents, partners).reshape(-1)),
        ("all_private", np.concatenate(private, axis=-1).reshape(-1)),
        *world.public_blocks(),
        *world.hidden_blocks(),
        ("time", np.array([world.time])),
    ]


def _full_view(world: World, seats: Positions) -> Blocks:
    # Nobody's trust in themselves is ever other than one, nor the damage other than zero: constants to read.
    first = np.array(0)
    one, zero = world.pair(0, first, first), world.pair(1, first, first)
    return [("seat", np.where(np.arange(world.n_agents) == seats, one, zero)), *_world_view(world)]


def observation_map(
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
    joint = _world_view(world) if view == "full" else None
    return ObservationMap(backend, view, n_agents, partial(seat_view, world), joint)


def seat_columns(mapping: ObservationMap, seat: int) -> dict[str, list[int]]:
    """Columns of each block, with the seat's own entries of the full view under the names of the own view."""
    columns = mapping.columns()
    if "actions" in columns:
        actions, others = columns["actions"], len(columns["actions"]) - 1
        columns["own_action"] = [actions[seat]]
        columns["partner_actions"] = [column for j, column in enumerate(actions) if j != seat]
        columns["trust"] = columns["all_trust"][seat * others : (seat + 1) * others]
    return columns
