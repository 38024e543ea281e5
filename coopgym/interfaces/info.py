"""Diagnostics as ``info`` dictionaries."""

from __future__ import annotations

from typing import Any

from coopgym.backend import Array
from coopgym.games.game import AnyGame, Transition
from coopgym.games.state import State


def reset_info(game: AnyGame, state: State) -> dict[str, Any]:
    """Describe the first state of an episode."""
    return {"step": 0, **game.diagnostics(state)}


def step_info(game: AnyGame, before: State, actions: Array, transition: Transition, rewards: Array) -> dict[str, Any]:
    """Describe a step: diagnostics of the game, payoffs and rewards per agent, actions played."""
    return {
        "step": int(transition.state.t),
        **game.step_diagnostics(before, actions, transition),
        "payoffs": transition.payoffs,
        "rewards": rewards,
        "actions": actions,
    }
