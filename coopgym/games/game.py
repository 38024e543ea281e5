"""The game interface: a pure function from state and actions to payoffs and the next state."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeAlias, TypeVar

import numpy as np

from coopgym.backend import NUMPY, Array, Backend, Namespace
from coopgym.games import parameters as params
from coopgym.games.page import GamePage
from coopgym.games.spec import VIEWS, GameSpec, View
from coopgym.games.state import State
from coopgym.games.traits import Traits, seats_of_equal_numbers
from coopgym.small_arrays import applied
from coopgym.typing import FloatArray

if TYPE_CHECKING:
    from coopgym.games.step import Step

StateT = TypeVar("StateT", bound=State)


@dataclass
class Transition:
    """Outcome of one step. Every array has the batch's leading dimensions.

    It is not frozen: for a single environment that would take as long as four operations on its arrays.
    """

    state: State
    payoffs: Array
    """``(..., N)`` material payoffs π."""
    weights: Array
    """``(..., N, N)`` weights W = T∘D on partners' payoffs, zero on the diagonal."""
    relational: Array | None
    """``(..., N)`` relational utility ψ, part of the integrated reward only; None when the game has none."""
    multiplier: Array | None
    """``(..., N)`` factor on rewards of every mode, for `Game.transformed`; None when there is none."""
    penalty: Array | None
    """``(..., N)`` amount taken from rewards after the multiplier, likewise."""
    terminated: Array
    """``(...)`` the relation ended before its time."""
    truncated: Array
    """``(...)`` the horizon is reached."""

    def utilities(self) -> Array:
        """Return payoffs and weighted payoffs of partners, π + Wπ ``(..., N)`` (TR-1 Eq. 13)."""
        return self.payoffs + applied(self.weights, self.payoffs)


@dataclass(frozen=True)
class ResetOptions:
    """Validated reset options in array form; ``None`` means the game's own start."""

    gamma: Array | None = None
    initial_trust: Array | None = None
    initial_reputation: Array | None = None
    initial_state: Mapping[str, Array] | None = None
    world: Mapping[str, Array] | None = None
    """Factors ``cost`` and ``synergy`` of the world, in place of drawn ones."""


