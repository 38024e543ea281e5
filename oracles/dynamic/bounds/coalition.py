"""Upper bound for CoalitionFormation: every number of members inside is compared."""

from __future__ import annotations

from dataclasses import replace

from coopgym.backend import Backend
from coopgym.games.formal.collective_action import CoalitionFormation
from coopgym.games.state import State
from coopgym.games.traits import SocialWeights
from coopgym.oracles.dynamic.bounds.optimistic import OUTSIDE, SURPLUS, OptimisticBound
from coopgym.oracles.dynamic.bounds.registry import register
from coopgym.typing import FloatArray, IntArray


@register(CoalitionFormation)
class CoalitionBound(OptimisticBound):
    """Assigns seats to the coalition or to work alone, where nobody's surplus counts for others."""

    def missing(self) -> str:
        return ""

    def places(self) -> list[tuple[int, int]]:
        return super().places() + [(OUTSIDE, case) for case in self.cases() if case != SURPLUS]

    def assigned(self, states: State, inside: IntArray, backend: Backend) -> State:
        members = backend.xp.broadcast_to(backend.array(inside), states.last_action.shape)
        return replace(states, members=members)  # type: ignore[call-arg]  # its states have members

    def loyal_mates(self, weights: SocialWeights, inside: IntArray) -> FloatArray:
        # Everybody's loyalties add up to Σ_j (weights on j) / (N - 1); what is left is the part of those inside.
        loyal = weights.loyalty.sum(-1, keepdims=True) / (self.game.n_agents - 1) - weights.loyalty
        present = inside * loyal[:, None]
        mates: FloatArray = inside * (present.sum(-1, keepdims=True) - present)
        return mates
