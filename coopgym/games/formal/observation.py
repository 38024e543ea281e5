"""Observation layouts of the formal edition (formal edition §1.9): which entries of the world a seat sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from coopgym.backend import Backend
from coopgym.games.observation import Blocks, ObservationMap
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

    def pair(self, matrix: int, i: int, j: int) -> int:
        """Position of entry (i, j) of matrix 0 (trust), 1 (damage) or 2 (interdependence)."""
        return self.n_agents + (matrix * self.n_agents + i) * self.n_agents + j

    @property
    def _classes(self) -> int:
        return self.n_agents * (1 + 3 * self.n_agents)

    def private_of(self, agent: int) -> Blocks:
        """Positions of one agent's private blocks."""
        blocks: Blocks = []
        start = self._classes
        for name, entries in self.private.items():
            first = start + agent * entries
            blocks.append((name, list(range(first, first + entries))))
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
        blocks.append((name, list(range(start, start + size))))
        start += size
    return blocks


def _own_view(world: World, i: int) -> Blocks:
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


def _minimal_view(world: World, i: int) -> Blocks:
    others = [j for j in range(world.n_agents) if j != i]
    return [
        ("own_action", [i]),
        ("trust", [world.pair(0, i, j) for j in others]),
        ("time", [world.time]),
    ]


def _world_view(world: World) -> Blocks:
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


def _full_view(world: World, i: int) -> Blocks:
    # Nobody's trust in themselves is ever other than one, nor the damage other than zero: constants to read.
    one, zero = world.pair(0, 0, 0), world.pair(1, 0, 0)
    return [("seat", [one if j == i else zero for j in range(world.n_agents)]), *_world_view(world)]


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
    return ObservationMap.build(backend, [seat_view(world, i) for i in range(n_agents)], joint)


def layout(mapping: ObservationMap, seat: int) -> dict[str, list[int]]:
    """Columns of each block, with the seat's own entries of the full view under the names of the own view."""
    columns = mapping.columns(seat)
    if "actions" in columns:
        actions, others = columns["actions"], len(columns["actions"]) - 1
        columns["own_action"] = [actions[seat]]
        columns["partner_actions"] = [column for j, column in enumerate(actions) if j != seat]
        columns["trust"] = columns["all_trust"][seat * others : (seat + 1) * others]
    return columns
