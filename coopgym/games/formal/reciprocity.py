"""Formal games of bounded reciprocity (TR-4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np

from coopgym.backend import NUMPY, Array, Backend
from coopgym.games.formal.base import FormalGame
from coopgym.games.formal.dyad import DyadParameters, TrustGatedDyad
from coopgym.games.formal.pages import reciprocity as pages
from coopgym.games.formal.parameters import Bargained, FormalParameters, GroupParameters, Productive, spread_of_factors
from coopgym.games.formal.platform import PlatformGame, PlatformState
from coopgym.games.game import Transition
from coopgym.games.parameters import parameter
from coopgym.games.state import State
from coopgym.games.traits import SocialWeights, Traits
from coopgym.mechanisms.reciprocity import (
    RESPONSE_WIDTH,
    anchored_reference,
    reciprocity_effects,
    remember,
    remembered,
    response,
    susceptibility,
)
from coopgym.mechanisms.reputation import image_gate, update_score
from coopgym.mechanisms.sanctions import enforcement_costs, fines, update_record, violations
from coopgym.mechanisms.value import pair_synergy, pooled_production

WAGE_RECEIVED = 0.50
"""Part of the wage bill that reaches the worker; the rest is the cost of employing."""
IMAGE_RATE = 0.15
IMAGE_DEPENDENCE = 0.5
"""Part of the help received that depends on one's image."""


@dataclass(frozen=True, kw_only=True)
class ReciprocalParameters(FormalParameters):
    """Adds bounded reciprocity (TR-4 Eq. 19-25)."""

    rho_0: float = parameter(1.0, 0.0, doc="base reciprocity", symbol="ρ₀")
    eta: float = parameter(1.0, 0.0, doc="curvature of reciprocity in dependence", symbol="η")
    kappa_r: float = parameter(1.0, 0.0, doc="sensitivity of the response", symbol="κ_r", above_low=True)
    memory: int = parameter(5, 1, doc="memory", symbol="k_m", unit="steps")
    lambda_R: float = parameter(0.6, 0.0, doc="strength of reciprocity", symbol="λ_R")
    omega_r: float = parameter(0.6, 0.0, doc="amplification by dependence", symbol="ω_r")
    anchoring: float = parameter(0.5, 0.0, 1.0, doc="part of the reference that follows memory", symbol="ζ")


@dataclass(frozen=True)
class ReciprocalState(State):
    """Adds the memory of conduct."""

    memory: Array
    """``(..., k_m, N)`` conduct of the last steps, oldest first."""


StateT = TypeVar("StateT", bound=ReciprocalState)
ParametersT = TypeVar("ParametersT", bound=ReciprocalParameters)


