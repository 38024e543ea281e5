"""Formal games of bounded reciprocity (TR-4)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np

from coopgym.backend import NUMPY, Array, Backend
from coopgym.games.formal.base import FormalGame
from coopgym.games.formal.dyad import DyadParameters, TrustGatedDyad
from coopgym.games.formal.parameters import Bargained, FormalParameters, Group, Productive
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
from coopgym.mechanisms.sanctions import enforcement_costs, fines, update_record, violations
from coopgym.mechanisms.standing import image_gate, update_score
from coopgym.mechanisms.value import pair_synergy, pooled_production

WAGE_RECEIVED = 0.50
"""Part of the wage bill that reaches the worker; the rest is the cost of employing."""
IMAGE_RATE = 0.15
IMAGE_DEPENDENCE = 0.5
"""Part of the help received that depends on one's image."""


@dataclass(frozen=True, kw_only=True)
class ReciprocalParameters(FormalParameters):
    """Adds bounded reciprocity (TR-4 Eq. 19-25)."""

    rho_0: float = parameter(1.0, 0.0, doc="base reciprocity ρ₀")
    eta: float = parameter(1.0, 0.0, doc="curvature of reciprocity in dependence η")
    kappa_r: float = parameter(1.0, 0.0, doc="sensitivity of the response κ_r", above_low=True)
    memory: int = parameter(5, 1, doc="steps remembered k_m")
    lambda_R: float = parameter(0.6, 0.0, doc="strength of reciprocity λ_R")
    omega_r: float = parameter(0.6, 0.0, doc="amplification by dependence ω_r")
    anchoring: float = parameter(0.5, 0.0, 1.0, doc="part of the reference that follows memory ζ")


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

    def answers(self, state: StateT, cooperation: Array) -> Array:
        """Bounded answer that each agent's conduct earns from the others, ``(..., N)``."""
        conduct = self.conduct(state, cooperation)
        reference = anchored_reference(self.norm, remembered(state.memory), self.parameters.anchoring)
        return response(conduct - reference, self.response_sensitivity, self.xp)

    def effects(self, state: StateT, cooperation: Array) -> Array:
        """Pairwise effects E_ij tanh(κ_r s_ij), ``(..., N, N)``."""
        return reciprocity_effects(state.trust, self.susceptibility, self.answers(state, cooperation))

    def relational(self, state: StateT, cooperation: Array, payoffs: Array) -> Array | None:
        return self.effort_per_cooperation * cooperation * self.effects(state, cooperation).sum(-1)

    def memory_after(self, state: StateT, cooperation: Array) -> Array:
        """The memory with this step's conduct in it, ``(..., k_m, N)``."""
        return remember(state.memory, self.conduct(state, cooperation), self.xp)

    def start(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        return {"memory": self.filled(batch, self.norm, (self.parameters.memory, self.n_agents))}

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
    """A trust-gated dyad in which kindness is answered.

    Cooperation costs its giver and pays both. Kindness is answered: integrated best responses rise with the partner's
    deviation from what is remembered, which lowers cooperation below the norm and raises it above.

    Seats: agent_0 and agent_1 (symmetric).

    Actions: investment in [0, 100]; norm 30; c_i = a_i/e_i.

    Observation: 20 entries jointly; 10 (own), 23 (full) or 3 (minimal) per agent. Own view: c_i, c_j, T_ij, T_ji, R_ij,
    R_ji, D_ij, memory ā of both, t/T_max; the full view adds the last five steps, oldest first, before the time.

    Payoff: π_i = own_i + α_i N γ_t G_β(c_0, c_1) with own_i = [e_i - k a_i + θ ln(1 + a_i)]/u, G_β(x, y) ≈ (xy)^(β/2)
    and γ_t = γ (1 - χ + χ τ), τ the mean of min(T_ij, 1 - R_ij). θ 6, γ 2.75, β 0.65, k 2, χ 0.25, α 0.5, mean
    endowment u 100, D 0.5. The integrated reward adds Σ_j w_ij π_j, w_ij = min(T_ij, 1 - R_ij) D_ij, and reciprocity
    ψ_i = (a_i/u) Σ_j≠i E_ij tanh(κ_r s_j/0.25), where s_j = c_j - [(1 - ζ) b_j + ζ ā_j], ζ 0.5, ā the mean of the last
    k_m = 5 steps before this one, and E_ij = λ_R T_ij (1 + ω_r D_ij) ρ₀ D_ij^η; λ_R 0.6, ρ₀ 1, η 1, ω_r 0.6, κ_r 1.

    State: T and R on signals tanh(κ (c_j - b_j)/0.5) with κ 1, λ⁺ 0.1, λ⁻ 0.3, μ_R 0.6, δ_R 0.03, ξ 0.5 (T0 0.5, R0 0);
    the memory, full of b at reset, takes in c.

    End: truncated after 100 steps, never early.

    Info: also `memory` (ā); step only `effects` (E_ij tanh(κ_r s_j/0.25), N × N).

    Off switch: ``mechanism=False`` sets ρ₀ = 0 and leaves the trust gate: coopetitive 20 %, at full trust 40 %.

    Closed forms and reference points: Nash solves k = θ/(1 + e c) + (γ_t β/2) (c + 0.001)^(β-1), the optimum the same
    with γ_t β. Nash 13 %, coopetitive 18 % (full trust: 64 %), optimum 57 % of endowment at reset; price of anarchy
    1.152; greed at the optimum 0.204, fear at Nash 0.404. Committed to one share each for an episode: private 10 or
    32 %, integrated 11, 49 or 51 %, optimum 82 %.

    Source: TR-4 Eq. 19-25, 44 (reciprocity; λ_R 0.6, published 1), TR-2 Eq. 6-9 (trust), TR-1 Eq. 6-8, 11, 13 (value,
    payoff, weights).

    Versions: in v0 (released) reciprocity multiplies rewards, by at most 0.65 % from one; in v1 (formal) it adds to the
    integrated reward, remembers earlier steps only, and trust gates synergy.
    """

    id = "ReciprocalDilemma-v1"
    Parameters = ReciprocalDilemmaParameters
    kind = ReciprocalState
    category = "dyadic"
    summary = "A trust-gated dyad in which kindness is answered."
    defaults = {
        "norm": 0.3, "dependence": 0.5, "gamma": 2.75, "chi": 0.25, "lambda_plus": 0.1, "lambda_minus": 0.3,
        "mu_R": 0.6, "delta_R": 0.03, "xi": 0.5, "kappa": 1.0,
        "rho_0": 1.0, "eta": 1.0, "kappa_r": 1.0, "memory": 5, "lambda_R": 0.6, "omega_r": 0.6,
    }  # fmt: skip

    def gate(self, state: ReciprocalState) -> Array | None:
        # The off switch of this game removes reciprocity, not the trust gate.
        return self.trust_gate(state)

    def advance(self, state: ReciprocalState, cooperation: Array, payoffs: Array) -> ReciprocalState:
        return self.moved(state, cooperation, memory=self.memory_after(state, cooperation))

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
    """An employer posts a wage, a worker answers with effort that no contract can demand.

    Wages are paid before effort and no contract covers effort: a selfish worker shirks, hence a selfish employer pays
    little. Reciprocity at full trust lifts both.

    Seats: agent_0 = employer, agent_1 = worker.

    Actions: wage in [0, 100], posted for the next step, and effort in [0, 80]; norms 25 and 20; c_i = a_i/e_i.

    Observation: 22 entries jointly; 11 (own), 20 (full) or 3 (minimal) per agent. Own view: c_i, c_j, T_ij, T_ji, R_ij,
    R_ji, D_ij, wage in force W, memory ā of both, t/T_max; the full view adds the last three steps, oldest first,
    before the time.

    Payoff: with what is done x = (W, c_1) and S = N γ G_β(W, c_1): π_0 = [e_0 - k W e_0 + θ ln(1 + W e_0)]/u + α_0 S
    and π_1 = own_1 + α_1 S + 0.50 W e_0/u, with own_i = [e_i - k a_i + θ ln(1 + a_i)]/u and G_β(x, y) ≈ (xy)^(β/2).
    Half of the wage bill reaches the worker, the rest is the cost of employing. θ 6, γ 2.2, β 0.65, k 2, α 0.5, mean
    endowment u 90, D_01 0.4, D_10 0.7. The integrated reward adds Σ_j w_ij π_j, w_ij = min(T_ij, 1 - R_ij) D_ij, and
    reciprocity ψ_i = (a_i/u) Σ_j≠i E_ij tanh(κ_r s_j/0.25) with a_0 the wage posted now, s_j = x_j - [(1 - ζ) b_j + ζ
    ā_j], ζ 0.5, ā the mean of the last k_m = 3 steps, and E_ij = λ_R T_ij (1 + ω_r D_ij) ρ₀ D_ij^η; λ_R 0.5, ρ₀ 1.2,
    η 1.5, ω_r 0.8, κ_r 1.

    State: T and R on signals tanh(κ (x_j - b_j)/0.5) with κ 1, λ⁺ 0.1, λ⁻ 0.3, μ_R 0.6, δ_R 0.03, ξ 0.5 (T0 0.5, R0 0);
    the memory, full of b at reset, takes in x; W ← c_0, from the norm at reset. The last wage posted is never paid.

    End: truncated after 100 steps, never early.

    Info: also `wage_in_force` (W of the coming step), `effort` (last c_1), `memory` (ā); step only `effects` (E_ij
    tanh(κ_r s_j/0.25), N × N).

    Off switch: ``mechanism=False`` sets ρ₀ = 0: coopetitive 17/22 %, at full trust 26/35 %.

    Closed forms and reference points: for the stage game with the wage in force equal to the wage posted. Nash 11/14 %,
    coopetitive 16/21 % (full trust: 31/41 %), optimum 71/67 % of endowment at reset; price of anarchy 1.202; greed at
    the optimum 0.475 and 0.209, fear at Nash 0.752 and 0.466. Committed to one share each for an episode: private
    11/14 %, integrated 11/14 or 12/15 %, optimum 71/67 %.

    Source: TR-4 Eq. 19-25, 44 (reciprocity; λ_R 0.5, published 1.2), TR-2 Eq. 6-9 (trust), TR-1 Eq. 6-8, 11, 13 (value,
    payoff, weights). The wage contract is of this edition.

    Versions: in v0 (released) both act at once and reciprocity multiplies rewards; in v1 (formal) wages come first, are
    paid and seen, and reciprocity adds to the integrated reward.
    """

    id = "GiftExchange-v1"
    Parameters = GiftExchangeParameters
    kind = GiftExchangeState
    category = "dyadic"
    summary = "An employer posts a wage, a worker answers with effort that no contract can demand."
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
        product = pair_synergy(paid[..., 0], paid[..., 1], self.parameters.beta)
        return self.own_value(paid) + self.product_shares * product[..., None] + self.wage_income * paid[..., :1]

    def advance(self, state: GiftExchangeState, cooperation: Array, payoffs: Array) -> GiftExchangeState:
        return self.moved(state, cooperation, memory=self.memory_after(state, cooperation), wage=cooperation[..., 0])

    def settled(self, state: GiftExchangeState, actions: Array) -> GiftExchangeState:
        return replace(state, wage=(actions * self.per_endowment)[..., 0])

    def start(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        return {**super().start(batch, uniforms, normals), "wage": self.filled(batch, self.norm[0])}

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
class ReciprocalGroupParameters(Group, ReciprocalParameters):
    """A group of exchangeable agents with reciprocity."""


@dataclass(frozen=True)
class ImageState(ReciprocalState):
    """Adds public images."""

    image: Array
    """``(..., N)`` public image in [0, 1]."""


class IndirectReciprocity(ReciprocalGame[ImageState, ReciprocalGroupParameters]):
    """Help goes round: today's recipient can repay only N - 1 steps later, but everybody sees who helps.

    Helping costs now and pays nothing directly. A public image makes the help of others depend on own conduct, so that
    cooperation can be sustained by convention.

    Seats: agent_0 .. agent_3 (interchangeable by rotation).

    Actions: help in [0, 100]; norm 30; c_i = a_i/e_i.

    Observation: 124 entries jointly; 31 (own), 84 (full) or 5 (minimal) per agent. Own view: c_i, c_j, T_ij, T_ji,
    R_ij, R_ji, D_ij, images I of all, one-hot of t mod (N - 1), memory ā of all, t/T_max; the full view adds the last
    seven steps, oldest first, before the time.

    Payoff: at step t agent i helps agent (i + 1 + t mod (N - 1)) mod N. π_i = own_i + γ g_i P_β(c_donor(i)) with
    own_i = [e_i - k a_i + θ ln(1 + a_i)]/u, P_β(x) ≈ x^β and the community's gate g_i = 0.5 + 0.5 σ((I_i - b_i)/0.10).
    θ 10, γ 1.4, β 0.6, k 1, mean endowment u 100, D 0.4. The integrated reward adds Σ_j w_ij π_j, w_ij = min(T_ij, 1 -
    R_ij) D_ij, and reciprocity ψ_i = (a_i/u) (N - 1) E_ir tanh(κ_r (I_r - b_r)/0.25) towards today's recipient r:
    agents like helping those who help others; E_ij = λ_R T_ij (1 + ω_r D_ij) ρ₀ D_ij^η; λ_R 0.4, ρ₀ 0.8, η 1, ω_r 0.5,
    κ_r 1.

    State: T and R on signals tanh(κ (c_j - b_j)/0.5) with κ 1, λ⁺ 0.1, λ⁻ 0.3, μ_R 0.6, δ_R 0.03, ξ 0.5 (T0 0.5, R0 0);
    I ← I + 0.15 (c - I) from 0.5; the memory of k_m = 7 steps, full of b at reset, takes in c. It is observed and pays
    nothing here: image takes its place.

    End: truncated after 150 steps, never early.

    Info: also `image`, `recipient`, `donor` (indices, of the coming step), `memory` (ā); step only `effects` ((N - 1)
    E_ir tanh(..) in the recipients' places, N × N).

    Off switch: ``mechanism=False`` gives full help always (g = 1) and sets ρ₀ = 0: coopetitive 15 %, at full trust
    24 %.

    Closed forms and reference points: in the stage game nothing comes back, so Nash is a = θ/k - 1; the optimum solves
    k = θ/(1 + e c) + g γ β (c + 0.001)^(β-1). Nash 9 %, coopetitive 18 % (full trust: 41 %), optimum 78 % of endowment
    at reset; price of anarchy 1.237; greed at the optimum 0.481, fear at Nash 0.481. Committed to one share each for an
    episode: private 12 or 39 % (off: 9 %), integrated 12, 70 or 71 % (off: 9 %), optimum 90 %.

    Source: TR-4 Eq. 19-25, 44 (reciprocity; λ_R 0.4, published 1.5), TR-2 Eq. 6-9 (trust), TR-1 Eq. 6, 11, 13 (own-use
    value, payoff, weights). Image scoring with a soft threshold is of this edition.

    Versions: v0 (released) has no image and no direction, only direct reciprocity that multiplies rewards; v1 (formal)
    directs help and scores images.
    """

    id = "IndirectReciprocity-v1"
    Parameters = ReciprocalGroupParameters
    kind = ImageState
    summary = "Help goes round: today's recipient can repay only N - 1 steps later, but everybody sees who helps."
    defaults = {
        "n_agents": 4, "max_steps": 150, "norm": 0.3, "dependence": 0.4, "theta": 10.0, "gamma": 1.4, "beta": 0.6,
        "k": 1.0, "lambda_plus": 0.1, "lambda_minus": 0.3, "mu_R": 0.6, "delta_R": 0.03, "xi": 0.5, "kappa": 1.0,
        "rho_0": 0.8, "eta": 1.0, "kappa_r": 1.0, "memory": 7, "lambda_R": 0.4, "omega_r": 0.5,
    }  # fmt: skip

    def __init__(self, parameters: ReciprocalGroupParameters, backend: Backend = NUMPY) -> None:
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
        return self.own_value(cooperation) + product

    def answers(self, state: ImageState, cooperation: Array) -> Array:
        return response(state.image - self.norm, self.response_sensitivity, self.xp)

    def effects(self, state: ImageState, cooperation: Array) -> Array:
        pairwise = super().effects(state, cooperation)
        return (self.n_agents - 1) * self.recipients(state) * pairwise

    def advance(self, state: ImageState, cooperation: Array, payoffs: Array) -> ImageState:
        return self.moved(
            state,
            cooperation,
            memory=self.memory_after(state, cooperation),
            image=update_score(state.image, cooperation, IMAGE_RATE),
        )

    def start(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        return {**super().start(batch, uniforms, normals), "image": self.filled(batch, 0.5, (self.n_agents,))}

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
    """A commons whose members fine violations of the norm, leniently first and harder with the record.

    Maintenance of the commons is a public good. Fines for a first offence are too small to deter (stage Nash is about
    half the norm), escalated ones are not: in repeated play the norm enforces itself.

    Seats: agent_0 .. agent_5 (interchangeable).

    Actions: maintenance in [0, 100]; norm 40; c_i = a_i/e_i.

    Observation: 264 entries jointly; 44 (own), 175 (full) or 7 (minimal) per agent. Own view: c_i, c_j, T_ij, T_ji,
    R_ij, R_ji, D_ij, records n of all, memory ā of all, t/T_max; the full view adds the last ten steps, oldest first,
    before the time.

    Payoff: π_i = own_i + γ P_β(mean c) - fine_i - 0.25 Σ_j≠i fine_j/(N - 1) with own_i = [e_i - k a_i + θ ln(1 +
    a_i)]/u, P_β(x) ≈ x^β, violation v_i = [b_i - c_i]₊/b_i and fine_i = [0.15 + (0.60 - 0.15) n_i] v_i; the last term
    is the cost of enforcement. θ 8, γ 1.35, β 0.6, k 1, mean endowment u 100, D 0.35. The integrated reward adds Σ_j
    w_ij π_j, w_ij = min(T_ij, 1 - R_ij) D_ij, and reciprocity ψ_i = (a_i/u) Σ_j≠i E_ij tanh(κ_r s_j/0.25), where
    s_j = c_j - [(1 - ζ) b_j + ζ ā_j], ζ 0.5, ā the mean of the last k_m = 10 steps, and E_ij = λ_R T_ij (1 + ω_r D_ij)
    ρ₀ D_ij^η; λ_R 0.4, ρ₀ 0.6, η 1.5, ω_r 1, κ_r 0.8.

    State: T and R on signals tanh(κ (c_j - b_j)/0.5) with κ 1, λ⁺ 0.1, λ⁻ 0.3, μ_R 0.6, δ_R 0.03, ξ 0.5 (T0 0.5, R0 0);
    the memory, full of b at reset, takes in c; n ← 0.95 n + 0.30 v (1 - n) from 0.

    End: truncated after 200 steps, never early.

    Info: also `record` (n), `memory` (ā); step only `violations` (v), `fines`, `enforcement_cost` (both payoff units),
    `effects` (E_ij tanh(κ_r s_j/0.25), N × N).

    Off switch: ``mechanism=False`` fines nobody and leaves reciprocity: Nash 11 %, coopetitive 13 %.

    Closed forms and reference points: below the norm Nash solves k = 0.15/b + θ/(1 + e c) + (γ β/N) (c + 0.001)^(β-1);
    above it the optimum solves k = θ/(1 + e c) + γ β (c + 0.001)^(β-1). Nash 21 %, coopetitive 31 % (full trust: 40 %),
    optimum 77 % of endowment at reset; price of anarchy 1.180; greed at the optimum 0.306, fear at Nash 0.258.
    Committed to one share each for an episode: private 39 % (off: 11 %), integrated 40 % (off: 11 %), optimum 77 %.

    Source: graduated sanctions as in Ostrom (1990); TR-4 Eq. 19-25, 44 (reciprocity; λ_R 0.4, published 1.8), TR-2
    Eq. 6-9 (trust), TR-1 Eq. 6, 11, 13 (own-use value, payoff, weights).

    Versions: v0 (released) fines nobody and its answer to deviations is saturated; v1 (formal) has fines that grow with
    the record.
    """

    id = "GraduatedSanction-v1"
    Parameters = SanctionParameters
    kind = SanctionState
    summary = "A commons whose members fine violations of the norm, leniently first and harder with the record."
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
        fine = self.fines(state, cooperation)
        return self.own_value(cooperation) + commons[..., None] - fine - enforcement_costs(fine)

    def advance(self, state: SanctionState, cooperation: Array, payoffs: Array) -> SanctionState:
        violation = violations(cooperation, self.norm, self.xp)
        return self.moved(
            state,
            cooperation,
            memory=self.memory_after(state, cooperation),
            record=update_record(state.record, violation),
        )

    def start(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        return {**super().start(batch, uniforms, normals), "record": self.filled(batch, 0.0, (self.n_agents,))}

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
    """Apple, major developers and small developers around one app store.

    A platform dilemma with three unequal sides: developers share a product that the platform's openness and their
    pooled effort make. Exits discipline; reciprocity lowers the integrated equilibrium below the norm and raises it
    above.

    Seats: agent_0 = Apple, agent_1 = major developers, agent_2 = small developers.

    Actions: investment in [0, 100], [0, 80] and [0, 60] per quarter; norms 30, 24 and 18; c_i = a_i/e_i.

    Observation: 60 entries jointly; 20 (own), 43 (full) or 4 (minimal) per agent. Own view: c_i, c_j, T_ij, T_ji, R_ij,
    R_ji, D_ij, memberships m of all (Apple first), memory ā of all, t/T_max; the full view adds the last four steps,
    oldest first, before the time.

    Payoff: π_i = own_i + s_i N γ m_0 G_β(c_0, x) with own_i = [e_i - k a_i + θ ln(1 + a_i)]/u, G_β(x, y) ≈ (xy)^(β/2)
    and developers' pooled effort x = Σ_j m_j a_j / Σ_j e_j. Apple's s_0 is α_0 = 1/3; developers present share the rest
    in proportion to α_j, absent ones get own_j only. θ 6, γ 2.65, β 0.65, k 2, mean endowment u 80, D rows (0, 0.3,
    0.2), (0.8, 0, 0.15), (0.85, 0.1, 0). The integrated reward adds Σ_j w_ij π_j, w_ij = min(T_ij, 1 - R_ij) D_ij, and
    between linked parties reciprocity ψ_i = (a_i/u) Σ_j≠i m_i m_j m_0 E_ij tanh(κ_r s_j/0.25), where s_j = c_j - [(1 -
    ζ) b_j + ζ ā_j], ζ 0.5, ā the mean of the last k_m = 4 steps, and E_ij = λ_R T_ij (1 + ω_r D_ij) ρ₀ D_ij^η; λ_R 0.3,
    ρ₀ 1, η 1.2, ω_r 0.8, κ_r 0.8.

    State: T and R on signals tanh(κ (c_j - b_j)/0.5) with κ 1, λ⁺ 0.1, λ⁻ 0.3, μ_R 0.6, δ_R 0.03, ξ 0.5 (T0 0.6, R0 0),
    absent developers included; the memory, full of b at reset, takes in c; then from link_j = min(T_j0, T_0j) after the
    step m_j ← 0 below 0.15, 1 from 0.35 on, else unchanged; m_0 ← max_j m_j.

    End: truncated after 66 steps (quarters), never early; exits are reversible.

    Info: also `members`, `links` (per developer), `memory` (ā); step only `exits`, `returns` (per agent), `effects`
    (m_i m_j m_0 E_ij tanh(κ_r s_j/0.25), N × N).

    Off switch: ``mechanism=False`` has no exits and sets ρ₀ = 0: coopetitive 16/14/18 %, at full trust 22/19/26 %.

    Closed forms and reference points: Nash 10/8/11 %, coopetitive 15/13/17 % (full trust: 21/17/23 %), optimum
    91/59/78 % of endowment at reset; price of anarchy 1.311; greed at the optimum 0.787, 0.497 and 0.497, fear at Nash
    1.260, 0.529 and 0.529. Committed to one share each for an episode: private 2/3/4 or 28/28/28 % (off: 10/8/10 %),
    integrated 3/3/4 or 28/28/28 % (off: 11/8/11 %), optimum 90/60/75 %.

    Source: TR-4 case study and Eq. 19-25, 44 (reciprocity; λ_R 0.3, published 1), TR-2 Eq. 6-9 (trust), TR-1 Eq. 6-8,
    11, 13 (value, payoff, weights). Shares, interdependence, trust at reset, norm and trust parameters as published.

    Versions: in v0 (released) nobody leaves and reciprocity multiplies rewards; in v1 (formal) links break and heal and
    reciprocity adds to the integrated reward.
    """

    id = "AppleAppStore-v1"
    Parameters = AppStoreParameters
    kind = AppStoreState
    category = "validated case study"
    summary = "Apple, major developers and small developers around one app store."
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
        moved = self.moved(state, cooperation, memory=self.memory_after(state, cooperation), members=state.members)
        return replace(moved, members=self.update_members(state, moved.trust))

    def start(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        return {
            **PlatformGame.start(self, batch, uniforms, normals),
            **ReciprocalGame.start(self, batch, uniforms, normals),
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
