"""Formal games of trust and reputation (TR-2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from coopgym.backend import NUMPY, Array, Backend
from coopgym.games.formal.base import FormalGame
from coopgym.games.formal.dissolution import DissolvableGame, DissolvableParameters, DissolvableState
from coopgym.games.formal.dyad import DyadParameters, TrustGatedDyad
from coopgym.games.formal.pages import trust as pages
from coopgym.games.formal.parameters import GroupParameters
from coopgym.games.game import ResetOptions, Transition, required
from coopgym.games.parameters import parameter
from coopgym.games.state import State
from coopgym.games.traits import Traits
from coopgym.mechanisms.negotiation import Proposals, damages, judge_proposals
from coopgym.mechanisms.reputation import logistic, tier, tier_weight, update_score
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
    """Trust dilemma (TR-2, TR-1)."""

    id = "TrustDilemma-v1"
    page = pages.TRUST_DILEMMA
    Parameters = TrustDilemmaParameters
    state_class = DissolvableState
    mechanism_class = "TR-2"
    category = "dyadic"
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
    """Recovery race (TR-2, TR-1)."""

    id = "RecoveryRace-v1"
    page = pages.RECOVERY_RACE
    Parameters = DyadParameters
    state_class = RecoveryState
    mechanism_class = "TR-2"
    category = "benchmark"
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
        after = self.next_state(state, cooperation, peak_trust=state.peak_trust, recovery_step=state.recovery_step)
        trust = self.mutual_trust(after)
        first = (state.recovery_step < 0) & (trust >= RECOVERY_LEVEL)
        return RecoveryState(
            t=after.t,
            last_action=cooperation,
            trust=after.trust,
            damage=after.damage,
            peak_trust=self.xp.maximum(state.peak_trust, trust),
            recovery_step=self.xp.where(first, after.t, state.recovery_step),
        )

    def initial_stocks(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        return {"peak_trust": self.full(batch, 0.0), "recovery_step": self.full(batch, -1, dtype=self.xp.int64)}

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
    """S-LCD: Samsung and Sony (TR-1, TR-2)."""

    id = "SLCD-v1"
    page = pages.SLCD
    Parameters = DyadParameters
    mechanism_class = "TR-2"
    category = "validated case study"
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

    tolerance: float = parameter(
        0.10, 0.0, 1.0, doc="closeness that makes an agreement", symbol="tol", unit="share of endowment"
    )


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
    """Cooperative negotiation (TR-2, TR-1)."""

    id = "CooperativeNegotiation-v1"
    page = pages.COOPERATIVE_NEGOTIATION
    Parameters = NegotiationParameters
    state_class = NegotiationState
    mechanism_class = "TR-2"
    category = "extended"
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
        return self.next_state(
            state,
            cooperation,
            agreed=self.xp.where(proposals.close, 1.0, state.agreed * stands),
            level=self.xp.where(proposals.close, cooperation @ self.equal_weights, state.level * stands),
            agreements=state.agreements + proposals.close,
            breaches=state.breaches + proposals.breach,
        )

    def initial_stocks(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        return {
            "agreed": self.full(batch, 0.0),
            "level": self.full(batch, 0.0),
            "agreements": self.full(batch, 0, dtype=self.xp.int64),
            "breaches": self.full(batch, 0, dtype=self.xp.int64),
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
class MarketParameters(GroupParameters):
    """Adds how well scores are seen."""

    visibility: float = parameter(1.0, 0.0, 1.0, doc="score visibility; noise has standard deviation 1 - v", symbol="v")


@dataclass(frozen=True)
class MarketState(State):
    """Adds public scores."""

    score: Array
    """``(..., N)`` true public score in [0, 1]."""
    shown_score: Array
    """``(..., N)`` the score as everybody sees it."""


class ReputationMarket(FormalGame[MarketState, MarketParameters]):
    """Reputation market (TR-2, TR-1)."""

    id = "ReputationMarket-v1"
    page = pages.REPUTATION_MARKET
    Parameters = MarketParameters
    state_class = MarketState
    mechanism_class = "TR-2"
    category = "extended"
    defaults = {
        "n_agents": 5, "norm": 0.2, "dependence": 0.35, "gamma": 1.45, "beta": 0.6, "k": 1.0,
        "lambda_plus": 0.1, "lambda_minus": 0.3, "mu_R": 0.55, "delta_R": 0.015, "xi": 0.45, "kappa": 1.0,
    }  # fmt: skip

    def __init__(self, parameters: MarketParameters, backend: Backend = NUMPY) -> None:
        super().__init__(parameters, backend)
        if parameters.visibility < 1.0:
            self.reset_normals = self.n_agents
            after_noise = self.n_agents if parameters.payoff_noise > 0 else 0
            self._blurring = slice(after_noise, after_noise + self.n_agents)
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
        return self.own_value(state, cooperation) + self.market_shares(state) * self.amplified(state, demand[..., None])

    def advance(self, state: MarketState, cooperation: Array, payoffs: Array) -> MarketState:
        score = update_score(state.score, cooperation, SCORE_RATE)
        return self.next_state(state, cooperation, score=score, shown_score=score)

    def step(self, state: MarketState, actions: Array, normals: Array | None = None) -> Transition:
        transition = super().step(state, actions, normals)
        if self.parameters.visibility == 1.0:
            return transition
        after: MarketState = transition.state  # type: ignore[assignment]  # a game's transitions hold its own states
        shown = self.shown(after.score, required(normals, "normals")[..., self._blurring])
        return replace(transition, state=replace(after, shown_score=shown))

    def shown(self, score: Array, noise: Array) -> Array:
        """The score as everybody sees it, one draw per score, common to all."""
        blurred = score + (1.0 - self.parameters.visibility) * noise
        return self.xp.minimum(self.xp.maximum(blurred, 0.0), 1.0)

    def initial_stocks(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        score = self.full(batch, 0.5, (self.n_agents,))
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
