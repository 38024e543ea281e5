"""Formal games of collective action: team production and loyalty (TR-3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from coopgym.backend import NUMPY, Array, Backend
from coopgym.games.formal.base import FormalGame
from coopgym.games.formal.parameters import Group, PerAgent, Productive, per_agent
from coopgym.games.game import FloatArray, Transition
from coopgym.games.parameters import parameter, phase_preset
from coopgym.games.state import State
from coopgym.games.traits import SocialWeights, Traits
from coopgym.mechanisms import interdependence
from coopgym.mechanisms.loyalty import cohesion, loyalty_utility, update_loyalty
from coopgym.mechanisms.membership import COOLDOWN, update_coalition
from coopgym.mechanisms.team import free_riders, interior_effort
from coopgym.mechanisms.value import pooled_production

SOLO_PRODUCTIVITY = 0.60
"""Productivity of an agent that works outside its coalition."""

StateT = TypeVar("StateT", bound=State)
ProductiveT = TypeVar("ProductiveT", bound=Productive)


class TeamGame(FormalGame[StateT, ProductiveT], Generic[StateT, ProductiveT]):
    """A team whose members split a joint product of pooled effort (TR-3 Eq. 1-2)."""

    category = "collective action"
    mechanism_class = "TR-3"

    def team_info(self, state: StateT) -> dict[str, Array]:
        """Output, closed-form efforts and free riders of a state."""
        parameters, n = self.parameters, self.n_agents
        pooled = state.last_action @ self.equal_weights
        output = n * self.payoff_unit * parameters.gamma * pooled_production(pooled, parameters.beta)
        endowment = float(self.spec.endowments.mean())
        optimum = endowment * interior_effort(parameters.gamma, parameters.beta, parameters.k, sharers=1)
        return {
            "team_output": output,
            "nash_effort": endowment * interior_effort(parameters.gamma, parameters.beta, parameters.k, sharers=n)
            + 0.0 * output,
            "optimal_effort": optimum + 0.0 * output,
            "efficiency_ratio": (state.last_action * self.endowments) @ self.equal_weights / max(optimum, 1e-12),
            "free_riders": free_riders(state.last_action, self.norm),
        }


class TeamProduction(TeamGame[State, Group]):
    """A team splits its joint product equally, so each keeps 1/N of its marginal product.

    Everyone bears the whole cost of own effort and keeps 1/N of its marginal product, so effort falls far short of what
    the team would choose.

    Seats: agent_0 .. agent_3 (interchangeable).

    Actions: effort in [0, 50]; norm 15; c_i = a_i/e_i.

    Observation: 80 entries jointly; 20 (own), 45 (full) or 5 (minimal) per agent. Own view: c_i, c_j, T_ij, T_ji, R_ij,
    R_ji, D_ij, t/T_max; no class block.

    Payoff: π_i = own_i + A P_β(mean c) with own_i = [e_i - k a_i + θ ln(1 + a_i)]/u and P_β(x) ≈ x^β, which is Q/N of
    team production Q = ω (Σa)^β; A is ``gamma``. θ 3, A 1.55, β 0.55, k 1, mean endowment u 50, D 0.55. The integrated
    reward adds Σ_j w_ij π_j, w_ij = min(T_ij, 1 - R_ij) D_ij.

    State: T and R on signals tanh(κ (c_j - b_j)/0.5) with κ 1, λ⁺ 0.1, λ⁻ 0.25, μ_R 0.4, δ_R 0.02, ξ 0.5 (T0 0.5,
    R0 0); nothing else moves.

    End: truncated after 100 steps, never early.

    Info: also `team_output` (units), `nash_effort`, `optimal_effort` (units, closed forms without own-use value, at
    most e), `efficiency_ratio` (mean effort relative to the optimal one), `free_riders` (below the norm).

    Off switch: ``mechanism=False`` pays everyone the own marginal product, A P_β(c_i): Nash jumps to the optimum.

    Closed forms and reference points: Nash solves k = θ/(1 + e c) + (A β/N) (c + 0.001)^(β-1), the optimum the same
    with A β. Without own-use value and smoothing these are (Aβ/(kN))^(1/(1-β)) = 3 % and (Aβ/k)^(1/(1-β)) = 70 %. With
    them: Nash 12 %, coopetitive 23 % (full trust: 40 %), optimum 83 % of endowment at reset; price of anarchy 1.222;
    greed at the optimum 0.436, fear at Nash 0.285. Committed to one share each for an episode: private 11 or 12 %,
    integrated 13 %, optimum 83 %.

    Source: TR-3 Eq. 1-2 (team production), TR-1 Eq. 6, 13 (own-use value, weights), TR-2 Eq. 6-9 (trust).

    Versions: v0 (released) pays value and synergy of TR-1 and reports team production in info only; v1 (formal) pays
    team production.
    """

    id = "TeamProduction-v1"
    Parameters = Group
    summary = "A team splits its joint product equally, so each keeps 1/N of its marginal product."
    defaults = {
        "n_agents": 4, "endowment": 50.0, "norm": 0.3, "dependence": 0.55, "theta": 3.0, "gamma": 1.55, "beta": 0.55,
        "k": 1.0, "lambda_plus": 0.1, "lambda_minus": 0.25, "mu_R": 0.4, "delta_R": 0.02, "xi": 0.5, "kappa": 1.0,
    }  # fmt: skip

    def payoffs(self, state: State, cooperation: Array) -> Array:
        parameters = self.parameters
        pool = (cooperation @ self.equal_weights)[..., None] if parameters.mechanism else cooperation
        return self.own_value(cooperation) + parameters.gamma * pooled_production(pool, parameters.beta)

    def state_info(self, state: State) -> dict[str, Array]:
        return self.team_info(state)

    def traits(self) -> Traits:
        return super().traits().extended(dominance="payoffs", concave=True)


@dataclass(frozen=True, kw_only=True)
class LoyaltyParameters(Productive):
    """A team with loyalty; everyone depends on the team as a whole."""

    n_agents: int = parameter(4, 2, doc="number of agents N")
    endowment: PerAgent = parameter(50.0, 0.0, doc="endowment e_i, units", above_low=True)
    team_dependence: float = parameter(0.55, 0.0, 1.0, doc="row sum of D, spread equally over team-mates")
    initial_loyalty: float = parameter(0.5, 0.0, 1.0, doc="loyalty at reset ℓ0")
    loyalty_max: float = parameter(1.0, 0.0, 1.0, doc="highest loyalty ℓ_max", above_low=True)
    loyalty_building: float = parameter(0.05, 0.0, 1.0, doc="loyalty building rate η⁺")
    loyalty_erosion: float = parameter(0.10, 0.0, 1.0, doc="loyalty erosion rate η⁻")
    phi_B: float = parameter(0.5, 0.0, doc="weight on team-mates' surplus φ_B")
    phi_C: float = parameter(0.15, 0.0, doc="warm glow of own effort φ_C")
    cohesion_lift: float = parameter(0.0, 0.0, 1.0, doc="part of productivity that needs cohesion χ_C")

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
        return self.own_value(cooperation) + output[..., None]

    def relational(self, state: LoyalStateT, cooperation: Array, payoffs: Array) -> Array | None:
        parameters = self.parameters
        if not (parameters.mechanism or self.loyalty_without_mechanism):
            return None
        effort_cost = self.linear_cost * cooperation
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
        return self.moved(state, cooperation, signals, loyalty=self.loyalty_after(state, signals))

    def start(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        parameters = self.parameters
        return {"loyalty": self.filled(batch, parameters.initial_loyalty, (self.n_agents,))}

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
        effort = parameters.phi_C * state.loyalty * self.linear_cost
        return replace(weights, loyalty=parameters.phi_B * mates, effort=effort)


class LoyaltyTeam(LoyalTeamGame[LoyaltyState, LoyaltyParameters]):
    """Team production in which a loyal team internalises team-mates' payoffs.

    Each keeps 1/N of the marginal product, as in TeamProduction. A loyal team internalises part of the rest, but
    loyalty follows what the whole team does, and one member's effort is a small part of that.

    Seats: agent_0 .. agent_3 (interchangeable).

    Actions: effort in [0, 50]; norm 12.5; c_i = a_i/e_i.

    Observation: 88 entries jointly; 22 (own), 50 (full) or 5 (minimal) per agent. Own view: c_i, c_j, T_ij, T_ji, R_ij,
    R_ji, D_ij, own loyalty ℓ_i, cohesion, t/T_max.

    Payoff: π_i = own_i + A_t P_β(mean c) with own_i = [e_i - k a_i + θ ln(1 + a_i)]/u, P_β(x) ≈ x^β and A_t = A (1 -
    χ_C + χ_C · cohesion); A is ``gamma``. θ 3, A 1.6, β 0.55, k 1, χ_C 0.30, mean endowment u 50, D 0.55/(N - 1). The
    integrated reward adds Σ_j w_ij π_j, w_ij = min(T_ij, 1 - R_ij) D_ij, and loyalty ψ_i = ℓ_i [φ_B Σ_j≠i (π_j - e_j/u)
    + φ_C k a_i/u] with φ_B 0.5, φ_C 0.15.

    State: T and R on signals tanh(κ (c_j - b_j)/0.5) with κ 1, λ⁺ 0.1, λ⁻ 0.25, μ_R 0.4, δ_R 0.02, ξ 0.5 (T0 0.5,
    R0 0); then loyalty from 0.5: ℓ ← ℓ + 0.05 [h]₊ (1 - ℓ) - 0.10 [-h]₊ ℓ, where h is the team's mean signal.

    End: truncated after 100 steps, never early.

    Info: also `loyalty`, `cohesion` (Σ_i D^col_i ℓ_i / Σ_i D^col_i with column sums D^col of D), `team_output` (units),
    `nash_effort`, `optimal_effort` (units, closed forms without own-use value, at most e), `efficiency_ratio` (mean
    effort relative to the optimal one), `free_riders` (below the norm); output and efforts are those of full
    productivity A.

    Off switch: ``mechanism=False`` removes loyalty from the reward and sets A_t = A: Nash 12 %, coopetitive 15 %.

    Closed forms and reference points: Nash solves k = θ/(1 + e c) + (A_t β/N) (c + 0.001)^(β-1), the optimum the same
    with A_t β. Nash 10 %, coopetitive 25 % (full trust: 30 %), optimum 65 % of endowment at reset; price of anarchy
    1.172; greed at the optimum 0.318, fear at Nash 0.214. Committed to one share each for an episode: private 10 %,
    integrated 71 %, optimum 87 %.

    Source: TR-3 Eq. 1-2 (team production), 3 and 5 (loyalty), TR-1 Eq. 6, 13 (own-use value, weights), TR-2 Eq. 6-9
    (trust).

    Versions: in v0 (released) factors on conduct multiply rewards and the loyalty score pays nothing; in v1 (formal)
    loyalty enters the integrated reward and cohesion lifts production.
    """

    id = "LoyaltyTeam-v1"
    Parameters = LoyaltyParameters
    kind = LoyaltyState
    summary = "Team production in which a loyal team internalises team-mates' payoffs."
    defaults = {
        "n_agents": 4, "norm": 0.25, "theta": 3.0, "gamma": 1.6, "beta": 0.55, "k": 1.0, "phi_B": 0.5, "phi_C": 0.15,
        "cohesion_lift": 0.30, "lambda_plus": 0.1, "lambda_minus": 0.25, "mu_R": 0.4, "delta_R": 0.02, "xi": 0.5,
    }  # fmt: skip

    def traits(self) -> Traits:
        return super().traits().extended(dominance="payoffs", concave=True)


@dataclass(frozen=True, kw_only=True)
class CoalitionParameters(LoyaltyParameters):
    """Adds the size below which a coalition is dormant."""

    min_coalition_size: int = parameter(3, 1, doc="members below which the coalition is dormant")


@dataclass(frozen=True)
class CoalitionState(LoyaltyState):
    """Adds memberships and timers."""

    members: Array
    """``(..., N)`` 1 for members of the coalition."""
    timers: Array
    """``(..., N)`` steps that those outside must still wait."""


class CoalitionFormation(LoyalTeamGame[CoalitionState, CoalitionParameters]):
    """A coalition expels persistent free riders, who must cooperate alone to come back.

    Each member bears its own effort and gets 1/N of what that adds to the joint product. Persistent free riders lose
    their loyalty and with it their place, and have to cooperate alone to come back.

    Seats: agent_0 .. agent_5 (interchangeable).

    Actions: effort in [0, 50]; norm 12.5; c_i = a_i/e_i.

    Observation: 246 entries jointly; 41 (own), 122 (full) or 7 (minimal) per agent. Own view: c_i, c_j, T_ij, T_ji,
    R_ij, R_ji, D_ij, own timer/5, own loyalty ℓ_i, memberships m of all, cohesion, t/T_max.

    Payoff: members of a living coalition (Σm ≥ 3, ``min_coalition_size``) get π_i = own_i + N A P_β(Σ_inside c/N)/Σm,
    all others π_i = own_i + 0.60 P_β(c_i), with own_i = [e_i - k a_i + θ ln(1 + a_i)]/u and P_β(x) ≈ x^β; A is
    ``gamma``. θ 3, A 1.6, β 0.55, k 1, mean endowment u 50, D 0.55/(N - 1). The integrated reward adds Σ_j w_ij π_j,
    w_ij = min(T_ij, 1 - R_ij) D_ij, and for those inside loyalty ψ_i = ℓ_i [φ_B Σ_j≠i (π_j - e_j/u) + φ_C k a_i/u] over
    team-mates inside, with φ_B 0.5, φ_C 0.15.

    State: T and R on signals tanh(κ (c_j - b_j)/0.5) with κ 1, λ⁺ 0.1, λ⁻ 0.25, μ_R 0.4, δ_R 0.02, ξ 0.5 (T0 0.5,
    R0 0); then loyalty from 0.5 on own conduct: ℓ_i ← ℓ_i + 0.05 [s_i]₊ (1 - ℓ_i) - 0.15 [-s_i]₊ ℓ_i; then, all at
    once, members with ℓ_i < 0.15 leave for at least 5 steps (the timer) and those outside with timer 0 and ℓ_i ≥ 0.40
    return. Below three members the coalition is dormant.

    End: truncated after 150 steps, never early.

    Info: also `loyalty`, `cohesion` (Σ_i D^col_i ℓ_i / Σ_i D^col_i with column sums D^col of D), `members`,
    `coalition_alive`, `team_output` (units), `nash_effort`, `optimal_effort` (units, closed forms without own-use
    value, at most e), `efficiency_ratio` (mean effort relative to the optimal one), `free_riders` (below the norm);
    output and efforts are those of the grand coalition; step only `exclusions`, `reentries` (per agent).

    Off switch: ``mechanism=False`` excludes nobody; loyalty stays. The stage game at reset is the same.

    Closed forms and reference points: with everybody inside Nash solves k = θ/(1 + e c) + (A β/N) (c + 0.001)^(β-1),
    the optimum the same with A β. Nash 9 %, coopetitive 24 % (full trust: 28 %), optimum 88 % of endowment at reset;
    price of anarchy 1.291; greed at the optimum 0.540, fear at Nash 0.387. Committed to one share each for an episode:
    private 18 or 23 % (off: 9 %), integrated 79 %, optimum 88 %.

    Source: TR-3 Eq. 1-2 (team production), 3 and 5 (loyalty), TR-1 Eq. 6, 13 (own-use value, weights), TR-2 Eq. 6-9
    (trust). Exclusion and return are of this edition.

    Versions: v0 (released) excludes in list order, hides membership and multiplies rewards of members and excluded
    agents; v1 (formal) splits the product among those inside, at once and in view of all.
    """

    id = "CoalitionFormation-v1"
    Parameters = CoalitionParameters
    kind = CoalitionState
    summary = "A coalition expels persistent free riders, who must cooperate alone to come back."
    loyalty_without_mechanism = True
    defaults = {
        "n_agents": 6, "max_steps": 150, "norm": 0.25, "theta": 3.0, "gamma": 1.6, "beta": 0.55, "k": 1.0,
        "phi_B": 0.5, "phi_C": 0.15, "loyalty_erosion": 0.15, "lambda_plus": 0.1, "lambda_minus": 0.25, "mu_R": 0.4,
        "delta_R": 0.02, "xi": 0.5,
    }  # fmt: skip

    def inside(self, state: CoalitionState) -> Array:
        """Members of a coalition that is alive, ``(..., N)`` of 0 and 1."""
        alive = state.members.sum(-1) >= self.parameters.min_coalition_size
        return state.members * alive[..., None]

    def payoffs(self, state: CoalitionState, cooperation: Array) -> Array:
        beta, inside = self.parameters.beta, self.inside(state)
        pooled = (inside * cooperation) @ self.equal_weights
        members = self.xp.maximum(inside.sum(-1), 1.0)
        product = self.n_agents * self.parameters.gamma * pooled_production(pooled, beta) / members
        alone = SOLO_PRODUCTIVITY * pooled_production(cooperation, beta)
        return self.own_value(cooperation) + inside * product[..., None] + (1.0 - inside) * alone

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
        return self.moved(state, cooperation, signals, loyalty=loyalty, members=members, timers=timers)

    def start(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        n = self.n_agents
        return {
            **super().start(batch, uniforms, normals),
            "members": self.filled(batch, 1.0, (n,)),
            "timers": self.filled(batch, 0.0, (n,)),
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
        return {"exclusions": change < 0.0, "reentries": change > 0.0}

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
    """A large open-source team: contributors scratch their own itch, loyalty carries part of the rest.

    With 40 contributors each keeps 1/40 of the marginal product, so almost nobody contributes beyond own use; loyalty
    to the project carries part of the gap.

    Seats: agent_0 .. agent_39 (interchangeable contributors); 8, 15 or 35 in other phases.

    Actions: effort in [0, 50]; norm 12.5; c_i = a_i/e_i.

    Observation: 9520 entries jointly; 238 (own), 4802 (full) or 41 (minimal) per agent. Own view: c_i, c_j, T_ij, T_ji,
    R_ij, R_ji, D_ij, own loyalty ℓ_i, cohesion, t/T_max.

    Payoff: π_i = own_i + A_t P_β(mean c) with own_i = [e_i - k a_i + θ ln(1 + a_i)]/u, P_β(x) ≈ x^β and A_t = A (1 -
    χ_C + χ_C · cohesion); A is ``gamma``. θ 3, β 0.45, k 1, χ_C 0.10, mean endowment u 50, D 0.55/(N - 1). ``phase``
    sets N, ℓ_max and A: emergence 8, 1.00, 1.76; growth 15, 0.85, 1.62; maturity (default) 40, 0.70, 1.36; evolution
    35, 0.60, 1.22. The integrated reward adds Σ_j w_ij π_j, w_ij = min(T_ij, 1 - R_ij) D_ij, and loyalty ψ_i = ℓ_i [φ_B
    Σ_j≠i (π_j - e_j/u) + φ_C k a_i/u] with φ_B 0.75, φ_C 0.10, and is divided by Z = 1 + φ_B ℓ_0 (N - 1), 11.24 in
    maturity.

    State: T and R on signals tanh(κ (c_j - b_j)/0.5) with κ 1, λ⁺ 0.1, λ⁻ 0.25, μ_R 0.4, δ_R 0.02, ξ 0.5 (T0 0.5,
    R0 0); then loyalty from ℓ_max/2: ℓ ← ℓ + 0.05 [h]₊ (ℓ_max - ℓ) - 0.10 [-h]₊ ℓ, where h is the team's mean signal.

    End: truncated after 60 steps, never early.

    Info: also `loyalty`, `cohesion` (Σ_i D^col_i ℓ_i / Σ_i D^col_i with column sums D^col of D), `team_output` (units),
    `nash_effort`, `optimal_effort` (units, closed forms without own-use value, at most e), `efficiency_ratio` (mean
    effort relative to the optimal one), `free_riders` (below the norm), output and efforts at full productivity A;
    `phase`, `expected_effort` (published: 35, 30, 22 and 18 of 50).

    Off switch: ``mechanism=False`` removes loyalty from the reward and sets A_t = A: coopetitive play falls to 5 %.

    Closed forms and reference points: Nash solves k = θ/(1 + e c) + (A_t β/N) (c + 0.001)^(β-1), the optimum the same
    with A_t β. Nash 5 %, coopetitive 12 % (full trust: 12 %), optimum 46 % of endowment at reset; price of anarchy
    1.221; greed at the optimum 0.287, fear at Nash 0.265. Committed to one share each for an episode: private 5 %,
    integrated 10, 12, 15 or 30 %, optimum 50 %. Other phases, Nash, coopetitive, optimum and price of anarchy:
    emergence 8, 27, 70 %, 1.266; growth 6, 18, 61 %, 1.270; evolution 5, 10, 39 %, 1.179.

    Source: TR-3 case study and Eq. 1-2 (team production), 3 and 5 (loyalty), TR-1 Eq. 6, 13 (own-use value, weights),
    TR-2 Eq. 6-9 (trust). A is calibrated so that the optimum comes close to the published expected efforts.

    Versions: in v0 (released) the phase changes rewards through the team size only; in v1 (formal) it sets loyalty and
    productivity, and integrated rewards do not grow with N.
    """

    id = "ApacheProject-v1"
    Parameters = ApacheParameters
    kind = LoyaltyState
    category = "validated case study"
    summary = "A large open-source team: contributors scratch their own itch, loyalty carries part of the rest."
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
    """A linear public good with quadratic effort cost and loyal contributors.

    A unit contributed returns M units to the group and M/N to its giver; M/N = 0.4 < 1 < M makes free riding pay.

    Seats: agent_0 .. agent_4 (interchangeable contributors).

    Actions: contribution in [0, 50]; norm 12.5; c_i = a_i/e_i.

    Observation: 140 entries jointly; 28 (own), 77 (full) or 6 (minimal) per agent. Own view: c_i, c_j, T_ij, T_ji,
    R_ij, R_ji, D_ij, own loyalty ℓ_i, cohesion, t/T_max.

    Payoff: π_i = own_i + M mean(c) with own_i = [e_i - k a_i - (q/2) a_i²/e_i + θ ln(1 + a_i)]/u; M is ``gamma``. θ 3,
    M 2, k 1, q 1.3, mean endowment u 50, D 0.55/(N - 1). Quadratic cost and own-use value keep Nash and optimum
    interior. The integrated reward adds Σ_j w_ij π_j, w_ij = min(T_ij, 1 - R_ij) D_ij, and loyalty ψ_i = ℓ_i [φ_B Σ_j≠i
    (π_j - e_j/u) + φ_C k a_i/u] with φ_B 0.6, φ_C 0.1.

    State: T and R on signals tanh(κ (c_j - b_j)/0.5) with κ 1, λ⁺ 0.1, λ⁻ 0.25, μ_R 0.4, δ_R 0.02, ξ 0.5 (T0 0.5,
    R0 0); then loyalty from 0.5: ℓ ← ℓ + 0.05 [h]₊ (1 - ℓ) - 0.10 [-h]₊ ℓ, where h is the group's mean signal.

    End: truncated after 100 steps, never early.

    Info: also `loyalty`, `cohesion` (Σ_i D^col_i ℓ_i / Σ_i D^col_i with column sums D^col of D), `public_good` = M Σa
    (units), `contribution_rate` = Σa/Σe.

    Off switch: ``mechanism=False`` pays everyone M times the own contribution; loyalty stays: Nash 82 %, coopetitive
    86 %.

    Closed forms and reference points: Nash solves (k + q c - M/N)(1 + e c) = θ, the optimum (k + q c - M)(1 + e c) = θ.
    Nash 7 %, coopetitive 22 % (full trust: 27 %), optimum 82 % of endowment at reset; price of anarchy 1.394; greed at
    the optimum 0.756, fear at Nash 0.756. Committed to one share each for an episode: private 7 %, integrated 11 or
    53 %, optimum 82 %. With ``q=0, theta=0`` the textbook game: contribute nothing against contribute all.

    Source: the linear public good; TR-3 Eq. 3, 5 (loyalty), TR-1 Eq. 6, 13 (own-use value, weights), TR-2 Eq. 6-9
    (trust).

    Versions: v0 (released) reports the public good and pays value and synergy of TR-1; v1 (formal) pays the public
    good.
    """

    id = "PublicGoods-v1"
    Parameters = LoyaltyParameters
    kind = LoyaltyState
    summary = "A linear public good with quadratic effort cost and loyal contributors."
    loyalty_without_mechanism = True
    defaults = {
        "n_agents": 5, "norm": 0.25, "theta": 3.0, "gamma": 2.0, "beta": 1.0, "k": 1.0, "q": 1.3, "phi_B": 0.6,
        "phi_C": 0.1, "lambda_plus": 0.1, "lambda_minus": 0.25, "mu_R": 0.4, "delta_R": 0.02, "xi": 0.5,
    }  # fmt: skip

    def payoffs(self, state: LoyaltyState, cooperation: Array) -> Array:
        pool = (cooperation @ self.equal_weights)[..., None] if self.parameters.mechanism else cooperation
        return self.own_value(cooperation) + self.parameters.gamma * pool

    def state_info(self, state: LoyaltyState) -> dict[str, Array]:
        contributions = state.last_action * self.endowments
        return {
            "loyalty": state.loyalty,
            "cohesion": self.cohesion(state),
            "public_good": self.parameters.gamma * contributions.sum(-1),
            "contribution_rate": contributions.sum(-1) / float(self.spec.endowments.sum()),
        }

    def traits(self) -> Traits:
        return super().traits().extended(dominance="payoffs", concave=True)
