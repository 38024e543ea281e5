"""Upper bound for CooperativeNegotiation: damages move payoffs between the seats, welfare not at all."""

from __future__ import annotations

from typing import Any

from coopgym.backend import Array
from coopgym.games.formal.trust import DAMAGES_RATE, CooperativeNegotiation
from coopgym.oracles.dynamic.bounds.optimistic import OptimisticBound
from coopgym.oracles.dynamic.bounds.registry import register


@register(CooperativeNegotiation)
class NegotiationBound(OptimisticBound):
    """Damages sum to zero; no shortfall exceeds 1 - tolerance."""

    def missing(self) -> str:
        return ""

    def weighted_payoffs(self, game: Any, states: Any, cooperation: Array, factors: Array) -> Array:
        largest = DAMAGES_RATE * (1.0 - game.parameters.tolerance)
        moved = largest * abs(factors[..., 0] - factors[..., 1])
        return (factors * game.joint_payoffs(states, cooperation)).sum(-1) + moved
