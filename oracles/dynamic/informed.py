"""What players earn who know what a world has drawn, and what the best single level earns that knows nothing.

These are the two ends of the score in worlds: 0 is the best uninformed level, 1 the informed plan, both on the same
draws. All draws are solved as one batch: the factors are part of the state, so a row of it is a game of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from coopgym.backend import Array
from coopgym.games.game import AnyGame
from coopgym.games.state import State, map_arrays
from coopgym.oracles.dynamic.ascent import ascend, torch_gradient
from coopgym.oracles.dynamic.planning import CHUNK, double_precision, moved_to
from coopgym.oracles.games.rollout import plan_returns
from coopgym.play import NOMINAL, Draws, Seeded, Totals, unroll
from coopgym.rewards import MODES
from coopgym.typing import FloatArray

COARSE, FINE = 0.05, 0.01
"""Distances of levels on the grids that a level is searched on, first over the whole range, then around the best."""
SWEEPS = 3
ITERATIONS = 40
"""Gradients per search at most."""
GRADIENT_CHUNK = CHUNK // 4
"""Pairs of agents and steps whose gradients are kept at once."""
DIGITS = 4
"""Decimals of logarithms to which draws are the same: closer ones have plans that are worth the same."""

SolvedDraws: TypeAlias = dict[Hashable, dict[tuple[float, ...], FloatArray]]
"""What is solved, and for what draw → its solution."""
_PLANS: SolvedDraws = {}
"""Informed plans ``(steps, N)`` found in this process, by game and draw: all seats, and all plays, ask for the same."""


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


def constant_returns(game: AnyGame, states: State, levels: FloatArray, draws: Draws = NOMINAL) -> FloatArray:
    """Return what each seat earns ``(L, B, N)`` from B states if levels ``(L, N)`` or ``(L, B, N)`` are held.

    Args:
        game: on the NumPy backend.
        states: ``(B,)`` at one time.
        levels: shares of endowment.
        draws: the chance of every step, alike for row b of each level.
    """
    rows, (count, n) = len(levels), states.last_action.shape
    held = np.broadcast_to(levels.reshape(rows, -1, n), (rows, count, n))
    size = max(1, CHUNK // (count * n**2))
    parts = []
    for first in range(0, rows, size):
        actions = held[first : first + size] * game.endowments
        batch = (len(actions),)
        start = map_arrays(lambda array, batch=batch: np.broadcast_to(array, (*batch, *array.shape)), states)
        parts.append(Totals.of(unroll(game, lambda *_, actions=actions: actions, start=start, draws=draws)).payoffs)
    return np.concatenate(parts)


def best_uninformed(game: AnyGame, states: State, draws: Draws = NOMINAL) -> UninformedLevel:
    """Find the one level per group of exchangeable seats that earns most welfare on average over draws.

    Args:
        game: on the NumPy backend.
        states: ``(B,)`` opening states of the draws.
        draws: the chance of every step, which matters where worlds shift.
    """
    levels = _best_levels(game, states, game.traits().exchangeable, draws, 1)[0]
    return UninformedLevel(levels, constant_returns(game, states, levels[None], draws)[0].sum(-1))


def informed_levels(game: AnyGame, states: State, blocks: Sequence[Sequence[int]] | None = None) -> FloatArray:
    """Return for each draw the levels ``(B, N)`` that earn most welfare if they are held, its factors known.

    Args:
        game: on the NumPy backend.
        states: ``(B,)`` opening states of the draws.
        blocks: sets of seats that hold one level each; None are the groups of exchangeable seats.
    """
    return _best_levels(game, states, blocks or game.traits().exchangeable, NOMINAL, len(states.t))


def _best_levels(game: AnyGame, states: State, blocks: Sequence[Sequence[int]], draws: Draws, parts: int) -> FloatArray:
    """Search levels ``(parts, N)`` for the draws, cut into equal parts, that are best on average over each part.

    Blocks are searched in turn, after all seats together, on a grid of 5 % and then of 1 % around the best of it.
    """
    levels = np.full((parts, game.n_agents), 0.75)
    whole, near = np.arange(0.0, 1.0 + COARSE / 2, COARSE)[:, None], FINE * np.arange(-4, 5)[:, None]
    together = list(range(game.n_agents))
    for block in [together, *([list(block) for block in blocks] * SWEEPS if len(blocks) > 1 else [])]:
        levels = _best_of(game, states, levels, block, np.repeat(whole, parts, axis=1), draws)
        levels = _best_of(game, states, levels, block, levels[:, block[0]] + near, draws)
    return levels


def _best_of(
    game: AnyGame, states: State, levels: FloatArray, block: list[int], tried: FloatArray, draws: Draws
) -> FloatArray:
    """Return levels ``(parts, N)`` of which a block holds the best of those tried, ``(L, parts)``."""
    count, parts = tried.shape
    candidates = np.repeat(levels[None], count, axis=0)
    candidates[..., block] = np.clip(tried, 0.0, 1.0)[..., None]
    held = np.repeat(candidates, len(states.t) // parts, axis=1)
    welfare = constant_returns(game, states, held, draws).sum(-1).reshape(count, parts, -1).mean(-1)
    best: FloatArray = candidates[welfare.argmax(0), np.arange(parts)]
    return best


def informed_plans(game: AnyGame, states: State, iterations: int = ITERATIONS) -> InformedPlans:
    """Find for each draw the open-loop plan of all seats with the greatest welfare, its factors known.

    From each draw's best levels per group of seats, which are searched over their whole range, the best constants per
    seat are climbed to, then the plan of all steps from there, by exact gradients. A plan is never worse than these.

    Args:
        game: on the NumPy backend.
        states: ``(B,)`` opening states of the draws.
        iterations: gradients per search at most.

    Raises:
        ImportError: torch is not installed.
    """
    found = [_climbed(game, part, iterations) for _, part in in_parts(game, states)]
    return InformedPlans(
        np.concatenate([each.shares for each in found], axis=1),
        np.concatenate([each.welfare for each in found]),
        np.concatenate([each.residuals for each in found]),
    )


def in_parts(game: AnyGame, states: State) -> Iterator[tuple[slice, State]]:
    """Yield states ``(B,)`` in parts of which gradients of whole episodes fit into memory, and which rows they are."""
    size = max(1, GRADIENT_CHUNK // (game.n_agents**2 * game.spec.horizon) * 8)
    for first in range(0, len(states.t), size):
        rows = slice(first, first + size)
        yield rows, map_arrays(lambda array, rows=rows: array[rows], states)


def _climbed(game: AnyGame, states: State, iterations: int) -> InformedPlans:
    backend = double_precision()
    with backend.lasting():
        on_torch, start = game.to(backend), moved_to(backend, states)
    draws, n = states.last_action.shape
    steps, unit = game.spec.horizon, game.spec.payoff_scale

    def held(levels: Array) -> Array:
        return plan_returns(on_torch, start, levels, [MODES["private"]])[0].sum(-1) / unit

    def planned(plans: Array) -> Array:
        return plan_returns(on_torch, start, plans.swapaxes(0, 1), [MODES["private"]])[0].sum(-1) / unit

    constants = ascend(torch_gradient(held, (n,)), informed_levels(game, states), iterations).points
    plans = np.repeat(constants[:, None], steps, axis=1).reshape(draws, -1)
    climb = ascend(torch_gradient(planned, (steps, n)), plans, iterations)
    shares = climb.points.reshape(draws, steps, n).swapaxes(0, 1)
    return InformedPlans(shares, climb.values * unit, climb.residuals)


def known_plans(game: AnyGame, states: State) -> FloatArray:
    """Return the informed plans ``(steps, B, N)`` of B opening states; each draw is solved once in a process.

    Args:
        game: on the NumPy backend.
        states: ``(B,)`` opening states of the draws.

    Raises:
        ImportError: torch is not installed.
    """
    solved = solved_once(_PLANS, game, states, lambda new: informed_plans(game, new).shares.swapaxes(0, 1))
    return solved.swapaxes(0, 1)


def solved_once(
    memory: SolvedDraws, game: AnyGame, states: State, solve: Callable[[State], FloatArray], *further: Hashable
) -> FloatArray:
    """Return the solutions ``(B, ...)`` of opening states, of which those in the memory are not sought again.

    Args:
        memory: by game and what else a solution depends on, then by draw, one solution each.
        game: that is solved.
        states: ``(B,)``.
        solve: states to solutions, one row each.
        further: what else solutions depend on.
    """
    known = memory.setdefault((game.id, game.parameters, *further), {})
    draws = [tuple(row) for row in np.round(_drawn(game, states), DIGITS).tolist()]
    new = {draw: row for row, draw in enumerate(draws) if draw not in known}
    if new:
        rows = list(new.values())
        known.update(zip(new, solve(map_arrays(lambda array: array[rows], states)), strict=True))
    return np.stack([known[draw] for draw in draws])


def told_states(game: AnyGame, openings: State, draws: Draws) -> list[State]:
    """Return the openings with the factors that hold at each step, whatever is played: what the informed are told.

    What a world shifts to is its own affair, so plans for all factors can be found beforehand, as one batch
    (`together`), in a fraction of the time that one change after the other takes.

    Args:
        game: on the NumPy backend.
        openings: ``(B,)`` opening states.
        draws: the chance of every step.
    """
    everything = np.broadcast_to(game.endowments, openings.last_action.shape)
    steps = unroll(game, lambda *_: everything, start=openings, draws=draws, past_end=True)
    return [with_factors(openings, step.before) for step in steps]


def together(states: Sequence[State]) -> State:
    """Return states ``(B,)`` of several steps as one batch."""
    return map_arrays(lambda *arrays: np.concatenate(arrays), *states)


def _drawn(game: AnyGame, states: State) -> FloatArray:
    """What tells the openings of a game apart, ``(B, K)``: the factors' logarithms and what else resets draw."""
    count = len(states.t)
    factors = [] if states.cost_factor is None else [np.log(states.cost_factor), np.log(states.synergy_factor)]
    drawn = [*factors, *(getattr(states, name) for name in game.traits().hidden)]
    return np.concatenate([np.empty((count, 0)), *(each.reshape(count, -1) for each in drawn)], axis=1)


def with_factors(states: State, others: State) -> State:
    """Return states with the factors of others."""
    return replace(states, cost_factor=others.cost_factor, synergy_factor=others.synergy_factor)


def welfare_score(welfare: FloatArray, uninformed: FloatArray, informed: FloatArray) -> float:
    """Return Σ(W - W_c) / Σ(W* - W_c) over draws: 0 for the best uninformed level, 1 for the informed plans.

    Args:
        welfare: W ``(B,)`` sum of returns in each draw.
        uninformed: W_c ``(B,)`` of the best uninformed level in the same draws.
        informed: W* ``(B,)`` of the informed plans.

    >>> welfare_score(np.array([8.0, 9.0]), np.array([6.0, 8.0]), np.array([10.0, 9.0]))
    0.6
    """
    return float((welfare - uninformed).sum() / (informed - uninformed).sum())
