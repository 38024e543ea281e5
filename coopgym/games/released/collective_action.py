"""Released games of mechanism class TR-3: team conduct multiplies rewards; team production is reported, not paid."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from coopgym.backend import NUMPY, Array, Backend
from coopgym.games.game import ResetOptions
from coopgym.games.parameters import Parameters, parameter
from coopgym.games.released.base import ReleasedGame, Shared
from coopgym.games.released.mechanisms.conduct_factors import (
    FREE_RIDING,
    HABIT_WINDOW,
    conduct_multiplier,
    habitual_cooperation,
    shortfall_factor,
    update_loyalty_score,
)
from coopgym.games.released.mechanisms.ordered_coalition import Membership, MembershipRules, update_membership
from coopgym.games.released.pages import collective_action as pages
from coopgym.games.released.table import GameTable, TrustTable, equal_shares, known_phase
from coopgym.games.state import State
from coopgym.games.traits import Traits
from coopgym.mechanisms.interdependence import symmetric
from coopgym.mechanisms.loyalty import cohesion
from coopgym.mechanisms.reciprocity import remember
from coopgym.mechanisms.team_model import TeamModel

INITIAL_LOYALTY = 0.5
REENTRY_LOYALTY = 0.4


@dataclass(frozen=True)
class TeamState(State):
    """State of a team game."""

    loyalty: Array
    """``(..., N)`` loyalty scores θ in [0, 1], float32."""


@dataclass(frozen=True)
class ConductState(TeamState):
    """State of a team game with habits."""

    recent: Array
    """``(..., 10, N)`` last shares of endowment, oldest first, float32; unused entries zero."""


@dataclass(frozen=True)
class CoalitionState(ConductState):
    """State of a team game with a membership list."""

    members: Array
    """``(..., N)`` true for members of the coalition."""
    arrival: Array
    """``(..., N)`` order of arrival in the list, of members or of excluded agents, an agent is in."""
    timers: Array
    """``(..., N)`` steps until an excluded agent may return, zero for members."""


TeamStateT = TypeVar("TeamStateT", bound=TeamState)
ConductStateT = TypeVar("ConductStateT", bound=ConductState)
TeamParametersT = TypeVar("TeamParametersT", bound=Parameters)


class TeamGame(ReleasedGame[TeamStateT, TeamParametersT], Generic[TeamStateT, TeamParametersT]):
    """A team that is paid as TR-1 pays, times a game's factors on conduct; `TeamModel` is reported only."""

    state_class: ClassVar[type[State]] = TeamState
    mechanism_class = "TR-3"
    category = "collective action"

    def __init__(self, parameters: TeamParametersT, backend: Backend = NUMPY) -> None:
        super().__init__(parameters, backend)
        self.team = self.team_model()
        importance = self.spec.interdependence.sum(axis=1)
        self.importance = self.single(importance / importance.sum())

    @abstractmethod
    def team_size(self) -> int:
        """Number of agents N."""

    @abstractmethod
    def team_model(self) -> TeamModel:
        """Team production that the game reports."""

    def endowment(self) -> float:
        """Endowment of every agent, units."""
        return 50.0

    def greatest_loyalty(self) -> float:
        """Cap ℓ of the loyalty scores, twice the score at reset."""
        return 1.0

    def table(self) -> GameTable:
        n = self.team_size()
        return GameTable(
            endowments=(self.endowment(),) * n,
            baselines=(0.4 * self.endowment(),) * n,
            shares=equal_shares(n),
            interdependence=symmetric(n, 0.55),
            trust=TrustTable(lambda_plus=0.10, lambda_minus=0.25, mu_R=0.40, delta_R=0.02, xi=0.50, kappa=1.0),
        )

    def initial_stocks(self, batch: tuple[int, ...], options: ResetOptions, uniforms: Array | None) -> dict[str, Array]:
        loyalty = INITIAL_LOYALTY * self.greatest_loyalty()
        return {"loyalty": self.full((*batch, self.n_agents), loyalty, self.xp.float32)}

    def state_info(self, state: TeamStateT) -> dict[str, Any]:
        effort = state.last_action
        optimum = self.team.optimum()
        free_riders = self.cooperation(state) < FREE_RIDING
        return {
            "team_output": self.team.output(effort),
            "nash_equilibrium": self.team.equilibrium(),
            "social_optimum": optimum,
            "mean_loyalty": state.loyalty.sum(-1) / self.n_agents,
            "loyalty_scores": state.loyalty,
            "team_cohesion": cohesion(state.loyalty, self.importance),
            "free_rider_count": free_riders.sum(-1),
            "free_rider_indices": free_riders,
            "efficiency_ratio": effort.sum(-1) / self.n_agents * (1.0 / optimum if optimum > 0 else 0.0),
        }

    def stocks(self, state: TeamStateT) -> list[Array]:
        return [state.loyalty]

    def traits(self) -> Traits:
        return super().traits().extended(published=frozenset({"coopetition", "team"}))


