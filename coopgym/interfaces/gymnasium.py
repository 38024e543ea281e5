"""Gymnasium environments: one seat against scripted partners, or a joint controller of all seats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import gymnasium
import numpy as np
import numpy.typing as npt

from coopgym.games.game import AnyGame, checked_view
from coopgym.games.registry import make_game
from coopgym.interfaces.info import Info, InfoSchema
from coopgym.interfaces.rendering import FRAMES_PER_SECOND, RENDER_MODES, Renderer
from coopgym.interfaces.spaces import (
    Observation,
    checked_control,
    checked_seat,
    joint_action_space,
    joint_observation_space,
    seat_action_space,
    seat_observation_space,
)
from coopgym.interfaces.specification import Specified
from coopgym.interfaces.tally import Tally
from coopgym.play.engine import Engine
from coopgym.play.partners import Partners, PartnersLike
from coopgym.rewards import RewardLayer, reward_layer
from coopgym.small_arrays import total
from coopgym.typing import Frame

Control = Literal["seat", "joint"]


class _GameEnv(Specified, gymnasium.Env[Observation, npt.NDArray[np.float32]]):
    """What both environments share: an engine, a view, rendering, and refusal to step a finished episode."""

    metadata = {"render_modes": list(RENDER_MODES), "render_fps": FRAMES_PER_SECOND}

    def __init__(
        self, game: AnyGame, reward: str | RewardLayer, view: str | None, actions: str | None, render_mode: str | None
    ) -> None:
        self.game = game
        self.view = checked_view(game, view)
        self.render_mode = render_mode
        self._engine = Engine(game, reward, actions=actions)
        self._renderer = Renderer(game, render_mode)
        self._schema = InfoSchema(game)
        self._running = False

    def _start(self, seed: int | None, options: Mapping[str, Any] | None) -> Info:
        self._engine.reset(seed, options)  # first, as it may refuse: then no generator has moved
        super().reset(seed=None if seed is None else int(seed))
        self._running = True
        self._tally = Tally.blank((self.game.n_agents,))
        self._renderer.restart(self._engine.state)
        return self._schema.of_reset(self._engine.state)

    def _refuse_unless_running(self) -> None:
        if not self._running:
            raise RuntimeError(f"{self.game.id}: the episode is over (or never began); call reset() before step()")

    def _play(self, levels: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], bool, bool, Info]:
        before = self._engine.state
        transition, rewards = self._engine.advance(levels)
        terminated, truncated = bool(transition.terminated), bool(transition.truncated)
        self._running = not (terminated or truncated)
        self._renderer.note(transition.state, transition.payoffs)
        self._tally = self._tally.add(rewards)
        info = self._schema.of_step(before, levels, transition, rewards, self._tally)
        return rewards, terminated, truncated, info

    def render(self) -> str | Frame | None:
        """Draw the current state in the render mode; None without one."""
        return self._renderer.render(self._engine.state)


class JointEnv(_GameEnv):
    """All seats under one controller.

    Action: ``(N,)``, how much every agent cooperates, on the scale of ``actions``. Observation: the joint vector of the
    view. Reward: the sum over agents (or, with ``scalar_reward=False``, the vector ``(N,)``). ``info`` always holds the
    vectors: ``rewards``, ``payoffs``, and what was played as ``shares`` and ``units`` of endowment; see `InfoSchema`.
    """

    def __init__(
        self,
        id: str,
        reward: str | RewardLayer = "integrated",
        view: str | None = None,
        scalar_reward: bool = True,
        actions: str | None = None,
        render_mode: str | None = None,
        **parameters: Any,
    ) -> None:
        super().__init__(make_game(id, **parameters), reward, view, actions, render_mode)
        self.scalar_reward = scalar_reward
        self.action_space = joint_action_space(self._engine.scale)
        self.observation_space = joint_observation_space(self.game, self.view)

    def _observe(self) -> Observation:
        return self.game.observe_jointly(self._engine.state, self.view).astype(np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Observation, Info]:
        """Start an episode; options as in `Engine.reset`."""
        info = self._start(seed, options)
        return self._observe(), info

    def step(self, action: Any) -> tuple[Observation, Any, bool, bool, Info]:
        """Play one joint step.

        Raises:
            ValueError: actions of the wrong shape, not finite or out of range.
            RuntimeError: the episode is over.
        """
        self._refuse_unless_running()
        rewards, terminated, truncated, info = self._play(self._engine.check(action).copy())
        reward = float(total(rewards)) if self.scalar_reward else rewards.copy()
        return self._observe(), reward, terminated, truncated, info


class SeatEnv(_GameEnv):
    """One learning seat; scripted partners fill the others.

    Action: ``(1,)``, how much the seat cooperates, on the scale of ``actions``. Observation: what the seat sees under
    the view. Reward: the seat's own. Partners see the ``own`` view, whatever the learner sees.
    """

    def __init__(
        self,
        id: str,
        reward: str | RewardLayer = "integrated",
        seat: int = 0,
        partners: PartnersLike = "TitForTat",
        view: str | None = None,
        actions: str | None = None,
        render_mode: str | None = None,
        **parameters: Any,
    ) -> None:
        super().__init__(make_game(id, **parameters), reward, view, actions, render_mode)
        self.seat = checked_seat(self.game, seat)
        self.action_space = seat_action_space(self._engine.scale, self.seat)
        self.observation_space = seat_observation_space(self.game, self.view, self._engine.scale, self.seat)
        self._partners = Partners(self.game, self.seat, partners, reward_layer(reward))

    def _observe(self) -> Observation:
        return self.game.observe_seat(self._engine.state, self.view, self.seat).astype(np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Observation, Info]:
        """Start an episode; options as in `Engine.reset`. The seed also seeds the partners."""
        info = self._start(seed, options)
        self._partners.begin([self.np_random])
        return self._observe(), info

    def step(self, action: Any) -> tuple[Observation, float, bool, bool, Info]:
        """Play the seat's action against the partners' own.

        Raises:
            ValueError: an action of the wrong shape, not finite or out of range.
            RuntimeError: the episode is over.
        """
        self._refuse_unless_running()
        own = self._engine.check_seat(self.seat, action)  # before the partners, who remember, are asked
        joint = self._partners.fill(own, self._engine.state)[0]
        rewards, terminated, truncated, info = self._play(joint)
        return self._observe(), float(rewards[self.seat]), terminated, truncated, info


def make_env(game: str, control: Control = "seat", **keywords: Any) -> SeatEnv | JointEnv:
    """Make the environment behind ``gymnasium.make("coopgym/<Id>", ...)``.

    Args:
        game: game id.
        control: ``"seat"`` for one learning seat with scripted partners, ``"joint"`` for a controller of all seats.
        keywords: of `SeatEnv` or `JointEnv` (``reward``, ``view``, ``actions``, ``seat``, ``partners``,
            ``render_mode``) and of the game. ``actions`` says what is sent as an action: ``"symmetric"``, a number in
            [-1, 1] from nothing to the whole endowment; ``"share"`` of the endowment, in [0, 1]; or ``"units"`` of it,
            in [0, e_i]. The formal edition takes symmetric actions by default, the released one units. Seats act on the
            same scale and in the same spaces unless they act in units.

    Raises:
        ValueError: an unknown control, id, reward, view or unit of actions, a parameter out of range.
        TypeError: an unknown parameter.

    >>> env = make_env("TrustDilemma-v1", partners="TitForTat", actions="share")
    >>> observation, info = env.reset(seed=0)
    >>> observation, reward, terminated, truncated, info = env.step(np.array([0.3]))
    >>> observation.shape, round(float(reward), 2), truncated
    ((9,), 2.34, False)
    """
    environments: Mapping[str, type[SeatEnv] | type[JointEnv]] = {"seat": SeatEnv, "joint": JointEnv}
    return environments[checked_control(control, keywords)](game, **keywords)
