"""What the twenty formal games share: one step, one observation, one set of parameters (formal edition §1)."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np

from coopgym.backend import NUMPY, Array, Backend
from coopgym.games.formal import observation
from coopgym.games.formal.parameters import FormalParameters
from coopgym.games.formal.payoff_range import payoff_range
from coopgym.games.formal.world_rules import DRAWN, SIGNS, WorldRules
from coopgym.games.game import Game, ResetOptions, Transition, require_own_gamma, required
from coopgym.games.observation import ObservationMap
from coopgym.games.spec import GameSpec, View
from coopgym.games.state import State
from coopgym.games.traits import MECHANISM_OFF, SocialWeights, Traits, seats_of_equal_numbers
from coopgym.mechanisms.trust import (
    SIGNAL_WIDTH,
    TrustRates,
    conduct_signal,
    effective_trust,
    mean_over_pairs,
    update_trust,
)
from coopgym.mechanisms.value import logarithmic_value
from coopgym.small_arrays import total
from coopgym.typing import FloatArray
from coopgym.worlds import FIXED, WORLDS

StateT = TypeVar("StateT", bound=State)
ParametersT = TypeVar("ParametersT", bound=FormalParameters)


class FormalGame(Game[StateT], Generic[StateT, ParametersT]):
    """Base of the formal edition: payoffs are paid from the state before the step, then the state moves.

    A game supplies `payoffs` and, where it has them, `relational`, `conduct`, `norm_in_force`, `advance` and its
    observation blocks.
    """

    state_class: ClassVar[type[State]] = State
    mechanism_class: ClassVar[str]
    category: ClassVar[str]
    synergy_parameter: ClassVar[str] = "gamma"
    """The parameter that weighs joint production."""
    parameters: ParametersT

    def __init__(self, parameters: ParametersT, backend: Backend = NUMPY) -> None:
        super().__init__(parameters, backend)
        spec, array, n = self.spec, backend.array, self.n_agents
        unit = float(spec.endowments.mean())
        self.payoff_unit = unit
        self.interdependence = array(spec.interdependence)
        self.norm = array(spec.baselines / spec.endowments)
        self.shares = array(spec.shares)
        self.kept = array(spec.endowments / unit)
        self.linear_cost = array(parameters.k * spec.endowments / unit)
        self.quadratic_cost = array(parameters.q * spec.endowments / (2.0 * unit))
        self.own_use = backend.constant(parameters.theta / unit)
        self.per_endowment = array(1.0 / spec.endowments)
        self.sensitivity = backend.constant(parameters.kappa / SIGNAL_WIDTH)
        self.trust_rates = TrustRates.from_parameters(
            backend,
            self.interdependence,
            parameters.lambda_plus,
            parameters.lambda_minus,
            parameters.mu_R,
            parameters.delta_R,
            parameters.xi,
        )
        self.diagonal = array(np.eye(n))
        self.step_normals = n if parameters.payoff_noise > 0 else 0
        self.world: WorldRules | None = None
        if parameters.world in WORLDS:
            payoffs = payoff_range(type(self), parameters)
            self.world = WorldRules(WORLDS[parameters.world], parameters.world_spread, payoffs, backend)
            self.reset_uniforms += self.world.reset_uniforms
            self.step_normals += self.world.step_normals
        self._maps: dict[View, ObservationMap] = {}

    # What a game is

    def roles(self) -> tuple[str, ...]:
        """Name the part each agent plays."""
        return tuple(f"agent_{i}" for i in range(self.parameters.agent_count()))

    def describe(self) -> GameSpec:
        parameters = self.parameters
        endowments = parameters.endowment_vector()
        return GameSpec(
            id=self.id,
            edition="formal",
            mechanism_class=self.mechanism_class,
            category=self.category,
            summary=self.in_one_sentence(),
            roles=self.roles(),
            horizon=parameters.max_steps,
            endowments=endowments,
            baselines=parameters.norm_vector() * endowments,
            shares=parameters.bargaining_shares(),
            interdependence=parameters.dependence_matrix(),
            parameters=parameters,
            default_view="own",
        )

    def multiplied(self, cost: float = 1.0, synergy: float = 1.0) -> Self:
        """Return the fixed game with k m, q m and γ g in the places of k, q and γ, as a common world makes it."""
        if not (cost > 0.0 and synergy > 0.0):
            raise ValueError(f"{self.id}: cost={cost:g}, synergy={synergy:g}: expected positive factors")
        own, name = self.parameters, self.synergy_parameter
        weight = np.multiply(getattr(own, name), synergy).tolist()
        changes: dict[str, Any] = {"k": own.k * cost, "q": own.q * cost, name: weight, "world": FIXED}
        return self.made(dataclasses.replace(own, **changes), self.backend)

    def circumstances(self) -> tuple[str, ...]:
        return () if self.world is None else (self.world.in_words(),)

    # What a game pays

    def own_value(self, state: StateT, cooperation: Array) -> Array:
        """Endowment kept, effort cost and own-use value, ``(..., N)`` in payoff units (TR-1 Eq. 6, 11)."""
        slope = self.linear_cost
        if self.parameters.q > 0.0:
            slope = slope + self.quadratic_cost * cooperation
        if state.cost_factor is not None:
            slope = slope * state.cost_factor
        own_use = logarithmic_value(cooperation * self.endowments, self.own_use, self.xp)
        return self.kept - slope * cooperation + own_use

    @property
    def least_cost_factor(self) -> float:
        """The least factor that the world can put on costs."""
        return 1.0 if self.world is None else 1.0 / self.world.spread

    def linear_costs(self, state: StateT) -> Array:
        """Linear cost of full cooperation in the state's world, ``(N,)`` or ``(..., N)`` in payoff units."""
        return self.linear_cost if state.cost_factor is None else self.linear_cost * state.cost_factor

    def amplified(self, state: StateT, product: Array) -> Array:
        """A joint product ``(..., 1)`` or ``(..., N)`` times the synergy factor of the state's world."""
        return product if state.synergy_factor is None else product * state.synergy_factor[..., None]

    @abstractmethod
    def payoffs(self, state: StateT, cooperation: Array) -> Array:
        """Material payoffs π ``(..., N)`` in payoff units of cooperation shares played in a state."""

    def relational(self, state: StateT, cooperation: Array, payoffs: Array) -> Array | None:
        """Relational utility ψ ``(..., N)``, or None."""
        return None

    def weights(self, state: StateT) -> Array:
        """Weights W = T∘D on partners' payoffs, ``(..., N, N)`` (TR-1 Eq. 13)."""
        return effective_trust(state.trust, state.damage, self.xp, self.trust_rates.one) * self.interdependence

    # How a game moves

    def conduct(self, state: StateT, cooperation: Array) -> Array:
        """What partners judge, ``(..., N)``."""
        return cooperation

    def norm_in_force(self, state: StateT, cooperation: Array) -> Array:
        """What conduct is judged against, ``(..., N)`` or ``(N,)``."""
        return self.norm

    def signals(self, state: StateT, cooperation: Array) -> Array:
        """Conduct signals s ``(..., N)`` in (-1, 1)."""
        return conduct_signal(
            self.conduct(state, cooperation), self.norm_in_force(state, cooperation), self.sensitivity, self.xp
        )

    def signals_sent(self, state: StateT, actions: Array) -> Array:
        return self.signals(state, actions * self.per_endowment)

    def updated_trust(self, state: StateT, signals: Array) -> tuple[Array, Array]:
        """Trust and reputation damage after conduct signals ``(..., N)``, both ``(..., N, N)``."""
        return update_trust(state.trust, state.damage, signals, self.trust_rates, self.xp)

    def advance(self, state: StateT, cooperation: Array, payoffs: Array) -> StateT:
        """Return the next state: class stocks, trust and damage, memberships."""
        return self.next_state(state, cooperation)

    def next_state(self, state: StateT, cooperation: Array, signals: Array | None = None, **stocks: Array) -> StateT:
        """Return the next state from trust updated by ``signals`` and the new ``stocks``; others stay."""
        if signals is None:
            signals = self.signals(state, cooperation)
        trust, damage = self.updated_trust(state, signals)
        return self.state_class(  # type: ignore[return-value]  # the class of states is the game's own
            t=state.t + 1, last_action=cooperation, trust=trust, damage=damage, **stocks
        )

    def step(self, state: StateT, actions: Array, normals: Array | None = None) -> Transition:
        cooperation = actions * self.per_endowment
        payoffs = self.payoffs(state, cooperation)
        if self.parameters.payoff_noise > 0:
            payoffs = payoffs + self.parameters.payoff_noise * required(normals, "normals")[..., : self.n_agents]
        after = self.advance(state, cooperation, payoffs)
        if self.world is not None:
            after = self.world.after(state, after, payoffs, normals)
        return self.transition(state, cooperation, payoffs, after)

    def stage(self, state: StateT, actions: Array) -> Transition:
        cooperation = actions * self.per_endowment
        return self.transition(state, cooperation, self.payoffs(state, cooperation), state)

    def stage_payoffs(self, state: StateT, cooperation: Array) -> Array:
        return self.payoffs(state, cooperation)

    def transition(self, state: StateT, cooperation: Array, payoffs: Array, after: StateT) -> Transition:
        """What is paid in ``state`` on the way to ``after``."""
        truncated = after.t >= self.spec.horizon
        return Transition(
            state=after,
            payoffs=payoffs,
            weights=self.weights(state),
            relational=self.relational(state, cooperation, payoffs),
            multiplier=None,
            penalty=None,
            terminated=truncated & False,
            truncated=truncated,
        )

    def initial_relations(self) -> tuple[float, float]:
        """Trust and reputation damage between any two agents at reset."""
        return self.parameters.initial_trust, self.parameters.initial_reputation

    def initial_stocks(self, batch: tuple[int, ...], uniforms: Array | None, normals: Array | None) -> dict[str, Array]:
        """Return the class-specific stocks at reset, each with the batch's leading dimensions."""
        return {}

    def initial_state(
        self,
        batch: tuple[int, ...] = (),
        options: ResetOptions | None = None,
        uniforms: Array | None = None,
        normals: Array | None = None,
    ) -> StateT:
        options = options or ResetOptions()
        n, others = self.n_agents, 1.0 - self.diagonal
        trust, damage = self.initial_relations()
        trust = self._aligned(batch, trust if options.initial_trust is None else options.initial_trust, 2)
        damage = self._aligned(batch, damage if options.initial_reputation is None else options.initial_reputation, 2)
        fields = {
            "t": self.full(batch, 0, dtype=self.xp.int64),
            "last_action": self.full(batch, self.norm, (n,)),
            "trust": self.full(batch, others * trust + self.diagonal, (n, n)),
            "damage": self.full(batch, others * damage, (n, n)),
            **self.initial_stocks(batch, uniforms, normals),
            **self.initial_world(batch, uniforms),
        }
        overrides = dict(options.initial_state or {})
        if options.gamma is not None and "gamma" in fields:
            overrides["gamma"] = options.gamma
        elif options.gamma is not None:
            require_own_gamma(self.id, options.gamma, getattr(self.parameters, "gamma", None))
        if options.world and self.world is None:
            raise ValueError(f"{self.id}: option world: this one is fixed; make the game with world='common', say")
        overrides |= {f"{name}_factor": factor for name, factor in (options.world or {}).items()}
        for name, value in overrides.items():
            if name not in fields:
                raise ValueError(f"{self.id} has no state {name!r} to set at reset; it has {', '.join(fields)}")
            field = fields[name]
            aligned = self._overriding(batch, name, value, field)
            fields[name] = self.full(batch, aligned, field.shape[len(batch) :], field.dtype)
        if self.world is not None and "cost_factor" in overrides:
            self.world.check(fields["cost_factor"])
        return self.state_class(**fields)  # type: ignore[return-value]  # the class of states is the game's own

    def initial_world(self, batch: tuple[int, ...], uniforms: Array | None) -> dict[str, Array]:
        """Return what the world adds to the state at reset."""
        if self.world is None:
            return {}
        shapes = {"cost_factor": (self.n_agents,), "synergy_factor": (), "payoff_share": (self.n_agents,)}
        drawn = self.world.initial(uniforms)
        return {name: self.full(batch, drawn[name], shape) for name, shape in shapes.items()}

    def full(self, batch: tuple[int, ...], value: Any, shape: tuple[int, ...] = (), dtype: Any = None) -> Array:
        """Repeat a value over the batch, as an array ``(*batch, *shape)`` in the backend's type unless given one.

        Raises:
            ValueError: the value does not fit that shape.
        """
        array, target = self.backend.array(value, dtype), (*batch, *shape)
        try:
            return self.xp.broadcast_to(array, target) + 0
        except (ValueError, RuntimeError) as error:
            raise ValueError(f"{self.id}: cannot fill shape {target} from shape {tuple(array.shape)}") from error

    # What an agent sees

    def private_blocks(self, state: StateT) -> dict[str, Array]:
        """What only its owner sees: name to ``(..., N)`` or ``(..., N, m)``."""
        return {}

    def public_blocks(self, state: StateT) -> dict[str, Array]:
        """What everybody sees: name to ``(..., m)``."""
        return {}

    def hidden_blocks(self, state: StateT) -> dict[str, Array]:
        """What only the full view shows: name to ``(..., m)``."""
        return {}

    def _all_private(self, state: StateT) -> dict[str, Array]:
        """The private blocks of the game, then those of its world."""
        blocks = self.private_blocks(state)
        return blocks if self.world is None else {**blocks, **self.world.private_blocks(state)}

    def _all_hidden(self, state: StateT) -> dict[str, Array]:
        """The hidden blocks of the game, then those of its world."""
        blocks = self.hidden_blocks(state)
        return blocks if self.world is None else {**blocks, **self.world.hidden_blocks(state)}

    def observe(self, state: StateT, view: View) -> Array:
        mapping = self.observation_map(view)
        return mapping.per_agent(self._world(state, view))

    def observe_jointly(self, state: StateT, view: View) -> Array:
        mapping = self.observation_map(view)
        return mapping.joint(self._world(state, view))

    def observe_seat(self, state: StateT, view: View, seat: int) -> Array:
        mapping = self.observation_map(view)
        return mapping.of_seat(self._world(state, view), seat)

    def observation_bounds(self, view: View) -> tuple[FloatArray, FloatArray]:
        shape = self.observation_map(view).positions.shape
        return np.zeros(shape), np.ones(shape)

    def seat_observation_bounds(self, view: View, seat: int) -> tuple[FloatArray, FloatArray]:
        size = self.observation_map(view).size
        return np.zeros(size), np.ones(size)

    def common_observation_bounds(self, view: View) -> tuple[FloatArray, FloatArray]:
        return self.seat_observation_bounds(view, 0)

    def joint_observation_bounds(self, view: View) -> tuple[FloatArray, FloatArray]:
        size = self.observation_map(view).joint_size
        return np.zeros(size), np.ones(size)

    def observation_columns(self, view: View, seat: int) -> dict[str, list[int]]:
        return observation.seat_columns(self.observation_map(view), seat)

    def observation_map(self, view: View) -> ObservationMap:
        """Which entries of the world each agent sees under a view."""
        if view not in self._maps:
            with self.backend.lasting():
                self._maps[view] = self._laid_out(view)
        return self._maps[view]

    def _laid_out(self, view: View) -> ObservationMap:
        state = self.initial_state((), None, *self._blank_draws())
        return observation.observation_map(
            self.backend,
            view,
            self.n_agents,
            private={name: self._entries_per_agent(block) for name, block in self._all_private(state).items()},
            public={name: block.shape[-1] for name, block in self.public_blocks(state).items()},
            hidden={name: block.shape[-1] for name, block in self._all_hidden(state).items()},
        )

    def _world(self, state: StateT, view: View) -> Array:
        """Everything observable about a state as one vector ``(..., size)``, in the order `ObservationMap` expects."""
        batch = state.t.shape
        parts = [state.last_action, state.trust, state.damage]
        if view != "minimal":
            parts.append(self._repeated_interdependence(batch))
            parts.extend(self._all_private(state).values())
            parts.extend(self.public_blocks(state).values())
        if view == "full":
            parts.extend(self._all_hidden(state).values())
        parts.append(self.time_share(state))
        if not batch:
            return self.xp.concat([part.ravel() for part in parts])
        row = (*batch, -1)
        return self.xp.concat([part.reshape(row) for part in parts], axis=-1)

    def _repeated_interdependence(self, batch: tuple[int, ...]) -> Array:
        matrix = self.interdependence
        return self.xp.broadcast_to(matrix, (*batch, *matrix.shape)) if batch else matrix

    def _entries_per_agent(self, block: Array) -> int:
        return 1 if block.ndim == 1 else block.shape[-1]

    def _blank_draws(self) -> tuple[Array, Array]:
        return self.backend.array(np.zeros(self.reset_uniforms)), self.backend.array(np.zeros(self.reset_normals))

    # What an analyst sees

    def state_info(self, state: StateT) -> dict[str, Array]:
        """Class-specific diagnostics of a state."""
        return {}

    def step_info(self, before: StateT, cooperation: Array, transition: Transition) -> dict[str, Array]:
        """Class-specific diagnostics of a step."""
        return {}

    def diagnostics(self, state: StateT) -> dict[str, Array]:
        ceiling = self.trust_rates.one - state.damage
        return {
            "mean_trust": mean_over_pairs(state.trust),
            "mean_effective_trust": mean_over_pairs(self.xp.minimum(state.trust, ceiling)),
            "mean_reputation_damage": 1.0 - mean_over_pairs(ceiling),
            "cooperation": state.last_action,
            **self.state_info(state),
        }

    def step_diagnostics(self, before: StateT, actions: Array, transition: Transition) -> dict[str, Array]:
        cooperation = actions * self.per_endowment
        psi = transition.relational
        pairs = max(1, self.n_agents * (self.n_agents - 1))
        after: StateT = transition.state  # type: ignore[assignment]  # a game's transitions hold its own states
        return {
            **self.diagnostics(after),
            "payoffs": transition.payoffs,
            "welfare": total(transition.payoffs),
            "psi": self.xp.zeros_like(transition.payoffs) if psi is None else psi,
            "weights_mean": total(transition.weights.sum(-1)) / pairs,
            "signals": self.signals(before, cooperation),
            **self.step_info(before, cooperation, transition),
        }

    def extra_state(self, state: StateT) -> Array:
        drawn = () if self.world is None else (state.cost_factor, state.synergy_factor[..., None])
        nothing = self.xp.zeros_like(state.last_action)[..., :0]
        return self.xp.concat([nothing, *self.stocks(state), *drawn], axis=-1)

    def stocks(self, state: StateT) -> list[Array]:
        """Class-specific state in the order of the specification, each ``(..., m)``."""
        return []

    # What others may rely on

    def traits(self) -> Traits:
        drawn, signs = ((), {}) if self.world is None else (DRAWN, SIGNS)
        return Traits(
            exchangeable=seats_of_equal_numbers(self.spec),
            exchange="swap",
            monotone_in_actions={"trust": 1, "damage": -1, **dict.fromkeys(drawn, 0)},
            monotone_in_stocks={"trust": 1, "damage": -1, **signs},
            social_weights=self.social_weights,
            differentiable=True,
            world=None if self.world is None else self.world.traits,
            payoff_noise=self.parameters.payoff_noise,
            switches={MECHANISM_OFF: dataclasses.replace(self.parameters, mechanism=False)},
        )

    def social_weights(self, state: StateT) -> SocialWeights:
        """Return the largest social preferences that a state allows; a game with `relational` utility adds to them."""
        none = self.xp.zeros_like(state.last_action)
        return SocialWeights(self.weights(state).sum(-2), none, none)