class Game(ABC, Generic[StateT]):
    """A configured game on one backend. Stateless: all state goes in and comes out.

    Shapes: ``...`` are batch dimensions, N agents. Actions are in endowment units, in ``[0, e_i]``; callers validate
    and clip (`coopgym.play.engine`), the game computes.

    >>> game = coopgym.make_game("TrustDilemma-v1")
    >>> before = game.initial_state()
    >>> after = game.step(before, np.array([50.0, 50.0]))
    >>> after.payoffs.round(2), after.state.trust[0].round(2)  # trust of 0.5 grows when both exceed the norm of 0.3
    (array([1.75, 1.75]), array([1.  , 0.54]))
    >>> game.observe(after.state, "own").shape, game.traits().exchangeable  # either seat is like the other
    ((2, 9), ((0, 1),))
    """

    id: ClassVar[str]
    version: ClassVar[int] = 1
    """Raise it when the same parameters may give other numbers than before: it is part of the identity of every run."""
    page: ClassVar[GamePage | None] = None
    """What it is in words; without one, `coopgym.games.page.page_of` makes do with docstring and parameters."""
    summary: ClassVar[str] = ""
    """One sentence on what it is about, where no page says it."""
    Parameters: ClassVar[type[params.Parameters]]
    defaults: ClassVar[Mapping[str, Any]] = {}
    """Where this game's parameters differ from the defaults of its parameter class."""
    views: ClassVar[tuple[View, ...]] = VIEWS

    reward_normaliser: float = 1.0
    """Z, the constant by which integrated rewards are divided."""
    may_end_early: bool = False
    """Whether an episode can terminate before its horizon."""
    most_entries: int = 0
    """Newcomers that a seat can have in one episode, at most; 0 where nobody is ever replaced."""
    reset_uniforms: int = 0
    """Numbers uniform on [0, 1) that one reset consumes, drawn before any normal number."""
    reset_normals: int = 0
    """Standard normal numbers that one reset consumes."""
    step_normals: int = 0
    """Standard normal numbers that one step consumes."""

    def __init__(self, parameters: params.Parameters, backend: Backend = NUMPY) -> None:
        self.parameters = parameters
        self.backend = backend
        self.xp: Namespace = backend.xp
        self.spec = self.describe()
        self.n_agents = self.spec.n_agents
        self.endowments: Array = backend.array(self.spec.endowments)
        """Endowments ``(N,)`` on this backend."""
        self.equal_weights: Array = backend.array(np.full(self.n_agents, 1.0 / self.n_agents))
        """``(N,)`` of 1/N on this backend: ``x @ equal_weights`` is the mean over agents."""

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).made, (self.parameters, self.backend)

    @classmethod
    def made(cls, parameters: params.Parameters, backend: Backend) -> Self:
        """Make the game for every mode of its backend, whatever mode is on now."""
        with backend.lasting():
            return cls(parameters, backend)

    @classmethod
    def presets(cls, keywords: Mapping[str, Any]) -> Mapping[str, Any]:
        """Parameters that some keyword (a historical phase, say) presets; other keywords override them."""
        return {}

    @classmethod
    def configure(cls, backend: Backend = NUMPY, **keywords: Any) -> Self:
        """Make the game with some parameters changed.

        Raises:
            TypeError: an unknown parameter or one of the wrong kind.
            ValueError: a parameter out of range.
        """
        chosen = {**cls.defaults, **cls.presets(keywords), **keywords}
        return cls.made(params.build(cls.Parameters, chosen, where=cls.id), backend)

    def to(self, backend: Backend) -> Self:
        """Return the same game computing on another backend."""
        return self.made(self.parameters, backend)

    @classmethod
    def in_one_sentence(cls) -> str:
        """Say what the game is about: in the words of its page, else of its class."""
        return cls.page.summary if cls.page else cls.summary or (cls.__doc__ or cls.id).partition("\n")[0]

    def multiplied(self, cost: float = 1.0, synergy: float = 1.0) -> Self:
        """Return the fixed game in which cooperation costs, and working together yields, so many times as much.

        Raises:
            ValueError: a game without worlds, or a factor that is not positive.
        """
        raise ValueError(f"{self.id} has no worlds: they belong to the formal edition (-v1)")

    def circumstances(self) -> tuple[str, ...]:
        """Return sentences on what its parameters add to the rules of its page; none as a rule."""
        return ()

    @abstractmethod
    def describe(self) -> GameSpec:
        """Return the specification that follows from the parameters."""

    @abstractmethod
    def initial_state(
        self,
        batch: tuple[int, ...] = (),
        options: ResetOptions | None = None,
        uniforms: Array | None = None,
        normals: Array | None = None,
    ) -> StateT:
        """Return the state after reset.

        Args:
            batch: leading dimensions; ``()`` is a single environment.
            options: overrides of parts of the start.
            uniforms: ``(*batch, reset_uniforms)`` numbers in [0, 1), needed when that count is positive.
            normals: ``(*batch, reset_normals)`` standard normal numbers, likewise.
        """

    @abstractmethod
    def step(self, state: StateT, actions: Array, normals: Array | None = None) -> Transition:
        """Play one joint step.

        Args:
            state: the state in which the agents chose.
            actions: ``(..., N)`` within ``[0, e_i]``, endowment units.
            normals: ``(..., step_normals)`` standard normal numbers, needed when that count is positive.
        """

    def stage(self, state: StateT, actions: Array) -> Transition:
        """Return what one step pays in a state and under the weights that hold in it: the game without its future.

        The transition's state is the one passed in. Payoff noise is left out. Shapes as in `step`.
        """
        normals = self.xp.zeros_like(actions[..., :1]) + self.backend.array(np.zeros(self.step_normals))
        return dataclasses.replace(self.step(state, actions, normals if self.step_normals else None), state=state)

    def common_interest(self, transition: Transition) -> Array:
        """Return what each agent adds to the common interest, ``(..., N)``: cooperative rewards are its mean."""
        return transition.payoffs

    def transformed(self, step: Step, rewards: Array) -> Array:
        """Return what the game makes of the rewards ``(..., N)`` that any mode gives to a step; most leave them be."""
        return rewards

    def stage_payoffs(self, state: StateT, cooperation: Array) -> Array:
        """Return material payoffs ``(..., N)``, without noise, of shares of endowment played in a state."""
        return self.stage(state, cooperation * self.endowments).payoffs

    def at_steady_state(self, state: StateT, actions: Array) -> StateT:
        """Return the state in which stocks that merely follow choices stand where these actions keep them.

        A wage posted today is in force tomorrow, say; most games have no such stock and return the state itself.
        """
        return state

    @abstractmethod
    def observe(self, state: StateT, view: View) -> Array:
        """Return what each agent sees, ``(..., N, obs_dim)``."""

    def observe_seat(self, state: StateT, view: View, seat: int) -> Array:
        """Return what one agent sees, ``(..., obs_dim)``."""
        return self.observe(state, view)[..., seat, :]

    @abstractmethod
    def observe_jointly(self, state: StateT, view: View) -> Array:
        """Return what a joint controller sees, ``(..., joint_dim)``."""

    @abstractmethod
    def observation_bounds(self, view: View) -> tuple[FloatArray, FloatArray]:
        """Return the least and greatest values of `observe`, each ``(N, obs_dim)``."""

    def seat_observation_bounds(self, view: View, seat: int) -> tuple[FloatArray, FloatArray]:
        """Return the least and greatest values of `observe_seat`, each ``(obs_dim,)``."""
        low, high = self.observation_bounds(view)
        return low[seat], high[seat]

    def common_observation_bounds(self, view: View) -> tuple[FloatArray, FloatArray]:
        """Return bounds of `observe_seat` that hold for every seat, each ``(obs_dim,)``."""
        low, high = self.observation_bounds(view)
        return low.min(axis=0), high.max(axis=0)

    @abstractmethod
    def joint_observation_bounds(self, view: View) -> tuple[FloatArray, FloatArray]:
        """Return the least and greatest values of `observe_jointly`, each ``(joint_dim,)``."""

    @abstractmethod
    def observation_columns(self, view: View, seat: int) -> dict[str, list[int]]:
        """Name the columns of a seat's observation.

        Blocks every view has: ``own_action`` (1), ``trust`` (T_ij), ``time`` where shown; ``own`` and ``full`` add
        ``partner_actions`` (N - 1, ascending). Further blocks carry the names of the specification.
        """

    @abstractmethod
    def diagnostics(self, state: StateT) -> dict[str, Array]:
        """Describe a state for ``info``: never fed to policies."""

    @abstractmethod
    def step_diagnostics(self, before: StateT, actions: Array, transition: Transition) -> dict[str, Array]:
        """Describe a step for ``info`` (including the state it led to): never fed to policies."""

    def signals_sent(self, state: StateT, actions: Array) -> Array | None:
        """Signals ``(..., N)`` in [-1, 1] that actions in endowment units send to those who judge; None without judges.

        >>> game = coopgym.make_game("SLCD-v0")
        >>> game.signals_sent(game.initial_state(), np.array([31.0, 35.0])).round(2)  # the baseline is 30
        array([0.76, 1.  ])
        """
        return None

    @abstractmethod
    def extra_state(self, state: StateT) -> Array:
        """Return the class-specific state as one vector ``(..., k)``, in the order of the specification."""

    def traits(self) -> Traits:
        """Return what holds of this game and others may rely on.

        A class that changes rules declares traits of its own: what a parent class promises is not believed of it.
        """
        return Traits(exchangeable=seats_of_equal_numbers(self.spec))

    @property
    def stochastic(self) -> bool:
        """Whether resets or steps draw random numbers."""
        return bool(self.reset_uniforms or self.reset_normals or self.step_normals)

    @cached_property
    def action_scale(self) -> FloatArray:
        """Factor from an action seen in an observation to a share of endowment, ``(N,)``."""
        return np.ones(self.n_agents)

    def time_share(self, state: StateT) -> Array:
        """Return the part of the episode that has passed, ``(...)``."""
        # A NumPy number divides in a fraction of the time that an array without dimensions takes.
        return self.backend.array(state.t)[()] / self.spec.horizon

    def _aligned(self, batch: tuple[int, ...], value: Any, own_dims: int, dtype: Any = None) -> Array:
        """Return a reset value so that it broadcasts to ``(*batch, ...)`` with ``own_dims`` dimensions after the batch.

        The number of dimensions decides: a single number or a value of the array's own dimensions is shared by all
        environments; one with the batch's dimensions, alone or before its own, holds one entry per environment.
        """
        array = self.backend.array(value, dtype)
        if array.ndim in (0, own_dims) or array.ndim != len(batch):
            return array
        return array.reshape((*array.shape, *(1,) * own_dims))

    def _overriding(self, batch: tuple[int, ...], name: str, value: Any, field: Array) -> Array:
        """Return a reset value of the state array ``field`` in its type, so that it broadcasts to its shape.

        Raises:
            ValueError: a count that is not a whole number.
        """
        own_dims = field.ndim - len(batch)
        aligned = self._aligned(batch, value, own_dims, field.dtype)
        if field.dtype == self.xp.int64 and (aligned != self._aligned(batch, value, own_dims, self.xp.float64)).any():
            raise ValueError(f"{self.id}: state {name!r} counts; expected whole numbers, got {value!r}")
        return aligned

    def entries(self, state: StateT) -> Array:
        """Return how many newcomers each seat has had, ``(..., N)``; None where nobody is ever replaced."""
        return None

    def parameter_dict(self) -> dict[str, Any]:
        """Return the parameters as plain values, for records and study files; those of later, where they are used."""
        return params.recorded(self.parameters)

    def overridden(self) -> dict[str, Any]:
        """Return the parameters that are not the game's own; `configure` makes the same game of them.

        One game has one answer, however it was asked for: with a default written out, or 8 instead of 8.0.
        """
        chosen = dataclasses.asdict(self.parameters.canonical())
        own = params.build(self.Parameters, {**self.defaults, **self.presets(chosen)}, where=self.id)
        usual = dataclasses.asdict(own.canonical())
        return {name: value for name, value in chosen.items() if value != usual[name]}


def checked_view(game: AnyGame, view: str | None) -> View:
    """Return a view of the game; None is its default.

    Raises:
        ValueError: no such view.
    """
    if view is None:
        return game.spec.default_view
    if view not in VIEWS:
        raise ValueError(f"view={view!r}: expected one of {', '.join(VIEWS)} or None")
    return view


def require_own_gamma(id: str, gamma: Array, own: float | None) -> None:
    """Accept the reset option ``gamma`` of a game without a hidden synergy weight only as a no-op.

    Raises:
        ValueError: it differs from the weight the game has.
    """
    if own is None or bool((abs(gamma - own) > 1e-6 * abs(own)).any()):
        raise ValueError(
            f"{id} draws no synergy weight at reset (it has γ = {own}); the option gamma={gamma!r} would do nothing, "
            "so set the weight as a parameter of the game or leave the option out"
        )


def required(draws: Array | None, name: str) -> Array:
    """Return random numbers that a stochastic game cannot do without.

    Raises:
        ValueError: there are none.
    """
    if draws is None:
        raise ValueError(f"this game is stochastic as configured: pass {name}= (the engines draw them for you)")
    return draws


AnyGame: TypeAlias = Game[Any]
"""A game whatever the kind of its state."""
