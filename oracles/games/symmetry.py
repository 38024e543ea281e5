"""Which agents of a game are exchangeable."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from coopgym.games.game import AnyGame
from coopgym.games.spec import GameSpec
from coopgym.games.state import State


def exchangeable_groups(spec: GameSpec) -> tuple[tuple[int, ...], ...]:
    """Partition the seats into groups whose members can swap places without changing the game's numbers.

    Members of a group have the same endowment, baseline and share, and swapping any two leaves the interdependence
    matrix as it is. Seats and groups are in ascending order.
    """
    return _partition(spec.n_agents, lambda i, j: _swappable(spec, i, j))


def groups_in_state(game: AnyGame, state: State) -> tuple[tuple[int, ...], ...]:
    """Partition the seats into exchangeable groups whose members also see the same in a state.

    Args:
        game: on the NumPy backend.
        state: a single state.
    """
    seen = game.observe(state, "own")
    return _partition(game.n_agents, lambda i, j: np.allclose(seen[i], seen[j]) and _swappable(game.spec, i, j))


def _partition(n_agents: int, alike: Callable[[int, int], bool]) -> tuple[tuple[int, ...], ...]:
    groups: list[list[int]] = []
    for seat in range(n_agents):
        for group in groups:
            if alike(group[0], seat):
                group.append(seat)
                break
        else:
            groups.append([seat])
    return tuple(tuple(group) for group in groups)


def _swappable(spec: GameSpec, i: int, j: int) -> bool:
    order = np.arange(spec.n_agents)
    order[[i, j]] = j, i
    vectors = np.stack([spec.endowments, spec.baselines, spec.shares])
    matrix = spec.interdependence
    return bool(np.allclose(vectors[:, i], vectors[:, j]) and np.allclose(matrix[np.ix_(order, order)], matrix))
