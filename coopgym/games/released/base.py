"""What the twenty released games share: one step, one observation, one block of diagnostics."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import numpy as np

from coopgym.backend import NUMPY, Array, Backend
from coopgym.games.game import Game, ResetOptions, Transition, require_own_gamma
from coopgym.games.observation import ObservationMap, Positions
from coopgym.games.parameters import Parameters
from coopgym.games.released import observation
from coopgym.games.released.table import GameTable
from coopgym.games.spec import GameSpec, View
from coopgym.games.state import State
from coopgym.games.step import Step
from coopgym.games.traits import Traits
from coopgym.mechanisms.trust import TrustRates, conduct_signal, mean_over_pairs, update_trust
from coopgym.mechanisms.value import (
    SYNERGY_FLOOR,
    bargained_payoffs,
    geometric_mean_synergy,
    logarithmic_value,
    power_value,
)
from coopgym.small_arrays import total
from coopgym.typing import FloatArray

StateT = TypeVar("StateT", bound=State)
ParametersT = TypeVar("ParametersT", bound=Parameters)

NOTHING = np.zeros(0)


class Shared(NamedTuple):
    """What a step makes of the arrays that all states have, in their order.

    A tuple, as for a single environment a frozen state takes as long to make as two operations on its arrays.
    """

    t: Array
    last_action: Array
    trust: Array
    damage: Array


@dataclass
class ReleasedTransition(Transition):
    """A step that remembers what payoffs, weights and diagnostics are made of."""

    ceiling: Array
    """``(..., N, N)`` 1 - R, what reputation leaves of trust after the step (TR-2 Eq. 8)."""
    effective_trust: Array
    """``(..., N, N)`` min(T, 1 - R) after the step."""
    individual_values: Array
    """``(..., N)`` f(a)."""
    synergy: Array
    """``(...)`` γ g(a)."""


class ReleasedGame(Game[StateT], Generic[StateT, ParametersT]):
    """A game of the released edition: trust moves first, then payoffs are weighted with the trust it led to.

    Actions: ``(..., N)`` in [0, e_i], rounded to single precision.

    Observation per agent, raw units, time t/T_max: ``full`` [a_i | a_j | T | R_i | public damage | D_i | time],
    N² + 4N entries; ``own`` the same with the row T_i instead of T, 5N; ``minimal`` [a_i | T_i], N + 1. The joint
    ``full`` observation is [a | T | R | D | t | tail]; what a game shows in its tail lags one step.

    Start: last action at the baseline, uniform trust and damage between agents.

    End: truncated at ``max_steps``; terminated where a game says so, for all agents together.

    What it pays and how trust moves stands in `coopgym.games.released.pages.shared`. A game states its `table` and,
    where it has them, the stocks it carries (`initial_stocks`, `advance`), its `multiplier`, its `penalty` and its rule
    of termination (`ended`).

    Source: Coopetition-Gym v1.0 (arXiv:2605.02063), whose trajectories this edition reproduces.
    """

    state_class: ClassVar[type[State]] = State
    mechanism_class: ClassVar[str]
    category: ClassVar[str]
    parameters: ParametersT

    def __init__(self, parameters: ParametersT, backend: Backend = NUMPY) -> None:
        super().__init__(parameters, backend)
        spec, table, n = self.spec, self.table(), self.n_agents
        self.baselines = backend.array(spec.baselines.astype(np.float32))
        self.interdependence = backend.array(spec.interdependence)
        self.shares = backend.array(spec.shares)
        self.diagonal = backend.array(np.eye(n))
        self.single_endowments = self.single(spec.endowments)
        self.value = table.value
        self.trust = table.trust
        self.value_scale = backend.constant(table.value.theta)
        self.synergy_floor = backend.constant(SYNERGY_FLOOR)
        self.sensitivity = backend.constant(table.trust.kappa)
        self.trust_rates = TrustRates.from_parameters(
            backend,
            self.interdependence,
            self.trust.lambda_plus,
            self.trust.lambda_minus,
            self.trust.mu_R,
            self.trust.delta_R,
            self.trust.xi,
        )
        self._maps: dict[View, ObservationMap] = {}

    # What a game is

    @abstractmethod
    def table(self) -> GameTable:
        """The numbers of the game that follow from its parameters."""

    def describe(self) -> GameSpec:
        table = self.table()
        return GameSpec(
            id=self.id,
            edition="released",
            mechanism_class=self.mechanism_class,
            category=self.category,
            summary=self.in_one_sentence(),
            roles=table.roles or tuple(f"agent_{i}" for i in range(len(table.endowments))),
            horizon=self.parameters.max_steps,
            endowments=np.asarray(table.endowments, dtype=np.float64),
            baselines=np.asarray(table.baselines, dtype=np.float64),
            shares=np.asarray(table.shares, dtype=np.float64),
            interdependence=table.interdependence,
            parameters=self.parameters,
            default_view="full",
            payoff_unit="unit of endowment",
            default_actions="units",
            reveals_moves=True,
            tolerance=1e-6,
        )

    # How a game starts

    def initial_state(
        self,
        batch: tuple[int, ...] = (),
        options: ResetOptions | None = None,
        uniforms: Array | None = None,
        normals: Array | None = None,
    ) -> StateT:
        options = options or ResetOptions()
        if options.world:
            raise ValueError(f"{self.id} has no worlds: they belong to the formal edition (-v1)")
        if options.gamma is not None and "gamma" not in self.state_class.__dataclass_fields__:
            require_own_gamma(self.id, options.gamma, self.value.gamma)
        n, others = self.n_agents, 1.0 - self.diagonal
        trust, damage = options.initial_trust, options.initial_reputation
        trust = self._aligned(batch, self.trust.initial_trust if trust is None else trust, 2)
        damage = self._aligned(batch, self.trust.initial_reputation if damage is None else damage, 2)
        state: StateT = self.state_class(  # type: ignore[assignment]  # the class of states is the game's own
            t=self.full(batch, 0, self.xp.int64),
            last_action=self.full((*batch, n), self.baselines),
            trust=self.full((*batch, n, n), others * trust + self.diagonal),
            damage=self.full((*batch, n, n), others * damage),
            **self.initial_stocks(batch, options, uniforms),
        )
        if options.initial_state:
            state = self._overridden(batch, state, options.initial_state)
        return self.shown(state, normals)

    def initial_stocks(self, batch: tuple[int, ...], options: ResetOptions, uniforms: Array | None) -> dict[str, Array]:
        """A game's own stocks at reset."""
        return {}

    def shown(self, state: StateT, normals: Array | None) -> StateT:
        """Complete a first state by what the joint observation shows of its stocks."""
        return state

    def full(self, shape: tuple[int, ...], value: Any, dtype: Any = None) -> Array:
        """Return a new array of a shape from a number or a smaller array, in the backend's type unless given one.

        Raises:
            ValueError: the value does not fit the shape.
        """
        values = self.backend.array(value, dtype)
        empty = self.xp.zeros(shape, dtype=values.dtype, device=values.device)
        try:
            return empty + self.xp.broadcast_to(values, shape)
        except (ValueError, RuntimeError) as error:
            raise ValueError(f"{self.id}: cannot fill shape {shape} from shape {tuple(values.shape)}") from error

    def single(self, values: Any) -> Array:
        """Return values as a float32 array of this backend."""
        return self.xp.astype(self.backend.array(values), self.xp.float32)

    def _overridden(self, batch: tuple[int, ...], state: StateT, values: Mapping[str, Any]) -> StateT:
        fields = vars(state)
        unknown = sorted(set(values) - set(fields))
        if unknown:
            raise ValueError(f"{self.id} has no state {unknown} to set at reset; it has {', '.join(fields)}")
        given = {}
        for name, value in values.items():
            field = fields[name]
            given[name] = self.full(tuple(field.shape), self._overriding(batch, name, value, field), field.dtype)
        return dataclasses.replace(state, **given)

    # How a game moves and what it pays

    def step(self, state: StateT, actions: Array, normals: Array | None = None) -> Transition:
        action = self.backend.cast(self.backend.cast(actions, self.xp.float32))
        trust, damage = self.relations(state, action)
        shared = Shared(state.t + 1, action, trust, damage)
        ceiling = self.trust_rates.one - damage
        effective_trust = self.xp.minimum(trust, ceiling)
        values, synergy = self.individual_value(action), self.synergy(state, action)
        payoffs = self.payoffs(action, values, synergy)
        after: StateT = self.state_class(  # type: ignore[assignment]  # the class of states is the game's own
            *shared, **self.advance(state, shared, payoffs, normals)
        )
        return ReleasedTransition(
            state=after,
            payoffs=payoffs,
            weights=self.weights(effective_trust),
            relational=None,
            multiplier=self.multiplier(after),
            penalty=self.penalty(state, after),
            terminated=self.ended(after),
            truncated=after.t >= self.spec.horizon,
            ceiling=ceiling,
            effective_trust=effective_trust,
            individual_values=values,
            synergy=synergy,
        )

    def stage(self, state: StateT, actions: Array) -> Transition:
        """What the payoff layer pays under the trust in force: no trust update, no multiplier, no penalty."""
        truncated = state.t >= self.spec.horizon
        ceiling = self.trust_rates.one - state.damage
        effective_trust = self.xp.minimum(state.trust, ceiling)
        values, synergy = self.individual_value(actions), self.synergy(state, actions)
        return ReleasedTransition(
            state=state,
            payoffs=self.payoffs(actions, values, synergy),
            weights=self.weights(effective_trust),
            relational=None,
            multiplier=None,
            penalty=None,
            terminated=truncated & False,
            truncated=truncated,
            ceiling=ceiling,
            effective_trust=effective_trust,
            individual_values=values,
            synergy=synergy,
        )

    def common_interest(self, transition: Transition) -> Array:
        return transition.utilities()

    def transformed(self, step: Step, rewards: Array) -> Array:
        transition = step.transition
        if transition.multiplier is not None:
            rewards = rewards * transition.multiplier
        if transition.penalty is not None:
            rewards = rewards - transition.penalty
        return rewards

    def relations(self, state: StateT, action: Array) -> tuple[Array, Array]:
        """Trust and reputation damage after an action (TR-2 Eq. 5-9)."""
        return update_trust(state.trust, state.damage, self.signals_sent(state, action), self.trust_rates, self.xp)

    def signals_sent(self, state: StateT, actions: Array) -> Array:
        return conduct_signal(actions, self.baselines, self.sensitivity, self.xp)

    def weights(self, effective_trust: Array) -> Array:
        """Weights W = T∘D on partners' payoffs, ``(..., N, N)`` (TR-1 Eq. 13)."""
        return effective_trust * self.interdependence

    def individual_value(self, action: Array) -> Array:
        """What an agent's own action is worth to it, f(a) ``(..., N)`` (TR-1 Eq. 5, 6)."""
        if self.value.specification == "power":
            return power_value(action, self.value.beta, self.xp)
        return logarithmic_value(action, self.value_scale, self.xp)

    def synergy(self, state: StateT, action: Array) -> Array:
        """What the joint action is worth, γ g(a) ``(...)`` (TR-1 Eq. 7)."""
        return self.synergy_weight(state) * geometric_mean_synergy(action, self.xp, self.synergy_floor)

    def synergy_weight(self, state: StateT) -> float | Array:
        """Synergy weight γ in force."""
        return self.value.gamma

    def payoffs(self, action: Array, values: Array, synergy: Array) -> Array:
        """Material payoffs π ``(..., N)`` of an action worth f(a) ``(..., N)`` and γ g(a) ``(...)`` (TR-1 Eq. 11)."""
        return bargained_payoffs(self.endowments, action, values, self.shares, synergy)

    def advance(self, before: StateT, shared: Shared, payoffs: Array, normals: Array | None) -> dict[str, Array]:
        """A game's own stocks after a step.

        Args:
            before: the state in which the agents chose.
            shared: the part of the state after the step that all games have.
            payoffs: ``(..., N)`` material payoffs of the step.
            normals: the step's random draws, where the game asks for some.
        """
        return {}

    def multiplier(self, after: StateT) -> Array | None:
        """Factor ``(..., N)`` on rewards that the state after a step implies."""
        return None

    def penalty(self, before: StateT, after: StateT) -> Array | None:
        """Amount ``(..., N)`` taken from rewards after the multiplier."""
        return None

    def ended(self, after: StateT) -> Array:
        """Whether the relation ends, ``(...)``."""
        return after.t < 0  # never

    def cooperation(self, state: State | Shared) -> Array:
        """Last actions as shares c of endowment, ``(..., N)`` in single precision."""
        return self.backend.cast(state.last_action, self.xp.float32) / self.single_endowments

    # What agents see

    def tail(self, state: StateT) -> Array | None:
        """What the joint observation adds to the shared entries, ``(..., m)``."""
        return None

    def tail_bounds(self) -> tuple[FloatArray, FloatArray]:
        """Least and greatest values of the tail."""
        return NOTHING, NOTHING

    def observe(self, state: StateT, view: View) -> Array:
        mapping = self.observation_map(view)
        return mapping.per_agent(self._world(state))

    def observe_seat(self, state: StateT, view: View, seat: int) -> Array:
        mapping = self.observation_map(view)
        return mapping.of_seat(self._world(state), seat)

    def observe_jointly(self, state: StateT, view: View) -> Array:
        if view != "full":
            return self.observe(state, view).reshape((*state.t.shape, -1))
        tail = self.tail(state)
        parts = (state.last_action, state.trust, state.damage, None, self.backend.array(state.t))
        return self._joined(state, *parts) if tail is None else self._joined(state, *parts, tail)

    def _world(self, state: StateT) -> Array:
        """Everything that seats see of a state as one vector ``(..., length)``, in the order of `observation`."""
        public_damage = state.damage.sum(-1) / self.n_agents
        parts = (state.last_action, state.trust, state.damage, public_damage, None, self.time_share(state))
        return self._joined(state, *parts)

    def _joined(self, state: State, *parts: Array | None) -> Array:
        """Concatenate arrays as one vector per environment; None stands for D."""
        batch = state.t.shape
        if not batch:
            return self.xp.concat([(self.interdependence if part is None else part).ravel() for part in parts])
        dependence = self.xp.broadcast_to(self.interdependence, (*batch, *self.interdependence.shape))
        row = (*batch, -1)
        return self.xp.concat([(dependence if part is None else part).reshape(row) for part in parts], axis=-1)

    def observation_bounds(self, view: View) -> tuple[FloatArray, FloatArray]:
        return self._bounds(self.observation_map(view).positions)

    def seat_observation_bounds(self, view: View, seat: int) -> tuple[FloatArray, FloatArray]:
        return self._bounds(self.observation_map(view).seat_positions(seat))

    def common_observation_bounds(self, view: View) -> tuple[FloatArray, FloatArray]:
        low, high = self.seat_observation_bounds(view, 0)
        is_action = self.observation_map(view).seat_positions(0) < self.n_agents
        return low, np.where(is_action, self.spec.endowments.max(), high)

    def _bounds(self, positions: Positions) -> tuple[FloatArray, FloatArray]:
        """Least and greatest values at positions in the world: actions come first, everything else is in [0, 1]."""
        is_action = positions < self.n_agents
        high = np.ones(positions.shape)
        high[is_action] = self.spec.endowments[positions[is_action]]
        return np.zeros_like(high), high

    def joint_observation_bounds(self, view: View) -> tuple[FloatArray, FloatArray]:
        if view != "full":
            low, high = self.observation_bounds(view)
            return low.reshape(-1), high.reshape(-1)
        n = self.n_agents
        least_tail, greatest_tail = self.tail_bounds()
        relations, horizon = np.ones(3 * n * n), [float(self.spec.horizon)]
        return (
            np.concatenate([np.zeros(3 * n * n + n + 1), least_tail]),
            np.concatenate([self.spec.endowments, relations, horizon, greatest_tail]),
        )

    def observation_columns(self, view: View, seat: int) -> dict[str, list[int]]:
        return observation.seat_columns(self.observation_map(view), seat)

    def observation_map(self, view: View) -> ObservationMap:
        """Which entries of the world each agent sees under a view."""
        if view not in self._maps:
            with self.backend.lasting():
                self._maps[view] = observation.observation_map(self.backend, view, self.n_agents)
        return self._maps[view]

    @cached_property
    def action_scale(self) -> FloatArray:
        return 1.0 / self.spec.endowments

    # What an analyst sees

    def state_info(self, state: StateT) -> dict[str, Any]:
        """A game's own diagnostics of a state."""
        return {}

    def step_info(self, before: StateT, transition: Transition) -> dict[str, Any]:
        """A game's own diagnostics of a step; they take precedence over those of the state."""
        return {}

    def diagnostics(self, state: StateT) -> dict[str, Any]:
        return self._described(self.stage(state, state.last_action))

    def _described(self, step: Any) -> dict[str, Any]:
        """Describe the state that a `ReleasedTransition` led to."""
        state, share = step.state, self.cooperation(step.state)
        return {
            "step": state.t,
            "mean_trust": mean_over_pairs(state.trust),
            "mean_effective_trust": mean_over_pairs(step.effective_trust),
            "mean_reputation_damage": 1.0 - mean_over_pairs(step.ceiling),
            "total_value": total(step.individual_values) + step.synergy,
            "mean_cooperation": total(state.last_action) / self.n_agents,
            "cooperation_rate": total(share) / self.n_agents,
            "cooperation": share,
            **self.state_info(state),
        }

    def step_diagnostics(self, before: StateT, actions: Array, transition: Transition) -> dict[str, Any]:
        return {
            **self._described(transition),
            "actions": transition.state.last_action,
            "payoffs": transition.payoffs,
            "welfare": total(transition.payoffs),
            **self.step_info(before, transition),
        }

    def mean_damage(self, state: State) -> Array:
        """Mean reputation damage between agents, ``(...)``."""
        return 1.0 - mean_over_pairs(1.0 - state.damage)

    def extra_state(self, state: StateT) -> Array:
        stocks = self.stocks(state)
        if not stocks:
            return state.last_action[..., :0]
        return self.xp.concat([self.xp.astype(stock, self.backend.dtype) for stock in stocks], axis=-1)

    def stocks(self, state: StateT) -> list[Array]:
        """A game's own state in the order of the specification, each ``(..., m)``."""
        return []

    def traits(self) -> Traits:
        inherited = super().traits()
        return inherited.extended(
            published=frozenset({"coopetition"}),
            unbounded="released edition: multipliers and penalties on rewards jump with conduct, and no bound on "
            "them is proved",
        )
