"""Gymnasium spaces of a game: bounded boxes in single precision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box

from coopgym.games.actions import ActionScale
from coopgym.games.game import AnyGame
from coopgym.games.spec import View

MOST_ENVS = 100_000_000
"""Rows of a batch of which any memory holds the arrays."""

Observation = npt.NDArray[np.float32]
Space: TypeAlias = "Box[np.float32]"  # in quotes: Gymnasium before 1.4 has no type parameters


def checked_seat(game: AnyGame, seat: Any) -> int:
    """Return a seat number of the game.

    Raises:
        ValueError: no such seat.
    """
    if isinstance(seat, bool) or not isinstance(seat, int | np.integer) or not 0 <= seat < game.n_agents:
        raise ValueError(f"seat={seat!r}: {game.id} has seats 0 to {game.n_agents - 1}")
    return int(seat)


def checked_control(control: Any, keywords: Mapping[str, Any]) -> str:
    """Return who is controlled, ``"seat"`` or ``"joint"``.

    Raises:
        ValueError: neither of them.
        TypeError: keywords of a seat for a joint controller.
    """
    if control not in ("seat", "joint"):
        raise ValueError(f"control={control!r}: expected 'seat' or 'joint'")
    misplaced = sorted({"seat", "partners"} & set(keywords)) if control == "joint" else []
    if misplaced:
        raise TypeError(
            f"control='joint' got an unexpected keyword argument {misplaced[-1]!r}; it is for control='seat', as a "
            "joint controller plays every seat"
        )
    return str(control)


def checked_num_envs(num_envs: Any) -> int:
    """Return a number of environments.

    Raises:
        ValueError: not a whole number of at least one.
    """
    if isinstance(num_envs, bool) or not isinstance(num_envs, int | np.integer) or not 1 <= num_envs <= MOST_ENVS:
        raise ValueError(f"num_envs={num_envs!r}: expected a whole number of at least 1, and at most {MOST_ENVS:,}")
    return int(num_envs)


def checked_limit(max_episode_steps: Any) -> int | None:
    """Return after how many steps episodes are cut; None, or -1 as Gymnasium writes it, is for no limit.

    Raises:
        ValueError: no such number.
    """
    if max_episode_steps is None or max_episode_steps == -1:
        return None
    whole = isinstance(max_episode_steps, int | np.integer) and not isinstance(max_episode_steps, bool)
    if not whole or max_episode_steps < 1:
        raise ValueError(f"max_episode_steps={max_episode_steps!r}: expected a whole number of at least 1, -1 or None")
    return int(max_episode_steps)


def seat_action_space(scale: ActionScale, seat: int) -> Space:
    """What one seat may send, ``(1,)``."""
    return Box(float(scale.low[seat]), float(scale.high[seat]), (1,), np.float32)


def joint_action_space(scale: ActionScale) -> Space:
    """What all seats may send, ``(N,)``."""
    return _box(scale.low, scale.high)


def seat_observation_space(game: AnyGame, view: View, scale: ActionScale, seat: int) -> Space:
    """What one seat sees under a view: the same space for all seats if they also act on the same scale."""
    if scale.same_for_all_seats:
        return common_observation_space(game, view)
    return _box(*game.seat_observation_bounds(view, seat))


def joined_space(spaces: Iterable[Space]) -> Space:
    """Several spaces one after the other, as one."""
    parts = list(spaces)
    low, high = (np.concatenate([getattr(part, end) for part in parts]) for end in ("low", "high"))
    return _box(low, high)


def common_observation_space(game: AnyGame, view: View) -> Space:
    """What any seat sees under a view."""
    return _box(*game.common_observation_bounds(view))


def joint_observation_space(game: AnyGame, view: View) -> Space:
    """What a joint controller sees under a view."""
    return _box(*game.joint_observation_bounds(view))


def _box(low: npt.NDArray[np.float64], high: npt.NDArray[np.float64]) -> Space:
    return Box(low.astype(np.float32), high.astype(np.float32), dtype=np.float32)
