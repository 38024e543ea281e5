"""Formal games of value creation and interdependence (TR-1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from coopgym.backend import NUMPY, Array, Backend
from coopgym.games.formal.base import FormalGame
from coopgym.games.formal.dissolution import DissolvableGame, DissolvableParameters, DissolvableState
from coopgym.games.formal.dyad import DyadParameters, TrustGatedDyad
from coopgym.games.formal.entry import EntryGame, EntryParameters, EntryState
from coopgym.games.formal.pages import interdependence as pages
from coopgym.games.formal.parameters import Bargained, GroupParameters, Productive
from coopgym.games.formal.platform import PlatformGame, PlatformState
from coopgym.games.observation import other_seats
from coopgym.games.parameters import parameter, phase_preset
from coopgym.games.state import State
from coopgym.games.traits import Traits
from coopgym.mechanisms import interdependence
from coopgym.mechanisms.matching import time_shares
from coopgym.mechanisms.membership import with_platform
from coopgym.mechanisms.reputation import update_score
from coopgym.mechanisms.trust import effective_trust
from coopgym.mechanisms.value import pair_synergy
from coopgym.typing import FloatArray

ASSET_ADJUSTMENT = 0.20
SUPPLIER_SHARE = (0.25, 0.30)
"""The supplier's share is the first number plus the second times the buyer's cooperation."""
WALK_AWAY = 0.10
"""The supplier's trust in the buyer below which it walks away."""
SCORE_RATE = 0.2
PAYOFF_RANGE = 3.0
"""Own payoffs are observed in this unit, so that they lie in [0, 1]."""


@dataclass(frozen=True)
class HoldUpState(DissolvableState):
    """Adds the supplier's relationship-specific asset."""

    asset: Array
    """``(...)`` asset K in [0, 1]."""


@dataclass(frozen=True, kw_only=True)
class HoldUpParameters(Bargained, Productive, DissolvableParameters):
    """Parameters of PartnerHoldUp-v1; ``share`` is in force only while the mechanism is off."""


