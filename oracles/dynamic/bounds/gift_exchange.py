"""Upper bound for GiftExchange: a wage is counted in the step that pays it; the last wage posted is free."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from coopgym.backend import Array
from coopgym.games.formal.reciprocity import GiftExchange
from coopgym.games.state import State
from coopgym.games.traits import SocialWeights
from coopgym.oracles.dynamic.bounds.optimistic import OptimisticBound
from coopgym.oracles.dynamic.bounds.registry import register


@register(GiftExchange)
class GiftExchangeBound(OptimisticBound):
    """After the first step the wage in force is one that the employer chose."""

    def missing(self) -> str:
        return ""

    def social_weights(self, states: State) -> SocialWeights:
        weights = super().social_weights(states)
        effort = weights.effort.copy()
        effort[0, 0] = 0.0  # the first wage in force is given; each wage counts in the step that pays it
        return replace(weights, effort=effort)

    def paid_afterwards(self, states: State) -> float:
        return float(super().social_weights(states).effort[-1, 0])

    def weighted_payoffs(self, game: Any, states: Any, cooperation: Array, factors: Array) -> Array:
        settled = game.at_steady_state(states, cooperation * game.endowments)
        first = states.t == states.t.min()
        wage = game.xp.where(first, states.wage, settled.wage)
        return (factors * game.payoffs(replace(states, wage=wage), cooperation)).sum(-1)
