"""What players earn who know what a world has drawn, and what the best single level earns that knows nothing.

These are the two ends of the score in worlds: 0 is the best uninformed level, 1 the informed plan, both on the same
draws. All draws are solved as one batch: the factors are part of the state, so a row of it is a game of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coopgym.games.game import AnyGame
from coopgym.games.state import State, map_arrays
from coopgym.oracles.dynamic.ascent import ascend, torch_gradient
from coopgym.oracles.dynamic.planning import CHUNK, double_precision, moved_to
from coopgym.oracles.games.rollout import plan_returns
from coopgym.play import Seeded
from coopgym.rewards import MODES
from coopgym.typing import FloatArray

COARSE, FINE = 0.05, 0.01
"""Distances of levels on the grids that a level is searched on, first over the whole range, then around the best."""
SWEEPS = 3
STARTS = (0.3, 0.75, 1.0)
"""Levels that the search for each draw's constants starts from."""
ITERATIONS = 40
"""Gradients per search at most."""
GRADIENT_CHUNK = CHUNK // 4
"""Pairs of agents and steps whose gradients are kept at once."""


@dataclass(frozen=True, eq=False)
class UninformedLevel:
    """The level per group of seats with the greatest mean welfare over draws."""

    levels: FloatArray
    """``(N,)`` shares."""
    welfare: FloatArray
    """``(B,)`` sum of returns in each draw."""


@dataclass(frozen=True, eq=False)
class InformedPlans:
    """The best plan found for each of B draws by who is told its factors."""

    shares: FloatArray
    """``(steps, B, N)``."""
    welfare: FloatArray
    """``(B,)`` sum of returns."""
    residuals: FloatArray
    """``(B,)`` largest entry of the projected gradient, payoff units per share; zero at a stationary plan."""


def drawn_states(game: AnyGame, seeds: Sequence[int]) -> State:
    """Return the opening states ``(B,)`` of some seeds: row k is the reset of an environment with the k-th of them."""
    batch = (len(seeds),)
    return game.initial_state(batch, None, *Seeded(seeds).reset(game, batch))


def constant_returns(game: AnyGame, states: State, levels: FloatArray) -> FloatArray:
    """Return what each seat earns ``(L, B, N)`` from B states if levels ``(L, N)`` or ``(L, B, N)`` are held.

    Args:
        game: on the NumPy backend.
        states: ``(B,)`` at one time.
        levels: shares of endowment.
    """
    rows, (draws, n) = len(levels), states.last_action.shape
    held = np.broadcast_to(levels.reshape(rows, -1, n), (rows, draws, n))
    size = max(1, CHUNK // (draws * n**2))
    parts = []
    for first in range(0, rows, size):
        plans = held[first : first + size]
        batch = (len(plans),)
        start = map_arrays(lambda array, batch=batch: np.broadcast_to(array, (*batch, *array.shape)), states)
        parts.append(plan_returns(game, start, plans, [MODES["private"]])[0])
    return np.concatenate(parts)


def best_uninformed(game: AnyGame, states: State) -> UninformedLevel:
    """Find the one level per group of exchangeable seats that earns most welfare on average over draws.

    Groups are searched in turn, on a grid of 5 % and then of 1 % around the best of it.

    Args:
        game: on the NumPy backend.
        states: ``(B,)`` opening states of the draws.
    """
    groups = [list(group) for group in game.traits().exchangeable]
    levels = np.full(game.n_agents, 0.75)
    for seats in [list(range(game.n_agents)), *(groups * SWEEPS if len(groups) > 1 else [])]:
        levels = _best_of(game, states, levels, seats, np.arange(0.0, 1.0 + COARSE / 2, COARSE))
        levels = _best_of(game, states, levels, seats, levels[seats[0]] + FINE * np.arange(-4, 5))
    return UninformedLevel(levels, constant_returns(game, states, levels[None])[0].sum(-1))


def _best_of(game: AnyGame, states: State, levels: FloatArray, seats: list[int], tried: FloatArray) -> FloatArray:
    """Return levels ``(N,)`` of which some seats hold the best of those tried."""
    candidates = np.repeat(levels[None], len(tried), axis=0)
    candidates[:, seats] = np.clip(tried, 0.0, 1.0)[:, None]
    best: FloatArray = candidates[constant_returns(game, states, candidates).sum(-1).mean(-1).argmax()]
    return best


def informed_plans(game: AnyGame, states: State, iterations: int = ITERATIONS) -> InformedPlans:
    """Find for each draw the open-loop plan of all seats with the greatest welfare, its factors known.

    Each draw's best constants are climbed to first, then the plan of all steps from there, by exact gradients; a plan
    is never worse than the constants.

    Args:
        game: on the NumPy backend.
        states: ``(B,)`` opening states of the draws.
        iterations: gradients per search at most.

    Raises:
        ImportError: torch is not installed.
    """
    draws, (n, steps) = len(states.t), (game.n_agents, game.spec.horizon)
    size = max(1, GRADIENT_CHUNK // (n**2 * steps) * 8)
    found = []
    for first in range(0, draws, size):
        part = map_arrays(lambda array, first=first: array[first : first + size], states)
        found.append(_climbed(game, part, iterations))
    return InformedPlans(
        np.concatenate([each.shares for each in found], axis=1),
        np.concatenate([each.welfare for each in found]),
        np.concatenate([each.residuals for each in found]),
    )


def _climbed(game: AnyGame, states: State, iterations: int) -> InformedPlans:
    backend = double_precision()
    with backend.lasting():
        on_torch, start = game.to(backend), moved_to(backend, states)
    draws, n = states.last_action.shape
    steps, unit = game.spec.horizon, game.spec.payoff_scale

    def held(levels):  # type: ignore[no-untyped-def]  # torch stays out of the module
        return plan_returns(on_torch, start, levels, [MODES["private"]])[0].sum(-1) / unit

    def planned(plans):  # type: ignore[no-untyped-def]
        return plan_returns(on_torch, start, plans.swapaxes(0, 1), [MODES["private"]])[0].sum(-1) / unit

    climbs = [ascend(torch_gradient(held, (n,)), np.full((draws, n), level), iterations) for level in STARTS]
    best = np.argmax([climb.values for climb in climbs], axis=0)
    constants = np.stack([climb.points for climb in climbs])[best, np.arange(draws)]
    plans = np.repeat(constants[:, None], steps, axis=1).reshape(draws, -1)
    climb = ascend(torch_gradient(planned, (steps, n)), plans, iterations)
    shares = climb.points.reshape(draws, steps, n).swapaxes(0, 1)
    return InformedPlans(shares, climb.values * unit, climb.residuals)