class PartnerHoldUp(DissolvableGame[HoldUpState, HoldUpParameters]):
    """Partner hold-up (TR-1, TR-2)."""

    id = "PartnerHoldUp-v1"
    page = pages.PARTNER_HOLD_UP
    Parameters = HoldUpParameters
    state_class = HoldUpState
    mechanism_class = "TR-1"
    category = "dyadic"
    defaults = {
        "endowment": (120.0, 80.0), "norm": 0.2, "share": (0.6, 0.4), "dependence": ((0.0, 0.35), (0.85, 0.0)),
        "gamma": 2.5, "lambda_plus": 0.1, "lambda_minus": 0.35, "mu_R": 0.55, "delta_R": 0.025, "xi": 0.7,
        "kappa": 1.2, "initial_trust": 0.55,
    }  # fmt: skip
    initial_asset: ClassVar[float] = 0.35

    def __init__(self, parameters: HoldUpParameters, backend: Backend = NUMPY) -> None:
        super().__init__(parameters, backend)
        self.surplus_scale = self.n_agents * parameters.gamma

    def roles(self) -> tuple[str, ...]:
        return ("strong buyer", "weak supplier")

    def invested(self, state: HoldUpState, cooperation: Array) -> Array:
        """The asset K' once the supplier's investment of this step is sunk, ``(...)``."""
        if not self.parameters.mechanism:
            return cooperation[..., 1]
        return state.asset + ASSET_ADJUSTMENT * (cooperation[..., 1] - state.asset)

    def supplier_share(self, cooperation: Array) -> Array:
        """The supplier's share of the surplus, decided by the buyer's conduct, ``(...)``."""
        if not self.parameters.mechanism:
            return self.shares[1] + 0.0 * cooperation[..., 0]
        floor, slope = SUPPLIER_SHARE
        return floor + slope * cooperation[..., 0]

    def payoffs_together(self, state: HoldUpState, cooperation: Array) -> Array:
        asset = self.invested(state, cooperation)
        surplus = self.surplus_scale * pair_synergy(cooperation[..., 0], asset, self.parameters.beta)
        supplier = self.supplier_share(cooperation)
        split = self.xp.stack([1.0 - supplier, supplier], axis=-1)
        return self.own_value(state, cooperation) + split * self.amplified(state, surplus[..., None])

    def moved_stocks(self, state: HoldUpState, cooperation: Array) -> dict[str, Array]:
        invested = self.invested(state, cooperation)
        return {"asset": self.xp.where(state.gone > 0.0, state.asset, invested)}

    def at_steady_state(self, state: HoldUpState, actions: Array) -> HoldUpState:
        return replace(state, asset=(actions * self.per_endowment)[..., 1])

    def dissolves(self, trust: Array) -> Array:
        return (trust[..., 1, 0] < WALK_AWAY) & self.parameters.mechanism

    def initial_stocks(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        return {**super().initial_stocks(batch, uniforms, normals), "asset": self.full(batch, self.initial_asset)}

    def public_blocks(self, state: HoldUpState) -> dict[str, Array]:
        return {"gone": state.gone[..., None], "asset": state.asset[..., None]}

    def stocks(self, state: HoldUpState) -> list[Array]:
        return [state.asset[..., None], state.gone[..., None]]

    def state_info(self, state: HoldUpState) -> dict[str, Array]:
        power = self.interdependence[1, 0] - self.interdependence[0, 1]
        return {
            "gone": state.gone,
            "asset": state.asset,
            "supplier_share": self.supplier_share(state.last_action),
            "supplier_trust": state.trust[..., 1, 0],
            "buyer_trust": state.trust[..., 0, 1],
            "power_asymmetry": power + 0.0 * state.asset,
        }

    def traits(self) -> Traits:
        mechanism = self.parameters.mechanism
        inherited = super().traits()
        return inherited.extended(
            exchangeable=((0,), (1,)),
            monotone_in_actions={"asset": 1},
            monotone_in_stocks={"asset": int(mechanism)},
            dominance="payoffs",
            concave=not mechanism,
        )


@dataclass(frozen=True, kw_only=True)
class EcosystemParameters(Productive, EntryParameters):
    """A platform and its developers; endowments and shares follow from the number of developers."""

    n_developers: int = parameter(4, 1, doc="number of developers")
    platform_endowment: float = parameter(
        150.0, 0.0, doc="endowment of the platform", symbol="e_0", unit="units", above_low=True
    )
    developer_endowment: float = parameter(
        80.0, 0.0, doc="endowment of each developer", symbol="e_j", unit="units", above_low=True
    )
    platform_share: float = parameter(
        0.3, 0.0, 1.0, doc="share of the platform; developers split the rest", symbol="α_0"
    )
    platform_dependency: float = parameter(
        0.25, 0.0, 1.0, doc="dependence of the platform on each developer", symbol="D_0j"
    )
    developer_dependency: float = parameter(
        0.75, 0.0, 1.0, doc="dependence of each developer on the platform", symbol="D_j0"
    )

    def agent_count(self) -> int:
        return 1 + self.n_developers

    def endowment_vector(self) -> FloatArray:
        return np.array([self.platform_endowment] + [self.developer_endowment] * self.n_developers)

    def bargaining_shares(self) -> FloatArray:
        rest = 1.0 - self.platform_share
        return np.array([self.platform_share] + [rest / self.n_developers] * self.n_developers)

    def dependence_matrix(self) -> FloatArray:
        return interdependence.hub_and_spoke(self.n_developers, self.platform_dependency, self.developer_dependency)


@dataclass(frozen=True)
class EcosystemState(PlatformState, EntryState):
    """Memberships, and newcomers among developers."""


class PlatformEcosystem(
    EntryGame[EcosystemState, EcosystemParameters], PlatformGame[EcosystemState, EcosystemParameters]
):
    """Platform ecosystem (TR-1, TR-2)."""

    id = "PlatformEcosystem-v1"
    page = pages.PLATFORM_ECOSYSTEM
    Parameters = EcosystemParameters
    state_class = EcosystemState
    mechanism_class = "TR-1"
    category = "ecosystem"
    defaults = {
        "norm": 0.15, "gamma": 2.25, "lambda_plus": 0.08, "lambda_minus": 0.25, "mu_R": 0.45, "delta_R": 0.02,
        "xi": 0.4, "kappa": 1.0, "initial_trust": 0.6,
    }  # fmt: skip

    def roles(self) -> tuple[str, ...]:
        return ("platform", *(f"developer {j}" for j in range(1, self.parameters.agent_count())))

    def advance(self, state: EcosystemState, cooperation: Array, payoffs: Array) -> EcosystemState:
        after = self.next_state(state, cooperation, members=state.members)
        return replace(after, members=self.update_members(state, after.trust))

    def outside(self, state: EcosystemState) -> Array:
        # The platform never leaves: it is closed while nobody is there.
        return (1.0 - state.members) * self.developers

    def with_newcomers(self, before: EcosystemState, after: EcosystemState) -> EcosystemState:
        after = super().with_newcomers(before, after)
        return replace(after, members=with_platform(after.members[..., 1:], self.xp))

    def stocks(self, state: EcosystemState) -> list[Array]:
        return [state.members]

    def traits(self) -> Traits:
        return super().traits().extended(dominance="welfare", concave=True)


@dataclass(frozen=True, kw_only=True)
class PartnerSelectionParameters(GroupParameters):
    """Adds how choosy the agents are."""

    choosiness: float = parameter(1.0, 0.0, doc="inverse temperature of proposals", symbol="η")


@dataclass(frozen=True)
class PartnerSelectionState(State):
    """Adds public scores."""

    score: Array
    """``(..., N)`` public score ρ in [0, 1]."""


class DynamicPartnerSelection(FormalGame[PartnerSelectionState, PartnerSelectionParameters]):
    """Dynamic partner selection (TR-1, TR-2)."""

    id = "DynamicPartnerSelection-v1"
    page = pages.DYNAMIC_PARTNER_SELECTION
    Parameters = PartnerSelectionParameters
    state_class = PartnerSelectionState
    mechanism_class = "TR-1"
    category = "ecosystem"
    defaults = {
        "n_agents": 6, "max_steps": 50, "norm": 0.25, "dependence": 0.4, "gamma": 2.6,
        "lambda_plus": 0.12, "lambda_minus": 0.35, "mu_R": 0.6, "delta_R": 0.015, "xi": 0.45, "kappa": 1.2,
    }  # fmt: skip

    def __init__(self, parameters: PartnerSelectionParameters, backend: Backend = NUMPY) -> None:
        super().__init__(parameters, backend)
        self.others = 1.0 - self.diagonal
        agents = np.arange(self.n_agents)[:, None]
        self._partner_columns = backend.integers(
            (agents * self.n_agents + other_seats(agents, self.n_agents)).reshape(-1)
        )

    def time_shares(self, state: PartnerSelectionState) -> Array:
        """Time q_ij each pair spends together in the coming step, ``(..., N, N)``."""
        if not self.parameters.mechanism:
            uniform = self.others / (self.n_agents - 1)
            return self.xp.broadcast_to(uniform, state.trust.shape)
        effective = effective_trust(state.trust, state.damage, self.xp)
        desirability = 0.5 * (state.score[..., None, :] + effective)
        return time_shares(desirability, self.others, self.parameters.choosiness, self.xp)

    def payoffs(self, state: PartnerSelectionState, cooperation: Array) -> Array:
        products = pair_synergy(cooperation[..., :, None], cooperation[..., None, :], self.parameters.beta)
        earned = (self.time_shares(state) * products).sum(-1)
        return self.own_value(state, cooperation) + self.parameters.gamma * self.amplified(state, earned)

    def advance(self, state: PartnerSelectionState, cooperation: Array, payoffs: Array) -> PartnerSelectionState:
        return self.next_state(state, cooperation, score=update_score(state.score, cooperation, SCORE_RATE))

    def initial_stocks(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        return {"score": self.full(batch, 0.5, (self.n_agents,))}

    def private_blocks(self, state: PartnerSelectionState) -> dict[str, Array]:
        shares = self.time_shares(state)
        n = self.n_agents
        flat = shares.reshape((*shares.shape[:-2], n * n))
        others = self.xp.take(flat, self._partner_columns, axis=-1)
        return {"time_shares": others.reshape((*shares.shape[:-2], n, n - 1))}

    def public_blocks(self, state: PartnerSelectionState) -> dict[str, Array]:
        return {"score": state.score}

    def stocks(self, state: PartnerSelectionState) -> list[Array]:
        return [state.score]

    def state_info(self, state: PartnerSelectionState) -> dict[str, Array]:
        shares = self.time_shares(state)
        return {
            "score": state.score,
            "time_shares": shares,
            "best_partner": self.xp.argmax(shares, axis=-1),
            "unmatched": 1.0 - shares.sum(-1),
        }

    def traits(self) -> Traits:
        # Who meets whom depends on everybody's standing: no score is good for welfare whatever is played.
        return super().traits().extended(monotone_in_actions={"score": 1}, concave=True)


@dataclass(frozen=True, kw_only=True)
class SynergySearchParameters(Bargained):
    """The synergy weight is drawn from a range instead of given."""

    gamma_range: tuple[float, ...] = parameter(
        (2.1, 2.9), 0.0, doc="support of the uniform draw of the synergy weight", symbol="γ"
    )
    privileged: bool = parameter(False, doc="True reports the hidden γ in info")

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.gamma_range) != 2 or self.gamma_range[0] > self.gamma_range[1]:
            raise ValueError(f"gamma_range={self.gamma_range!r}: expected two numbers, the lower first")


@dataclass(frozen=True)
class SynergySearchState(State):
    """Adds the hidden synergy weight and the signal from which it is inferred."""

    gamma: Array
    """``(...)`` synergy weight of this episode."""
    last_payoff: Array
    """``(..., N)`` own payoff of the last step, 0 at reset."""


class SynergySearch(FormalGame[SynergySearchState, SynergySearchParameters]):
    """Synergy search (TR-1, TR-2)."""

    id = "SynergySearch-v1"
    synergy_parameter = "gamma_range"
    page = pages.SYNERGY_SEARCH
    Parameters = SynergySearchParameters
    state_class = SynergySearchState
    mechanism_class = "TR-1"
    category = "benchmark"
    defaults = {
        "norm": 0.25, "dependence": 0.5, "lambda_plus": 0.1, "lambda_minus": 0.3, "mu_R": 0.6, "delta_R": 0.03,
        "xi": 0.5, "kappa": 1.0, "initial_trust": 0.55,
    }  # fmt: skip

    def __init__(self, parameters: SynergySearchParameters, backend: Backend = NUMPY) -> None:
        super().__init__(parameters, backend)
        self.reset_uniforms += 1 if parameters.mechanism else 0

    def payoffs(self, state: SynergySearchState, cooperation: Array) -> Array:
        synergy = state.gamma * pair_synergy(cooperation[..., 0], cooperation[..., 1], self.parameters.beta)
        product = self.amplified(state, synergy[..., None])
        return self.own_value(state, cooperation) + self.n_agents * self.shares * product

    def advance(self, state: SynergySearchState, cooperation: Array, payoffs: Array) -> SynergySearchState:
        return self.next_state(state, cooperation, gamma=state.gamma, last_payoff=payoffs)

    def initial_stocks(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        low, high = self.parameters.gamma_range
        draw = 0.5 if uniforms is None or not self.parameters.mechanism else uniforms[..., 0]
        return {
            "gamma": self.full(batch, low + (high - low) * draw),
            "last_payoff": self.full(batch, 0.0, (self.n_agents,)),
        }

    def private_blocks(self, state: SynergySearchState) -> dict[str, Array]:
        scaled = state.last_payoff / PAYOFF_RANGE
        return {"last_payoff": self.xp.minimum(self.xp.maximum(scaled, 0.0), 1.0)}

    def hidden_blocks(self, state: SynergySearchState) -> dict[str, Array]:
        low, high = self.parameters.gamma_range
        width = high - low if high > low else 1.0
        return {"gamma": ((state.gamma - low) / width)[..., None]}

    def state_info(self, state: SynergySearchState) -> dict[str, Array]:
        return {"gamma": state.gamma} if self.parameters.privileged else {}

    def traits(self) -> Traits:
        low, high = self.parameters.gamma_range
        inherited = super().traits()
        return inherited.extended(
            monotone_in_actions={"gamma": 0},
            monotone_in_stocks={"gamma": 1, "last_payoff": 0},
            hidden={"gamma": (low, high)},
            dominance="payoffs",
            concave=True,
        )


PHASES: dict[str, dict[str, Any]] = {
    "formation": {"dependence": ((0.0, 0.78), (0.66, 0.0)), "initial_trust": 0.45, "initial_reputation": 0.05},
    "mature": {"dependence": ((0.0, 0.51), (0.66, 0.0)), "initial_trust": 0.70, "initial_reputation": 0.02},
    "crisis": {"dependence": ((0.0, 0.35), (0.72, 0.0)), "initial_trust": 0.30, "initial_reputation": 0.45},
    "strained": {"dependence": ((0.0, 0.28), (0.65, 0.0)), "initial_trust": 0.40, "initial_reputation": 0.35},
}
"""Historical phases of the alliance: interdependence and the relation at reset."""

PERIODS = {"formation": "1999-2002", "mature": "2002-2018", "crisis": "2018-2020", "strained": "2020-2025"}


@dataclass(frozen=True, kw_only=True)
class AllianceParameters(DyadParameters):
    """Adds the historical phase, which presets interdependence and the relation at reset."""

    phase: str = parameter("mature", doc="formation, mature, crisis or strained")


class RenaultNissan(TrustGatedDyad[State, AllianceParameters]):
    """Renault and Nissan (TR-2, TR-1)."""

    id = "RenaultNissan-v1"
    page = pages.RENAULT_NISSAN
    Parameters = AllianceParameters
    mechanism_class = "TR-1"
    category = "validated case study"
    defaults = {
        "endowment": (90.0, 100.0), "norm": 0.3, "share": (0.48, 0.52), "gamma": 2.75, "chi": 0.3,
        "lambda_plus": 0.08, "lambda_minus": 0.25, "mu_R": 0.55, "delta_R": 0.02, "xi": 0.5, "kappa": 1.0,
    }  # fmt: skip

    @classmethod
    def presets(cls, keywords: Mapping[str, Any]) -> Mapping[str, Any]:
        return phase_preset(PHASES, keywords.get("phase", "mature"))

    def roles(self) -> tuple[str, ...]:
        return ("Nissan", "Renault")

    def state_info(self, state: State) -> dict[str, Any]:
        phase = self.parameters.phase
        return {"agent_names": ", ".join(self.roles()), "phase": phase, "period": PERIODS[phase]}

    def traits(self) -> Traits:
        return super().traits().extended(dominance="payoffs", concave=True)
