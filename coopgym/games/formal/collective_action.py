"""Formal games of collective action: team production and loyalty (TR-3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from coopgym.backend import NUMPY, Array, Backend
from coopgym.games.formal.base import FormalGame
from coopgym.games.formal.entry import EntryGame, EntryParameters, EntryState
from coopgym.games.formal.pages import collective_action as pages
from coopgym.games.formal.parameters import GroupParameters, PerAgent, Productive, per_agent
from coopgym.games.game import Transition
from coopgym.games.parameters import parameter, phase_preset
from coopgym.games.state import State
from coopgym.games.traits import SocialWeights, Traits
from coopgym.mechanisms import interdependence
from coopgym.mechanisms.loyalty import cohesion, loyalty_utility, update_loyalty
from coopgym.mechanisms.membership import COOLDOWN, update_coalition
from coopgym.mechanisms.team import free_riders, interior_effort
from coopgym.mechanisms.value import pooled_production
from coopgym.typing import FloatArray

SOLO_PRODUCTIVITY = 0.60
"""Productivity of an agent that works outside its coalition."""

StateT = TypeVar("StateT", bound=State)
ProductiveT = TypeVar("ProductiveT", bound=Productive)


class TeamGame(FormalGame[StateT, ProductiveT], Generic[StateT, ProductiveT]):
    """A team whose members split a joint product of pooled effort (TR-3 Eq. 1-2)."""

    category = "collective action"
    mechanism_class = "TR-3"

    def team_info(self, state: StateT) -> dict[str, Array]:
        """Output, free riders and, in the fixed world, closed-form efforts of a state."""
        parameters, n = self.parameters, self.n_agents
        pooled = (state.last_action @ self.equal_weights)[..., None]
        product = self.amplified(state, pooled_production(pooled, parameters.beta))[..., 0]
        output = n * self.payoff_unit * parameters.gamma * product
        members = {"team_output": output, "free_riders": free_riders(state.last_action, self.norm)}
        if self.world is not None:
            return members  # whose efforts have no closed form: costs may differ between seats
        endowment = float(self.spec.endowments.mean())
        optimum = endowment * interior_effort(parameters.gamma, parameters.beta, parameters.k, sharers=1)
        return {
            **members,
            "nash_effort": endowment * interior_effort(parameters.gamma, parameters.beta, parameters.k, sharers=n)
            + 0.0 * output,
            "optimal_effort": optimum + 0.0 * output,
            "efficiency_ratio": (state.last_action * self.endowments) @ self.equal_weights / max(optimum, 1e-12),
        }


class TeamProduction(TeamGame[State, GroupParameters]):
    """Team production (TR-3, TR-1, TR-2)."""

    id = "TeamProduction-v1"
    page = pages.TEAM_PRODUCTION
    Parameters = GroupParameters
    defaults = {
        "n_agents": 4, "endowment": 50.0, "norm": 0.3, "dependence": 0.55, "theta": 3.0, "gamma": 1.55, "beta": 0.55,
        "k": 1.0, "lambda_plus": 0.1, "lambda_minus": 0.25, "mu_R": 0.4, "delta_R": 0.02, "xi": 0.5, "kappa": 1.0,
    }  # fmt: skip

    def payoffs(self, state: State, cooperation: Array) -> Array:
        parameters = self.parameters
        pool = (cooperation @ self.equal_weights)[..., None] if parameters.mechanism else cooperation
        product = parameters.gamma * pooled_production(pool, parameters.beta)
        return self.own_value(state, cooperation) + self.amplified(state, product)

    def state_info(self, state: State) -> dict[str, Array]:
        return self.team_info(state)

    def traits(self) -> Traits:
        return super().traits().extended(dominance="payoffs", concave=True)


@dataclass(frozen=True, kw_only=True)
class LoyaltyParameters(Productive):
    """A team with loyalty; everyone depends on the team as a whole."""

    n_agents: int = parameter(4, 2, doc="number of agents", symbol="N")
    endowment: PerAgent = parameter(50.0, 0.0, doc="endowment", symbol="e_i", unit="units", above_low=True)
    team_dependence: float = parameter(
        0.55, 0.0, 1.0, doc="row sum of interdependence, spread equally over team-mates", symbol="D"
    )
    initial_loyalty: float = parameter(0.5, 0.0, 1.0, doc="loyalty at reset", symbol="ℓ0")
    loyalty_max: float = parameter(1.0, 0.0, 1.0, doc="highest loyalty", symbol="ℓ_max", above_low=True)
    loyalty_building: float = parameter(0.05, 0.0, 1.0, doc="loyalty building rate", symbol="η⁺")
    loyalty_erosion: float = parameter(0.10, 0.0, 1.0, doc="loyalty erosion rate", symbol="η⁻")
    phi_B: float = parameter(0.5, 0.0, doc="weight on team-mates' surplus", symbol="φ_B")
    phi_C: float = parameter(0.15, 0.0, doc="warm glow of own effort", symbol="φ_C")
    cohesion_lift: float = parameter(0.0, 0.0, 1.0, doc="part of productivity that needs cohesion", symbol="χ_C")

    def agent_count(self) -> int:
        return self.n_agents

    def endowment_vector(self) -> FloatArray:
        return per_agent(self.endowment, self.n_agents, "endowment")

    def dependence_matrix(self) -> FloatArray:
        return interdependence.symmetric(self.n_agents, self.team_dependence / (self.n_agents - 1))


@dataclass(frozen=True)
class LoyaltyState(State):
    """Adds loyalties."""

    loyalty: Array
    """``(..., N)`` loyalty ℓ in [0, 1]."""


LoyalStateT = TypeVar("LoyalStateT", bound=LoyaltyState)
LoyaltyT = TypeVar("LoyaltyT", bound=LoyaltyParameters)


class LoyalTeamGame(TeamGame[LoyalStateT, LoyaltyT], Generic[LoyalStateT, LoyaltyT]):
    """A team whose loyal members care for their team-mates' payoffs, in the integrated reward (TR-3 Eq. 3, 5)."""

    loyalty_without_mechanism: ClassVar[bool] = False
    """Whether loyalty stays in the integrated reward when the named mechanism is off."""

    def __init__(self, parameters: LoyaltyT, backend: Backend = NUMPY) -> None:
        super().__init__(parameters, backend)
        columns = self.spec.interdependence.sum(axis=0)
        shares = columns / columns.sum() if columns.any() else np.full(self.n_agents, 1.0 / self.n_agents)
        self.importance = backend.array(shares)

    def cohesion(self, state: LoyalStateT) -> Array:
        """Loyalty of the team weighted by how much it depends on each member, ``(...)``."""
        return cohesion(state.loyalty, self.importance)

    def productivity(self, state: LoyalStateT) -> Array | float:
        """Productivity A_t, lifted by cohesion, ``(...)``."""
        lift = self.parameters.cohesion_lift
        if lift == 0.0 or not self.parameters.mechanism:
            return self.parameters.gamma
        return self.parameters.gamma * (1.0 - lift * (1.0 - self.cohesion(state)))

    def payoffs(self, state: LoyalStateT, cooperation: Array) -> Array:
        output = self.productivity(state) * pooled_production(cooperation @ self.equal_weights, self.parameters.beta)
        return self.own_value(state, cooperation) + self.amplified(state, output[..., None])

    def relational(self, state: LoyalStateT, cooperation: Array, payoffs: Array) -> Array | None:
        parameters = self.parameters
        if not (parameters.mechanism or self.loyalty_without_mechanism):
            return None
        effort_cost = self.linear_costs(state) * cooperation
        return loyalty_utility(
            state.loyalty, self.surplus(state, payoffs), effort_cost, parameters.phi_B, parameters.phi_C
        )

    def surplus(self, state: LoyalStateT, payoffs: Array) -> Array:
        """What team-mates earn above their endowments, ``(..., N)``."""
        return payoffs - self.kept

    def loyalty_after(self, state: LoyalStateT, signals: Array) -> Array:
        """Loyalties once the team's conduct has moved them, ``(..., N)``."""
        return self.moved_loyalty(state, (signals @ self.equal_weights)[..., None])

    def moved_loyalty(self, state: LoyalStateT, signal: Array) -> Array:
        """Loyalties after a signal ``(..., N)`` or ``(..., 1)``."""
        parameters = self.parameters
        return update_loyalty(
            state.loyalty,
            signal,
            parameters.loyalty_max,
            parameters.loyalty_building,
            parameters.loyalty_erosion,
            self.xp,
        )

    def advance(self, state: LoyalStateT, cooperation: Array, payoffs: Array) -> LoyalStateT:
        signals = self.signals(state, cooperation)
        return self.next_state(state, cooperation, signals, loyalty=self.loyalty_after(state, signals))

    def initial_stocks(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        parameters = self.parameters
        return {"loyalty": self.full(batch, parameters.initial_loyalty, (self.n_agents,))}

    def private_blocks(self, state: LoyalStateT) -> dict[str, Array]:
        return {"loyalty": state.loyalty}

    def public_blocks(self, state: LoyalStateT) -> dict[str, Array]:
        return {"cohesion": self.cohesion(state)[..., None]}

    def stocks(self, state: LoyalStateT) -> list[Array]:
        return [state.loyalty]

    def state_info(self, state: LoyalStateT) -> dict[str, Array]:
        return {"loyalty": state.loyalty, "cohesion": self.cohesion(state), **self.team_info(state)}

    def traits(self) -> Traits:
        stock, relational = {"loyalty": 1}, frozenset({"loyalty"})
        return super().traits().extended(monotone_in_actions=stock, monotone_in_stocks=stock, relational=relational)

    def social_weights(self, state: LoyalStateT) -> SocialWeights:
        weights, parameters = super().social_weights(state), self.parameters
        if not (parameters.mechanism or self.loyalty_without_mechanism):
            return weights
        mates = state.loyalty.sum(-1)[..., None] - state.loyalty
        effort = parameters.phi_C * state.loyalty * self.linear_costs(state)
        return replace(weights, loyalty=parameters.phi_B * mates, effort=effort)


class LoyaltyTeam(LoyalTeamGame[LoyaltyState, LoyaltyParameters]):
    """Loyalty team (TR-3, TR-1, TR-2)."""

    id = "LoyaltyTeam-v1"
    page = pages.LOYALTY_TEAM
    Parameters = LoyaltyParameters
    state_class = LoyaltyState
    defaults = {
        "n_agents": 4, "norm": 0.25, "theta": 3.0, "gamma": 1.6, "beta": 0.55, "k": 1.0, "phi_B": 0.5, "phi_C": 0.15,
        "cohesion_lift": 0.30, "lambda_plus": 0.1, "lambda_minus": 0.25, "mu_R": 0.4, "delta_R": 0.02, "xi": 0.5,
    }  # fmt: skip

    def traits(self) -> Traits:
        return super().traits().extended(dominance="payoffs", concave=True)


@dataclass(frozen=True, kw_only=True)
class CoalitionParameters(LoyaltyParameters, EntryParameters):
    """Adds the size below which a coalition is dormant."""

    min_coalition_size: int = parameter(3, 1, doc="members below which the coalition is dormant")


@dataclass(frozen=True)
class CoalitionState(LoyaltyState, EntryState):
    """Adds memberships and timers, and newcomers."""

    members: Array
    """``(..., N)`` 1 for members of the coalition."""
    timers: Array
    """``(..., N)`` steps that those outside must still wait."""


class CoalitionFormation(
    EntryGame[CoalitionState, CoalitionParameters], LoyalTeamGame[CoalitionState, CoalitionParameters]
):
    """Coalition formation (TR-3, TR-1, TR-2)."""

    id = "CoalitionFormation-v1"
    page = pages.COALITION_FORMATION
    Parameters = CoalitionParameters
    state_class = CoalitionState
    loyalty_without_mechanism = True
    defaults = {
        "n_agents": 6, "max_steps": 150, "norm": 0.25, "theta": 3.0, "gamma": 1.6, "beta": 0.55, "k": 1.0,
        "phi_B": 0.5, "phi_C": 0.15, "loyalty_erosion": 0.15, "lambda_plus": 0.1, "lambda_minus": 0.25, "mu_R": 0.4,
        "delta_R": 0.02, "xi": 0.5,
    }  # fmt: skip

    def outside(self, state: CoalitionState) -> Array:
        return 1.0 - state.members

    def inside(self, state: CoalitionState) -> Array:
        """Members of a coalition that is alive, ``(..., N)`` of 0 and 1."""
        alive = state.members.sum(-1) >= self.parameters.min_coalition_size
        return state.members * alive[..., None]

    def payoffs(self, state: CoalitionState, cooperation: Array) -> Array:
        beta, inside = self.parameters.beta, self.inside(state)
        pooled = (inside * cooperation) @ self.equal_weights
        members = self.xp.maximum(inside.sum(-1), 1.0)
        product = self.n_agents * self.parameters.gamma * pooled_production(pooled, beta) / members
        together = self.amplified(state, product[..., None])
        alone = SOLO_PRODUCTIVITY * pooled_production(cooperation, beta)
        return self.own_value(state, cooperation) + inside * together + (1.0 - inside) * alone

    def surplus(self, state: CoalitionState, payoffs: Array) -> Array:
        return self.inside(state) * (payoffs - self.kept)

    def relational(self, state: CoalitionState, cooperation: Array, payoffs: Array) -> Array | None:
        utility = super().relational(state, cooperation, payoffs)
        return None if utility is None else self.inside(state) * utility

    def loyalty_after(self, state: CoalitionState, signals: Array) -> Array:
        return self.moved_loyalty(state, signals)

    def advance(self, state: CoalitionState, cooperation: Array, payoffs: Array) -> CoalitionState:
        signals = self.signals(state, cooperation)
        loyalty = self.loyalty_after(state, signals)
        members, timers = update_coalition(state.members, state.timers, loyalty, self.parameters.mechanism, self.xp)
        return self.next_state(state, cooperation, signals, loyalty=loyalty, members=members, timers=timers)

    def initial_stocks(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        n = self.n_agents
        return {
            **super().initial_stocks(batch, uniforms, normals),
            "members": self.full(batch, 1.0, (n,)),
            "timers": self.full(batch, 0.0, (n,)),
        }

    def private_blocks(self, state: CoalitionState) -> dict[str, Array]:
        return {"timer": state.timers / COOLDOWN, "loyalty": state.loyalty}

    def public_blocks(self, state: CoalitionState) -> dict[str, Array]:
        return {"members": state.members, **super().public_blocks(state)}

    def stocks(self, state: CoalitionState) -> list[Array]:
        return [state.members, state.timers, state.loyalty]

    def state_info(self, state: CoalitionState) -> dict[str, Array]:
        alive = state.members.sum(-1) >= self.parameters.min_coalition_size
        return {**super().state_info(state), "members": state.members, "coalition_alive": alive}

    def step_info(self, before: CoalitionState, cooperation: Array, transition: Transition) -> dict[str, Array]:
        after: CoalitionState = transition.state  # type: ignore[assignment]  # a game's transitions hold its own states
        change = after.members - before.members
        told = super().step_info(before, cooperation, transition)
        return {"exclusions": change < 0.0, "reentries": change > 0.0, **told}

    def traits(self) -> Traits:
        # Who gains from being outside depends on what is played: no membership is best whatever that is.
        return super().traits().extended(monotone_in_stocks={"timers": 0}, ideal_stocks={"members": 1.0}, concave=True)


PHASES: dict[str, dict[str, Any]] = {
    "emergence": {"n_agents": 8, "loyalty_max": 1.00, "initial_loyalty": 0.500, "gamma": 1.76},
    "growth": {"n_agents": 15, "loyalty_max": 0.85, "initial_loyalty": 0.425, "gamma": 1.62},
    "maturity": {"n_agents": 40, "loyalty_max": 0.70, "initial_loyalty": 0.350, "gamma": 1.36},
    "evolution": {"n_agents": 35, "loyalty_max": 0.60, "initial_loyalty": 0.300, "gamma": 1.22},
}
"""Historical phases of the project: team size, loyalty and productivity."""

EXPECTED_EFFORT = {"emergence": 35.0, "growth": 30.0, "maturity": 22.0, "evolution": 18.0}
"""Published expected efforts, units of an endowment of 50."""


@dataclass(frozen=True, kw_only=True)
class ApacheParameters(LoyaltyParameters):
    """Adds the historical phase, which presets team size, loyalty and productivity."""

    phase: str = parameter("maturity", doc="emergence, growth, maturity or evolution")


class ApacheProject(LoyalTeamGame[LoyaltyState, ApacheParameters]):
    """Apache project (TR-3, TR-1, TR-2)."""

    id = "ApacheProject-v1"
    page = pages.APACHE_PROJECT
    Parameters = ApacheParameters
    state_class = LoyaltyState
    category = "validated case study"
    defaults = {
        "max_steps": 60, "norm": 0.25, "theta": 3.0, "beta": 0.45, "k": 1.0, "phi_B": 0.75, "phi_C": 0.10,
        "cohesion_lift": 0.10, "lambda_plus": 0.1, "lambda_minus": 0.25, "mu_R": 0.4, "delta_R": 0.02, "xi": 0.5,
    }  # fmt: skip

    def __init__(self, parameters: ApacheParameters, backend: Backend = NUMPY) -> None:
        super().__init__(parameters, backend)
        self.reward_normaliser = 1.0 + parameters.phi_B * parameters.initial_loyalty * (self.n_agents - 1)

    @classmethod
    def presets(cls, keywords: Mapping[str, Any]) -> Mapping[str, Any]:
        return phase_preset(PHASES, keywords.get("phase", "maturity"))

    def state_info(self, state: LoyaltyState) -> dict[str, Any]:
        phase = self.parameters.phase
        return {**super().state_info(state), "phase": phase, "expected_effort": EXPECTED_EFFORT[phase]}

    def traits(self) -> Traits:
        return super().traits().extended(dominance="payoffs", concave=True)


class PublicGoods(LoyalTeamGame[LoyaltyState, LoyaltyParameters]):
    """Public goods (TR-3, TR-1, TR-2)."""

    id = "PublicGoods-v1"
    page = pages.PUBLIC_GOODS
    Parameters = LoyaltyParameters
    state_class = LoyaltyState
    loyalty_without_mechanism = True
    defaults = {
        "n_agents": 5, "norm": 0.25, "theta": 3.0, "gamma": 2.0, "beta": 1.0, "k": 1.0, "q": 1.3, "phi_B": 0.6,
        "phi_C": 0.1, "lambda_plus": 0.1, "lambda_minus": 0.25, "mu_R": 0.4, "delta_R": 0.02, "xi": 0.5,
    }  # fmt: skip

    def payoffs(self, state: LoyaltyState, cooperation: Array) -> Array:
        pool = (cooperation @ self.equal_weights)[..., None] if self.parameters.mechanism else cooperation
        return self.own_value(state, cooperation) + self.amplified(state, self.parameters.gamma * pool)

    def state_info(self, state: LoyaltyState) -> dict[str, Array]:
        contributions = state.last_action * self.endowments
        return {
            "loyalty": state.loyalty,
            "cohesion": self.cohesion(state),
            "public_good": self.parameters.gamma * self.amplified(state, contributions.sum(-1)[..., None])[..., 0],
            "contribution_rate": contributions.sum(-1) / float(self.spec.endowments.sum()),
        }

    def traits(self) -> Traits:
        return super().traits().extended(dominance="payoffs", concave=True)