@dataclass(frozen=True, kw_only=True)
class TeamProductionParameters(Parameters):
    """Parameters of `TeamProduction`."""

    n_agents: int = parameter(4, 2, doc="team size", symbol="N")
    omega: float = parameter(25.0, 0.0, doc="inert, info only: productivity", symbol="ω")
    beta: float = parameter(0.7, 0.0, 1.0, doc="inert, info only: returns to scale", symbol="β", above_low=True)
    c: float = parameter(1.0, 0.0, doc="inert, info only: cost of effort", symbol="c", above_low=True)


class TeamProduction(TeamGame[TeamState, TeamProductionParameters]):
    """Team production as released in Coopetition-Gym v1.0 (TR-3)."""

    id = "TeamProduction-v0"
    page = pages.TEAM_PRODUCTION
    Parameters = TeamProductionParameters

    def team_size(self) -> int:
        return self.parameters.n_agents

    def team_model(self) -> TeamModel:
        p = self.parameters
        return TeamModel(p.n_agents, p.omega, p.beta, p.c, phi_B=0.0, phi_C=0.0, a_max=50.0)

    def advance(self, before: TeamState, shared: Shared, payoffs: Array, normals: Array | None) -> dict[str, Array]:
        return {"loyalty": before.loyalty}

    def multiplier(self, after: TeamState) -> Array:
        factor = shortfall_factor(self.cooperation(after), least=0.2, factor=0.9, xp=self.xp)
        return self.xp.astype(factor, self.backend.dtype)


class ConductGame(TeamGame[ConductStateT, TeamParametersT], Generic[ConductStateT, TeamParametersT]):
    """A team game that multiplies rewards by F_i B_i G for free riding, habit and coordination."""

    version: ClassVar[int] = 2
    state_class: ClassVar[type[State]] = ConductState

    def initial_stocks(self, batch: tuple[int, ...], options: ResetOptions, uniforms: Array | None) -> dict[str, Array]:
        recent = self.full((*batch, HABIT_WINDOW, self.n_agents), 0.0, self.xp.float32)
        return {**super().initial_stocks(batch, options, uniforms), "recent": recent}

    def advance(self, before: ConductStateT, shared: Shared, payoffs: Array, normals: Array | None) -> dict[str, Array]:
        share = self.cooperation(shared)
        return {
            "loyalty": update_loyalty_score(before.loyalty, share, self.greatest_loyalty(), self.xp),
            "recent": remember(before.recent, share, self.xp),
        }

    def habit(self, state: ConductStateT) -> Array:
        """Habitual cooperation L ``(..., N)``."""
        return habitual_cooperation(state.recent, self.backend.array(state.t), self.xp)

    def multiplier(self, after: ConductStateT) -> Array:
        factor = conduct_multiplier(self.cooperation(after), self.habit(after), self.xp)
        return self.xp.astype(factor, self.backend.dtype)

    def state_info(self, state: ConductStateT) -> dict[str, Any]:
        return {**super().state_info(state), "recent_cooperation": self.habit(state)}


@dataclass(frozen=True, kw_only=True)
class LoyaltyTeamParameters(TeamProductionParameters):
    """Parameters of `LoyaltyTeam`."""

    phi_B: float = parameter(0.8, 0.0, doc="inert, info only: weight on team-mates' payoff", symbol="φ_B")
    phi_C: float = parameter(0.3, 0.0, doc="inert, info only: warm glow", symbol="φ_C")


