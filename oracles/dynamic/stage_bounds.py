"""Concave upper bounds on what one step of a formal game can add to the sum of rewards, in a state that dominates.

For a given sign of every payoff, the sum of integrated rewards is at most Σ_j f_j π_j + Σ_i η_i c_i less a constant,
with constant factors f_j ≥ 1. Where a game can move payoffs between seats, what is moved is valued at the largest
factor.
"""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from coopgym.backend import Array
from coopgym.games.formal.interdependence import DynamicPartnerSelection
from coopgym.games.formal.platform import PlatformGame
from coopgym.games.formal.reciprocity import GiftExchange
from coopgym.games.formal.trust import DAMAGES_RATE, CooperativeNegotiation, ReputationMarket
from coopgym.mechanisms.value import pooled_production


@singledispatch
def weighted_payoffs(game: Any, state: Any, cooperation: Array, factors: Array) -> Array:
    """Return an upper bound ``(rows,)`` on Σ_j f_j π_j, concave in cooperation ``(rows, N)``.

    In general the sum itself: each payoff is concave in cooperation and non-decreasing in the stocks that dominate, so
    its value in a dominating state is a bound for all states it dominates.

    Args:
        game: on the torch backend.
        state: dominating states ``(rows,)``.
        cooperation: shares of endowment.
        factors: ``(rows, N)``, at least 1.
    """
    return (factors * game.payoffs(state, cooperation)).sum(-1)


@weighted_payoffs.register
def _(game: PlatformGame, state: Any, cooperation: Array, factors: Array) -> Array:  # type: ignore[type-arg]  # either
    """With everybody present the product is largest; who is absent leaves its part to other partners."""
    own = game.own_value(cooperation)
    earned = game.payoffs(state, cooperation) - own
    partners = factors[..., 1:].max(-1).values * earned[..., 1:].sum(-1)
    return (factors * own).sum(-1) + factors[..., 0] * earned[..., 0] + partners


@weighted_payoffs.register
def _(game: ReputationMarket, state: Any, cooperation: Array, factors: Array) -> Array:
    """Scores move customers between sellers; demand depends on the mean quality alone."""
    own = game.own_value(cooperation)
    demand = (game.payoffs(state, cooperation) - own).sum(-1)
    return (factors * own).sum(-1) + factors.max(-1).values * demand


@weighted_payoffs.register
def _(game: DynamicPartnerSelection, state: Any, cooperation: Array, factors: Array) -> Array:
    """Time shares are symmetric with row sums of at most one, and G(x, y) ≤ (P(x) + P(y))/2 by AM-GM.

    So Σ_ij f_i q_ij G(c_i, c_j) ≤ Σ_j P(c_j) (f_j + max f)/2, whoever meets whom.
    """
    alone = pooled_production(cooperation, game.parameters.beta)
    shared = 0.5 * (factors + factors.max(-1, keepdim=True).values)
    return (factors * game.own_value(cooperation) + game.parameters.gamma * shared * alone).sum(-1)


@weighted_payoffs.register
def _(game: CooperativeNegotiation, state: Any, cooperation: Array, factors: Array) -> Array:
    """Damages sum to zero; no shortfall exceeds 1 - tolerance."""
    largest = DAMAGES_RATE * (1.0 - game.parameters.tolerance)
    moved = largest * abs(factors[..., 0] - factors[..., 1])
    return (factors * game.joint_payoffs(state, cooperation)).sum(-1) + moved


@weighted_payoffs.register
def _(game: GiftExchange, state: Any, cooperation: Array, factors: Array) -> Array:
    """After the first step the wage in force is one that the employer chose: it is counted when it is paid."""
    settled = game.settled(state, cooperation * game.endowments)
    first = state.t == state.t.min()
    wage = game.xp.where(first, state.wage, settled.wage)
    return (factors * game.payoffs(type(state)(**{**vars(state), "wage": wage}), cooperation)).sum(-1)
