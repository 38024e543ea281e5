"""Upper bound for DynamicPartnerSelection: no matching beats the uniform one."""

from __future__ import annotations

from typing import Any

from coopgym.backend import Array
from coopgym.games.formal.interdependence import DynamicPartnerSelection
from coopgym.mechanisms.value import pooled_production
from coopgym.oracles.dynamic.bounds.optimistic import OptimisticBound
from coopgym.oracles.dynamic.bounds.registry import register


@register(DynamicPartnerSelection)
class PartnerSelectionBound(OptimisticBound):
    """Time shares are symmetric with row sums of at most one, and G(x, y) ≤ (P(x) + P(y))/2 by AM-GM.

    So Σ_ij f_i q_ij G(c_i, c_j) ≤ Σ_j P(c_j) (f_j + max f)/2, whoever meets whom.
    """

    def missing(self) -> str:
        return ""

    def weighted_payoffs(self, game: Any, states: Any, cooperation: Array, factors: Array) -> Array:
        alone = pooled_production(cooperation, game.parameters.beta)
        shared = 0.5 * (factors + factors.max(-1, keepdim=True).values)
        product = game.parameters.gamma * game.amplified(states, shared * alone)
        return (factors * game.own_value(states, cooperation) + product).sum(-1)
