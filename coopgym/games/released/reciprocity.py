"""Released games of mechanism class TR-4: a small bonus for partners who exceed their own recent average."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from coopgym.backend import NUMPY, Array, Backend
from coopgym.games.game import ResetOptions
from coopgym.games.parameters import Parameters, parameter
from coopgym.games.released.base import ReleasedGame, Shared
from coopgym.games.released.pages import reciprocity as pages
from coopgym.games.released.table import GameTable, Pairs, TrustTable, ValueTable, equal_shares, frozen_overrides
from coopgym.games.state import State
from coopgym.games.traits import Traits
from coopgym.mechanisms.interdependence import explicit, symmetric
from coopgym.mechanisms.reciprocity import reciprocity_effects, remember, response, susceptibility

LEAST_MULTIPLIER = 0.01


@dataclass(frozen=True)
class ReciprocityTable:
    """Reciprocity parameters (TR-4 Eq. 19-25)."""

    rho_0: float
    """Scale ρ₀ of the answer to a partner."""
    eta: float
    """Exponent η of dependence in the answer."""
    kappa: float
    """Sensitivity κ_r per unit of action."""
    window: int
    """Memory k, steps."""
    strength: float
    """λ_R."""
    omega: float
    """Amplification by dependence ω_r."""


@dataclass(frozen=True)
class ReciprocityState(State):
    """State of a game with memory of conduct."""

    memory: Array
    """``(..., k, N)`` last actions without the first of the episode, oldest first; unused entries zero."""


@dataclass(frozen=True, kw_only=True)
class ReciprocityParameters(Parameters):
    """Parameters of the reciprocity games."""

    trust_params: Mapping[str, Any] | Pairs | None = parameter(
        None, doc="overrides of lambda_plus, lambda_minus, mu_R, delta_R, xi, kappa, initial_trust, initial_reputation"
    )
    value_params: Mapping[str, Any] | Pairs | None = parameter(
        None, doc="overrides of specification ('logarithmic' or 'power'), theta, beta, gamma"
    )

    def __post_init__(self) -> None:
        for name, kind in (("trust_params", TrustTable), ("value_params", ValueTable)):
            overrides = getattr(self, name)
            if overrides is not None:
                object.__setattr__(self, name, frozen_overrides(name, overrides, kind))
        super().__post_init__()


class ReciprocityGame(ReleasedGame[ReciprocityState, ReciprocityParameters]):
    """TR-1 payoffs times a bounded answer to the deviation from remembered conduct (TR-4 Eq. 19-25, 44)."""

    state_class = ReciprocityState
    Parameters = ReciprocityParameters
    mechanism_class = "TR-4"
    standard: ClassVar[GameTable]
    """The game's numbers before the parameters' overrides."""
    reciprocity: ClassVar[ReciprocityTable]

    def __init__(self, parameters: ReciprocityParameters, backend: Backend = NUMPY) -> None:
        super().__init__(parameters, backend)
        kind = self.reciprocity
        matrix = susceptibility(self.spec.interdependence, kind.strength, kind.rho_0, kind.eta, kind.omega)
        self.susceptibility = backend.array(matrix)
        self.mean_endowment = float(self.spec.endowments.mean())

    def table(self) -> GameTable:
        return replace(
            self.standard,
            trust=replace(self.standard.trust, **dict(self.parameters.trust_params or ())),
            value=replace(self.standard.value, **dict(self.parameters.value_params or ())),
        )

    def overridden(self) -> dict[str, Any]:
        found = super().overridden()
        for name, standard in (("trust_params", self.standard.trust), ("value_params", self.standard.value)):
            pairs = {key: value for key, value in found.pop(name, ()) if value != getattr(standard, key)}
            found |= {name: pairs} if pairs else {}
        return found

    def initial_stocks(self, batch: tuple[int, ...], options: ResetOptions, uniforms: Array | None) -> dict[str, Array]:
        return {"memory": self.full((*batch, self.reciprocity.window, self.n_agents), 0.0)}

    def advance(
        self, before: ReciprocityState, shared: Shared, payoffs: Array, normals: Array | None
    ) -> dict[str, Array]:
        # Whatever the window, the mean over the last min(k, t - 1) steps never reaches back to the first action.
        remembered = shared.last_action * (before.t > 0)[..., None]
        return {"memory": remember(before.memory, remembered, self.xp)}

    def multiplier(self, after: ReciprocityState) -> Array:
        effects = self.effects(after, self.deviations(after))
        return self.xp.maximum(1.0 + effects.sum(-1) / self.mean_endowment, LEAST_MULTIPLIER)

    def averages(self, state: ReciprocityState) -> Array:
        """Remembered average conduct ā ``(..., N)``, action units (TR-4 Eq. 20)."""
        remembered = self.xp.maximum(self.xp.minimum(state.t - 1, self.reciprocity.window), 1)
        return state.memory.sum(-2) / self.backend.array(remembered)[..., None]

    def deviations(self, state: ReciprocityState) -> Array:
        """Deviation of the last action from remembered conduct, s ``(..., N)``, action units (TR-4 Eq. 19)."""
        return state.last_action - self.averages(state)

    def effects(self, state: ReciprocityState, deviations: Array) -> Array:
        """Pairwise effects λ_R T_ij (1 + ω_r D_ij) ρ_ij tanh(κ_r s_j), ``(..., N, N)`` (TR-4 Eq. 44)."""
        answer = response(deviations, self.reciprocity.kappa, self.xp)
        return reciprocity_effects(state.trust, self.susceptibility, answer)

    def state_info(self, state: ReciprocityState) -> dict[str, Any]:
        others, averages = self.trust_rates.others, self.averages(state)
        deviations = (state.last_action - averages) * (state.t > 0)[..., None]
        return {
            "cooperation_signals": deviations[..., None, :] * others,
            "reciprocity_effects": self.effects(state, deviations),
            "memory_averages": averages[..., None, :] * others,
            "tr4_memory_window": self.reciprocity.window,
        }

    def stocks(self, state: ReciprocityState) -> list[Array]:
        return [self.xp.where((state.t > 0)[..., None], self.multiplier(state), 1.0)]

    def traits(self) -> Traits:
        return super().traits().extended(published=frozenset({"coopetition", "reciprocity"}))


class ReciprocalDilemma(ReciprocityGame):
    """Reciprocal dilemma as released in Coopetition-Gym v1.0 (TR-4)."""

    id = "ReciprocalDilemma-v0"
    page = pages.RECIPROCAL_DILEMMA
    category = "dyadic / reciprocity"
    reciprocity = ReciprocityTable(rho_0=1.0, eta=1.0, kappa=1.0, window=5, strength=1.0, omega=0.6)
    standard = GameTable(
        endowments=(100.0, 100.0),
        baselines=(30.0, 30.0),
        shares=(0.5, 0.5),
        interdependence=symmetric(2, 0.5),
    )


class GiftExchange(ReciprocityGame):
    """Gift exchange as released in Coopetition-Gym v1.0 (TR-4)."""

    id = "GiftExchange-v0"
    page = pages.GIFT_EXCHANGE
    category = "dyadic / reciprocity"
    reciprocity = ReciprocityTable(rho_0=1.2, eta=1.5, kappa=1.0, window=3, strength=1.2, omega=0.8)
    standard = GameTable(
        endowments=(100.0, 80.0),
        baselines=(30.0, 24.0),
        shares=(0.5, 0.5),
        interdependence=explicit([[0.0, 0.4], [0.7, 0.0]]),
        roles=("employer", "worker"),
    )


class IndirectReciprocity(ReciprocityGame):
    """Indirect reciprocity as released in Coopetition-Gym v1.0 (TR-4)."""

    id = "IndirectReciprocity-v0"
    page = pages.INDIRECT_RECIPROCITY
    category = "reciprocity"
    defaults = {"max_steps": 150}
    reciprocity = ReciprocityTable(rho_0=0.8, eta=1.0, kappa=1.0, window=7, strength=1.5, omega=0.5)
    standard = GameTable(
        endowments=(100.0,) * 4,
        baselines=(30.0,) * 4,
        shares=equal_shares(4),
        interdependence=symmetric(4, 0.4),
    )


class GraduatedSanction(ReciprocityGame):
    """Graduated sanction as released in Coopetition-Gym v1.0 (TR-4)."""

    id = "GraduatedSanction-v0"
    page = pages.GRADUATED_SANCTION
    category = "reciprocity"
    defaults = {"max_steps": 200}
    reciprocity = ReciprocityTable(rho_0=0.6, eta=1.5, kappa=0.8, window=10, strength=1.8, omega=1.0)
    standard = GameTable(
        endowments=(100.0,) * 6,
        baselines=(40.0,) * 6,
        shares=equal_shares(6),
        interdependence=symmetric(6, 0.35),
    )


class AppleAppStore(ReciprocityGame):
    """Apple App Store as released in Coopetition-Gym v1.0 (TR-4)."""

    id = "AppleAppStore-v0"
    page = pages.APPLE_APP_STORE
    category = "validated case study"
    defaults = {"max_steps": 66}
    reciprocity = ReciprocityTable(rho_0=1.0, eta=1.2, kappa=0.8, window=4, strength=1.0, omega=0.8)
    standard = GameTable(
        endowments=(100.0, 80.0, 60.0),
        baselines=(30.0, 24.0, 18.0),
        shares=equal_shares(3),
        interdependence=explicit([[0.0, 0.3, 0.2], [0.8, 0.0, 0.15], [0.85, 0.1, 0.0]]),
        trust=TrustTable(initial_trust=0.6),
        roles=("Apple", "major developers", "small developers"),
    )
