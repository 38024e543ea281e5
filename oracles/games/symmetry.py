"""Which agents of a game are exchangeable."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from coopgym.games.game import AnyGame, FloatArray
from coopgym.games.spec import GameSpec
from coopgym.games.state import State
from coopgym.oracles.games.rollout import opening
from coopgym.rewards import Rewards


def exchangeable_groups(spec: GameSpec) -> tuple[tuple[int, ...], ...]:
    """Partition the seats into groups whose members can swap places without changing the game's numbers.

    Members of a group have the same endowment, baseline and share, and swapping any two leaves the interdependence
    matrix as it is. Seats and groups are in ascending order.
    """
    return _partition(spec.n_agents, lambda i, j: _swappable(spec, i, j))


def groups_in_state(
    game: AnyGame, state: State, layers: Sequence[Rewards] = (), seat_weights: FloatArray | None = None
) -> tuple[tuple[int, ...], ...]:
    """Partition the seats into exchangeable groups whose members are in the same situation and want the same.

    Args:
        game: on the NumPy backend.
        state: a single state. What tells exchangeable agents apart even after reset is mere bookkeeping.
        layers: reward layers that must treat members alike.
        seat_weights: ``(N,)`` weights that members must share.
    """
    first = opening(game)

    def alike(i: int, j: int) -> bool:
        return (
            _swappable(game.spec, i, j)
            and all(layer.treats_alike(i, j) for layer in layers)
            and (seat_weights is None or bool(seat_weights[i] == seat_weights[j]))
            and all(
                _unmoved_by_swap(now, i, j, game.n_agents)
                for now, at_reset in zip(vars(state).values(), vars(first).values(), strict=True)
                if _unmoved_by_swap(at_reset, i, j, game.n_agents)
            )
        )

    return _partition(game.n_agents, alike)


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
    numbers = (spec.endowments, spec.baselines, spec.shares, spec.interdependence)
    return all(_unmoved_by_swap(array, i, j, spec.n_agents) for array in numbers)


def _unmoved_by_swap(array: FloatArray, i: int, j: int, n_agents: int) -> bool:
    """Whether swapping two agents on every axis that counts agents leaves an array as it is."""
    order = np.arange(n_agents)
    order[[i, j]] = j, i
    swapped = array
    for axis, size in enumerate(array.shape):
        if size == n_agents:
            swapped = np.take(swapped, order, axis)
    return bool(np.allclose(swapped, array))
