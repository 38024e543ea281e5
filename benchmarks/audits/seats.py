"""Kinds of seats: one seat of a kind stands for all that are alike."""

from __future__ import annotations

import numpy as np

from coopgym.games.game import AnyGame
from coopgym.oracles.games.rollout import initial_state
from coopgym.oracles.games.symmetry import groups_in_state
from coopgym.rewards import objective
from coopgym.typing import IntArray


def seat_kinds(game: AnyGame, reward: str) -> IntArray:
    """Return the first seat ``(K,)`` of every group of seats that are alike in the game and under the reward."""
    groups = groups_in_state(game, initial_state(game), [objective(reward)])
    return np.array([group[0] for group in groups])
