"""Where scores are comparable, and names that every table uses."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

from coopgym.corpus.schema import world_of
from coopgym.games.registry import make_game
from coopgym.rewards import MODES

RANDOM = "Random"
PRIVATE = "private"
PLAYERS = ("learner", "plugin", "heuristic")
"""Kinds that compete; constants and oracles are what they are held against."""
LEARNER = "learner"
"""Kind of what was trained; an agent of a user's own is not."""
SHOWN_CONSTANTS = ("Constant_00", "Constant_50", "Constant_100")
"""Constants that tables always show, beside the best one."""


@dataclass(frozen=True)
class Setting:
    """Where scores are comparable: one game with its parameters under one reward mode."""

    environment: str
    env_parameters: str
    reward_mode: str

    @property
    def game(self) -> str:
        """The game's id, with its overridden parameters if there are any."""
        return self.environment if self.env_parameters == "{}" else f"{self.environment} {self.env_parameters}"

    @property
    def world(self) -> str:
        """The world that is played."""
        return world_of({"world": None, "env_parameters": self.env_parameters})

    @property
    def draws(self) -> bool:
        """Whether the game itself leaves something to chance; of a game that is not registered here, nobody knows."""
        return _draws(self.environment, self.env_parameters)


def mode_order(mode: str) -> tuple[int, str]:
    """Return a sorting key that puts the named modes first, in their order.

    >>> sorted(["svo=45", "cooperative", "private"], key=mode_order)
    ['private', 'cooperative', 'svo=45']
    """
    named = list(MODES)
    return (named.index(mode) if mode in named else len(named), mode)


@cache
def _draws(environment: str, env_parameters: str) -> bool:
    try:
        game = make_game(environment, **json.loads(env_parameters))
    except (TypeError, ValueError):
        return False
    return game.stochastic
