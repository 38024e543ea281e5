"""Released games of mechanism class TR-1: partners' payoffs weigh as much as one depends on and trusts them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from coopgym.backend import Array
from coopgym.games.game import ResetOptions, Transition, required
from coopgym.games.parameters import Parameters, parameter
from coopgym.games.released.base import ReleasedGame, Shared
from coopgym.games.released.mechanisms.public_score import averaged_score
from coopgym.games.released.pages import interdependence as pages
from coopgym.games.released.scores import ScoreGame, ScoreState
from coopgym.games.released.table import GameTable, TrustTable, ValueTable, equal_shares, known_phase
from coopgym.games.state import State
from coopgym.mechanisms.interdependence import explicit, hub_and_spoke, symmetric
from coopgym.typing import FloatArray


@dataclass(frozen=True, kw_only=True)
class PartnerHoldUpParameters(Parameters):
    """Parameters of `PartnerHoldUp`."""

    strong_dependency: float = parameter(
        0.35, 0.0, 1.0, doc="dependence of the strong buyer on the supplier", symbol="D_01"
    )
    weak_dependency: float = parameter(
        0.85, 0.0, 1.0, doc="dependence of the weak supplier on the buyer", symbol="D_10"
    )


class PartnerHoldUp(ReleasedGame[State, PartnerHoldUpParameters]):
    """Partner hold-up as released in Coopetition-Gym v1.0."""

    id = "PartnerHoldUp-v0"
    page = pages.PARTNER_HOLD_UP
    mechanism_class = "TR-1"
    category = "dyadic"
    Parameters = PartnerHoldUpParameters
    may_end_early = True

    def table(self) -> GameTable:
        p = self.parameters
        return GameTable(
            endowments=(120.0, 80.0),
            baselines=(42.0, 28.0),
            shares=(0.6, 0.4),
            interdependence=explicit([[0.0, p.strong_dependency], [p.weak_dependency, 0.0]]),
            value=ValueTable(theta=20.0, gamma=0.6),
            trust=TrustTable(
                lambda_plus=0.10, lambda_minus=0.35, mu_R=0.55, delta_R=0.025, xi=0.7, kappa=1.2, initial_trust=0.55
            ),
            roles=("strong buyer", "weak supplier"),
        )

    def ended(self, after: State) -> Array:
        return after.trust[..., 1, 0] < 0.10

    def state_info(self, state: State) -> dict[str, Any]:
        weak_in_strong, strong_in_weak = state.trust[..., 1, 0], state.trust[..., 0, 1]
        nothing = weak_in_strong * 0.0
        return {
            "trust_asymmetry": weak_in_strong - strong_in_weak,
            "power_asymmetry": self.parameters.weak_dependency - self.parameters.strong_dependency,
            "weak_trust_in_strong": weak_in_strong,
            "strong_trust_in_weak": strong_in_weak,
            "strong_agent_payoff": nothing,
            "weak_agent_payoff": nothing,
        }

    def step_info(self, before: State, transition: Transition) -> dict[str, Any]:
        return {
            "strong_agent_payoff": transition.payoffs[..., 0],
            "weak_agent_payoff": transition.payoffs[..., 1],
        }


@dataclass(frozen=True, kw_only=True)
class PlatformEcosystemParameters(Parameters):
    """Parameters of `PlatformEcosystem`."""

    n_developers: int = parameter(4, 1, doc="number of developers; N is one more")
    platform_share: float = parameter(
        0.30, 0.0, 1.0, doc="bargaining share of the platform; developers split the rest", symbol="α_0"
    )
    platform_dependency: float = parameter(
        0.25, 0.0, 1.0, doc="dependence of the platform on each developer", symbol="D_0j"
    )
    developer_dependency: float = parameter(
        0.75, 0.0, 1.0, doc="dependence of each developer on the platform", symbol="D_j0"
    )


class PlatformEcosystem(ReleasedGame[State, PlatformEcosystemParameters]):
    """Platform ecosystem as released in Coopetition-Gym v1.0."""

    id = "PlatformEcosystem-v0"
    page = pages.PLATFORM_ECOSYSTEM
    mechanism_class = "TR-1"
    category = "ecosystem"
    Parameters = PlatformEcosystemParameters
    may_end_early = True

    def table(self) -> GameTable:
        p, n = self.parameters, self.parameters.n_developers
        return GameTable(
            endowments=(150.0, *(80.0,) * n),
            baselines=(45.0, *(24.0,) * n),
            shares=(p.platform_share, *((1.0 - p.platform_share) / n,) * n),
            interdependence=hub_and_spoke(n, p.platform_dependency, p.developer_dependency),
            value=ValueTable(theta=25.0, gamma=0.75),
            trust=TrustTable(
                lambda_plus=0.08, lambda_minus=0.25, mu_R=0.45, delta_R=0.02, xi=0.4, kappa=1.0, initial_trust=0.6
            ),
            roles=("platform", *("developer",) * n),
        )

    def developer_trust(self, state: State) -> Array:
        """Mean trust of developers in the platform, ``(...)``."""
        return state.trust[..., 1:, 0].mean(-1)

    def ended(self, after: State) -> Array:
        return self.developer_trust(after) < 0.15

    def state_info(self, state: State) -> dict[str, Any]:
        developers = state.last_action[..., 1:]
        mean = developers.mean(-1)
        variance = ((developers - mean[..., None]) ** 2).mean(-1)
        return {
            "platform_investment": state.last_action[..., 0],
            "mean_developer_investment": mean,
            "developer_investment_std": variance**0.5,
            "developer_trust_in_platform": self.developer_trust(state),
            "developer_exits": self.ended(state) * self.parameters.n_developers,
        }


@dataclass(frozen=True, kw_only=True)
class DynamicPartnerSelectionParameters(Parameters):
    """Parameters of `DynamicPartnerSelection`."""

    n_agents: int = parameter(6, 2, doc="pool size", symbol="N")
    reputation_weight: float = parameter(0.5, 0.0, 1.0, doc="inert: accepted and never read")
    max_steps: int = parameter(50, 1, doc="episode length", symbol="T_max", unit="steps")


class DynamicPartnerSelection(ScoreGame[DynamicPartnerSelectionParameters]):
    """Dynamic partner selection as released in Coopetition-Gym v1.0."""

    id = "DynamicPartnerSelection-v0"
    page = pages.DYNAMIC_PARTNER_SELECTION
    mechanism_class = "TR-1"
    category = "ecosystem"
    Parameters = DynamicPartnerSelectionParameters
    initial_score = 0.0

    def table(self) -> GameTable:
        n = self.parameters.n_agents
        return GameTable(
            endowments=(100.0,) * n,
            baselines=(35.0,) * n,
            shares=equal_shares(n),
            interdependence=symmetric(n, 0.4),
            value=ValueTable(theta=18.0, gamma=0.55),
            trust=TrustTable(lambda_plus=0.12, lambda_minus=0.35, mu_R=0.60, delta_R=0.015, xi=0.45, kappa=1.2),
        )

    def updated_scores(self, scores: Array, share: Array) -> Array:
        return averaged_score(scores, share)

    def step_info(self, before: ScoreState, transition: Transition) -> dict[str, Any]:
        after: Any = transition.state
        return {
            "reputation_scores": after.public_scores,
            "reputation_ranking": self.ranking(after),
        }


@dataclass(frozen=True)
class SynergyState(State):
    """State of a game with a hidden synergy weight."""

    gamma: Array
    """``(...)`` synergy weight γ of the episode."""


@dataclass(frozen=True, kw_only=True)
class SynergySearchParameters(Parameters):
    """Parameters of `SynergySearch`."""

    gamma_range: tuple[float, float] = parameter(
        (0.20, 0.90), 0.0, 1.0, doc="support of the uniform draw of the synergy weight", symbol="γ"
    )
    reveal_gamma_in_obs: bool = parameter(False, doc="append γ to the joint observation")

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.gamma_range) != 2 or self.gamma_range[0] > self.gamma_range[1]:
            raise ValueError(f"gamma_range={self.gamma_range!r}: expected (low, high) with low ≤ high")


class SynergySearch(ReleasedGame[SynergyState, SynergySearchParameters]):
    """Synergy search as released in Coopetition-Gym v1.0."""

    id = "SynergySearch-v0"
    page = pages.SYNERGY_SEARCH
    mechanism_class = "TR-1"
    category = "benchmark"
    state_class = SynergyState
    Parameters = SynergySearchParameters
    reset_uniforms = 1

    def table(self) -> GameTable:
        return GameTable(
            endowments=(100.0, 100.0),
            baselines=(40.0, 40.0),
            shares=(0.5, 0.5),
            interdependence=symmetric(2, 0.5),
            value=ValueTable(theta=20.0),
            trust=TrustTable(initial_trust=0.55),
        )

    def initial_stocks(self, batch: tuple[int, ...], options: ResetOptions, uniforms: Array | None) -> dict[str, Array]:
        if options.gamma is None:
            low, high = self.parameters.gamma_range
            gamma = low + (high - low) * required(uniforms, "uniforms or the option gamma")[..., 0]
        else:
            gamma = options.gamma
        return {
            "gamma": self.full(batch, gamma),
        }

    def synergy_weight(self, state: SynergyState) -> Array:
        return state.gamma

    def advance(self, before: SynergyState, shared: Shared, payoffs: Array, normals: Array | None) -> dict[str, Array]:
        return {"gamma": before.gamma}

    def tail(self, state: SynergyState) -> Array | None:
        return state.gamma[..., None] if self.parameters.reveal_gamma_in_obs else None

    def tail_bounds(self) -> tuple[FloatArray, FloatArray]:
        if not self.parameters.reveal_gamma_in_obs:
            return super().tail_bounds()
        low, high = self.parameters.gamma_range
        return np.array([low]), np.array([high])

    def step_info(self, before: SynergyState, transition: Transition) -> dict[str, Any]:
        after: Any = transition.state
        return {
            "true_gamma": after.gamma if self.parameters.reveal_gamma_in_obs else self.xp.zeros_like(after.gamma),
            "gamma_type": self.xp.astype(after.gamma > 0.6, self.xp.int64),
        }

    def stocks(self, state: SynergyState) -> list[Array]:
        return [state.gamma[..., None]]


class AlliancePhase(NamedTuple):
    """One period of the alliance."""

    nissan_dependency: float
    renault_dependency: float
    initial_trust: float
    initial_reputation: float
    period: str


PHASES = {
    "formation": AlliancePhase(0.78, 0.66, 0.45, 0.05, "1999-2002"),
    "mature": AlliancePhase(0.51, 0.66, 0.70, 0.02, "2002-2018"),
    "crisis": AlliancePhase(0.35, 0.72, 0.30, 0.45, "2018-2020"),
    "strained": AlliancePhase(0.28, 0.65, 0.40, 0.35, "2020-2025"),
}


@dataclass(frozen=True, kw_only=True)
class RenaultNissanParameters(Parameters):
    """Parameters of `RenaultNissan`."""

    phase: str = parameter("mature", doc="formation, mature, crisis or strained; sets D and the trust at reset")

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "phase", known_phase(self.phase, PHASES))


class RenaultNissan(ReleasedGame[State, RenaultNissanParameters]):
    """Renault and Nissan as released in Coopetition-Gym v1.0 (TR-2)."""

    id = "RenaultNissan-v0"
    page = pages.RENAULT_NISSAN
    mechanism_class = "TR-1"
    category = "validated case study"
    Parameters = RenaultNissanParameters

    def table(self) -> GameTable:
        phase = PHASES[self.parameters.phase]
        return GameTable(
            endowments=(90.0, 100.0),
            baselines=(27.0, 30.0),
            shares=(0.48, 0.52),
            interdependence=explicit([[0.0, phase.nissan_dependency], [phase.renault_dependency, 0.0]]),
            value=ValueTable(theta=22.0, gamma=0.58),
            trust=TrustTable(
                lambda_plus=0.08,
                lambda_minus=0.25,
                mu_R=0.55,
                delta_R=0.02,
                xi=0.5,
                kappa=1.0,
                initial_trust=phase.initial_trust,
                initial_reputation=phase.initial_reputation,
            ),
            roles=("Nissan", "Renault"),
        )

    def state_info(self, state: State) -> dict[str, Any]:
        return {
            "phase": self.parameters.phase,
            "period": PHASES[self.parameters.phase].period,
            "agent_names": ", ".join(self.spec.roles),
        }
