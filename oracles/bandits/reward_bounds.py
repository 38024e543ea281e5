"""The grid of a game's arms, and bounds on its rewards that are fixed before anything is played."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from coopgym.games.game import AnyGame
from coopgym.games.state import State
from coopgym.oracles.games.rollout import repeated
from coopgym.play import NOMINAL, Tape, open_loop, unroll
from coopgym.play.unroll import played
from coopgym.rewards import Rewards
from coopgym.typing import FloatArray

LEVELS = 21
"""Shares of a grid, unless something else is asked for."""
CORNERS = 64
"""Profiles of zeros and ones of the other seats that bounds look at, at most; beside them all play alike."""
ALMOST_ONE = 1.0 - 1e-9
"""Largest uniform number of a reset that bounds look at."""


def square_root_grid(levels: int = LEVELS, least: float = 0.0) -> FloatArray:
    """Return shares ``(K,)`` that are evenly spaced in the square root of a share.

    Stage payoffs are steepest at zero, where they have geometric means: in the square root they have a Lipschitz
    constant, and one several times as small as in the share.

    Raises:
        ValueError: fewer than two levels, or a least share outside [0, 1).

    >>> square_root_grid(5)
    array([0.    , 0.0625, 0.25  , 0.5625, 1.    ])
    """
    if levels < 2:
        raise ValueError(f"levels={levels!r}: expected a whole number of at least 2")
    if not 0.0 <= least < 1.0:
        raise ValueError(f"least={least!r}: expected a share in [0, 1)")
    grid: FloatArray = np.linspace(np.sqrt(least), 1.0, levels) ** 2
    return grid


def reward_bounds(game: AnyGame, rewards: Rewards, levels: FloatArray, episodes: bool = False) -> FloatArray:
    """Return the least and greatest reward of a step for every seat, ``(N, 2)``, fixed before anything is played.

    Rewards are computed over all shares of a seat with all others at a common share, and where everybody plays nothing
    or everything, if these are few; in states that play reaches from the start under shares that are held or alternate,
    by all alike or by some against the others; and at the ends of what a reset draws. What lies outside all the same is
    clipped by whoever scales.

    Args:
        game: on the NumPy backend.
        rewards: a mode without transforms.
        levels: ``(K,)`` shares of the endowment.
        episodes: whether steps after an early end, which pay nothing, count as well.

    Raises:
        ValueError: a seat whose reward never changes.

    >>> from coopgym.rewards import reward_layer
    >>> game = coopgym.make_game("TrustDilemma-v1")
    >>> reward_bounds(game, reward_layer("private").evaluated, square_root_grid()).round(2)
    array([[-0.51,  2.51],
           [-0.51,  2.51]])
    """
    groups = game.traits().exchangeable
    profiles = _profiles(game.n_agents, levels, [group[0] for group in groups]) * game.spec.endowments
    lows, highs = [], []
    for state in _states(game):
        states = repeated(game, state, (len(profiles),))
        paid = played(
            game, states.t, states, profiles, NOMINAL.step(game, 0, (len(profiles),)), rewards=rewards
        ).rewards
        lows.append(paid.min(0))
        highs.append(paid.max(0))
    low, high = np.min(lows, axis=0), np.max(highs, axis=0)
    for group in groups:
        low[list(group)], high[list(group)] = low[group[0]], high[group[0]]
    if episodes and game.may_end_early:
        low, high = np.minimum(low, 0.0), np.maximum(high, 0.0)
    if not (high > low).all():
        raise ValueError(f"{game.id}: the reward of seat {int((high <= low).argmax())} is the same whatever is played")
    return np.stack([low, high], axis=1)


def _profiles(n_agents: int, levels: FloatArray, seats: Sequence[int]) -> FloatArray:
    """Shares ``(P, N)``: some seats at all levels with the others at a common one, and corners where they are few."""
    own, common = (grid.ravel() for grid in np.meshgrid(levels, levels, indexing="ij"))
    alone = np.repeat(common[:, None], n_agents, axis=1)
    parts = []
    for seat in seats:
        profile = alone.copy()
        profile[:, seat] = own
        parts.append(profile)
    if 2**n_agents <= CORNERS:
        parts.append(np.array(list(itertools.product((0.0, 1.0), repeat=n_agents))))
    return np.concatenate(parts)


def _states(game: AnyGame) -> list[State]:
    """States that constant play reaches from openings at the ends of what a reset draws."""
    count = game.reset_uniforms
    ends: Iterable[tuple[float, ...]] = itertools.product((0.0, ALMOST_ONE), repeat=count)
    if 2**count > CORNERS:
        ends = [(0.0,) * count, (ALMOST_ONE,) * count]
    states = []
    for uniforms in ends:
        tape = Tape(np.array(uniforms), np.zeros(game.reset_normals), np.zeros((game.spec.horizon, game.step_normals)))
        for course in _courses(game.n_agents):
            steps = unroll(game, open_loop(game, np.resize(course, (game.spec.horizon, game.n_agents))), draws=tape)
            states += [step.before for step in steps if step.t in _instants(game.spec.horizon)]
    return states


def _courses(n_agents: int) -> FloatArray:
    """Shares ``(C, 2, N)`` of even and odd steps: held or alternating, by all alike or by some against the others."""
    seats = np.arange(n_agents)
    some = np.array([seats >= 0, seats == 0, seats % 2 == 0], dtype=np.float64)
    shares = np.unique(np.concatenate([some, 1.0 - some]), axis=0)
    held = np.concatenate([shares, np.full((1, n_agents), 0.5)])
    return np.concatenate([np.stack([held, held], axis=1), np.stack([shares, 1.0 - shares], axis=1)])


def _instants(horizon: int) -> frozenset[int]:
    return frozenset({0, 1, horizon // 8, horizon // 2, horizon - 2, horizon - 1})
