"""Two partners with a joint product that may need their trust (formal edition §1.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from coopgym.backend import NUMPY, Array, Backend
from coopgym.games.formal.base import FormalGame
from coopgym.games.formal.parameters import Bargained, Productive
from coopgym.games.parameters import parameter
from coopgym.games.state import State
from coopgym.mechanisms.trust import trust_gate
from coopgym.mechanisms.value import pair_synergy
from coopgym.small_arrays import for_each_agent


@dataclass(frozen=True, kw_only=True)
class DyadParameters(Bargained, Productive):
    """Adds the trust gate."""

    chi: float = parameter(0.0, 0.0, 1.0, doc="part of the synergy that needs trust", symbol="χ")


StateT = TypeVar("StateT", bound=State)
ParametersT = TypeVar("ParametersT", bound=DyadParameters)


class TrustGatedDyad(FormalGame[StateT, ParametersT], Generic[StateT, ParametersT]):
    """Two partners share a Cobb-Douglas product, of which the part χ needs mutual trust."""

    def __init__(self, parameters: ParametersT, backend: Backend = NUMPY) -> None:
        super().__init__(parameters, backend)
        self.product_shares = self.shares * (self.n_agents * parameters.gamma)

    def trust_gate(self, state: StateT) -> Array | None:
        """Part of the synergy that mutual trust releases, ``(...)``; None when all of it always is."""
        if self.parameters.chi == 0.0:
            return None
        return trust_gate(state.trust, state.damage, self.parameters.chi, self.xp)

    def gate(self, state: StateT) -> Array | None:
        """The trust gate in force: none when the mechanism is off."""
        return self.trust_gate(state) if self.parameters.mechanism else None

    def joint_payoffs(self, state: StateT, cooperation: Array) -> Array:
        """Own value plus the share of the joint product, ``(..., 2)``."""
        product = pair_synergy(cooperation[..., 0], cooperation[..., 1], self.parameters.beta)
        gate = self.gate(state)
        released = for_each_agent(product if gate is None else gate * product)
        return self.own_value(state, cooperation) + self.product_shares * self.amplified(state, released)

    def payoffs(self, state: StateT, cooperation: Array) -> Array:
        return self.joint_payoffs(state, cooperation)
