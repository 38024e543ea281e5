"""The least and the greatest that one step can pay: the scale on which seats of a world see what they earned."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from itertools import product
from typing import Any, TypeAlias

import numpy as np

from coopgym.backend import NUMPY
from coopgym.games.formal.parameters import FormalParameters
from coopgym.games.game import ResetOptions
from coopgym.typing import FloatArray
from coopgym.worlds import FIXED

LEVELS = np.linspace(0.0, 1.0, 21)
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
    batch = shares.shape[:-1]
    drawn = {name: np.broadcast_to(corners[:, None, 2 + k], batch) for k, name in enumerate(hidden)}
    uniforms, normals = (np.zeros((*batch, count)) for count in (game.reset_uniforms, game.reset_normals))
    state = replace(
        game.initial_state(batch, ResetOptions(initial_state=drawn), uniforms, normals),
        cost_factor=np.broadcast_to(corners[:, None, :1], shares.shape),
        synergy_factor=np.broadcast_to(corners[:, None, 1], batch),
    )
    actions = shares * game.spec.endowments
    payoffs: FloatArray = game.stage(game.at_steady_state(state, actions), actions).payoffs
    return payoffs
