"""Formal games whose relation can dissolve: an absorbing state that pays the outside option (formal edition §1.8)."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from coopgym.backend import NUMPY, Array, Backend
from coopgym.games.formal.base import FormalGame
from coopgym.games.formal.parameters import FormalParameters
from coopgym.games.game import Transition
from coopgym.games.parameters import parameter
from coopgym.games.state import State
from coopgym.games.traits import Traits
from coopgym.mechanisms.dissolution import outside_option
from coopgym.typing import FloatArray


@dataclass(frozen=True, kw_only=True)
class DissolvableParameters(FormalParameters):
    """Adds how the end of the relation is shown."""

    end_on_dissolution: bool = parameter(
        False, doc="True ends the episode at dissolution and pays the rest of the outside option at once"
    )


@dataclass(frozen=True)
class DissolvableState(State):
    """Adds whether the relation is over."""

    gone: Array
    """``(...)`` 1 once the relation has dissolved."""


StateT = TypeVar("StateT", bound=DissolvableState)
ParametersT = TypeVar("ParametersT", bound=DissolvableParameters)


class DissolvableGame(FormalGame[StateT, ParametersT], Generic[StateT, ParametersT]):
    """Mixes dissolution into a game that supplies `payoffs_together` and `dissolves`."""

    def __init__(self, parameters: ParametersT, backend: Backend = NUMPY) -> None:
        super().__init__(parameters, backend)
        self.may_end_early = parameters.end_on_dissolution
        self.outside = backend.array(self.outside_option(1.0))

    def outside_option(self, cost_factor: float) -> FloatArray:
        """What each seat earns alone where cooperation costs so many times what it usually does, ``(N,)``."""
        parameters = self.parameters
        return outside_option(self.spec.endowments, parameters.theta, parameters.k, self.payoff_unit, cost_factor)

    def outside_payoffs(self, state: StateT) -> Array:
        """What each seat earns alone in the state's world, ``(N,)`` or ``(..., N)`` in payoff units."""
        if state.cost_factor is None:
            return self.outside
        parameters = self.parameters
        return outside_option(
            self.endowments, parameters.theta, parameters.k, self.payoff_unit, state.cost_factor, self.xp
        )

    @abstractmethod
    def payoffs_together(self, state: StateT, cooperation: Array) -> Array:
        """Payoffs ``(..., N)`` while the relation lasts."""

    @abstractmethod
    def dissolves(self, trust: Array) -> Array:
        """Whether trust ``(..., N, N)`` after a step ends the relation, booleans ``(...)``."""

    def moved_stocks(self, state: StateT, cooperation: Array) -> dict[str, Array]:
        """Further state after a step, unmoved where the relation is over."""
        return {}

    def payoffs(self, state: StateT, cooperation: Array) -> Array:
        together = self.payoffs_together(state, cooperation)
        if self._nobody_gone(state):
            return together
        return self.xp.where(state.gone[..., None] > 0.0, self.outside_payoffs(state), together)

    def updated_trust(self, state: StateT, signals: Array) -> tuple[Array, Array]:
        trust, damage = super().updated_trust(state, signals)
        if self._nobody_gone(state):
            return trust, damage
        over = state.gone[..., None, None] > 0.0
        return self.xp.where(over, state.trust, trust), self.xp.where(over, state.damage, damage)

    def advance(self, state: StateT, cooperation: Array, payoffs: Array) -> StateT:
        trust, damage = self.updated_trust(state, self.signals(state, cooperation))
        return self.state_class(  # type: ignore[return-value, call-arg]  # the class of states is the game's own
            t=state.t + 1,
            last_action=cooperation,
            trust=trust,
            damage=damage,
            gone=self.xp.where(self.dissolves(trust), 1.0, state.gone),
            **self.moved_stocks(state, cooperation),
        )

    def _nobody_gone(self, state: StateT) -> bool:
        """Whether freezing can be skipped. Only NumPy may ask: on a device the answer would have to be waited for."""
        return self.xp is np and not (state.gone.any() if state.gone.ndim else state.gone)

    def step(self, state: StateT, actions: Array, normals: Array | None = None) -> Transition:
        transition = super().step(state, actions, normals)
        return self._settled(state, transition) if self.parameters.end_on_dissolution else transition

    def _settled(self, before: StateT, transition: Transition) -> Transition:
        """Pay the rest of the outside option at the step that dissolves the relation.

        The settlement stands for later steps, so partners' parts of it are weighted as they will be then; the
        difference to the weights in force enters as relational utility, which only the integrated reward reads.
        """
        after: StateT = transition.state  # type: ignore[assignment]  # a game's transitions hold its own states
        ended = after.gone > before.gone
        remaining = self.backend.array(self.xp.where(ended, self.spec.horizon - after.t, 0))
        settlement = remaining[..., None] * self.outside_payoffs(after)
        change_of_weights = self.weights(after) - transition.weights
        return dataclasses.replace(
            transition,
            payoffs=transition.payoffs + settlement,
            relational=(change_of_weights @ settlement[..., None])[..., 0],
            terminated=ended,
        )

    def initial_stocks(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        return {"gone": self.full(batch, 0.0)}

    def stocks(self, state: StateT) -> list[Array]:
        return [state.gone[..., None]]

    def state_info(self, state: StateT) -> dict[str, Array]:
        return {"gone": state.gone}

    def traits(self) -> Traits:
        outside = self.outside_option(self.least_cost_factor)
        return super().traits().extended(ideal_stocks={"gone": 0.0}, outside_option=outside)
