"""The least and the greatest that one step can pay: the scale on which seats of a world see what they earned."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from itertools import product
from typing import Any, TypeAlias

import numpy as np

from coopgym.backend import NUMPY
from coopgym.games.formal.parameters import FormalParameters
from coopgym.games.state import map_arrays
from coopgym.typing import FloatArray, IntArray
from coopgym.worlds import FIXED

LEVELS = np.linspace(0.0, 1.0, 21)
CHUNK = 4_000_000
"""Pairs of agents that are played at once: it bounds memory."""
SWEEPS = 3
"""How often each seat's level is chosen anew while the others stay."""
AnyFormalGame: TypeAlias = Any
"""A `FormalGame`, whatever its state and parameters."""


@lru_cache(maxsize=256)
def payoff_range(game_class: type[AnyFormalGame], parameters: FormalParameters) -> tuple[FloatArray, FloatArray]:
    """Return the least and the greatest stage payoff of each seat, both ``(N,)``, over all actions and factors.

    Factors lie within the parameters' ``world_spread``. Levels are searched seat by seat on a grid of 5 %; seats that
    can be exchanged move together, so that a thousand of them ask for no more levels than two.
    """
    game = game_class.made(replace(parameters, world=FIXED), NUMPY)
    groups = game.traits().exchangeable
    low, high = np.zeros(game.n_agents), np.zeros(game.n_agents)
    for group in groups:
        stage, seats = _OpeningStage(game, parameters.world_spread, group[0], groups), list(group)
        low[seats], high[seats] = stage.extreme(-1.0), stage.extreme(1.0)
    return low, high


class _OpeningStage:
    """What the opening state pays one seat at the corners of the draws; whatever was played once is remembered."""

    def __init__(self, game: AnyFormalGame, spread: float, seat: int, groups: tuple[tuple[int, ...], ...]) -> None:
        self.game, self.seat = game, seat
        hidden = game.traits().hidden
        corners = np.array(list(product((1.0 / spread, spread), (1.0 / spread, spread), *hidden.values())))
        others = [[other for other in group if other != seat] for group in groups]
        self.movers = [[seat], *(group for group in others if group)]
        opening = game.initial_state((), None, np.zeros(game.reset_uniforms), np.zeros(game.reset_normals))
        # One state for all levels: what follows from it alone is reckoned once, whatever is played.
        self.start = replace(
            map_arrays(lambda array: np.asarray(array)[None, None], opening),
            **{name: corners[:, None, 2 + k] for k, name in enumerate(hidden)},
            cost_factor=corners[:, None, :1],
            synergy_factor=corners[:, None, 1],
        )
        self.corners = np.arange(len(corners))
        self._earned: dict[tuple[int, ...], FloatArray] = {}

    def extreme(self, sign: float) -> float:
        """The greatest payoff of the seat, or with ``sign`` -1 the least, over corners of the draws and levels."""
        best = np.full((len(self.corners), len(self.movers)), len(LEVELS) // 2)
        for mover in list(range(len(self.movers))) * SWEEPS:
            trials = np.repeat(best[:, None, :], len(LEVELS), axis=1)
            trials[:, :, mover] = np.arange(len(LEVELS))
            best = trials[self.corners, (sign * self.payoffs(trials)).argmax(axis=1)]
        return float(sign * (sign * self.payoffs(best[:, None, :])).max())

    def payoffs(self, chosen: IntArray) -> FloatArray:
        """What the seat earns ``(C, L)`` at each corner where movers choose levels, indices ``(C, L, M)``."""
        profiles = [tuple(profile) for profile in chosen.reshape(-1, len(self.movers)).tolist()]
        new = [profile for profile in dict.fromkeys(profiles) if profile not in self._earned]
        size = max(1, CHUNK // self.game.n_agents**2)
        for first in range(0, len(new), size):
            part = new[first : first + size]
            self._earned.update(zip(part, self._played(np.array(part)).T, strict=True))
        earned = np.stack([self._earned[profile] for profile in profiles]).reshape(*chosen.shape[:2], -1)
        paid: FloatArray = earned[self.corners, :, self.corners]
        return paid

    def _played(self, profiles: IntArray) -> FloatArray:
        """What the seat earns ``(C, P)`` at every corner under profiles of levels ``(P, M)``."""
        shares = np.empty((1, len(profiles), self.game.n_agents))
        for mover, seats in enumerate(self.movers):
            shares[:, :, seats] = LEVELS[profiles[:, mover], None]
        state = self.game.at_steady_state(self.start, shares * self.game.spec.endowments)
        payoffs: FloatArray = self.game.payoffs(state, shares)[..., self.seat]
        return payoffs