class ReciprocalGame(FormalGame[StateT, ParametersT], Generic[StateT, ParametersT]):
    """Agents answer kindness and unkindness, in the integrated reward: ψ_i = (a_i/u) Σ_j E_ij tanh(κ_r s_ij)."""

    category = "reciprocity"
    mechanism_class = "TR-4"
    reciprocity_without_mechanism: bool = False
    """Whether reciprocity stays in the integrated reward when the named mechanism is off."""

    def __init__(self, parameters: ParametersT, backend: Backend = NUMPY) -> None:
        super().__init__(parameters, backend)
        active = parameters.mechanism or self.reciprocity_without_mechanism
        self.susceptibility = backend.array(
            susceptibility(
                self.spec.interdependence,
                parameters.lambda_R,
                parameters.rho_0 if active else 0.0,
                parameters.eta,
                parameters.omega_r,
            )
        )
        self.response_sensitivity = parameters.kappa_r / RESPONSE_WIDTH
        self.effort_per_cooperation = backend.array(self.spec.endowments / self.payoff_unit)

    def responses(self, state: StateT, cooperation: Array) -> Array:
        """Bounded answer that each agent's conduct earns from the others, ``(..., N)``."""
        conduct = self.conduct(state, cooperation)
        reference = anchored_reference(self.norm, remembered(state.memory), self.parameters.anchoring)
        return response(conduct - reference, self.response_sensitivity, self.xp)

    def effects(self, state: StateT, cooperation: Array) -> Array:
        """Pairwise effects E_ij tanh(κ_r s_ij), ``(..., N, N)``."""
        return reciprocity_effects(state.trust, self.susceptibility, self.responses(state, cooperation))

    def relational(self, state: StateT, cooperation: Array, payoffs: Array) -> Array | None:
        return self.effort_per_cooperation * cooperation * self.effects(state, cooperation).sum(-1)

    def memory_after(self, state: StateT, cooperation: Array) -> Array:
        """The memory with this step's conduct in it, ``(..., k_m, N)``."""
        return remember(state.memory, self.conduct(state, cooperation), self.xp)

    def initial_stocks(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        return {"memory": self.full(batch, self.norm, (self.parameters.memory, self.n_agents))}

    def public_blocks(self, state: StateT) -> dict[str, Array]:
        return {"memory": remembered(state.memory)}

    def hidden_blocks(self, state: StateT) -> dict[str, Array]:
        buffer = state.memory
        return {"memory_buffer": buffer.reshape((*buffer.shape[:-2], -1))}

    def stocks(self, state: StateT) -> list[Array]:
        return [remembered(state.memory)]

    def state_info(self, state: StateT) -> dict[str, Array]:
        return {"memory": remembered(state.memory)}

    def step_info(self, before: StateT, cooperation: Array, transition: Transition) -> dict[str, Array]:
        return {"effects": self.effects(before, cooperation)}

    def traits(self) -> Traits:
        # Low remembered conduct makes present conduct look kind.
        inherited = super().traits()
        return inherited.extended(
            monotone_in_actions={"memory": 1},
            monotone_in_stocks={"memory": -1},
            relational=frozenset({"reciprocity"}),
        )

    def social_weights(self, state: StateT) -> SocialWeights:
        # A reciprocal answer E_ij tanh(κ_r s_j) is at most that to full cooperation, and multiplies own effort.
        answers = self.effects(state, self.xp.ones_like(state.last_action))
        earned = self.xp.maximum(answers, 0.0).sum(-1)
        return replace(super().social_weights(state), effort=self.effort_per_cooperation * earned)


@dataclass(frozen=True, kw_only=True)
class ReciprocalDilemmaParameters(DyadParameters, ReciprocalParameters):
    """Parameters of ReciprocalDilemma-v1."""


class ReciprocalDilemma(
    ReciprocalGame[ReciprocalState, ReciprocalDilemmaParameters],
    TrustGatedDyad[ReciprocalState, ReciprocalDilemmaParameters],
):
    """Reciprocal dilemma (TR-4, TR-2, TR-1)."""

    id = "ReciprocalDilemma-v1"
    page = pages.RECIPROCAL_DILEMMA
    Parameters = ReciprocalDilemmaParameters
    state_class = ReciprocalState
    category = "dyadic"
    defaults = {
        "norm": 0.3, "dependence": 0.5, "gamma": 2.75, "chi": 0.25, "lambda_plus": 0.1, "lambda_minus": 0.3,
        "mu_R": 0.6, "delta_R": 0.03, "xi": 0.5, "kappa": 1.0,
        "rho_0": 1.0, "eta": 1.0, "kappa_r": 1.0, "memory": 5, "lambda_R": 0.6, "omega_r": 0.6,
    }  # fmt: skip

    def gate(self, state: ReciprocalState) -> Array | None:
        # The off switch of this game removes reciprocity, not the trust gate.
        return self.trust_gate(state)

    def advance(self, state: ReciprocalState, cooperation: Array, payoffs: Array) -> ReciprocalState:
        return self.next_state(state, cooperation, memory=self.memory_after(state, cooperation))

    def traits(self) -> Traits:
        return super().traits().extended(dominance="payoffs", concave=True)


@dataclass(frozen=True, kw_only=True)
class GiftExchangeParameters(Bargained, Productive, ReciprocalParameters):
    """Parameters of GiftExchange-v1."""


@dataclass(frozen=True)
class GiftExchangeState(ReciprocalState):
    """Adds the wage in force."""

    wage: Array
    """``(...)`` wage posted one step earlier, share of the employer's endowment."""


class GiftExchange(ReciprocalGame[GiftExchangeState, GiftExchangeParameters]):
    """Gift exchange (TR-4, TR-2, TR-1)."""

    id = "GiftExchange-v1"
    page = pages.GIFT_EXCHANGE
    Parameters = GiftExchangeParameters
    state_class = GiftExchangeState
    category = "dyadic"
    defaults = {
        "endowment": (100.0, 80.0), "norm": 0.25, "dependence": ((0.0, 0.4), (0.7, 0.0)), "gamma": 2.2,
        "lambda_plus": 0.1, "lambda_minus": 0.3, "mu_R": 0.6, "delta_R": 0.03, "xi": 0.5, "kappa": 1.0,
        "rho_0": 1.2, "eta": 1.5, "kappa_r": 1.0, "memory": 3, "lambda_R": 0.5, "omega_r": 0.8,
    }  # fmt: skip

    def __init__(self, parameters: GiftExchangeParameters, backend: Backend = NUMPY) -> None:
        super().__init__(parameters, backend)
        self.product_shares = self.shares * (self.n_agents * parameters.gamma)
        received = WAGE_RECEIVED * self.spec.endowments[0] / self.payoff_unit
        self.wage_income = backend.array([0.0, received])

    def roles(self) -> tuple[str, ...]:
        return ("employer", "worker")

    def conduct(self, state: GiftExchangeState, cooperation: Array) -> Array:
        return self.xp.stack([state.wage, cooperation[..., 1]], axis=-1)

    def payoffs(self, state: GiftExchangeState, cooperation: Array) -> Array:
        paid = self.conduct(state, cooperation)
        product = self.amplified(state, pair_synergy(paid[..., 0], paid[..., 1], self.parameters.beta)[..., None])
        return self.own_value(state, paid) + self.product_shares * product + self.wage_income * paid[..., :1]

    def advance(self, state: GiftExchangeState, cooperation: Array, payoffs: Array) -> GiftExchangeState:
        return self.next_state(
            state, cooperation, memory=self.memory_after(state, cooperation), wage=cooperation[..., 0]
        )

    def at_steady_state(self, state: GiftExchangeState, actions: Array) -> GiftExchangeState:
        return replace(state, wage=(actions * self.per_endowment)[..., 0])

    def initial_stocks(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        return {**super().initial_stocks(batch, uniforms, normals), "wage": self.full(batch, self.norm[0])}

    def public_blocks(self, state: GiftExchangeState) -> dict[str, Array]:
        return {"wage": state.wage[..., None], **super().public_blocks(state)}

    def stocks(self, state: GiftExchangeState) -> list[Array]:
        return [state.wage[..., None], *super().stocks(state)]

    def state_info(self, state: GiftExchangeState) -> dict[str, Array]:
        return {
            **super().state_info(state),
            "wage_in_force": state.wage,
            "effort": state.last_action[..., 1],
        }

    def traits(self) -> Traits:
        # A wage in force is good for the worker and dear to the employer.
        return super().traits().extended(exchangeable=((0,), (1,)), monotone_in_actions={"wage": 1}, concave=True)


@dataclass(frozen=True, kw_only=True)
class ReciprocalGroupParameters(GroupParameters, ReciprocalParameters):
    """A group of exchangeable agents with reciprocity."""


@dataclass(frozen=True)
class ImageState(ReciprocalState):
    """Adds public images."""

    image: Array
    """``(..., N)`` public image in [0, 1]."""


@dataclass(frozen=True, kw_only=True)
class ImageParameters(ReciprocalGroupParameters):
    """Parameters of IndirectReciprocity-v1."""

    world_spread: float = spread_of_factors(3.0)


class IndirectReciprocity(ReciprocalGame[ImageState, ImageParameters]):
    """Indirect reciprocity (TR-4, TR-2, TR-1)."""

    id = "IndirectReciprocity-v1"
    page = pages.INDIRECT_RECIPROCITY
    Parameters = ImageParameters
    state_class = ImageState
    defaults = {
        "n_agents": 4, "max_steps": 150, "norm": 0.3, "dependence": 0.4, "theta": 10.0, "gamma": 1.4, "beta": 0.6,
        "k": 1.0, "lambda_plus": 0.1, "lambda_minus": 0.3, "mu_R": 0.6, "delta_R": 0.03, "xi": 0.5, "kappa": 1.0,
        "rho_0": 0.8, "eta": 1.0, "kappa_r": 1.0, "memory": 7, "lambda_R": 0.4, "omega_r": 0.5,
    }  # fmt: skip

    def __init__(self, parameters: ImageParameters, backend: Backend = NUMPY) -> None:
        super().__init__(parameters, backend)
        self._agents = backend.integers(np.arange(self.n_agents))

    def rotation(self, state: ImageState) -> Array:
        """One-hot of t mod (N - 1), ``(..., N - 1)``."""
        return self.xp.astype(self._phase(state) == self._agents[:-1], self.backend.dtype)

    def recipients(self, state: ImageState) -> Array:
        """Matrix with a one where row helps column today, ``(..., N, N)``."""
        helped = (self._agents + 1 + self._phase(state)) % self.n_agents
        return self.xp.astype(helped[..., None] == self._agents, self.backend.dtype)

    def _phase(self, state: ImageState) -> Array:
        return state.t[..., None] % (self.n_agents - 1)

    def payoffs(self, state: ImageState, cooperation: Array) -> Array:
        helped_by = self.xp.matrix_transpose(self.recipients(state))
        help_received = (helped_by @ cooperation[..., None])[..., 0]
        product = self.parameters.gamma * pooled_production(help_received, self.parameters.beta)
        if self.parameters.mechanism:
            product = image_gate(state.image, self.norm, IMAGE_DEPENDENCE, self.xp) * product
        return self.own_value(state, cooperation) + self.amplified(state, product)

    def responses(self, state: ImageState, cooperation: Array) -> Array:
        return response(state.image - self.norm, self.response_sensitivity, self.xp)

    def effects(self, state: ImageState, cooperation: Array) -> Array:
        pairwise = super().effects(state, cooperation)
        return (self.n_agents - 1) * self.recipients(state) * pairwise

    def advance(self, state: ImageState, cooperation: Array, payoffs: Array) -> ImageState:
        return self.next_state(
            state,
            cooperation,
            memory=self.memory_after(state, cooperation),
            image=update_score(state.image, cooperation, IMAGE_RATE),
        )

    def initial_stocks(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        return {**super().initial_stocks(batch, uniforms, normals), "image": self.full(batch, 0.5, (self.n_agents,))}

    def public_blocks(self, state: ImageState) -> dict[str, Array]:
        return {"image": state.image, "rotation": self.rotation(state), **super().public_blocks(state)}

    def stocks(self, state: ImageState) -> list[Array]:
        return [state.image, *super().stocks(state)]

    def state_info(self, state: ImageState) -> dict[str, Array]:
        recipients = self.recipients(state)
        return {
            **super().state_info(state),
            "image": state.image,
            "recipient": self.xp.argmax(recipients, axis=-1),
            "donor": self.xp.argmax(recipients, axis=-2),
        }

    def traits(self) -> Traits:
        image = {"image": 1}
        inherited = super().traits()
        return inherited.extended(
            exchange="rotation",
            monotone_in_actions=image,
            monotone_in_stocks=image,
            dominance="payoffs",
            concave=True,
        )


@dataclass(frozen=True, kw_only=True)
class SanctionParameters(ReciprocalGroupParameters):
    """Parameters of GraduatedSanction-v1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.norm_vector() > 0.0).all():
            raise ValueError(f"norm={self.norm!r}: expected shares above 0, for violations are measured against it")


@dataclass(frozen=True)
class SanctionState(ReciprocalState):
    """Adds records of violations."""

    record: Array
    """``(..., N)`` record of violations in [0, 1]."""


class GraduatedSanction(ReciprocalGame[SanctionState, SanctionParameters]):
    """Graduated sanction (TR-4, TR-2, TR-1)."""

    id = "GraduatedSanction-v1"
    page = pages.GRADUATED_SANCTION
    Parameters = SanctionParameters
    state_class = SanctionState
    reciprocity_without_mechanism = True
    defaults = {
        "n_agents": 6, "max_steps": 200, "norm": 0.4, "dependence": 0.35, "theta": 8.0, "gamma": 1.35, "beta": 0.6,
        "k": 1.0, "lambda_plus": 0.1, "lambda_minus": 0.3, "mu_R": 0.6, "delta_R": 0.03, "xi": 0.5, "kappa": 1.0,
        "rho_0": 0.6, "eta": 1.5, "kappa_r": 0.8, "memory": 10, "lambda_R": 0.4, "omega_r": 1.0,
    }  # fmt: skip

    def fines(self, state: SanctionState, cooperation: Array) -> Array:
        """Fines of this step, ``(..., N)`` in payoff units."""
        violation = violations(cooperation, self.norm, self.xp)
        return fines(violation, state.record) * float(self.parameters.mechanism)

    def payoffs(self, state: SanctionState, cooperation: Array) -> Array:
        commons = self.parameters.gamma * pooled_production(cooperation @ self.equal_weights, self.parameters.beta)
        gains, fine = self.amplified(state, commons[..., None]), self.fines(state, cooperation)
        return self.own_value(state, cooperation) + gains - fine - enforcement_costs(fine)

    def advance(self, state: SanctionState, cooperation: Array, payoffs: Array) -> SanctionState:
        violation = violations(cooperation, self.norm, self.xp)
        return self.next_state(
            state,
            cooperation,
            memory=self.memory_after(state, cooperation),
            record=update_record(state.record, violation),
        )

    def initial_stocks(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        return {**super().initial_stocks(batch, uniforms, normals), "record": self.full(batch, 0.0, (self.n_agents,))}

    def public_blocks(self, state: SanctionState) -> dict[str, Array]:
        return {"record": state.record, **super().public_blocks(state)}

    def stocks(self, state: SanctionState) -> list[Array]:
        return [state.record, *super().stocks(state)]

    def state_info(self, state: SanctionState) -> dict[str, Array]:
        return {**super().state_info(state), "record": state.record}

    def step_info(self, before: SanctionState, cooperation: Array, transition: Transition) -> dict[str, Array]:
        fine = self.fines(before, cooperation)
        return {
            **super().step_info(before, cooperation, transition),
            "violations": violations(cooperation, self.norm, self.xp),
            "fines": fine,
            "enforcement_cost": enforcement_costs(fine),
        }

    def traits(self) -> Traits:
        record = {"record": -1}
        inherited = super().traits()
        return inherited.extended(
            monotone_in_actions=record, monotone_in_stocks=record, dominance="payoffs", concave=True
        )


@dataclass(frozen=True, kw_only=True)
class AppStoreParameters(Bargained, Productive, ReciprocalParameters):
    """Parameters of AppleAppStore-v1."""

    def agent_count(self) -> int:
        return 3


@dataclass(frozen=True)
class AppStoreState(PlatformState, ReciprocalState):
    """Memberships and the memory of conduct."""


class AppleAppStore(ReciprocalGame[AppStoreState, AppStoreParameters], PlatformGame[AppStoreState, AppStoreParameters]):
    """Apple App Store (TR-4, TR-2, TR-1)."""

    id = "AppleAppStore-v1"
    page = pages.APPLE_APP_STORE
    Parameters = AppStoreParameters
    state_class = AppStoreState
    category = "validated case study"
    defaults = {
        "max_steps": 66, "endowment": (100.0, 80.0, 60.0), "norm": 0.3, "share": (1 / 3, 1 / 3, 1 / 3), "gamma": 2.65,
        "dependence": ((0.0, 0.3, 0.2), (0.8, 0.0, 0.15), (0.85, 0.1, 0.0)), "initial_trust": 0.6,
        "lambda_plus": 0.1, "lambda_minus": 0.3, "mu_R": 0.6, "delta_R": 0.03, "xi": 0.5, "kappa": 1.0,
        "rho_0": 1.0, "eta": 1.2, "kappa_r": 0.8, "memory": 4, "lambda_R": 0.3, "omega_r": 0.8,
    }  # fmt: skip

    def roles(self) -> tuple[str, ...]:
        return ("Apple", "major developers", "small developers")

    def effects(self, state: AppStoreState, cooperation: Array) -> Array:
        linked = state.members[..., :, None] * state.members[..., None, :] * state.members[..., :1, None]
        return linked * super().effects(state, cooperation)

    def advance(self, state: AppStoreState, cooperation: Array, payoffs: Array) -> AppStoreState:
        after = self.next_state(state, cooperation, memory=self.memory_after(state, cooperation), members=state.members)
        return replace(after, members=self.update_members(state, after.trust))

    def initial_stocks(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        return {
            **PlatformGame.initial_stocks(self, batch, uniforms, normals),
            **ReciprocalGame.initial_stocks(self, batch, uniforms, normals),
        }

    def public_blocks(self, state: AppStoreState) -> dict[str, Array]:
        return {"members": state.members, **super().public_blocks(state)}

    def stocks(self, state: AppStoreState) -> list[Array]:
        return [state.members, *super().stocks(state)]

    def state_info(self, state: AppStoreState) -> dict[str, Array]:
        return {**ReciprocalGame.state_info(self, state), **PlatformGame.state_info(self, state)}

    def step_info(self, before: AppStoreState, cooperation: Array, transition: Transition) -> dict[str, Array]:
        return {
            **ReciprocalGame.step_info(self, before, cooperation, transition),
            **PlatformGame.step_info(self, before, cooperation, transition),
        }

    def traits(self) -> Traits:
        return super().traits().extended(dominance="welfare", concave=True)
