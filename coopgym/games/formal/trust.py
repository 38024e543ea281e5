"""Formal games of trust and reputation (TR-2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from coopgym.backend import NUMPY, Array, Backend
from coopgym.games.formal.base import FormalGame, required
from coopgym.games.formal.dissolution import DissolvableGame, DissolvableParameters, DissolvableState
from coopgym.games.formal.dyad import DyadParameters, TrustGatedDyad
from coopgym.games.formal.parameters import Group
from coopgym.games.game import ResetOptions, Transition
from coopgym.games.parameters import parameter
from coopgym.games.state import State
from coopgym.games.traits import Traits
from coopgym.mechanisms.negotiation import Proposals, damages, judge_proposals
from coopgym.mechanisms.standing import logistic, tier, tier_weight, update_score
from coopgym.mechanisms.trust import effective_trust, mean_over_pairs
from coopgym.mechanisms.value import pooled_production

COLLAPSE = 0.05
"""Mean trust below which a TrustDilemma relation dissolves."""
RECOVERY_LEVEL = 0.75
RECOVERY_SOFTNESS = 0.03
RECOVERY_DIVIDEND = 0.25
DAMAGES_RATE = 2.0
SCORE_RATE = 0.1


@dataclass(frozen=True, kw_only=True)
class TrustDilemmaParameters(DyadParameters, DissolvableParameters):
    """Parameters of TrustDilemma-v1."""


class TrustDilemma(
    DissolvableGame[DissolvableState, TrustDilemmaParameters], TrustGatedDyad[DissolvableState, TrustDilemmaParameters]
):
    """Two equal partners whose synergy depends on mutual trust; if trust is used up, the relation ends.

    Low cooperation saves cost now and loses the partner's trust, hence synergy, later. At low trust the coopetitive
    equilibrium lies below the norm, so trust decays further; at full trust it lies above and trust is sustained: two
    basins.

    Seats: agent_0 and agent_1 (interchangeable partners).

    Actions: investment in [0, 100]; norm 30; c_i = a_i/e_i.

    Observation: 18 entries jointly; 9 (own), 12 (full) or 3 (minimal) per agent. Own view: c_i, c_j, T_ij, T_ji, R_ij,
    R_ji, D_ij, `gone`, t/T_max.

    Payoff: π_i = own_i + α_i N γ_t G_β(c_0, c_1) with own_i = [e_i - k a_i + θ ln(1 + a_i)]/u, G_β(x, y) ≈ (xy)^(β/2)
    and γ_t = γ (1 - χ + χ τ), τ the mean of min(T_ij, 1 - R_ij). θ 6, γ 2.85, β 0.65, k 2, χ 0.3, α 0.5, mean endowment
    u 100, D 0.6. Once dissolved: the outside option [e - k a° + θ ln(1 + a°)]/u = 1.026 with a° = θ/k - 1, whatever is
    played. The integrated reward adds Σ_j w_ij π_j, w_ij = min(T_ij, 1 - R_ij) D_ij.

    State: T and R on signals tanh(κ (c_j - b_j)/0.5) with κ 1.5, λ⁺ 0.15, λ⁻ 0.45, μ_R 0.5, δ_R 0.02, ξ 0.6 (T0 0.5,
    R0 0); then `gone` becomes 1 for good when the mean of the new T is below 0.05. From then on T and R are frozen.

    End: truncated after 100 steps, never early. With ``end_on_dissolution=True`` dissolution terminates and pays the
    rest of the outside option at once; returns are the same. Nobody cooperating dissolves the relation after 4 steps.

    Info: also `gone`, `gate` = γ_t/γ.

    Off switch: ``mechanism=False`` gives full synergy always and no dissolution: Nash 18 %, coopetitive 31 %.

    Closed forms and reference points: Nash solves k = θ/(1 + e c) + (γ_t β/2) (c + 0.001)^(β-1), the optimum the same
    with γ_t β. Nash 13 %, coopetitive 22 % (full trust: 50 %), optimum 58 % of endowment at reset; price of anarchy
    1.154; greed at the optimum 0.208, fear at Nash 0.413. Committed to one share each for an episode: private 35 %,
    integrated 0, 51 or 52 %, optimum 87 %.

    Source: TR-2 Eq. 6-9 (trust), TR-1 Eq. 6-8, 11, 13 (value, payoff, weights).

    Versions: v0 (released) ends the episode when trust is used up and pays a synergy that trust does not touch; v1
    (formal) gates synergy by trust and pays the outside option after dissolution.
    """

    id = "TrustDilemma-v1"
    Parameters = TrustDilemmaParameters
    kind = DissolvableState
    mechanism_class = "TR-2"
    category = "dyadic"
    summary = "Two equal partners whose synergy depends on mutual trust; if trust is used up, the relation ends."
    defaults = {
        "norm": 0.3, "dependence": 0.6, "gamma": 2.85, "chi": 0.3,
        "lambda_plus": 0.15, "lambda_minus": 0.45, "mu_R": 0.5, "delta_R": 0.02, "xi": 0.6, "kappa": 1.5,
    }  # fmt: skip

    def payoffs_together(self, state: DissolvableState, cooperation: Array) -> Array:
        return self.joint_payoffs(state, cooperation)

    def dissolves(self, trust: Array) -> Array:
        return (mean_over_pairs(trust) < COLLAPSE) & self.parameters.mechanism

    def public_blocks(self, state: DissolvableState) -> dict[str, Array]:
        return {"gone": state.gone[..., None]}

    def state_info(self, state: DissolvableState) -> dict[str, Array]:
        gate = self.gate(state)
        return {"gone": state.gone, "gate": self.xp.ones_like(state.gone) if gate is None else gate}

    def traits(self) -> Traits:
        return super().traits().extended(dominance="payoffs", concave=True)


@dataclass(frozen=True)
class RecoveryState(State):
    """Adds the history of the recovery; it pays nothing and is not observed."""

    peak_trust: Array
    """``(...)`` highest mean effective trust so far."""
    recovery_step: Array
    """``(...)`` first step with mean effective trust at the recovery level; -1 before."""


class RecoveryRace(TrustGatedDyad[RecoveryState, DyadParameters]):
    """Two partners after a crisis rebuild trust to win back lost contracts.

    Both sides gain from repair, and each saves by letting the other repair. Trust starts at 0.25 under damage 0.5;
    commitments have a failed equilibrium (10 %) and a recovered one (45 %).

    Seats: agent_0 and agent_1 (symmetric).

    Actions: investment in [0, 100]; norm 35; c_i = a_i/e_i.

    Observation: 18 entries jointly; 9 (own), 12 (full) or 3 (minimal) per agent. Own view: c_i, c_j, T_ij, T_ji, R_ij,
    R_ji, D_ij, the dividend level, t/T_max.

    Payoff: π_i = own_i + α_i N γ_t G_β(c_0, c_1) + 0.25 σ((τ - 0.75)/0.03) with own_i = [e_i - k a_i + θ ln(1 +
    a_i)]/u, G_β(x, y) ≈ (xy)^(β/2), γ_t = γ (1 - χ + χ τ) and τ the mean of min(T_ij, 1 - R_ij). The last term is the
    recovery dividend. θ 6, γ 3.25, β 0.65, k 2.3, χ 0.25, α 0.5, mean endowment u 100, D 0.55. The integrated reward
    adds Σ_j w_ij π_j, w_ij = min(T_ij, 1 - R_ij) D_ij.

    State: T and R on signals tanh(κ (c_j - b_j)/0.5) with κ 1, λ⁺ 0.1, λ⁻ 0.35, μ_R 0.7, δ_R 0.02, ξ 0.4 (T0 0.25,
    R0 0.5); then the highest τ so far and the first step with τ ≥ 0.75, which pay nothing and are not observed.

    End: truncated after 150 steps, never early.

    Info: also `recovered` (τ ≥ 0.75 now), `recovery_step` (-1 before the first such step), `peak_trust` (highest τ),
    `trust_ceiling` (1 - mean damage).

    Off switch: ``mechanism=False`` gives full synergy always and no dividend: Nash 17 %, coopetitive 22 %.

    Closed forms and reference points: Nash solves k = θ/(1 + e c) + (γ_t β/2) (c + 0.001)^(β-1), the optimum the same
    with γ_t β. Nash 12 %, coopetitive 15 % (full trust: 45 %), optimum 50 % of endowment at reset; price of anarchy
    1.154; greed at the optimum 0.206, fear at Nash 0.408. Full cooperation passes τ = 0.75 at step 48, 60 % at step 61,
    45 % at step 97. Committed to one share each for an episode: private 10 or 45 %, integrated 10, 52 or 53 %, optimum
    82 %.

    Source: TR-2 Eq. 6-9 (trust and damage), TR-1 Eq. 6-8, 11, 13 (value, payoff, weights).

    Versions: in v0 (released) success pays nothing, ends the episode and is out of reach by default; in v1 (formal)
    recovery is reachable and pays a dividend in every step.
    """

    id = "RecoveryRace-v1"
    Parameters = DyadParameters
    kind = RecoveryState
    mechanism_class = "TR-2"
    category = "benchmark"
    summary = "Two partners after a crisis rebuild trust to win back lost contracts."
    defaults = {
        "max_steps": 150, "norm": 0.35, "dependence": 0.55, "gamma": 3.25, "k": 2.3, "chi": 0.25,
        "lambda_plus": 0.1, "lambda_minus": 0.35, "mu_R": 0.7, "delta_R": 0.02, "xi": 0.4, "kappa": 1.0,
        "initial_trust": 0.25, "initial_reputation": 0.5,
    }  # fmt: skip

    def mutual_trust(self, state: State) -> Array:
        """Mean effective trust τ, ``(...)``."""
        return mean_over_pairs(effective_trust(state.trust, state.damage, self.xp))

    def dividend_level(self, state: State) -> Array:
        """Part of the recovery dividend that is paid in a state, ``(...)`` in [0, 1]."""
        return logistic((self.mutual_trust(state) - RECOVERY_LEVEL) / RECOVERY_SOFTNESS, self.xp)

    def payoffs(self, state: RecoveryState, cooperation: Array) -> Array:
        payoffs = self.joint_payoffs(state, cooperation)
        if not self.parameters.mechanism:
            return payoffs
        return payoffs + RECOVERY_DIVIDEND * self.dividend_level(state)[..., None]

    def advance(self, state: RecoveryState, cooperation: Array, payoffs: Array) -> RecoveryState:
        moved = self.moved(state, cooperation, peak_trust=state.peak_trust, recovery_step=state.recovery_step)
        trust = self.mutual_trust(moved)
        first = (state.recovery_step < 0) & (trust >= RECOVERY_LEVEL)
        return RecoveryState(
            t=moved.t,
            last_action=cooperation,
            trust=moved.trust,
            damage=moved.damage,
            peak_trust=self.xp.maximum(state.peak_trust, trust),
            recovery_step=self.xp.where(first, moved.t, state.recovery_step),
        )

    def start(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        return {"peak_trust": self.filled(batch, 0.0), "recovery_step": self.filled(batch, -1, dtype=self.xp.int64)}

    def initial_state(
        self,
        batch: tuple[int, ...] = (),
        options: ResetOptions | None = None,
        uniforms: Array | None = None,
        normals: Array | None = None,
    ) -> RecoveryState:
        state = super().initial_state(batch, options, uniforms, normals)
        return replace(state, peak_trust=self.xp.maximum(state.peak_trust, self.mutual_trust(state)))

    def public_blocks(self, state: RecoveryState) -> dict[str, Array]:
        return {"dividend_level": self.dividend_level(state)[..., None]}

    def state_info(self, state: RecoveryState) -> dict[str, Array]:
        damage = 1.0 - mean_over_pairs(1.0 - state.damage)
        return {
            "recovered": self.mutual_trust(state) >= RECOVERY_LEVEL,
            "recovery_step": state.recovery_step,
            "peak_trust": state.peak_trust,
            "trust_ceiling": 1.0 - damage,
        }

    def traits(self) -> Traits:
        history = {"peak_trust": 0, "recovery_step": 0}
        return super().traits().extended(monotone_in_stocks=history, dominance="payoffs", concave=True)


class SLCD(TrustGatedDyad[State, DyadParameters]):
    """Samsung and Sony in an LCD joint venture with unequal shares and dependence.

    Each firm bears its cost of cooperation and gets about half of the joint product, of which a part needs mutual
    trust. Sony depends more on the venture (0.86 against 0.64) and gets the smaller share of it.

    Seats: agent_0 = Samsung, agent_1 = Sony.

    Actions: investment in [0, 100]; norm 30; c_i = a_i/e_i.

    Observation: 16 entries jointly; 8 (own), 11 (full) or 3 (minimal) per agent. Own view: c_i, c_j, T_ij, T_ji, R_ij,
    R_ji, D_ij, t/T_max; no class block.

    Payoff: π_i = own_i + α_i N γ_t G_β(c_0, c_1) with own_i = [e_i - k a_i + θ ln(1 + a_i)]/u, G_β(x, y) ≈ (xy)^(β/2)
    and γ_t = γ (1 - χ + χ τ), τ the mean of min(T_ij, 1 - R_ij). θ 6, γ 2.75, β 0.65, k 2, χ 0.3, α 0.55 and 0.45, mean
    endowment u 100, D_01 0.64, D_10 0.86. The integrated reward adds Σ_j w_ij π_j, w_ij = min(T_ij, 1 - R_ij) D_ij.

    State: T and R on signals tanh(κ (c_j - b_j)/0.5) with κ 1, λ⁺ 0.08, λ⁻ 0.28, μ_R 0.5, δ_R 0.02, ξ 0.45 (T0 0.65,
    R0 0); nothing else moves.

    End: truncated after 100 steps, never early.

    Info: also `agent_names`, `samsung_investment`, `sony_investment` (units).

    Off switch: ``mechanism=False`` takes trust out of the payoff (γ_t = γ): Nash 18/15 %, coopetitive 39/40 %.

    Closed forms and reference points: Nash 15/13 %, coopetitive 30/31 % (full trust: 56/61 %), optimum 61/61 % of
    endowment at reset; price of anarchy 1.161; greed at the optimum 0.175 and 0.267, fear at Nash 0.405 and 0.467.
    Committed to one share each for an episode: private 11/9 or 31/30 %, integrated 11/10 or 56/60 %, optimum 82/82 %.

    Source: TR-1 case study and Eq. 6-8, 11, 13 (value, payoff, weights), TR-2 Eq. 6-9 (trust). Shares, interdependence,
    trust parameters and norm as published; θ, γ, β, k recalibrated.

    Versions: v0 (released) has the same shares, interdependence and trust rates but pays a synergy that trust does not
    touch; v1 (formal) gates synergy by trust and normalises the signals.
    """

    id = "SLCD-v1"
    Parameters = DyadParameters
    mechanism_class = "TR-2"
    category = "validated case study"
    summary = "Samsung and Sony in an LCD joint venture with unequal shares and dependence."
    defaults = {
        "norm": 0.3, "share": (0.55, 0.45), "dependence": ((0.0, 0.64), (0.86, 0.0)), "gamma": 2.75, "chi": 0.3,
        "lambda_plus": 0.08, "lambda_minus": 0.28, "mu_R": 0.5, "delta_R": 0.02, "xi": 0.45, "kappa": 1.0,
        "initial_trust": 0.65,
    }  # fmt: skip

    def roles(self) -> tuple[str, ...]:
        return ("Samsung", "Sony")

    def state_info(self, state: State) -> dict[str, Any]:
        investment = state.last_action * self.endowments
        return {
            "agent_names": ", ".join(self.roles()),
            "samsung_investment": investment[..., 0],
            "sony_investment": investment[..., 1],
        }

    def traits(self) -> Traits:
        return super().traits().extended(dominance="payoffs", concave=True)


@dataclass(frozen=True, kw_only=True)
class NegotiationParameters(DyadParameters):
    """Adds the tolerance of agreements."""

    tolerance: float = parameter(0.10, 0.0, 1.0, doc="closeness that makes an agreement, share of endowment")


@dataclass(frozen=True)
class NegotiationState(State):
    """Adds the standing agreement and counters."""

    agreed: Array
    """``(...)`` 1 while an agreement is in force."""
    level: Array
    """``(...)`` agreed share of endowment, 0 without agreement."""
    agreements: Array
    """``(...)`` agreements made so far."""
    breaches: Array
    """``(...)`` breaches so far."""


class CooperativeNegotiation(TrustGatedDyad[NegotiationState, NegotiationParameters]):
    """Actions are proposals: close ones make an agreement, and falling short of it costs damages and trust.

    Without an agreement this is the usual dyad: each bears its cost and gets half of the joint product. Under an
    agreement at the optimum the best deviation is to shade within the tolerance, which takes away two thirds of greed.

    Seats: agent_0 and agent_1 (symmetric).

    Actions: investment in [0, 100], which is also the proposal; norm 35; c_i = a_i/e_i.

    Observation: 20 entries jointly; 10 (own), 13 (full) or 3 (minimal) per agent. Own view: c_i, c_j, T_ij, T_ji, R_ij,
    R_ji, D_ij, agreement flag F, agreed level G, t/T_max.

    Payoff: π_i = own_i + α_i N γ G_β(c_0, c_1) - 2 x_i + 2 x_j with own_i = [e_i - k a_i + θ ln(1 + a_i)]/u and G_β(x,
    y) ≈ (xy)^(β/2). Shortfall x_i = F [G - tol - c_i]₊ unless the proposals are close, |c_0 - c_1| ≤ tol; tol is
    ``tolerance``, 0.10. Damages go to the partner, so welfare is unchanged. θ 6, γ 2.6, β 0.65, k 2, α 0.5, mean
    endowment u 100, D 0.55. The integrated reward adds Σ_j w_ij π_j, w_ij = min(T_ij, 1 - R_ij) D_ij.

    State: T and R on signals tanh(κ (c_j - max(b_j, F (G - tol)))/0.5) with κ 1.2, λ⁺ 0.12, λ⁻ 0.4, μ_R 0.65, δ_R 0.02,
    ξ 0.55 (T0 0.5, R0 0); then close proposals set F = 1 and G to their mean (renegotiation by mutual consent, up or
    down, without damages), and a breach (any x_i > 0) sets F = G = 0.

    End: truncated after 100 steps, never early.

    Info: also `agreement` (F), `agreed_level` (G), `total_agreements`, `total_breaches`; step only `breach` (per
    agent), `damages` (per agent, received less paid).

    Off switch: ``mechanism=False`` makes agreements unenforceable: no damages, conduct judged against the norm alone.

    Closed forms and reference points: Nash solves k = θ/(1 + e c) + (γ β/2) (c + 0.001)^(β-1), the optimum the same
    with γ β. Nash 15 %, coopetitive 24 % (full trust: 38 %), optimum 70 % of endowment at reset; price of anarchy
    1.180; greed at the optimum 0.255, fear at Nash 0.514. Under an agreement at the optimum greed is 0.090 (best
    deviation 60 %); a breach to 10 % leaves the victim's trust at 0.28, against 0.36 without agreement. Committed to
    one share each for an episode: private 15 %, integrated 15 or 16 %, optimum 70 %.

    Source: TR-2 Eq. 6-9 (trust), TR-1 Eq. 6-8, 11, 13 (value, payoff, weights). Agreements and damages are of this
    edition.

    Versions: v0 (released) takes a penalty from both sides for departures in either direction, outside the payoff and
    without cost in trust; v1 (formal) makes the side that falls short pay its partner, judges conduct by the agreement
    and dissolves it on breach.
    """

    id = "CooperativeNegotiation-v1"
    Parameters = NegotiationParameters
    kind = NegotiationState
    mechanism_class = "TR-2"
    category = "extended"
    summary = "Actions are proposals: close ones make an agreement, and falling short of it costs damages and trust."
    defaults = {
        "norm": 0.35, "dependence": 0.55, "gamma": 2.6,
        "lambda_plus": 0.12, "lambda_minus": 0.4, "mu_R": 0.65, "delta_R": 0.02, "xi": 0.55, "kappa": 1.2,
    }  # fmt: skip

    def judge(self, state: NegotiationState, cooperation: Array) -> Proposals:
        """What the proposals mean under the agreement in force."""
        in_force = state.agreed if self.parameters.mechanism else state.agreed * 0.0
        return judge_proposals(cooperation, in_force, state.level, self.parameters.tolerance, self.xp)

    def payoffs(self, state: NegotiationState, cooperation: Array) -> Array:
        shortfall = self.judge(state, cooperation).shortfall
        return self.joint_payoffs(state, cooperation) + damages(shortfall, DAMAGES_RATE)

    def norm_in_force(self, state: NegotiationState, cooperation: Array) -> Array:
        if not self.parameters.mechanism:
            return self.norm
        agreed_norm = state.agreed * (state.level - self.parameters.tolerance)
        return self.xp.maximum(self.norm, agreed_norm[..., None])

    def advance(self, state: NegotiationState, cooperation: Array, payoffs: Array) -> NegotiationState:
        proposals = self.judge(state, cooperation)
        stands = ~proposals.breach
        return self.moved(
            state,
            cooperation,
            agreed=self.xp.where(proposals.close, 1.0, state.agreed * stands),
            level=self.xp.where(proposals.close, cooperation @ self.equal_weights, state.level * stands),
            agreements=state.agreements + proposals.close,
            breaches=state.breaches + proposals.breach,
        )

    def start(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        return {
            "agreed": self.filled(batch, 0.0),
            "level": self.filled(batch, 0.0),
            "agreements": self.filled(batch, 0, dtype=self.xp.int64),
            "breaches": self.filled(batch, 0, dtype=self.xp.int64),
        }

    def public_blocks(self, state: NegotiationState) -> dict[str, Array]:
        return {"agreed": state.agreed[..., None], "level": state.level[..., None]}

    def stocks(self, state: NegotiationState) -> list[Array]:
        return [state.agreed[..., None], state.level[..., None]]

    def state_info(self, state: NegotiationState) -> dict[str, Array]:
        return {
            "agreement": state.agreed,
            "agreed_level": state.level,
            "total_agreements": state.agreements,
            "total_breaches": state.breaches,
        }

    def step_info(self, before: NegotiationState, cooperation: Array, transition: Transition) -> dict[str, Array]:
        shortfall = self.judge(before, cooperation).shortfall
        return {"breach": shortfall > 0.0, "damages": damages(shortfall, DAMAGES_RATE)}

    def traits(self) -> Traits:
        # An agreement only judges more harshly; its damages move between the two seats.
        inherited = super().traits()
        return inherited.extended(
            monotone_in_stocks={"agreements": 0, "breaches": 0},
            ideal_stocks={"agreed": 0.0, "level": 0.0},
            agreements=True,
            dominance="welfare",
            concave=True,
        )


@dataclass(frozen=True, kw_only=True)
class MarketParameters(Group):
    """Adds how well scores are seen."""

    visibility: float = parameter(1.0, 0.0, 1.0, doc="score visibility; noise has standard deviation 1 - visibility")


@dataclass(frozen=True)
class MarketState(State):
    """Adds public scores."""

    score: Array
    """``(..., N)`` true public score in [0, 1]."""
    shown_score: Array
    """``(..., N)`` the score as everybody sees it."""


class ReputationMarket(FormalGame[MarketState, MarketParameters]):
    """Sellers share one market; a public score moves customers between them.

    Quality is a public good for the whole market (demand follows the mean) and a private cost. Scores reward standing
    by moving customers between sellers, a zero-sum effect given demand.

    Seats: agent_0 .. agent_4 (interchangeable sellers).

    Actions: investment in quality in [0, 100]; norm 20; c_i = a_i/e_i.

    Observation: 155 entries jointly; 31 (own), 81 (full) or 6 (minimal) per agent. Own view: c_i, c_j, T_ij, T_ji,
    R_ij, R_ji, D_ij, the scores ρ of all as shown, t/T_max; the full view adds the true scores before the time.

    Payoff: π_i = own_i + N γ P_β(mean c) w(ρ_i)/Σ_j w(ρ_j) with own_i = [e_i - k a_i + θ ln(1 + a_i)]/u, P_β(x) ≈ x^β
    and smooth tiers w(ρ) = 0.6 + 0.2 [σ((ρ - 0.25)/0.04) + σ((ρ - 0.50)/0.04) + σ((ρ - 0.80)/0.04)]. θ 6, γ 1.45,
    β 0.6, k 1, mean endowment u 100, D 0.35. The integrated reward adds Σ_j w_ij π_j, w_ij = min(T_ij, 1 - R_ij) D_ij.

    State: T and R on signals tanh(κ (c_j - b_j)/0.5) with κ 1, λ⁺ 0.1, λ⁻ 0.3, μ_R 0.55, δ_R 0.015, ξ 0.45 (T0 0.5,
    R0 0); ρ ← ρ + 0.1 (c - ρ) from 0.5. With ``visibility`` v below 1 everybody sees ρ + (1 - v) Normal, clipped to [0,
    1], one draw per score and step; what is paid follows the true score.

    End: truncated after 100 steps, never early.

    Info: also `score` (true), `tiers` (thresholds passed: 0 excluded, 1 probation, 2 standard, 3 premium),
    `market_shares`.

    Off switch: ``mechanism=False`` gives equal market shares; at reset scores are equal, so the stage game is the same.

    Closed forms and reference points: at equal scores Nash solves k = θ/(1 + e c) + (γ β/N) (c + 0.001)^(β-1), the
    optimum the same with γ β. Nash 10 %, coopetitive 15 % (full trust: 23 %), optimum 85 % of endowment at reset; price
    of anarchy 1.237; greed at the optimum 0.484, fear at Nash 0.356. Committed to one share each for an episode:
    private 30 % (off: 10 %), integrated 56 % (off: 10 %), optimum 85 %.

    Source: TR-2 Eq. 6-9 (trust), TR-1 Eq. 6, 11, 13 (value, payoff, weights). The market and its tiers are of this
    edition.

    Versions: in v0 (released) the tier multiplies rewards, from 0.4 to 1.3; in v1 (formal) it moves customers between
    sellers.
    """

    id = "ReputationMarket-v1"
    Parameters = MarketParameters
    kind = MarketState
    mechanism_class = "TR-2"
    category = "extended"
    summary = "Sellers share one market; a public score moves customers between them."
    defaults = {
        "n_agents": 5, "norm": 0.2, "dependence": 0.35, "gamma": 1.45, "beta": 0.6, "k": 1.0,
        "lambda_plus": 0.1, "lambda_minus": 0.3, "mu_R": 0.55, "delta_R": 0.015, "xi": 0.45, "kappa": 1.0,
    }  # fmt: skip

    def __init__(self, parameters: MarketParameters, backend: Backend = NUMPY) -> None:
        super().__init__(parameters, backend)
        if parameters.visibility < 1.0:
            self.reset_normals = self.n_agents
            self.step_normals += self.n_agents

    def market_shares(self, state: MarketState) -> Array:
        """Share of demand that each seller serves, ``(..., N)``, summing to one."""
        if not self.parameters.mechanism:
            return self.xp.ones_like(state.score) / self.n_agents
        weight = tier_weight(state.score, self.xp)
        return weight / weight.sum(-1)[..., None]

    def payoffs(self, state: MarketState, cooperation: Array) -> Array:
        quality = cooperation @ self.equal_weights
        demand = self.n_agents * self.parameters.gamma * pooled_production(quality, self.parameters.beta)
        return self.own_value(cooperation) + self.market_shares(state) * demand[..., None]

    def advance(self, state: MarketState, cooperation: Array, payoffs: Array) -> MarketState:
        score = update_score(state.score, cooperation, SCORE_RATE)
        return self.moved(state, cooperation, score=score, shown_score=score)

    def step(self, state: MarketState, actions: Array, normals: Array | None = None) -> Transition:
        transition = super().step(state, actions, normals)
        if self.parameters.visibility == 1.0:
            return transition
        after: MarketState = transition.state  # type: ignore[assignment]  # a game's transitions hold its own states
        shown = self.shown(after.score, required(normals, "normals")[..., -self.n_agents :])
        return replace(transition, state=replace(after, shown_score=shown))

    def shown(self, score: Array, noise: Array) -> Array:
        """The score as everybody sees it, one draw per score, common to all."""
        blurred = score + (1.0 - self.parameters.visibility) * noise
        return self.xp.minimum(self.xp.maximum(blurred, 0.0), 1.0)

    def start(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        score = self.filled(batch, 0.5, (self.n_agents,))
        blurred = self.parameters.visibility < 1.0
        return {"score": score, "shown_score": self.shown(score, required(normals, "normals")) if blurred else score}

    def public_blocks(self, state: MarketState) -> dict[str, Array]:
        return {"score": state.shown_score}

    def hidden_blocks(self, state: MarketState) -> dict[str, Array]:
        return {"true_score": state.score}

    def stocks(self, state: MarketState) -> list[Array]:
        return [state.score]

    def state_info(self, state: MarketState) -> dict[str, Array]:
        return {"score": state.score, "tiers": tier(state.score), "market_shares": self.market_shares(state)}

    def traits(self) -> Traits:
        # Scores move customers between sellers; demand follows the mean quality alone.
        inherited = super().traits()
        return inherited.extended(
            monotone_in_actions={"score": 1},
            monotone_in_stocks={"score": 0, "shown_score": 0},
            transfers=(tuple(range(self.n_agents)),),
            dominance="welfare",
            concave=True,
        )
