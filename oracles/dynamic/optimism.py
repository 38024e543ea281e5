"""States that dominate every reachable one in a formal game, and the largest care for others that they allow."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from coopgym.games.formal.base import FormalGame
from coopgym.games.formal.collective_action import LoyalTeamGame
from coopgym.games.formal.reciprocity import ReciprocalGame
from coopgym.games.state import State, map_arrays
from coopgym.oracles.dynamic.planning import FloatArray
from coopgym.play import expected_step

AnyFormalGame: TypeAlias = FormalGame[Any, Any]

IDEAL = {"members": 1.0, "gone": 0.0, "agreed": 0.0, "level": 0.0}
"""Stocks held where they are best: all present, nothing dissolved, and no agreement that raises the norm."""
RISING = ("trust", "loyalty", "score", "image")


def optimistic_states(game: AnyFormalGame, start: State, steps: int) -> State:
    """Return states ``(steps,)`` of which the t-th is at least as good as any that t steps from ``start`` can reach.

    Trust, loyalty, scores and images move with conduct, and damage and records against it; each update is monotone in
    its own level and in conduct. The path of full cooperation therefore dominates every other path, stock by stock, as
    long as conduct is judged against the norm alone (an agreement only judges more harshly) and nobody leaves. The
    memory of conduct, whose low values make present conduct look kind, follows the path of no cooperation. What rises
    is also kept from falling, so that later states dominate earlier ones.
    """
    best: Any = _idealised(start)
    idle: Any = start
    path = []
    for _ in range(steps):
        if isinstance(game, ReciprocalGame):
            best = dataclasses.replace(best, memory=idle.memory)
            idle = expected_step(game, idle, 0.0 * game.endowments).state
        path.append(best)
        moved = _idealised(expected_step(game, best, game.endowments).state)
        kept = {name: np.maximum(getattr(best, name), getattr(moved, name)) for name in RISING if hasattr(best, name)}
        best = dataclasses.replace(moved, **kept)
    return map_arrays(lambda *arrays: np.stack(arrays), *path)


def _idealised(state: State) -> State:
    held = {name: 0.0 * getattr(state, name) + value for name, value in IDEAL.items() if hasattr(state, name)}
    return dataclasses.replace(state, **held)


@dataclass(frozen=True)
class Care:
    """Upper bounds on what one unit of a seat's payoff or effort adds to the sum of integrated rewards, before Z.

    Each array is ``(steps, N)``; seat j is the one whose payoff or effort counts.
    """

    partners: FloatArray
    """Σ_i w_ij, weights of partners on j's payoff."""
    loyalty: FloatArray
    """φ_B Σ_i≠j ℓ_i, weights of loyal team-mates on j's surplus over its endowment."""
    effort: FloatArray
    """Warm glow and reciprocity per unit of j's cooperation."""


def no_care(states: State) -> Care:
    """Nobody cares for others: rewards that sum to welfare."""
    nothing = np.zeros(states.last_action.shape)
    return Care(nothing, nothing, nothing)


def largest_care(game: AnyFormalGame, states: State) -> Care:
    """Return the largest social preferences that states ``(steps,)`` allow, with everybody inside every team.

    Weights and loyalties grow with the stocks that dominate. A reciprocal answer E_ij tanh(κ_r s_j) is at most that to
    full cooperation, and multiplies own effort.
    """
    care = no_care(states)
    full = np.ones(states.last_action.shape)
    partners = game.weights(states).sum(-2)
    if isinstance(game, ReciprocalGame):
        answers = np.maximum(game.effects(states, full), 0.0).sum(-1)
        return Care(partners, care.loyalty, game.effort_per_cooperation * answers)
    if isinstance(game, LoyalTeamGame) and (game.parameters.mechanism or game.loyalty_without_mechanism):
        loyalty: FloatArray = states.loyalty  # type: ignore[attr-defined]  # its states hold loyalties
        mates = loyalty.sum(-1, keepdims=True) - loyalty
        effort = game.parameters.phi_C * loyalty * game.linear_cost
        return Care(partners, game.parameters.phi_B * mates, effort)
    return Care(partners, care.loyalty, care.effort)


def even(state: State, n_agents: int) -> bool:
    """Whether all seats stand alike in a single state: every stock is the same for all seats and pairs."""
    pairs = ~np.eye(n_agents, dtype=bool)
    stocks = {field.name: np.asarray(getattr(state, field.name)) for field in dataclasses.fields(state)}
    relations = [stocks.pop(name)[pairs] for name in ("trust", "damage")]
    per_seat = [array for array in stocks.values() if array.ndim and array.shape[-1] == n_agents]
    return not any(np.ptp(array, axis=-1).any() for array in relations + per_seat)
