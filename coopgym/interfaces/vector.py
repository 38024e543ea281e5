"""Gymnasium vector environments: one batch of arrays instead of many Python objects."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from coopgym.games.game import AnyGame, Transition, checked_view
from coopgym.games.registry import make_game
from coopgym.games.state import State
from coopgym.interfaces.deferred import DeferredInfo
from coopgym.interfaces.info import Info, InfoSchema
from coopgym.interfaces.rendering import FRAMES_PER_SECOND, RENDER_MODES, BatchRenderer
from coopgym.interfaces.spaces import (
    Observation,
    Space,
    checked_control,
    checked_limit,
    checked_num_envs,
    checked_seat,
    joint_action_space,
    joint_observation_space,
    seat_action_space,
    seat_observation_space,
)
from coopgym.interfaces.specification import Specified
from coopgym.interfaces.tally import Tally
from coopgym.play.engine import Engine, Seeds, checked_options
from coopgym.play.partners import Partners, PartnersLike
from coopgym.rewards import RewardLayer, reward_layer
from coopgym.typing import BoolArray

VectorStep = tuple[Observation, npt.NDArray[np.float64], BoolArray, BoolArray, Info]


class _GameVectorEnv(Specified, VectorEnv[Observation, npt.NDArray[np.float32], Any], ABC):
    """What both vector environments share: an engine over the batch and the autoreset of finished rows.

    Infos are those of single environments, row by row, with Gymnasium's masks: ``info["_key"]`` says which rows have
    ``info["key"]``. They are reckoned when they are first read.
    """

    def __init__(
        self,
        game: AnyGame,
        num_envs: int,
        reward: str | RewardLayer,
        view: str | None,
        actions: str | None,
        autoreset_mode: AutoresetMode | str,
        max_episode_steps: int | None,
        render_mode: str | None,
    ) -> None:
        self.game = game
        self.num_envs = num_envs = checked_num_envs(num_envs)
        self.view = checked_view(game, view)
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {
            "render_modes": list(RENDER_MODES),
            "render_fps": FRAMES_PER_SECOND,
            "autoreset_mode": self.autoreset_mode,
        }
        self.render_mode = render_mode
        self._limit = checked_limit(max_episode_steps)
        self._engine = Engine(game, reward, (num_envs,), actions=actions)
        self.single_observation_space, self.single_action_space = self._single_spaces()
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._schema = InfoSchema(game, (num_envs,))
        self._renderer = BatchRenderer(game, render_mode, num_envs)
        self._finished = np.ones(num_envs, dtype=bool)
        self._begun = False

    @abstractmethod
    def _single_spaces(self) -> tuple[Space, Space]:
        """Spaces of the observations and actions of one row."""

    @abstractmethod
    def _observe(self) -> Observation:
        """What the controller sees, one row per environment."""

    @abstractmethod
    def _levels(self, actions: Any) -> npt.NDArray[np.float64]:
        """Cooperation levels of all seats ``(num_envs, N)``, in endowment units, when the controller sends actions."""

    def _begin_partners(self, seed: Seeds) -> None:
        """Have scripted partners begin in all rows, each with its row's seed."""

    def _restart_partners(self, rows: BoolArray) -> None:
        """Tell scripted partners that some rows start a new episode."""

    @abstractmethod
    def _reward(self, rewards: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Scalar rewards ``(num_envs,)`` from rewards ``(num_envs, N)``."""

    def reset(self, *, seed: Seeds = None, options: Mapping[str, Any] | None = None) -> tuple[Observation, Info]:
        """Start all episodes, row k with seed + k, or only ``options["reset_mask"]``; more options: `Engine.reset`."""
        options = dict(checked_options(options))
        mask = options.pop("reset_mask", None)
        if mask is None:
            self._engine.reset(seed, options)
            if seed is not None:
                super().reset(seed=int(np.asarray(seed).reshape(-1)[0]))
            self._finished = np.zeros(self.num_envs, dtype=bool)
            self._begun = True
            self._tally = Tally.blank(self._engine.action_shape)
            self._begin_partners(seed)
            started = np.ones(self.num_envs, dtype=bool)
        else:
            started = self._checked_mask(mask, seed, options)
            self._reset_rows(started)
        self._renderer.restart(self._engine.state, started)
        return self._observe(), DeferredInfo(partial(self._told_of_start, self._engine.state, started.copy()))

    def _checked_mask(self, mask: Any, seed: Seeds, options: Mapping[str, Any]) -> BoolArray:
        rows = np.asarray(mask)
        if rows.dtype != np.bool_ or rows.shape != (self.num_envs,) or not rows.any():
            raise ValueError(
                f"reset_mask: expected {self.num_envs} booleans with at least one True, got {rows.dtype} {rows.shape}"
            )
        if seed is not None or options:
            raise ValueError("reset_mask goes with neither a seed nor other options; reset all rows to use them")
        if not self._begun:
            raise RuntimeError("call reset() for all rows before resetting some of them")
        return rows

    def _reset_rows(self, rows: BoolArray) -> None:
        self._engine.reset_where(rows)
        self._finished = self._finished & ~rows
        self._tally = self._tally.renewed(rows)
        self._restart_partners(rows)

    def step(self, actions: Any) -> VectorStep:
        """Play one step in every row.

        Rows that finished are started anew by the declared autoreset mode: at the next step, whose actions and rewards
        then do not count (NEXT_STEP), in the same step with ``info["final_obs"]`` and ``info["final_info"]``
        (SAME_STEP), or by the caller (DISABLED).

        Raises:
            ValueError: actions of the wrong shape, not finite or out of range.
            RuntimeError: before the first reset, or a finished row under DISABLED.
        """
        if not self._begun:
            raise RuntimeError("call reset() before step()")
        renewed = self._finished
        anyone_renewed = bool(renewed.any())
        if anyone_renewed and self.autoreset_mode is AutoresetMode.DISABLED:
            rows = np.flatnonzero(renewed)[:5].tolist()
            raise RuntimeError(f'episodes of rows {rows} are over: reset(options={{"reset_mask": ...}}) before step()')
        live = ~renewed if anyone_renewed else None
        before, levels = self._engine.state, self._levels(actions)
        transition, rewards = self._engine.advance(levels, live)
        self._tally = tally = self._tally.add(rewards)
        reward = self._reward(rewards)
        terminated, truncated = transition.terminated, transition.truncated
        if self._limit is not None:
            truncated = truncated | (tally.steps >= self._limit)
        if anyone_renewed:
            self._reset_rows(renewed)
            reward = np.where(renewed, 0.0, reward)
            terminated, truncated = terminated & ~renewed, truncated & ~renewed
        self._finished = terminated | truncated
        observation, last = self._observe(), None
        self._renderer.note(self._engine.state, transition.payoffs, renewed)
        if self.autoreset_mode is AutoresetMode.SAME_STEP and self._finished.any():
            renewed, last = self._finished, observation
            self._reset_rows(renewed)
            observation = self._observe()
            self._renderer.restart(self._engine.state, renewed)
        played = _Played(before, levels, transition, rewards, tally)
        fresh = self._engine.state if anyone_renewed or last is not None else None
        info = DeferredInfo(partial(self._told_of_step, played, fresh, renewed, last))
        return observation, reward, terminated, truncated, info

    def _told_of_start(self, state: State, rows: BoolArray) -> Info:
        return _masked(self._schema.of_reset(state), rows)

    def _told_of_step(self, played: _Played, fresh: State | None, renewed: BoolArray, last: Observation | None) -> Info:
        """Infos of a step in which some rows started anew; ``last`` holds what they saw last if they also played."""
        told = self._schema.of_step(*played)
        everyone = np.ones(self.num_envs, dtype=bool)
        if fresh is None:
            return _masked(told, everyone)
        started = self._schema.of_reset(fresh)
        now = _masked({name: _chosen(renewed, started[name], value) for name, value in told.items()}, everyone)
        if last is None:
            return now
        observations = np.full(self.num_envs, None, dtype=object)
        for row in np.flatnonzero(renewed):
            observations[row] = last[row]
        return now | _masked({"final_obs": observations, "final_info": _masked(told, renewed)}, renewed)

    def render(self) -> tuple[Any, ...] | None:
        """Draw the current state of every row in the render mode; None without one."""
        return self._renderer.render(self._engine.state)


class _Played(NamedTuple):
    """A step as `InfoSchema.of_step` describes it."""

    before: State
    levels: npt.NDArray[np.float64]
    transition: Transition
    rewards: npt.NDArray[np.float64]
    tally: Tally


def _chosen(rows: BoolArray, there: Any, elsewhere: Any) -> Any:
    return np.where(rows.reshape(-1, *(1,) * (elsewhere.ndim - 1)), there, elsewhere)


def _masked(told: Info, rows: BoolArray) -> Info:
    """Leave values in some rows only, beside the masks that say so, as Gymnasium does."""
    described: Info = {}
    for name, value in told.items():
        known = isinstance(value, dict) or value.dtype == object or rows.all()
        described[name] = value if known else _chosen(rows, value, np.zeros_like(value))
        described[f"_{name}"] = rows.copy()
    return described


class JointVectorEnv(_GameVectorEnv):
    """A joint controller in every row: actions ``(num_envs, N)``, reward the sum over agents."""

    def __init__(
        self,
        id: str,
        num_envs: int = 1,
        reward: str | RewardLayer = "integrated",
        view: str | None = None,
        actions: str | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        max_episode_steps: int | None = None,
        render_mode: str | None = None,
        **parameters: Any,
    ) -> None:
        game = make_game(id, **parameters)
        super().__init__(game, num_envs, reward, view, actions, autoreset_mode, max_episode_steps, render_mode)

    def _single_spaces(self) -> tuple[Space, Space]:
        return joint_observation_space(self.game, self.view), joint_action_space(self._engine.scale)

    def _observe(self) -> Observation:
        return self.game.observe_jointly(self._engine.state, self.view).astype(np.float32)

    def _levels(self, actions: Any) -> npt.NDArray[np.float64]:
        levels = self._engine.check(actions)
        return levels.copy() if levels is actions else levels

    def _reward(self, rewards: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.add.reduce(rewards, axis=-1)


class SeatVectorEnv(_GameVectorEnv):
    """One learning seat per row against scripted partners: actions ``(num_envs, 1)``, reward the seat's own."""

    def __init__(
        self,
        id: str,
        num_envs: int = 1,
        reward: str | RewardLayer = "integrated",
        seat: int = 0,
        partners: PartnersLike = "TitForTat",
        view: str | None = None,
        actions: str | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        max_episode_steps: int | None = None,
        render_mode: str | None = None,
        **parameters: Any,
    ) -> None:
        game = make_game(id, **parameters)
        self.seat = checked_seat(game, seat)
        super().__init__(game, num_envs, reward, view, actions, autoreset_mode, max_episode_steps, render_mode)
        self._partners = Partners(game, self.seat, partners, reward_layer(reward))
        self._streams: list[np.random.Generator] = []

    def _observe(self) -> Observation:
        return self.game.observe_seat(self._engine.state, self.view, self.seat).astype(np.float32)

    def _single_spaces(self) -> tuple[Space, Space]:
        seen = seat_observation_space(self.game, self.view, self._engine.scale, self.seat)
        return seen, seat_action_space(self._engine.scale, self.seat)

    def _levels(self, actions: Any) -> npt.NDArray[np.float64]:
        own = self._engine.check_seat(self.seat, actions)  # before the partners, who remember, are asked
        return self._partners.fill(own, self._engine.state)

    def _begin_partners(self, seed: Seeds) -> None:
        if seed is not None:
            seeds = np.asarray(seed).reshape(-1).tolist()
            per_row = seeds if len(seeds) == self.num_envs else range(seeds[0], seeds[0] + self.num_envs)
            self._streams = [np.random.default_rng(each) for each in per_row]
        elif not self._streams:
            self._streams = self.np_random.spawn(self.num_envs)
        self._partners.begin(self._streams)

    def _restart_partners(self, rows: BoolArray) -> None:
        if rows.all() and not self._partners.restarts:
            self._partners.begin(self._streams)
        else:
            self._partners.restart(rows)

    def _reward(self, rewards: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return rewards[:, self.seat].copy()


def make_vector_env(
    game: str, num_envs: int = 1, control: str = "seat", **keywords: Any
) -> JointVectorEnv | SeatVectorEnv:
    """Make the environment behind ``gymnasium.make_vec("coopgym/<Id>", num_envs=...)``.

    Args:
        game: game id.
        num_envs: rows of the batch.
        control: ``"seat"`` or ``"joint"``, as in `coopgym.interfaces.gymnasium.make_env`.
        keywords: ``reward``, ``view``, ``actions``, ``autoreset_mode``, ``render_mode``, ``seat`` and ``partners``
            (seat control), game parameters; and ``max_episode_steps``, at which episodes are cut as Gymnasium's
            ``TimeLimit`` does it: the game's own horizon, ``max_steps``, stays, and so does the time that agents see.

    Raises:
        ValueError, TypeError: as `coopgym.interfaces.gymnasium.make_env`.
    """
    environments: Mapping[str, type[JointVectorEnv] | type[SeatVectorEnv]] = {
        "seat": SeatVectorEnv,
        "joint": JointVectorEnv,
    }
    return environments[checked_control(control, keywords)](game, num_envs, **keywords)
