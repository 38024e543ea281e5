"""Levels of a seat as arms that use something up: bandits with knapsacks made of games."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coopgym.games.game import AnyGame
from coopgym.games.state import State, map_arrays
from coopgym.games.step import Step
from coopgym.oracles.games.rollout import checked_state
from coopgym.oracles.mechanism_design.knapsack_programme import KnapsackInstance
from coopgym.play import expected_step
from coopgym.play.budget import Resource
from coopgym.typing import FloatArray

ARMS = 10


@dataclass(frozen=True, eq=False)
class BudgetedSeat:
    """A seat of a game with a budget, in one state: what its levels earn above resting, and what they use."""

    game: str
    shares: FloatArray
    """``(K,)`` of endowment: the arms; the null arm is to rest."""
    rest: float
    """Share that the null arm plays."""
    instance: KnapsackInstance
    """Rewards from 0, what resting earns, to 1; a level that earns less than resting has 0."""
    unit: float
    """Payoff that a reward of one stands for."""


def budgeted_seat(
    game: AnyGame,
    resource: Resource,
    *,
    horizon: int,
    budget: float,
    seat: int = 0,
    partners: npt.ArrayLike | None = None,
    arms: int = ARMS,
    rest: float = 0.0,
    state: State | None = None,
) -> BudgetedSeat:
    """Return the arms of a seat, from one expected step of the game with each level.

    Arms are even in the square root of the share, as payoffs are steep near 0.

    Args:
        game: on the NumPy backend.
        resource: what is short; it uses at most 1 in a step.
        horizon: T, rounds, each a step in this state.
        budget: B, for all of them.
        seat: that chooses.
        partners: shares ``(N,)`` of the others; None is what the game expects of them.
        arms: K, levels above 0.
        rest: share that costs nothing of the resource.
        state: None is the initial one.

    Raises:
        ValueError: no level earns more than resting, a use outside [0, 1], or resting that uses something up.

    >>> from coopgym.play.budget import effort
    >>> game = coopgym.make_game("TeamProduction-v1")
    >>> budgeted = budgeted_seat(game, effort(0), horizon=100, budget=5.0, arms=4, partners=np.full(game.n_agents, 0.5))
    >>> budgeted.shares, budgeted.instance.consumption.ravel()
    (array([0.0625, 0.25  , 0.5625, 1.    ]), array([0.0625, 0.25  , 0.5625, 1.    ]))
    """
    start = checked_state(game, state)
    if not 0 <= seat < game.n_agents:
        raise ValueError(f"seat={seat!r}: {game.id} has seats 0 to {game.n_agents - 1}")
    if arms < 1:
        raise ValueError(f"arms={arms!r}: expected a whole number of at least 1")
    shares = (np.arange(arms + 1) / arms) ** 2
    shares[0] = rest
    others = game.spec.baselines / game.spec.endowments if partners is None else np.asarray(partners, dtype=np.float64)
    profiles = np.broadcast_to(others, (arms + 1, game.n_agents)).copy()
    profiles[:, seat] = shares
    states = map_arrays(lambda array: np.broadcast_to(array, (arms + 1, *array.shape)), start)
    actions = profiles * game.endowments
    transition = expected_step(game, states, actions)
    used = np.asarray(resource(Step(game, int(start.t), states, actions, transition)), dtype=np.float64)
    if used[0] > 1e-12:
        raise ValueError(f"{game.id}: resting at {rest:g} uses {used[0]:.3g} a step; give a share that uses nothing")
    above = np.maximum(transition.payoffs[1:, seat] - transition.payoffs[0, seat], 0.0)
    unit = float(above.max())
    if unit <= 0.0:
        raise ValueError(f"{game.id}: no level earns more than resting at {rest:g} with these partners")
    instance = KnapsackInstance.of(above / unit, used[1:, None], horizon=horizon, budget=budget)
    return BudgetedSeat(game.id, shares[1:], rest, instance, unit)
