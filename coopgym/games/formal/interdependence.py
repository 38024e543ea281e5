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
from coopgym.games.formal.parameters import Bargained, Group, Productive
from coopgym.games.formal.platform import PlatformGame, PlatformState
from coopgym.games.game import FloatArray
from coopgym.games.observation import other_seats
from coopgym.games.parameters import parameter, phase_preset
from coopgym.games.state import State
from coopgym.games.traits import Traits
from coopgym.mechanisms import interdependence
from coopgym.mechanisms.matching import time_shares
from coopgym.mechanisms.standing import update_score
from coopgym.mechanisms.trust import effective_trust
from coopgym.mechanisms.value import pair_synergy

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
    """A weak supplier sinks an asset; a strong buyer decides by its conduct what share the supplier gets.

    The buyer gains by squeezing the share once the supplier's asset is sunk, so the supplier under-invests: hold-up. It
    walks away, for good, when its trust in the buyer falls below 0.10.

    Seats: agent_0 = strong buyer, agent_1 = weak supplier.

    Actions: investment in [0, 120] and [0, 80]; norms 24 and 16; c_i = a_i/e_i.

    Observation: 20 entries jointly; 10 (own), 13 (full) or 3 (minimal) per agent. Own view: c_i, c_j, T_ij, T_ji, R_ij,
    R_ji, D_ij, `gone`, asset K, t/T_max.

    Payoff: π_i = own_i + s_i N γ G_β(c_0, K') with own_i = [e_i - k a_i + θ ln(1 + a_i)]/u, G_β(x, y) ≈ (xy)^(β/2),
    K' = K + 0.20 (c_1 - K), the supplier's share s_1 = 0.25 + 0.30 c_0 and s_0 = 1 - s_1. θ 6, γ 2.5, β 0.65, k 2, mean
    endowment u 100, D_01 0.35, D_10 0.85. Once dissolved: the outside option [e_i - k a° + θ ln(1 + a°)]/u with a° =
    θ/k - 1, 1.226 and 0.826, whatever is played. The integrated reward adds Σ_j w_ij π_j, w_ij = min(T_ij, 1 - R_ij)
    D_ij.

    State: asset K ← K' from 0.35; T and R on signals tanh(κ (c_j - b_j)/0.5) with κ 1.2, λ⁺ 0.1, λ⁻ 0.35, μ_R 0.55,
    δ_R 0.025, ξ 0.7 (T0 0.55, R0 0); then `gone` becomes 1 for good when the new T_10 is below 0.10. From then on K, T
    and R are frozen.

    End: truncated after 100 steps, never early. With ``end_on_dissolution=True`` dissolution terminates and pays the
    rest of the outside option at once; returns are the same.

    Info: also `asset`, `supplier_share`, `supplier_trust` = T_10, `buyer_trust` = T_01, `power_asymmetry` = D_10 -
    D_01, `gone`.

    Off switch: ``mechanism=False`` is a complete contract: shares fixed at 0.6 and 0.4 (``share``), and investment pays
    at once (K' = c_1), and nobody walks away: Nash 14/15 %, coopetitive 22/33 %.

    Closed forms and reference points: for the stage game with K' = c_1, the steady state of the asset. Nash 12/10 %,
    coopetitive 18/28 % (full trust: 24/50 %), optimum 54/82 % of endowment at reset; price of anarchy 1.227; greed at
    the optimum 0.426 and 0.332, fear at Nash 0.631 and 0.693. Committed to one share each for an episode: private
    19/12 %, integrated 19/19 or 20/28 %, optimum 52/77 %.

    Source: TR-1 Eq. 6-8, 11, 13 (value, payoff, weights), TR-2 Eq. 6-9 (trust). Asset and conduct-dependent share are
    of this edition; the share equals the published 0.40 at c_0 = 0.5.

    Versions: v0 (released) splits by fixed shares, has no asset and ends the episode when the supplier walks away; v1
    (formal) adds the asset, lets the buyer's conduct decide the split and pays the outside option after dissolution.
    """

    id = "PartnerHoldUp-v1"
    Parameters = HoldUpParameters
    kind = HoldUpState
    mechanism_class = "TR-1"
    category = "dyadic"
    summary = "A weak supplier sinks an asset; a strong buyer decides by its conduct what share the supplier gets."
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
        return self.own_value(cooperation) + split * surplus[..., None]

    def moved_stocks(self, state: HoldUpState, cooperation: Array) -> dict[str, Array]:
        invested = self.invested(state, cooperation)
        return {"asset": self.xp.where(state.gone > 0.0, state.asset, invested)}

    def settled(self, state: HoldUpState, actions: Array) -> HoldUpState:
        return replace(state, asset=(actions * self.per_endowment)[..., 1])

    def dissolves(self, trust: Array) -> Array:
        return (trust[..., 1, 0] < WALK_AWAY) & self.parameters.mechanism

    def start(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        return {**super().start(batch, uniforms, normals), "asset": self.filled(batch, self.initial_asset)}

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
class EcosystemParameters(Productive):
    """A platform and its developers; endowments and shares follow from the number of developers."""

    n_developers: int = parameter(4, 1, doc="number of developers")
    platform_endowment: float = parameter(150.0, 0.0, doc="endowment of the platform, units", above_low=True)
    developer_endowment: float = parameter(80.0, 0.0, doc="endowment of each developer, units", above_low=True)
    platform_share: float = parameter(0.3, 0.0, 1.0, doc="share of the platform; developers split the rest")
    platform_dependency: float = parameter(0.25, 0.0, 1.0, doc="dependence of the platform on each developer")
    developer_dependency: float = parameter(0.75, 0.0, 1.0, doc="dependence of each developer on the platform")

    def agent_count(self) -> int:
        return 1 + self.n_developers

    def endowment_vector(self) -> FloatArray:
        return np.array([self.platform_endowment] + [self.developer_endowment] * self.n_developers)

    def bargaining_shares(self) -> FloatArray:
        rest = 1.0 - self.platform_share
        return np.array([self.platform_share] + [rest / self.n_developers] * self.n_developers)

    def dependence_matrix(self) -> FloatArray:
        return interdependence.hub_and_spoke(self.n_developers, self.platform_dependency, self.developer_dependency)


class PlatformEcosystem(PlatformGame[PlatformState, EcosystemParameters]):
    """A platform and developers that leave when their link to it weakens and return when it heals.

    Developers split a pot that all of them fill, so each is tempted to ride free, and the platform keeps only 30 % of
    what its openness creates. The threat to leave disciplines each link by itself.

    Seats: agent_0 = platform, agent_1 .. agent_4 = developers (interchangeable).

    Actions: investment in [0, 150] (platform) and [0, 80]; norms 22.5 and 12; c_i = a_i/e_i.

    Observation: 155 entries jointly; 31 (own), 76 (full) or 6 (minimal) per agent. Own view: c_i, c_j, T_ij, T_ji,
    R_ij, R_ji, D_ij, memberships m of all (platform first), t/T_max.

    Payoff: π_i = own_i + s_i N γ m_0 G_β(c_0, x) with own_i = [e_i - k a_i + θ ln(1 + a_i)]/u, G_β(x, y) ≈ (xy)^(β/2)
    and developers' pooled effort x = Σ_j m_j a_j / Σ_j e_j. The platform's s_0 is α_0 = 0.3; developers present share 1
    - α_0 in proportion to α_j, absent ones get own_j only. θ 6, γ 2.25, β 0.65, k 2, mean endowment u 94, D_0j 0.25,
    D_j0 0.75. The integrated reward adds Σ_j w_ij π_j, w_ij = min(T_ij, 1 - R_ij) D_ij.

    State: T and R on signals tanh(κ (c_j - b_j)/0.5) with κ 1, λ⁺ 0.08, λ⁻ 0.25, μ_R 0.45, δ_R 0.02, ξ 0.4 (T0 0.6,
    R0 0), absent developers included; then from link_j = min(T_j0, T_0j) after the step m_j ← 0 below 0.15, 1 from 0.35
    on, else unchanged; m_0 ← max_j m_j.

    End: truncated after 100 steps, never early; exits are reversible.

    Info: also `members`, `links` (per developer); step only `exits`, `returns` (per agent).

    Off switch: ``mechanism=False`` has no exits; the stage game at reset is the same.

    Closed forms and reference points: Nash 7/4 % (platform/developer), coopetitive 11/6 % (full trust: 15/8 %), optimum
    83/42 % of endowment at reset; price of anarchy 1.294; greed at the optimum 1.049 and 0.396, fear at Nash 1.642 and
    0.370. Committed to one share each for an episode: private 2/3 or 13/13 % (off: 7/4 %), integrated 3/3 or 13/13 %
    (off: 8/5 %), optimum 83/42 %.

    Source: TR-1 Eq. 6-8, 11, 13 (value, payoff, weights), TR-2 Eq. 6-9 (trust). Exits and returns are of this edition.

    Versions: v0 (released) needs every agent for synergy and ends the episode when developers' trust collapses; v1
    (formal) pools developers' effort and lets each link break and heal.
    """

    id = "PlatformEcosystem-v1"
    Parameters = EcosystemParameters
    kind = PlatformState
    mechanism_class = "TR-1"
    category = "ecosystem"
    summary = "A platform and developers that leave when their link to it weakens and return when it heals."
    defaults = {
        "norm": 0.15, "gamma": 2.25, "lambda_plus": 0.08, "lambda_minus": 0.25, "mu_R": 0.45, "delta_R": 0.02,
        "xi": 0.4, "kappa": 1.0, "initial_trust": 0.6,
    }  # fmt: skip

    def roles(self) -> tuple[str, ...]:
        return ("platform", *(f"developer {j}" for j in range(1, self.parameters.agent_count())))

    def advance(self, state: PlatformState, cooperation: Array, payoffs: Array) -> PlatformState:
        moved = self.moved(state, cooperation, members=state.members)
        return replace(moved, members=self.update_members(state, moved.trust))

    def stocks(self, state: PlatformState) -> list[Array]:
        return [state.members]

    def traits(self) -> Traits:
        return super().traits().extended(dominance="welfare", concave=True)


@dataclass(frozen=True, kw_only=True)
class PartnerSelectionParameters(Group):
    """Adds how choosy the agents are."""

    choosiness: float = parameter(1.0, 0.0, doc="inverse temperature η of proposals")


@dataclass(frozen=True)
class PartnerSelectionState(State):
    """Adds public scores."""

    score: Array
    """``(..., N)`` public score ρ in [0, 1]."""


class DynamicPartnerSelection(FormalGame[PartnerSelectionState, PartnerSelectionParameters]):
    """Equal agents choose whom to spend time with, by public score and own trust.

    Within a meeting each side bears its cost and gets half of the joint product. A meeting needs both sides, so a low
    score or lost trust leaves an agent with little company, and unmatched time earns nothing.

    Seats: agent_0 .. agent_5 (interchangeable).

    Actions: investment in [0, 100]; norm 25; c_i = a_i/e_i.

    Observation: 258 entries jointly; 43 (own), 139 (full) or 7 (minimal) per agent. Own view: c_i, c_j, T_ij, T_ji,
    R_ij, R_ji, D_ij, own time shares q_ij for the coming step, the scores ρ of all, t/T_max.

    Payoff: π_i = own_i + γ Σ_j q_ij G_β(c_i, c_j) with own_i = [e_i - k a_i + θ ln(1 + a_i)]/u and G_β(x, y) ≈
    (xy)^(β/2). Desirability z_ij = (ρ_j + min(T_ij, 1 - R_ij))/2, proposals p_ij = exp(η z_ij)/Σ_l≠i exp(η z_il), time
    together q_ij = min(p_ij, p_ji); η is ``choosiness``, 1. θ 6, γ 2.6, β 0.65, k 2, mean endowment u 100, D 0.4. The
    integrated reward adds Σ_j w_ij π_j, w_ij = min(T_ij, 1 - R_ij) D_ij.

    State: T and R on signals tanh(κ (c_j - b_j)/0.5) with κ 1.2, λ⁺ 0.12, λ⁻ 0.35, μ_R 0.6, δ_R 0.015, ξ 0.45 (T0 0.5,
    R0 0); ρ ← ρ + 0.2 (c - ρ) from 0.5.

    End: truncated after 50 steps, never early.

    Info: also `score`, `time_shares` (q, N × N), `best_partner` (index of the largest q_ij), `unmatched` = 1 - Σ_j
    q_ij.

    Off switch: ``mechanism=False`` matches uniformly, q_ij = 1/(N - 1); the stage game at reset is the same.

    Closed forms and reference points: at equal standing Nash solves k = θ/(1 + e c) + (γ β/2) (c + 0.001)^(β-1), the
    optimum the same with γ β. Nash 15 %, coopetitive 22 % (full trust: 30 %), optimum 70 % of endowment at reset; price
    of anarchy 1.180; greed at the optimum 0.255, fear at Nash 0.514. Committed to one share each for an episode:
    private 15, 25 or 53 % (off: 15 %), integrated 16, 25, 70 or 100 % (off: 16 or 17 %), optimum 70 %.

    Source: TR-1 Eq. 6-8, 11, 13 (value, payoff, weights), TR-2 Eq. 6-9 (trust). Matching is of this edition.

    Versions: in v0 (released) all interact with all and the score changes nothing that is paid; in v1 (formal) score
    and trust decide who meets whom.
    """

    id = "DynamicPartnerSelection-v1"
    Parameters = PartnerSelectionParameters
    kind = PartnerSelectionState
    mechanism_class = "TR-1"
    category = "ecosystem"
    summary = "Equal agents choose whom to spend time with, by public score and own trust."
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
        return self.own_value(cooperation) + self.parameters.gamma * earned

    def advance(self, state: PartnerSelectionState, cooperation: Array, payoffs: Array) -> PartnerSelectionState:
        return self.moved(state, cooperation, score=update_score(state.score, cooperation, SCORE_RATE))

    def start(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        return {"score": self.filled(batch, 0.5, (self.n_agents,))}

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

    gamma_range: tuple[float, ...] = parameter((2.1, 2.9), 0.0, doc="support of the uniform draw of γ")
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
    """Two partners infer from their payoffs how much their synergy is worth in this episode.

    The usual dyadic dilemma, each bearing its cost for half of the joint product, of which the weight is drawn once per
    reset and hidden. It moves the private Nash, the coopetitive equilibrium and the optimum.

    Seats: agent_0 and agent_1 (symmetric).

    Actions: investment in [0, 100]; norm 25; c_i = a_i/e_i.

    Observation: 18 entries jointly; 9 (own), 14 (full) or 3 (minimal) per agent. Own view: c_i, c_j, T_ij, T_ji, R_ij,
    R_ji, D_ij, own last payoff π_i/3 clipped to [0, 1] (0 at reset), t/T_max. The full view adds (γ - 2.1)/0.8 before
    the time, so it must not reach a policy under test.

    Payoff: π_i = own_i + α_i N γ G_β(c_0, c_1) with own_i = [e_i - k a_i + θ ln(1 + a_i)]/u and G_β(x, y) ≈ (xy)^(β/2).
    θ 6, γ uniform on ``gamma_range`` [2.1, 2.9], β 0.65, k 2, α 0.5, mean endowment u 100, D 0.5. ``payoff_noise``
    makes inference take several steps. The integrated reward adds Σ_j w_ij π_j, w_ij = min(T_ij, 1 - R_ij) D_ij.

    State: T and R on signals tanh(κ (c_j - b_j)/0.5) with κ 1, λ⁺ 0.1, λ⁻ 0.3, μ_R 0.6, δ_R 0.03, ξ 0.5 (T0 0.55,
    R0 0); the last payoffs are kept, γ stays. Set γ with ``options={"gamma": x}`` at reset.

    End: truncated after 100 steps, never early.

    Info: also `gamma`, and that only with ``privileged=True``.

    Off switch: ``mechanism=False`` sets γ to the middle of its range in every episode; nothing is drawn.

    Closed forms and reference points: Nash solves k = θ/(1 + e c) + (γ β/2) (c + 0.001)^(β-1), the optimum the same
    with γ β. At γ 2.5: Nash 14 %, coopetitive 22 % (full trust: 32 %), optimum 63 % of endowment at reset; price of
    anarchy 1.165; greed at the optimum 0.228, fear at Nash 0.455. At γ 2.1, 2.5 and 2.9 Nash is 11, 14 and 19 %, the
    optimum 41, 63 and 93 %; acting on a low belief when γ is high costs 6.9 % of welfare. Committed to one share each
    for an episode at γ 2.5: private 14 %, integrated 15 %, optimum 63 %.

    Source: TR-1 Eq. 6-8, 11, 13 (value, payoff, weights), TR-2 Eq. 6-9 (trust). The draw is of this edition.

    Versions: v0 (released) hides the weight and shows no payoff to infer it from; v1 (formal) shows each agent its own
    last payoff.
    """

    id = "SynergySearch-v1"
    Parameters = SynergySearchParameters
    kind = SynergySearchState
    mechanism_class = "TR-1"
    category = "benchmark"
    summary = "Two partners infer from their payoffs how much their synergy is worth in this episode."
    defaults = {
        "norm": 0.25, "dependence": 0.5, "lambda_plus": 0.1, "lambda_minus": 0.3, "mu_R": 0.6, "delta_R": 0.03,
        "xi": 0.5, "kappa": 1.0, "initial_trust": 0.55,
    }  # fmt: skip

    def __init__(self, parameters: SynergySearchParameters, backend: Backend = NUMPY) -> None:
        super().__init__(parameters, backend)
        self.reset_uniforms = 1 if parameters.mechanism else 0

    def payoffs(self, state: SynergySearchState, cooperation: Array) -> Array:
        product = state.gamma * pair_synergy(cooperation[..., 0], cooperation[..., 1], self.parameters.beta)
        return self.own_value(cooperation) + self.n_agents * self.shares * product[..., None]

    def advance(self, state: SynergySearchState, cooperation: Array, payoffs: Array) -> SynergySearchState:
        return self.moved(state, cooperation, gamma=state.gamma, last_payoff=payoffs)

    def start(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        low, high = self.parameters.gamma_range
        draw = 0.5 if uniforms is None or not self.reset_uniforms else uniforms[..., 0]
        return {
            "gamma": self.filled(batch, low + (high - low) * draw),
            "last_payoff": self.filled(batch, 0.0, (self.n_agents,)),
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
    """Nissan and Renault in one of four historical phases of their alliance.

    Each firm bears its cost of cooperation and gets about half of the joint product, of which a part needs mutual
    trust. Low trust shrinks the synergy, so the gap is smaller in the other phases (price of anarchy 1.12-1.14 at their
    start).

    Seats: agent_0 = Nissan, agent_1 = Renault.

    Actions: investment in [0, 90] and [0, 100]; norms 27 and 30; c_i = a_i/e_i.

    Observation: 16 entries jointly; 8 (own), 11 (full) or 3 (minimal) per agent. Own view: c_i, c_j, T_ij, T_ji, R_ij,
    R_ji, D_ij, t/T_max; no class block.

    Payoff: π_i = own_i + α_i N γ_t G_β(c_0, c_1) with own_i = [e_i - k a_i + θ ln(1 + a_i)]/u, G_β(x, y) ≈ (xy)^(β/2)
    and γ_t = γ (1 - χ + χ τ), τ the mean of min(T_ij, 1 - R_ij). θ 6, γ 2.75, β 0.65, k 2, χ 0.3, α 0.48 and 0.52, mean
    endowment u 95. ``phase`` sets D_01, D_10, T0 and R0: formation 0.78, 0.66, 0.45, 0.05; mature (default) 0.51, 0.66,
    0.70, 0.02; crisis 0.35, 0.72, 0.30, 0.45; strained 0.28, 0.65, 0.40, 0.35. The integrated reward adds Σ_j w_ij π_j,
    w_ij = min(T_ij, 1 - R_ij) D_ij.

    State: T and R on signals tanh(κ (c_j - b_j)/0.5) with κ 1, λ⁺ 0.08, λ⁻ 0.25, μ_R 0.55, δ_R 0.02, ξ 0.5 (T0 and R0
    by phase); nothing else moves.

    End: truncated after 100 steps, never early.

    Info: also `agent_names`, `phase`, `period` (years).

    Off switch: ``mechanism=False`` takes trust out of the payoff (γ_t = γ): Nash 18/17 %, coopetitive 35/34 %.

    Closed forms and reference points: Nash 15/14 %, coopetitive 28/28 % (full trust: 45/45 %), optimum 68/61 % of
    endowment at reset; price of anarchy 1.165; greed at the optimum 0.249 and 0.210, fear at Nash 0.469 and 0.443.
    Committed to one share each for an episode: private 10/10 or 30/30 %, integrated 11/10, 47/47 or 48/48 %, optimum
    86/78 %. Other phases, Nash, coopetitive and optimum: formation 13/12, 22/20, 55/49 %; crisis 12/11, 14/15, 48/43 %;
    strained 13/12, 16/17, 52/47 %; price of anarchy 1.136, 1.119, 1.130.

    Source: TR-2 case study and Eq. 6-9 (trust), TR-1 Eq. 6-8, 11, 13 (value, payoff, weights). Shares, interdependence,
    norm and trust parameters as published; θ, γ, β, k recalibrated.

    Versions: v0 (released) has the same phases but pays a synergy that trust does not touch; v1 (formal) gates synergy
    by trust and normalises the signals.
    """

    id = "RenaultNissan-v1"
    Parameters = AllianceParameters
    mechanism_class = "TR-1"
    category = "validated case study"
    summary = "Nissan and Renault in one of four historical phases of their alliance."
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
