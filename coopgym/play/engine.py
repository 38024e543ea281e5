"""The one core behind every interface: it validates actions, draws randomness, steps a game and rewards it."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.backend import Array
from coopgym.games.actions import ROUNDING, ActionScale, real_numbers
from coopgym.games.game import AnyGame, ResetOptions, Transition
from coopgym.games.state import State, select
from coopgym.games.step import Step
from coopgym.play.draws import Seeded
from coopgym.play.unroll import played
from coopgym.rewards import RewardLayer, running_rewards
from coopgym.visible_text import brief

Seeds = int | Sequence[int] | None

_OPTIONS = ("gamma", "initial_trust", "initial_reputation", "initial_state", "public_scores", "loyalty", "world")


_FACTORS = ("cost", "synergy")


class Engine:
    """A batch of environments of one game: state, randomness, rewards.

    The k-th row of the batch (in row-major order) owns the random stream of seed + k, and a single environment is the
    batch ``()``; so row k of a batch equals a single environment with that seed.

    >>> engine = Engine(coopgym.make_game("TrustDilemma-v1"), reward="private", batch=(2,), actions="share")
    >>> engine.reset(seed=0)
    >>> transition, rewards = engine.step([[0.3, 0.3], [0.0, 1.0]])
    >>> rewards.round(3), int(engine.state.t[0])
    (array([[ 1.689,  1.689],
           [ 1.23 , -0.494]]), 1)
    """

    def __init__(
        self,
        game: AnyGame,
        reward: str | RewardLayer | Sequence[str | RewardLayer] = "integrated",
        batch: tuple[int, ...] = (),
        *,
        actions: str | None = "units",
        validate: bool = True,
    ) -> None:
        """Set up without resetting.

        Args:
            game: the game, on the backend that the arrays shall live on.
            reward: one for all rows, or one per entry of the leading batch dimension.
            batch: leading dimensions.
            actions: what is sent as an action, as `ActionScale`; None is the game's default.
            validate: check every action (on a GPU this waits for the device once per step).

        Raises:
            ValueError: an unknown reward or unit of actions, a reward that does not fit the game or needs whole
                episodes, or as many rewards as the leading dimension has not.
        """
        self.game = game
        self.batch = batch
        self.validate = validate
        self.rewards = running_rewards(reward, game, batch)
        """Rewards ``(*batch, N)`` of the step that follows the last one."""
        self.action_shape = (*batch, game.n_agents)
        self._rows = int(np.prod(batch, dtype=np.int64))
        self._draws = Seeded(())
        self.scale = ActionScale(game, actions)
        self._lows: list[float] = self.scale.low.tolist()
        self._highs: list[float] = self.scale.high.tolist()
        self._low, self._high = game.backend.array(self.scale.low), game.backend.array(self.scale.high)
        self._slack = (self._high - self._low) * ROUNDING
        self._start: State | None = None
        self._state: State | None = None

    @property
    def state(self) -> State:
        """The current state.

        Raises:
            RuntimeError: before the first reset.
        """
        if self._state is None:
            raise RuntimeError("call reset() before the first step or observation")
        return self._state

    @state.setter
    def state(self, state: State) -> None:
        self._state = state

    def reset(self, seed: Seeds = None, options: Mapping[str, Any] | None = None) -> None:
        """Start all episodes.

        Args:
            seed: seed of the first row (row k gets seed + k), or one seed per row; None goes on with the streams.
            options: ``gamma``, ``initial_trust``, ``initial_reputation``, ``initial_state`` (names of state arrays to
                values), ``world`` (``cost`` and ``synergy`` to factors); scalars or arrays with the batch's leading
                dimensions.

        Raises:
            ValueError, TypeError: an unknown option or a value that does not fit.
        """
        seeds, parsed = self._checked_seeds(seed), self._options(options)
        if parsed is not None:
            # Values that do not fit are refused before the streams move.
            self.game.initial_state(self.batch, parsed, *self.blank_draws())
        if self.game.stochastic:
            self._seed(seeds)
        self._state = self.game.initial_state(self.batch, parsed, *self._draws.reset(self.game, self.batch))
        self.rewards.reset()

    def blank_draws(self) -> tuple[Array, Array]:
        """Zeros in place of the uniform and normal numbers that one reset consumes."""
        counts = (self.game.reset_uniforms, self.game.reset_normals)
        uniforms, normals = (self.game.backend.array(np.zeros((*self.batch, count))) for count in counts)
        return uniforms, normals

    def reset_where(self, mask: Array) -> None:
        """Start new episodes in the rows where ``mask`` ``(*batch)`` holds, as one operation on the batch."""
        xp = self.game.xp
        if self.game.stochastic:
            rows = np.asarray(mask.cpu() if hasattr(mask, "cpu") else mask).reshape(-1)
            start = self.game.initial_state(self.batch, None, *self._draws.reset(self.game, self.batch, rows))
        else:
            if self._start is None:
                self._start = self.game.initial_state(self.batch)
            start = self._start
        self._state = select(xp, mask, start, self.state)
        self.rewards.reset(mask)

    def step(self, actions: Any, rows: Array | None = None) -> tuple[Transition, Array]:
        """Play one joint step.

        Args:
            actions: ``(*batch, N)`` in the engine's scale.
            rows: booleans over the flattened batch, where random numbers are drawn; None draws for all rows.

        Returns:
            The transition and the rewards ``(*batch, N)``.

        Raises:
            ValueError: wrong shape, NaN, infinite, or out of range beyond rounding.
        """
        return self.advance(self.levels(actions), rows)

    def levels(self, actions: Any) -> Array:
        """Return the cooperation levels in endowment units that actions stand for, checked unless told not to.

        Raises:
            ValueError: as `step`.
        """
        return self.check(actions) if self.validate else self.scale.levels(actions)

    def advance(self, levels: Array, rows: Array | None = None) -> tuple[Transition, Array]:
        """Play one joint step of cooperation levels ``(*batch, N)`` in endowment units, as `check` returns them."""
        step = self.step_from(self.state, levels, self.draw(rows) if self.game.step_normals else None)
        self._state = step.transition.state
        return step.transition, step.rewards

    def step_from(self, state: State, levels: Array, normals: Array | None) -> Step:
        """Return what cooperation levels and random numbers lead to; nothing moves, so that it can be compiled."""
        return played(self.game, state.t, state, levels, normals, rewards=self.rewards)

    def draw(self, rows: Array | None = None) -> Array | None:
        """Draw the random numbers of a step, as for `step`."""
        return self._draws.step(self.game, 0, self.batch, rows)

    def check(self, actions: Any) -> Array:
        """Return the cooperation levels in endowment units that actions stand for, as an array of the backend.

        Actions that miss their range by rounding only are clipped. Units that need no change are returned themselves:
        whoever passes on a stranger's copies them.

        Raises:
            ValueError: as `step`.
        """
        game = self.game
        try:
            array = game.backend.array(real_numbers(actions))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{game.id}: actions must be numbers of shape {self.action_shape}, {self.scale.describe(0)}: {error}"
            ) from error
        if array.shape != self.action_shape:
            raise ValueError(f"{game.id}: expected actions of shape {self.action_shape}, got {tuple(array.shape)}")
        return self.scale.levels(array if self._in_range(array) else self._rounded(array))

    def check_seat(self, seat: int, actions: Any) -> Array:
        """Return one seat's cooperation levels in endowment units, checked before anyone else has moved.

        Args:
            seat: whose actions they are.
            actions: ``(*batch, 1)`` or ``(*batch)`` in the engine's scale.

        Returns:
            The levels ``(*batch)``.

        Raises:
            ValueError: as `step`.
        """
        try:
            numbers = np.asarray(real_numbers(actions), dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise self._misshapen(seat, brief(actions)) from error
        if numbers.shape not in ((*self.batch, 1), self.batch):
            raise self._misshapen(seat, f"shape {numbers.shape}")
        joint = np.zeros(self.action_shape)
        joint[..., seat] = numbers.reshape(self.batch)
        return self.check(joint)[..., seat]

    def _misshapen(self, seat: int, given: str) -> ValueError:
        wanted = f"numbers of shape {(*self.batch, 1)} from agent_{seat}"
        return ValueError(f"{self.game.id}: expected {wanted}, got {given}")

    def _in_range(self, array: Array) -> bool:
        if not self.batch and self.game.xp is np:
            # For a handful of numbers Python's comparisons are faster than array operations; NaN is below no bound.
            numbers = array.tolist()
            return all(map(operator.le, self._lows, numbers)) and all(map(operator.le, numbers, self._highs))
        return bool(((array >= self._low) & (array <= self._high)).all())

    def _rounded(self, array: Array) -> Array:
        game, xp = self.game, self.game.xp
        legal = (array >= self._low - self._slack) & (array <= self._high + self._slack)
        if not bool(legal.all()):
            *row, agent = (int(index[0]) for index in xp.nonzero(~legal))
            value, low, high = float(array[(*row, agent)]), self._lows[agent], self._highs[agent]
            where = f"agent_{agent}" + (f" of row {tuple(row)}" if row else "")
            problem = "is not a finite number" if not np.isfinite(value) else f"lies outside [{low:g}, {high:g}]"
            raise ValueError(
                f"{game.id}: the action {value!r} of {where} {problem}; expected {self.scale.describe(agent)} "
                f"({self.scale.advice(game, agent, value)})"
            )
        return xp.minimum(xp.maximum(array, self._low), self._high)

    def _checked_seeds(self, seed: Seeds) -> Sequence[int] | None:
        """One seed per row, or None to go on with the streams."""
        if seed is None:
            return None
        given = np.asarray(seed)
        if given.dtype.kind not in "iu" or (given < 0).any():
            raise ValueError(f"seed={seed!r}: expected whole numbers of at least 0")
        if given.ndim == 0:
            return range(int(given), int(given) + self._rows)
        if given.size != self._rows:
            raise ValueError(f"expected one seed or {self._rows} seeds, got {given.size}")
        return [int(each) for each in given.reshape(-1)]

    def _seed(self, seeds: Sequence[int] | None) -> None:
        if seeds is None and self._draws.seeds:
            return
        if seeds is None:
            root = int(np.random.SeedSequence().generate_state(1)[0])
            seeds = range(root, root + self._rows)
        self._draws = Seeded(seeds)

    def _options(self, options: Mapping[str, Any] | None) -> ResetOptions | None:
        options = checked_options(options)
        if not options:
            return None
        unknown = sorted(set(options) - set(_OPTIONS))
        if unknown:
            raise ValueError(f"{self.game.id}: unknown reset options {unknown}; known: {', '.join(_OPTIONS)}")
        return ResetOptions(
            gamma=self._number(options, "gamma", 0.0, float("inf")),
            initial_trust=self._number(options, "initial_trust", 0.0, 1.0),
            initial_reputation=self._number(options, "initial_reputation", 0.0, 1.0),
            initial_state=self._stocks(options),
            world=self._factors(options),
        )

    def _factors(self, options: Mapping[str, Any]) -> dict[str, Array]:
        given = options.get("world") or {}
        if not isinstance(given, Mapping) or set(given) - set(_FACTORS):
            raise ValueError(f"option world={brief(given)}: expected a mapping of {' and '.join(_FACTORS)} to factors")
        positive = float(np.finfo(np.float32).tiny)
        factors = {name: self._number(given, name, positive, float("inf")) for name in given}
        return {name: factor for name, factor in factors.items() if factor is not None}

    def _stocks(self, options: Mapping[str, Any]) -> dict[str, Array]:
        given = options.get("initial_state")
        if given is None:
            given = {}
        if not isinstance(given, Mapping):
            raise ValueError(f"option initial_state={given!r}: expected a mapping of state names to numbers")
        given = {**given, **{name: options[name] for name in ("public_scores", "loyalty") if name in options}}
        infinite = float("inf")
        # The game knows the type of each: what counts keeps every digit.
        stocks = {name: _checked(given, name, -infinite, infinite) for name in given}
        return {name: stock for name, stock in stocks.items() if stock is not None}

    def _number(self, options: Mapping[str, Any], name: str, low: float, high: float) -> Array | None:
        array = _checked(options, name, low, high)
        return None if array is None else self.game.backend.array(array)


def _checked(options: Mapping[str, Any], name: str, low: float, high: float) -> npt.NDArray[np.float64] | None:
    """The numbers of an option, None where it is left out."""
    if options.get(name) is None:
        return None
    try:
        array = np.array(options[name], dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"option {name}={brief(options[name])}: expected numbers") from error
    if not (np.isfinite(array) & (array >= low) & (array <= high)).all():
        raise ValueError(f"option {name}={brief(options[name])}: expected finite numbers in [{low:g}, {high:g}]")
    return array


def checked_options(options: Any) -> Mapping[str, Any]:
    """Return the options of a reset, none for None.

    Raises:
        TypeError: neither None nor a mapping.
    """
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        raise TypeError(f"options={brief(options)}: expected a mapping with any of {', '.join(_OPTIONS)}")
    return options
