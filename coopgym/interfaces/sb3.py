"""Stable-baselines3: every seat of every copy as one slot of a ``VecEnv``, for learners that share parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.extras import missing_extra
from coopgym.games.registry import make_game
from coopgym.interfaces.actions import real_numbers
from coopgym.interfaces.engine import Engine
from coopgym.interfaces.spaces import (
    Observation,
    checked_num_envs,
    checked_view,
    common_observation_space,
    seat_action_space,
)
from coopgym.rewards import RewardLayer

try:
    from stable_baselines3.common.vec_env import VecEnv
except ImportError as error:
    raise missing_extra("coopgym.interfaces.sb3", "stable_baselines3") from error


class SeatVecEnv(VecEnv):
    """Slot k·N + i is seat i of copy k; all copies of a game end together or are reset row by row.

    Actions: ``(slots, 1)`` in [-1, 1], from nothing to the whole endowment, unless ``actions`` says otherwise: slots of
    seats with different endowments share a space. Observations: what each seat sees. Rewards: each seat's own.
    """

    def __init__(
        self,
        id: str,
        num_envs: int,
        reward: str | RewardLayer = "integrated",
        view: str | None = None,
        actions: str | None = "symmetric",
        **parameters: Any,
    ) -> None:
        self.game = make_game(id, **parameters)
        self.view = checked_view(self.game, view)
        self.render_mode = None
        self.copies = num_envs = checked_num_envs(num_envs)
        self._engine = Engine(self.game, reward, (num_envs,), actions=actions)
        scale = self._engine.scale
        if not scale.same_for_all_seats and len(set(self.game.spec.endowments)) > 1:
            raise ValueError(
                f"actions={scale.unit!r}: the seats of {self.game.id} have different endowments, but slots share one "
                "space of actions; expected 'symmetric' or 'share'"
            )
        self._actions = np.zeros((num_envs, self.game.n_agents))
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
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        observations = self._observe()
        if done.any():
            cut = np.repeat(transition.truncated & ~transition.terminated, self.game.n_agents)
            for slot in np.flatnonzero(np.repeat(done, self.game.n_agents)):
                infos[slot] = {
                    "terminal_observation": observations[slot].copy(),
                    "TimeLimit.truncated": bool(cut[slot]),
                }
            self._engine.reset_where(done)
            observations = self._observe()
        return observations, rewards.reshape(-1).astype(np.float32), np.repeat(done, self.game.n_agents), infos

    def close(self) -> None:
        """Nothing to release."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return an attribute of this environment once per slot asked for."""
        return [getattr(self, attr_name)] * len(self._slots(indices))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Slots share one batch, so that none can be changed alone.

        Raises:
            AttributeError: always.
        """
        raise AttributeError(f"cannot set {attr_name!r}: the slots of a SeatVecEnv share one batch")

    def env_method(self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any) -> list[Any]:
        """Slots share one batch, so that no method can be called on one alone.

        Raises:
            AttributeError: always.
        """
        raise AttributeError(f"cannot call {method_name!r} on a slot: the slots of a SeatVecEnv share one batch")

    def env_is_wrapped(self, wrapper_class: type[Any], indices: Any = None) -> list[bool]:
        """Slots are never wrapped."""
        return [False] * len(self._slots(indices))

    def _slots(self, indices: int | Sequence[int] | None) -> list[int]:
        return list(self._get_indices(indices))


def seat_vec_env(
    id: str,
    num_envs: int,
    *,
    reward: str | RewardLayer = "integrated",
    view: str | None = None,
    actions: str | None = "symmetric",
    **parameters: Any,
) -> SeatVecEnv:
    """Make a stable-baselines3 ``VecEnv`` with one slot per seat and copy.

    Args:
        id: for example ``"TeamProduction-v1"``.
        num_envs: copies of the game; the environment has ``num_envs`` times N slots.
        reward: a mode name or layer.
        view: ``"own"``, ``"full"``, ``"minimal"`` or None for the game's default.
        actions: ``"symmetric"`` or ``"share"``, as in `coopgym.interfaces.gymnasium.make_env`; ``"units"`` where all
            endowments are equal. None is the game's default.
        parameters: keywords of the game.

    Raises:
        ValueError, TypeError: as `coopgym.make_game`.
    """
    return SeatVecEnv(id, num_envs, reward, view, actions, **parameters)
