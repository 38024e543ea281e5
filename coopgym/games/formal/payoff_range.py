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
from coopgym.typing import FloatArray
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
    can be exchanged move together, so that a thousand of them take no longer than two.
    """
    game = game_class.made(replace(parameters, world=FIXED), NUMPY)
    groups = game.traits().exchangeable
    low, high = np.zeros(game.n_agents), np.zeros(game.n_agents)
    for group in groups:
        seats = list(group)
        low[seats] = _extreme(game, parameters.world_spread, seats[0], groups, -1.0)
        high[seats] = _extreme(game, parameters.world_spread, seats[0], groups, 1.0)
    return low, high


def _extreme(game: AnyFormalGame, spread: float, seat: int, groups: tuple[tuple[int, ...], ...], sign: float) -> float:
    """The greatest payoff of a seat, or with ``sign`` -1 the least, over corners of the draws and levels of all."""
    hidden = game.traits().hidden
    corners = np.array(list(product((1.0 / spread, spread), (1.0 / spread, spread), *hidden.values())))
    others = [[other for other in group if other != seat] for group in groups]
    movers = [[seat], *(group for group in others if group)]
    best = np.full((len(corners), game.n_agents), 0.5)
    for movable in movers * SWEEPS:
        trials = np.repeat(best[:, None, :], len(LEVELS), axis=1)
        trials[:, :, movable] = LEVELS[:, None]
        earned = _stage_payoffs(game, corners, list(hidden), trials)[..., seat]
        best = trials[np.arange(len(corners)), (sign * earned).argmax(axis=1)]
    return float(sign * (sign * _stage_payoffs(game, corners, list(hidden), best[:, None, :])[..., seat]).max())


def _stage_payoffs(game: AnyFormalGame, corners: FloatArray, hidden: list[str], shares: FloatArray) -> FloatArray:
    """Payoffs ``(C, L, N)`` of shares of endowment ``(C, L, N)`` from the opening state under each corner's draws."""
    rows = shares.reshape(-1, game.n_agents)
    drawn = np.repeat(corners, shares.shape[1], axis=0)
    size = max(1, CHUNK // game.n_agents**2)
    parts = [
        _payoffs(game, drawn[first : first + size], hidden, rows[first : first + size])
        for first in range(0, len(rows), size)
    ]
    return np.concatenate(parts).reshape(shares.shape)


def _payoffs(game: AnyFormalGame, drawn: FloatArray, hidden: list[str], shares: FloatArray) -> FloatArray:
    uniforms, normals = np.zeros(game.reset_uniforms), np.zeros(game.reset_normals)
    opening = game.initial_state((), None, uniforms, normals)
    state = replace(
        map_arrays(lambda array: np.broadcast_to(array, (len(shares), *np.shape(array))), opening),
        **{name: drawn[:, 2 + k] for k, name in enumerate(hidden)},
        cost_factor=np.broadcast_to(drawn[:, :1], shares.shape),
        synergy_factor=drawn[:, 1],
    )
    payoffs: FloatArray = game.payoffs(game.at_steady_state(state, shares * game.spec.endowments), shares)
    return payoffs
