"""Stable-baselines3: every seat of every copy as one slot of a ``VecEnv``, for learners that share parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from time import perf_counter
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from coopgym.extras import missing_extra
from coopgym.games.actions import real_numbers
from coopgym.games.game import checked_view
from coopgym.games.registry import make_game
from coopgym.interfaces.rendering import BatchRenderer
from coopgym.interfaces.spaces import (
    Observation,
    checked_num_envs,
    common_observation_space,
    seat_action_space,
)
from coopgym.interfaces.specification import Specified
from coopgym.interfaces.tally import Tally
from coopgym.play.engine import Engine
from coopgym.rewards import RewardLayer
from coopgym.typing import Frame

try:
    from stable_baselines3.common.monitor import Monitor
    from stable_baselines3.common.vec_env import VecEnv
except ImportError as error:
    raise missing_extra("coopgym.interfaces.sb3", "stable_baselines3") from error


class SeatVecEnv(Specified, VecEnv):
    """Slot k·N + i is seat i of copy k; all copies of a game end together or are reset row by row.

    Actions: ``(slots, 1)`` in [-1, 1], from nothing to the whole endowment, unless ``actions`` says otherwise: slots of
    seats with different endowments share a space. Observations: what each seat sees. Rewards: each seat's own. Infos:
    each seat's ``payoff``, and at the end of an episode what `Monitor` tells of it, under ``episode``.
    """

    def __init__(
        self,
        id: str,
        num_envs: int,
        reward: str | RewardLayer = "integrated",
        view: str | None = None,
        actions: str | None = "symmetric",
        render_mode: str | None = None,
        **parameters: Any,
    ) -> None:
        self.game = make_game(id, **parameters)
        self.view = checked_view(self.game, view)
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode={render_mode!r}: expected 'rgb_array' or None")
        self.render_mode = render_mode
        self.copies = num_envs = checked_num_envs(num_envs)
        self._engine = Engine(self.game, reward, (num_envs,), actions=actions)
        scale = self._engine.scale
        if not scale.same_for_all_seats and len(set(self.game.spec.endowments)) > 1:
            raise ValueError(
                f"actions={scale.unit!r}: the seats of {self.game.id} have different endowments, but slots share one "
                "space of actions; expected 'symmetric' or 'share'"
            )
        self._actions = np.zeros((num_envs, self.game.n_agents))
        self._renderer = BatchRenderer(self.game, render_mode, num_envs)
        self._begun = perf_counter()
        layer = {"reward": reward, "view": view, "actions": actions, "render_mode": render_mode}
        registered = gymnasium.spec(f"coopgym/{self.game.id}")
        self.spec = dataclasses.replace(registered, kwargs={**registered.kwargs, **layer, **parameters})
        observations = common_observation_space(self.game, self.view)
        super().__init__(num_envs * self.game.n_agents, observations, seat_action_space(scale, 0))

    def _observe(self) -> Observation:
        seen = self.game.observe(self._engine.state, self.view).astype(np.float32)
        return seen.reshape(self.num_envs, -1)

    def reset(self) -> Observation:
        """Start all episodes, with what `seed` and `set_options` were given, if anything."""
        self._engine.reset(self._seeds[0], self._options[0])
        self._reset_seeds()
        self._reset_options()
        self._tally = Tally.blank(self._engine.action_shape)
        self._renderer.restart(self._engine.state, np.ones(self.copies, dtype=bool))
        self.reset_infos = [{"payoff": np.float64(0.0)} for _ in range(self.num_envs)]
        return self._observe()

    def step_async(self, actions: npt.NDArray[np.float32]) -> None:
        """Take actions ``(slots, 1)``.

        Raises:
            ValueError: another shape; values are checked when the step is played.
        """
        try:
            numbers = np.asarray(real_numbers(actions), dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{self.game.id}: expected numbers of shape ({self.num_envs}, 1): {error}") from error
        if numbers.shape != (self.num_envs, 1):
            raise ValueError(f"{self.game.id}: expected actions of shape ({self.num_envs}, 1), got {numbers.shape}")
        self._actions = numbers.reshape(self._actions.shape).copy()

    def step_wait(
        self,
    ) -> tuple[Observation, npt.NDArray[np.float32], npt.NDArray[np.bool_], list[dict[str, Any]]]:
        """Play the step; finished copies start anew and hand out their last observation in ``infos``."""
        transition, rewards = self._engine.step(self._actions)
        done = transition.terminated | transition.truncated
        self._tally = self._tally.add(rewards)
        infos: list[dict[str, Any]] = [{"payoff": payoff} for payoff in transition.payoffs.reshape(-1)]
        observations = self._observe()
        self._renderer.note(transition.state, transition.payoffs, np.zeros(self.copies, dtype=bool))
        if done.any():
            cut = np.repeat(transition.truncated & ~transition.terminated, self.game.n_agents)
            for slot in np.flatnonzero(np.repeat(done, self.game.n_agents)):
                infos[slot]["terminal_observation"] = observations[slot].copy()
                infos[slot]["TimeLimit.truncated"] = bool(cut[slot])
                infos[slot]["episode"] = self._episode(*divmod(int(slot), self.game.n_agents))
            self._engine.reset_where(done)
            self._tally = self._tally.renewed(done)
            self._renderer.restart(self._engine.state, done)
            observations = self._observe()
        return observations, rewards.reshape(-1).astype(np.float32), np.repeat(done, self.game.n_agents), infos

    def _episode(self, copy: int, seat: int) -> dict[str, Any]:
        """What `Monitor` would tell of an episode that is over: the seat's return, the length, seconds gone by."""
        elapsed = round(perf_counter() - self._begun, 6)
        return {"r": float(self._tally.rewards[copy, seat]), "l": int(self._tally.steps[copy]), "t": elapsed}

    def get_images(self) -> Sequence[Frame | None]:
        """Return a picture of every copy, which its seats share."""
        pictures = self._renderer.render(self._engine.state) or (None,) * self.copies
        return [picture for picture in pictures if not isinstance(picture, str)]

    def close(self) -> None:
        """Nothing to release."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return an attribute of this environment once per slot asked for."""
        return [getattr(self, attr_name)] * len(self._slots(indices))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Set an attribute of this environment, for all slots at once.

        Raises:
            AttributeError: for some slots only, as they share one batch.
        """
        self._require_all(f"set {attr_name!r}", indices)
        setattr(self, attr_name, value)

    def env_method(self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any) -> list[Any]:
        """Call a method of this environment, for all slots at once; every slot gets what it returns.

        Raises:
            AttributeError: for some slots only, as they share one batch, or no such method.
        """
        self._require_all(f"call {method_name!r}", indices)
        return [getattr(self, method_name)(*method_args, **method_kwargs)] * self.num_envs

    def _require_all(self, what: str, indices: Any) -> None:
        if set(self._slots(indices)) != set(range(self.num_envs)):
            raise AttributeError(f"cannot {what} for some slots, which share one batch; leave out indices")

    def env_is_wrapped(self, wrapper_class: type[Any], indices: Any = None) -> list[bool]:
        """Slots are not wrapped, but tell of their episodes as if they were in a `Monitor`."""
        return [issubclass(wrapper_class, Monitor)] * len(self._slots(indices))

    def _slots(self, indices: int | Sequence[int] | None) -> list[int]:
        return list(self._get_indices(indices))


def seat_vec_env(
    id: str,
    num_envs: int,
    *,
    reward: str | RewardLayer = "integrated",
    view: str | None = None,
    actions: str | None = "symmetric",
    render_mode: str | None = None,
    **parameters: Any,
) -> SeatVecEnv:
    """Make a stable-baselines3 ``VecEnv`` with one slot per seat and copy.

    Args:
        id: for example ``"TeamProduction-v1"``.
        num_envs: copies of the game; the environment has ``num_envs`` times N slots.
        reward: text, a mode or `Rewards`, as `coopgym.reward_layer` takes it.
        view: ``"own"``, ``"full"``, ``"minimal"`` or None for the game's default.
        actions: ``"symmetric"`` or ``"share"``, as in `coopgym.interfaces.gymnasium.make_env`; ``"units"`` where all
            endowments are equal. None is the game's default.
        render_mode: ``"rgb_array"``, a picture of every copy, or None.
        parameters: keywords of the game.

    Raises:
        ValueError, TypeError: as `coopgym.make_game`.
    """
    return SeatVecEnv(id, num_envs, reward, view, actions, render_mode, **parameters)
