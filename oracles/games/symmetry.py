"""Which agents of a game are exchangeable."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from coopgym.games.game import AnyGame
from coopgym.games.state import State, state_arrays
from coopgym.games.traits import Groups, partition, renumbered, swap
from coopgym.oracles.games.rollout import initial_state
from coopgym.rewards import Rewards
from coopgym.typing import FloatArray


def groups_in_state(
    game: AnyGame, state: State, layers: Sequence[Rewards] = (), seat_weights: FloatArray | None = None
) -> Groups:
    """Partition the seats into exchangeable groups whose members are in the same situation and want the same.

    Args:
        game: on the NumPy backend.
        state: a single state. What tells exchangeable agents apart even after reset is mere bookkeeping.
        layers: reward layers that must treat members alike.
        seat_weights: ``(N,)`` weights that members must share.
    """
    first = initial_state(game)

    def alike(i: int, j: int) -> bool:
        return (
            all(layer.treats_alike(i, j) for layer in layers)
            and (seat_weights is None or bool(seat_weights[i] == seat_weights[j]))
            and all(
                _unmoved_by_swap(now, i, j, game.n_agents)
                for now, at_reset in zip(state_arrays(state).values(), state_arrays(first).values(), strict=True)
                if _unmoved_by_swap(at_reset, i, j, game.n_agents)
            )
        )

    return tuple(sorted(group for seats in game.traits().exchangeable for group in partition(seats, alike)))


def _unmoved_by_swap(array: FloatArray, i: int, j: int, n_agents: int) -> bool:
    return bool(np.allclose(renumbered(array, swap(n_agents, i, j)), array))


def block_of_seats(blocks: Sequence[Sequence[int]]) -> npt.NDArray[np.int64]:
    """Return which block each seat is in, ``(N,)``."""
    seats = np.concatenate(blocks)
    numbers = np.repeat(np.arange(len(blocks)), [len(block) for block in blocks])
    return numbers[np.argsort(seats)]