class LoyaltyTeam(ConductGame[ConductState, LoyaltyTeamParameters]):
    """Loyalty team as released in Coopetition-Gym v1.0 (TR-3)."""

    id = "LoyaltyTeam-v0"
    page = pages.LOYALTY_TEAM
    Parameters = LoyaltyTeamParameters

    def team_size(self) -> int:
        return self.parameters.n_agents

    def team_model(self) -> TeamModel:
        p = self.parameters
        return TeamModel(p.n_agents, p.omega, p.beta, p.c, p.phi_B, p.phi_C, a_max=50.0)

    def state_info(self, state: ConductState) -> dict[str, Any]:
        at_equilibrium = self.team.omega * (self.n_agents * self.team.equilibrium()) ** self.team.beta
        relative = self.team.output(state.last_action) * (1.0 / at_equilibrium if at_equilibrium > 0 else 0.0)
        return {**super().state_info(state), "loyalty_lift": self.xp.where(state.t > 0, relative, 1.0)}


@dataclass(frozen=True, kw_only=True)
class CoalitionFormationParameters(Parameters):
    """Parameters of `CoalitionFormation`."""

    n_agents: int = parameter(6, 2, doc="number of agents", symbol="N")
    min_coalition_size: int = parameter(3, 0, doc="nobody is excluded from a coalition of this size")
    exit_threshold: float = parameter(0.15, 0.0, 1.0, doc="loyalty below which members are excluded")
    reentry_cooldown: int = parameter(5, 0, doc="timer of an excluded agent", unit="steps")
    omega: float = parameter(25.0, 0.0, doc="inert, info only: productivity", symbol="ω")
    beta: float = parameter(0.7, 0.0, 1.0, doc="inert, info only: returns to scale", symbol="β", above_low=True)
    max_steps: int = parameter(150, 1, doc="episode length", symbol="T_max", unit="steps")


class CoalitionFormation(ConductGame[CoalitionState, CoalitionFormationParameters]):
    """Coalition formation as released in Coopetition-Gym v1.0 (TR-3)."""

    id = "CoalitionFormation-v0"
    page = pages.COALITION_FORMATION
    state_class: ClassVar[type[State]] = CoalitionState
    Parameters = CoalitionFormationParameters

    def __init__(self, parameters: CoalitionFormationParameters, backend: Backend = NUMPY) -> None:
        super().__init__(parameters, backend)
        self.rules = MembershipRules(
            smallest=parameters.min_coalition_size,
            exit_loyalty=parameters.exit_threshold,
            cooldown=parameters.reentry_cooldown,
            reentry_loyalty=REENTRY_LOYALTY,
        )
        self.may_end_early = parameters.min_coalition_size > parameters.n_agents

    def team_size(self) -> int:
        return self.parameters.n_agents

    def team_model(self) -> TeamModel:
        p = self.parameters
        return TeamModel(p.n_agents, p.omega, p.beta, c=1.0, phi_B=0.7, phi_C=0.3, a_max=50.0)

    def initial_stocks(self, batch: tuple[int, ...], options: ResetOptions, uniforms: Array | None) -> dict[str, Array]:
        everyone = (*batch, self.n_agents)
        return {
            **super().initial_stocks(batch, options, uniforms),
            "members": self.full(everyone, 1.0, self.xp.bool),
            "arrival": self.full(everyone, list(range(self.n_agents)), self.xp.int64),
            "timers": self.full(everyone, 0, self.xp.int64),
        }

    def advance(
        self, before: CoalitionState, shared: Shared, payoffs: Array, normals: Array | None
    ) -> dict[str, Array]:
        conduct = super().advance(before, shared, payoffs, normals)
        membership = Membership(before.members, before.arrival, before.timers)
        membership = update_membership(membership, conduct["loyalty"], shared.t, self.rules, self.xp)
        return {**conduct, **membership._asdict()}

    def multiplier(self, after: CoalitionState) -> Array:
        viable = (after.members.sum(-1) >= self.rules.smallest)[..., None]
        conduct = super().multiplier(after)
        member_factor = self.xp.where(viable, 1.1, self.xp.ones_like(conduct))
        return conduct * self.xp.where(after.members, member_factor, 0.5)

    def ended(self, after: CoalitionState) -> Array:
        return after.members.sum(-1) < self.rules.smallest

    def state_info(self, state: CoalitionState) -> dict[str, Any]:
        size = state.members.sum(-1)
        return {
            **super().state_info(state),
            "coalition_size": size,
            "coalition_members": state.members,
            "excluded_agents": ~state.members,
            "coalition_stability": size / self.n_agents,
        }

    def stocks(self, state: CoalitionState) -> list[Array]:
        return [state.loyalty, state.members, state.timers]


class Phase(NamedTuple):
    """One period of a project."""

    n_agents: int
    greatest_loyalty: float
    omega: float
    expected_effort: float
    years: str


