"""Released games of mechanism class TR-2: trust that is slow to build, quick to lose and hard to repair."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from coopgym.backend import NUMPY, Array, Backend
from coopgym.games.game import ResetOptions, Transition, required
from coopgym.games.parameters import Parameters, parameter
from coopgym.games.released.base import ReleasedGame, Shared
from coopgym.games.released.mechanisms.public_score import TIER_FACTORS, TIER_THRESHOLDS, drifting_score, tier_of
from coopgym.games.released.pages import trust as pages
from coopgym.games.released.scores import ScoreGame, ScoreState
from coopgym.games.released.table import GameTable, TrustTable, ValueTable, equal_shares
from coopgym.games.state import State
from coopgym.mechanisms.interdependence import explicit, symmetric
from coopgym.mechanisms.trust import mean_over_pairs
from coopgym.small_arrays import for_each_agent
from coopgym.typing import FloatArray


@dataclass(frozen=True)
class CountedState(State):
    """State of a game that counts cooperation."""

    cooperations: Array
    """``(..., N)`` steps in which an agent met its norm."""


@dataclass(frozen=True, kw_only=True)
class TrustDilemmaParameters(Parameters):
    """Parameters of `TrustDilemma`."""

    trust_sensitivity: float = parameter(
        1.5, 0.0, doc="signal sensitivity", symbol="κ", unit="per unit of action", above_low=True
    )
    trust_building_rate: float = parameter(0.15, 0.0, 1.0, doc="building rate", symbol="λ⁺", above_low=True)
    trust_erosion_rate: float = parameter(0.45, 0.0, 1.0, doc="erosion rate", symbol="λ⁻", above_low=True)


class TrustDilemma(ReleasedGame[CountedState, TrustDilemmaParameters]):
    """Trust dilemma as released in Coopetition-Gym v1.0 (TR-2)."""

    id = "TrustDilemma-v0"
    page = pages.TRUST_DILEMMA
    mechanism_class = "TR-2"
    category = "dyadic"
    state_class = CountedState
    Parameters = TrustDilemmaParameters
    may_end_early = True

    def table(self) -> GameTable:
        p = self.parameters
        return GameTable(
            endowments=(100.0, 100.0),
            baselines=(40.0, 40.0),
            shares=(0.5, 0.5),
            interdependence=symmetric(2, 0.6),
            value=ValueTable(theta=20.0, gamma=0.7),
            trust=TrustTable(
                lambda_plus=p.trust_building_rate,
                lambda_minus=p.trust_erosion_rate,
                mu_R=0.50,
                delta_R=0.02,
                xi=0.60,
                kappa=p.trust_sensitivity,
                initial_trust=0.50,
            ),
        )

    def initial_stocks(self, batch: tuple[int, ...], options: ResetOptions, uniforms: Array | None) -> dict[str, Array]:
        return {"cooperations": self.full((*batch, self.n_agents), 0, self.xp.int64)}

    def advance(self, before: CountedState, shared: Shared, payoffs: Array, normals: Array | None) -> dict[str, Array]:
        return {"cooperations": before.cooperations + (shared.last_action >= self.baselines)}

    def ended(self, after: CountedState) -> Array:
        return mean_over_pairs(after.trust) < 0.05

    def step_info(self, before: CountedState, transition: Transition) -> dict[str, Any]:
        after: Any = transition.state
        steps = for_each_agent(after.t)
        return {
            "cooperation_counts": after.cooperations,
            "defection_counts": steps - after.cooperations,
            "cooperation_rates": after.cooperations / steps,
        }


@dataclass(frozen=True)
class RecoveryState(State):
    """State of a recovery."""

    peak_trust: Array
    """``(...)`` greatest mean trust so far."""
    recovery_step: Array
    """``(...)`` first step that reached the target, zero before."""


@dataclass(frozen=True, kw_only=True)
class RecoveryRaceParameters(Parameters):
    """Parameters of `RecoveryRace`."""

    initial_trust: float = parameter(0.25, 0.0, 1.0, doc="trust at reset", symbol="T0")
    initial_reputation_damage: float = parameter(0.50, 0.0, 1.0, doc="reputation damage at reset", symbol="R0")
    recovery_target: float = parameter(0.90, 0.0, 1.0, doc="mean trust that ends the episode; above initial_trust")
    max_steps: int = parameter(150, 1, doc="episode length", symbol="T_max", unit="steps")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.recovery_target <= self.initial_trust:
            raise ValueError(
                f"recovery_target={self.recovery_target!r}: must exceed initial_trust={self.initial_trust!r}"
            )


class RecoveryRace(ReleasedGame[RecoveryState, RecoveryRaceParameters]):
    """Recovery race as released in Coopetition-Gym v1.0 (TR-2)."""

    id = "RecoveryRace-v0"
    page = pages.RECOVERY_RACE
    mechanism_class = "TR-2"
    category = "benchmark"
    state_class = RecoveryState
    Parameters = RecoveryRaceParameters
    may_end_early = True

    def table(self) -> GameTable:
        p = self.parameters
        return GameTable(
            endowments=(100.0, 100.0),
            baselines=(35.0, 35.0),
            shares=(0.5, 0.5),
            interdependence=symmetric(2, 0.55),
            value=ValueTable(theta=20.0, gamma=0.6),
            trust=TrustTable(
                lambda_plus=0.08,
                lambda_minus=0.35,
                mu_R=0.70,
                delta_R=0.01,
                xi=0.40,
                kappa=1.0,
                initial_trust=p.initial_trust,
                initial_reputation=p.initial_reputation_damage,
            ),
        )

    def initial_stocks(self, batch: tuple[int, ...], options: ResetOptions, uniforms: Array | None) -> dict[str, Array]:
        return {"peak_trust": self.full(batch, 0.0), "recovery_step": self.full(batch, 0, self.xp.int64)}

    def shown(self, state: RecoveryState, normals: Array | None) -> RecoveryState:
        return replace(state, peak_trust=self.xp.maximum(state.peak_trust, mean_over_pairs(state.trust)))

    def advance(self, before: RecoveryState, shared: Shared, payoffs: Array, normals: Array | None) -> dict[str, Array]:
        mean_trust = mean_over_pairs(shared.trust)
        first_time = (mean_trust >= self.parameters.recovery_target) & (before.recovery_step == 0)
        return {
            "peak_trust": self.xp.maximum(before.peak_trust, mean_trust),
            "recovery_step": before.recovery_step + shared.t * first_time,
        }

    def ended(self, after: RecoveryState) -> Array:
        return mean_over_pairs(after.trust) >= self.parameters.recovery_target

    def step_info(self, before: RecoveryState, transition: Transition) -> dict[str, Any]:
        after: Any = transition.state
        start, target = self.parameters.initial_trust, self.parameters.recovery_target
        return {
            "peak_trust": after.peak_trust,
            "recovery_step": after.recovery_step,
            "trust_ceiling": 1.0 - self.mean_damage(after),
            "recovery_progress": (mean_over_pairs(after.trust) - start) / (target - start),
        }


@dataclass(frozen=True, kw_only=True)
class SLCDParameters(Parameters):
    """Parameters of `SLCD`."""

    trust_enabled: bool = parameter(True, doc="False: full trust and no damage for ever, partner weights are plain D")


class SLCD(ReleasedGame[State, SLCDParameters]):
    """S-LCD: Samsung and Sony as released in Coopetition-Gym v1.0 (TR-1)."""

    id = "SLCD-v0"
    page = pages.SLCD
    mechanism_class = "TR-2"
    category = "validated case study"
    Parameters = SLCDParameters

    def table(self) -> GameTable:
        return GameTable(
            endowments=(100.0, 100.0),
            baselines=(30.0, 30.0),
            shares=(0.55, 0.45),
            interdependence=explicit([[0.0, 0.64], [0.86, 0.0]]),
            value=ValueTable(theta=20.0, gamma=0.65),
            trust=TrustTable(
                lambda_plus=0.08,
                lambda_minus=0.28,
                mu_R=0.50,
                delta_R=0.02,
                xi=0.45,
                kappa=1.0,
                initial_trust=0.65 if self.parameters.trust_enabled else 1.0,
            ),
            roles=("Samsung", "Sony"),
        )

    def relations(self, state: State, action: Array) -> tuple[Array, Array]:
        if not self.parameters.trust_enabled:
            return state.trust, state.damage
        return super().relations(state, action)

    def state_info(self, state: State) -> dict[str, Any]:
        return {
            "agent_names": ", ".join(self.spec.roles),
            "samsung_investment": state.last_action[..., 0],
            "sony_investment": state.last_action[..., 1],
        }


@dataclass(frozen=True)
class NegotiationState(State):
    """State of a negotiation."""

    agreement: Array
    """``(..., N)`` what each agent agreed to play, action units; zeros while there is no agreement."""
    agreed: Array
    """``(..., 1)`` one when there is an agreement, else zero."""
    agreements: Array
    """``(..., 1)`` agreements so far."""
    breaches: Array
    """``(..., 1)`` breaches so far."""
    shown_agreement: Array
    """``(..., N + 1)`` agreement and flag in the joint observation, those before the last step."""


@dataclass(frozen=True, kw_only=True)
class CooperativeNegotiationParameters(Parameters):
    """Parameters of `CooperativeNegotiation`."""

    agreement_threshold: float = parameter(
        10.0, 0.0, doc="distance within which proposals agree and are kept", unit="units"
    )
    breach_penalty_multiplier: float = parameter(3.0, 0.0, doc="penalty per unit of departure from an agreement")
    negotiation_rounds: int = parameter(5, 0, doc="inert: accepted and never read")


class CooperativeNegotiation(ReleasedGame[NegotiationState, CooperativeNegotiationParameters]):
    """Cooperative negotiation as released in Coopetition-Gym v1.0 (TR-2)."""

    id = "CooperativeNegotiation-v0"
    page = pages.COOPERATIVE_NEGOTIATION
    mechanism_class = "TR-2"
    category = "extended"
    state_class = NegotiationState
    Parameters = CooperativeNegotiationParameters

    def table(self) -> GameTable:
        return GameTable(
            endowments=(100.0, 100.0),
            baselines=(35.0, 35.0),
            shares=(0.5, 0.5),
            interdependence=symmetric(2, 0.55),
            value=ValueTable(theta=20.0, gamma=0.6),
            trust=TrustTable(lambda_plus=0.12, lambda_minus=0.40, mu_R=0.65, delta_R=0.02, xi=0.55, kappa=1.2),
        )

    def initial_stocks(self, batch: tuple[int, ...], options: ResetOptions, uniforms: Array | None) -> dict[str, Array]:
        n, none = self.n_agents, self.full((*batch, 1), 0, self.xp.int64)
        return {
            "agreement": self.full((*batch, n), 0.0),
            "agreed": self.full((*batch, 1), 0.0),
            "agreements": none,
            "breaches": none,
            "shown_agreement": self.full((*batch, n + 1), 0.0),
        }

    def gap(self, action: Array) -> Array:
        """Distance between the two proposals, ``(..., 1)``, units, in single precision."""
        single = self.xp.astype(action, self.xp.float32)
        return self.xp.abs(single[..., :1] - single[..., 1:])

    def departures(self, before: NegotiationState, action: Array) -> Array:
        """Departures from the agreement in force, ``(..., N)`` units; of no meaning without one."""
        return self.xp.abs(action - before.agreement)

    def breached(self, before: NegotiationState, departures: Array) -> Array:
        """Where an agreement was in force and broken, booleans ``(..., 1)``."""
        greatest = self.xp.max(departures, axis=-1, keepdims=True)
        return (before.agreed > 0.0) & (greatest > self.parameters.agreement_threshold)

    def advance(
        self, before: NegotiationState, shared: Shared, payoffs: Array, normals: Array | None
    ) -> dict[str, Array]:
        action = shared.last_action
        close = self.gap(action) <= self.parameters.agreement_threshold
        return {
            "agreement": self.xp.where(close, action, before.agreement),
            "agreed": self.xp.where(close, 1.0, before.agreed),
            "agreements": before.agreements + close,
            "breaches": before.breaches + self.breached(before, self.departures(before, action)),
            "shown_agreement": self.xp.concat([before.agreement, before.agreed], axis=-1),
        }

    def penalty(self, before: NegotiationState, after: NegotiationState) -> Array:
        departures = self.departures(before, after.last_action)
        return self.breached(before, departures) * (self.parameters.breach_penalty_multiplier * departures)

    def tail(self, state: NegotiationState) -> Array:
        return state.shown_agreement

    def tail_bounds(self) -> tuple[FloatArray, FloatArray]:
        return np.zeros(self.n_agents + 1), np.append(self.spec.endowments, 1.0)

    def step_info(self, before: NegotiationState, transition: Transition) -> dict[str, Any]:
        after: Any = transition.state
        return {
            "agreement_reached": (after.agreements > before.agreements)[..., 0],
            "current_agreement": after.agreement,
            "breach_occurred": (after.breaches > before.breaches)[..., 0],
            "total_agreements": after.agreements[..., 0],
            "total_breaches": after.breaches[..., 0],
            "proposal_convergence": 1.0 - self.gap(after.last_action)[..., 0] / 100.0,
        }

    def stocks(self, state: NegotiationState) -> list[Array]:
        return [state.agreement, state.agreed, state.agreements, state.breaches]


@dataclass(frozen=True, kw_only=True)
class ReputationMarketParameters(Parameters):
    """Parameters of `ReputationMarket`."""

    n_agents: int = parameter(5, 2, doc="market size", symbol="N")
    reputation_visibility: float = parameter(1.0, 0.0, 1.0, doc="one less the noise of observed scores, its deviation")
    tier_enabled: bool = parameter(True, doc="False: rewards are not multiplied by the tier")


class ReputationMarket(ScoreGame[ReputationMarketParameters]):
    """Reputation market as released in Coopetition-Gym v1.0 (TR-2)."""

    id = "ReputationMarket-v0"
    page = pages.REPUTATION_MARKET
    mechanism_class = "TR-2"
    category = "extended"
    Parameters = ReputationMarketParameters
    initial_score = 0.5

    def __init__(self, parameters: ReputationMarketParameters, backend: Backend = NUMPY) -> None:
        super().__init__(parameters, backend)
        self.tier_thresholds = self.single(TIER_THRESHOLDS)
        self.tier_factors = backend.array(TIER_FACTORS)
        self.noise = 1.0 - parameters.reputation_visibility
        if self.noise > 0.0:
            self.reset_normals = self.step_normals = self.n_agents

    def table(self) -> GameTable:
        n = self.parameters.n_agents
        return GameTable(
            endowments=(100.0,) * n,
            baselines=(35.0,) * n,
            shares=equal_shares(n),
            interdependence=symmetric(n, 0.35),
            value=ValueTable(theta=18.0, gamma=0.5),
            trust=TrustTable(lambda_plus=0.10, lambda_minus=0.30, mu_R=0.55, delta_R=0.015, xi=0.45, kappa=1.0),
        )

    def updated_scores(self, scores: Array, share: Array) -> Array:
        return drifting_score(scores, share, self.xp)

    def visible(self, scores: Array, normals: Array | None) -> Array:
        if self.noise == 0.0:
            return scores
        noisy = scores + self.noise * self.xp.astype(required(normals, "normals"), scores.dtype)
        return self.xp.minimum(self.xp.maximum(noisy, 0.0), 1.0)

    def multiplier(self, after: ScoreState) -> Array | None:
        if not self.parameters.tier_enabled:
            return None
        return self.tier_factors[tier_of(after.public_scores, self.tier_thresholds)]

    def step_info(self, before: ScoreState, transition: Transition) -> dict[str, Any]:
        after: Any = transition.state
        scores = after.public_scores
        mean = scores.mean(-1)
        variance = ((scores - mean[..., None]) ** 2).mean(-1)
        return {
            "public_reputations": scores,
            "reputation_ranking": self.ranking(after),
            "agent_tiers": tier_of(scores, self.tier_thresholds),
            "mean_reputation": mean,
            "reputation_inequality": variance**0.5,
        }
