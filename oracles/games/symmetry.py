"""Which agents of a game are exchangeable."""

from __future__ import annotations

import numpy as np

from coopgym.games.spec import GameSpec


def exchangeable_groups(spec: GameSpec) -> tuple[tuple[int, ...], ...]:
    """Partition the seats into groups whose members can swap places without changing the game's numbers.

    Members of a group have the same endowment, baseline and share, and swapping any two leaves the interdependence
    matrix as it is. Seats and groups are in ascending order.
    """
    groups: list[list[int]] = []
    for seat in range(spec.n_agents):
        for group in groups:
            if _swappable(spec, group[0], seat):
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
