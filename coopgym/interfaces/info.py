"""Diagnostics as ``info`` dictionaries."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.backend import Array
from coopgym.games.game import AnyGame, Transition
from coopgym.games.state import State
from coopgym.small_arrays import total


def reset_info(game: AnyGame, state: State) -> dict[str, Any]:
    """Describe the first state of an episode."""
    return _owned({"step": 0, **game.diagnostics(state)})


def step_info(game: AnyGame, before: State, levels: Array, transition: Transition, rewards: Array) -> dict[str, Any]:
    """Describe a step: diagnostics of the game, payoffs and rewards per agent, what was played in units and shares."""
    played = {
        "payoffs": transition.payoffs,
        "rewards": rewards,
        "units": levels,
        "shares": levels / game.spec.endowments,
    }
    described = game.step_diagnostics(before, levels, transition)
    return _owned({"step": int(transition.state.t), **described, **played})


def _owned(described: dict[str, Any]) -> dict[str, Any]:
    """Put copies in the place of arrays, so that callers may keep and change what they are given."""
    for name, value in described.items():
        if type(value) is np.ndarray:
            described[name] = value.copy()
    return described


class RewardTally:
    """Running sums over the rewards of one episode."""

    def __init__(self, n_agents: int) -> None:
        self._sums = np.zeros(n_agents)
        self._squares = 0.0
        self._steps = 0

    def add(self, rewards: npt.NDArray[np.float64]) -> dict[str, Any]:
        """Add a step's rewards ``(N,)`` and describe the episode so far.

        Returns:
            ``cumulative_rewards`` per agent and, from the fourth step on, ``reward_variance``, the population variance
            over all rewards of all agents so far.
        """
        self._sums = self._sums + rewards
        self._squares += float(rewards.dot(rewards))
        self._steps += 1
        described: dict[str, Any] = {"cumulative_rewards": self._sums.copy()}
        if self._steps >= 4:
            count = self._steps * len(rewards)
            described["reward_variance"] = max(self._squares / count - (float(total(self._sums)) / count) ** 2, 0.0)
        return described
