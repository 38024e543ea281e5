"""A platform and the partners that may leave it and come back (formal edition §3.3, §3.20)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from coopgym.backend import NUMPY, Array, Backend
from coopgym.games.formal.base import FormalGame
from coopgym.games.formal.parameters import Productive
from coopgym.games.game import Transition
from coopgym.games.state import State
from coopgym.games.traits import Traits, seats_of_equal_numbers
from coopgym.mechanisms.membership import platform_links, update_members
from coopgym.mechanisms.value import pair_synergy


@dataclass(frozen=True)
class PlatformState(State):
    """Adds memberships."""

    members: Array
    """``(..., N)`` 1 for members, the platform itself first."""


StateT = TypeVar("StateT", bound=PlatformState)
ParametersT = TypeVar("ParametersT", bound=Productive)


class PlatformGame(FormalGame[StateT, ParametersT], Generic[StateT, ParametersT]):
    """Agent 0 runs a platform; present partners' pooled effort and its openness make the product they share."""

    def __init__(self, parameters: ParametersT, backend: Backend = NUMPY) -> None:
        super().__init__(parameters, backend)
        partners = self.spec.endowments[1:]
        self.pool_weights = backend.array(partners / partners.sum())
        self.product_scale = self.n_agents * parameters.gamma
        self.developers = backend.array([0.0] + [1.0] * len(partners))

    def split(self, members: Array) -> Array:
        """How the product is split, ``(..., N)``: the platform's share, the rest among present partners by share."""
        claims = self.shares[1:] * members[..., 1:]
        total = claims.sum(-1)[..., None]
        partners = (1.0 - self.shares[0]) * claims / self.xp.where(total > 0.0, total, 1.0)
        return self.xp.concat([members[..., :1] * self.shares[0], partners], axis=-1)

    def payoffs(self, state: StateT, cooperation: Array) -> Array:
        members = state.members
        pooled = (members[..., 1:] * cooperation[..., 1:]) @ self.pool_weights
        synergy = pair_synergy(cooperation[..., 0], pooled, self.parameters.beta)
        product = self.product_scale * members[..., 0] * synergy
        return self.own_value(state, cooperation) + self.split(members) * self.amplified(state, product[..., None])

    def update_members(self, before: StateT, trust: Array) -> Array:
        """Memberships ``(..., N)`` once trust has moved."""
        if not self.parameters.mechanism:
            return before.members
        return update_members(before.members, platform_links(trust, self.xp), self.xp)

    def initial_stocks(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        return {"members": self.full(batch, 1.0, (self.n_agents,))}

    def public_blocks(self, state: StateT) -> dict[str, Array]:
        return {"members": state.members}

    def state_info(self, state: StateT) -> dict[str, Array]:
        return {"members": state.members, "links": platform_links(state.trust, self.xp)}

    def step_info(self, before: StateT, cooperation: Array, transition: Transition) -> dict[str, Array]:
        after: StateT = transition.state  # type: ignore[assignment]  # a game's transitions hold its own states
        change = after.members - before.members
        return {"exits": change < 0.0, "returns": change > 0.0}

    def traits(self) -> Traits:
        partners = tuple(range(1, self.n_agents))
        inherited = super().traits()
        return inherited.extended(
            exchangeable=seats_of_equal_numbers(self.spec, parts=[0] + [1] * len(partners)),
            ideal_stocks={"members": 1.0},
            transfers=((0,), partners),
        )