PHASES = {
    "emergence": Phase(8, 1.00, 20.0, 35.0, "1995-1999"),
    "growth": Phase(15, 0.85, 25.0, 30.0, "2000-2005"),
    "maturity": Phase(40, 0.70, 30.0, 22.0, "2006-2015"),
    "evolution": Phase(35, 0.60, 28.0, 18.0, "2016-2023"),
}


@dataclass(frozen=True, kw_only=True)
class ApacheProjectParameters(Parameters):
    """Parameters of `ApacheProject`."""

    phase: str = parameter("maturity", doc="emergence, growth, maturity or evolution; sets the team size")
    max_steps: int = parameter(60, 1, doc="episode length", symbol="T_max", unit="steps")

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "phase", known_phase(self.phase, PHASES))


class ApacheProject(ConductGame[ConductState, ApacheProjectParameters]):
    """Apache project as released in Coopetition-Gym v1.0 (TR-3)."""

    id = "ApacheProject-v0"
    page = pages.APACHE_PROJECT
    category = "validated case study"
    Parameters = ApacheProjectParameters

    @property
    def phase(self) -> Phase:
        """The period in force."""
        return PHASES[self.parameters.phase]

    def team_size(self) -> int:
        return self.phase.n_agents

    def greatest_loyalty(self) -> float:
        return self.phase.greatest_loyalty

    def team_model(self) -> TeamModel:
        phase = self.phase
        return TeamModel(phase.n_agents, phase.omega, beta=0.7, c=1.0, phi_B=0.75, phi_C=0.25, a_max=50.0)

    def state_info(self, state: ConductState) -> dict[str, Any]:
        phase = self.phase
        deviation = abs(state.last_action.sum(-1) / self.n_agents - phase.expected_effort) / phase.expected_effort
        deviation = deviation * (state.t > 0)
        return {
            **super().state_info(state),
            "phase": self.parameters.phase,
            "phase_years": phase.years,
            "phase_loyalty": phase.greatest_loyalty,
            "expected_effort": phase.expected_effort,
            "effort_deviation": deviation,
            "validation_accuracy": self.xp.maximum(1.0 - deviation, 0.0),
        }


@dataclass(frozen=True, kw_only=True)
class PublicGoodsParameters(Parameters):
    """Parameters of `PublicGoods`."""

    n_agents: int = parameter(5, 2, doc="number of players", symbol="N")
    multiplier: float = parameter(2.0, 0.0, doc="inert, info only: public-good multiplier", symbol="M")
    endowment: float = parameter(
        50.0, 0.0, doc="endowment of every player; norm 40 % of it", symbol="e_i", unit="units", above_low=True
    )
    phi_B: float = parameter(0.6, 0.0, doc="inert, info only: weight on others' payoff", symbol="φ_B")
    phi_C: float = parameter(0.2, 0.0, doc="inert, info only: warm glow", symbol="φ_C")


class PublicGoods(ConductGame[ConductState, PublicGoodsParameters]):
    """Public goods as released in Coopetition-Gym v1.0 (TR-3)."""

    id = "PublicGoods-v0"
    page = pages.PUBLIC_GOODS
    Parameters = PublicGoodsParameters

    def team_size(self) -> int:
        return self.parameters.n_agents

    def endowment(self) -> float:
        return self.parameters.endowment

    def team_model(self) -> TeamModel:
        p = self.parameters
        return TeamModel(p.n_agents, p.multiplier, 1.0, 1.0, p.phi_B, p.phi_C, a_max=p.endowment)

    def public_good_welfare(self, state: ConductState, effort: Array) -> Array:
        """Sum of the values v_i of the linear public good with loyal members, ``(...)``."""
        team = self.team
        return (self.endowment() + team.payoffs(effort) + team.loyalty_terms(state.loyalty, effort)).sum(-1)

    def state_info(self, state: ConductState) -> dict[str, Any]:
        effort = state.last_action
        total = effort.sum(-1)
        at_best = self.public_good_welfare(state, self.full(effort.shape, self.endowment()))
        positive = at_best > 0.0
        efficiency = self.public_good_welfare(state, effort) / self.xp.where(positive, at_best, 1.0) * positive
        return {
            **super().state_info(state),
            "total_contribution": total,
            "public_good": self.parameters.multiplier * total,
            "contribution_rate": total / (self.n_agents * self.endowment()),
            "social_efficiency": efficiency,
        }
