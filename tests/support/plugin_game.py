"""A game that nobody registered, as a user would write it: a pasture whose soil pays, and recovers under care."""

from __future__ import annotations

from dataclasses import dataclass

from coopgym.backend import Array
from coopgym.games.formal.base import FormalGame
from coopgym.games.formal.parameters import GroupParameters
from coopgym.games.state import State
from coopgym.games.traits import Traits
from coopgym.mechanisms.value import pooled_production

RECOVERY = 0.1


@dataclass(frozen=True)
class PastureState(State):
    """Adds the soil."""

    soil: Array
    """``(...)`` in [0, 1]."""


class Pasture(FormalGame[PastureState, GroupParameters]):
    """Herders share what care for a common pasture yields; exhausted soil yields half."""

    id = "Pasture-v1"
    Parameters = GroupParameters
    state_class = PastureState
    mechanism_class = "TR-3"
    category = "commons"
    summary = "Herders share what care for a common pasture yields; exhausted soil yields half."
    defaults = {"n_agents": 3, "max_steps": 20, "endowment": 50.0, "theta": 3.0, "gamma": 2.0, "beta": 0.55, "k": 1.0}

    def payoffs(self, state: PastureState, cooperation: Array) -> Array:
        fertility = 0.5 + 0.5 * state.soil if self.parameters.mechanism else 1.0
        care = pooled_production(cooperation @ self.equal_weights, self.parameters.beta)
        return self.own_value(state, cooperation) + (self.parameters.gamma * fertility * care)[..., None]

    def advance(self, state: PastureState, cooperation: Array, payoffs: Array) -> PastureState:
        care = cooperation @ self.equal_weights
        return self.next_state(state, cooperation, soil=state.soil + RECOVERY * (care - state.soil))

    def initial_stocks(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        return {"soil": self.full(batch, 0.5)}

    def public_blocks(self, state: PastureState) -> dict[str, Array]:
        return {"soil": state.soil[..., None]}

    def stocks(self, state: PastureState) -> list[Array]:
        return [state.soil[..., None]]

    def traits(self) -> Traits:
        inherited, soil = super().traits(), {"soil": 1}
        return inherited.extended(monotone_in_actions=soil, monotone_in_stocks=soil, dominance="payoffs", concave=True)
