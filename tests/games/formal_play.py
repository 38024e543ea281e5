"""Playing formal games in tests: starts, rollouts and one-shot payoffs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from coopgym.backend import NUMPY, Backend
from coopgym.games.formal import FORMAL, FormalGame
from coopgym.games.game import ResetOptions, Transition
from coopgym.games.state import state_arrays
from coopgym.games.step import Step
from coopgym.play import NOMINAL, unroll
from coopgym.rewards import reward_layer
from coopgym.typing import FloatArray

Game = FormalGame[Any, Any]
BY_ID = {kind.id: kind for kind in FORMAL}
MODES = ("private", "integrated", "cooperative")
every_game = pytest.mark.parametrize("kind", FORMAL, ids=lambda kind: kind.id)


def make(game_id: str, backend: Backend = NUMPY, **keywords: Any) -> Game:
    return BY_ID[game_id].configure(backend, **keywords)


def start(game: Game, batch: tuple[int, ...] = (), seed: int = 0, **options: Any) -> Any:
    rng = np.random.default_rng(seed)
    draws = rng.random((*batch, game.reset_uniforms)), rng.standard_normal((*batch, game.reset_normals))
    return game.initial_state(batch, ResetOptions(**options), *(game.backend.array(draw) for draw in draws))


def rollout(game: Game, state: Any, actions: Any) -> Iterator[tuple[Any, Transition]]:
    """Step through ``actions`` with time first and yield the state before and the transition of each step."""
    for step in unroll(game, lambda t, _: actions[t], start=state, draws=NOMINAL, horizon=len(actions), past_end=True):
        yield step.before, step.transition


def random_actions(game: Game, steps: int, batch: tuple[int, ...] = (), seed: int = 7) -> FloatArray:
    share = np.random.default_rng(seed).random((steps, *batch, game.n_agents))
    return np.asarray(share * game.spec.endowments)


def constant(game: Game, steps: int, share: Any) -> FloatArray:
    return np.broadcast_to(np.asarray(share) * game.spec.endowments, (steps, game.n_agents))


def after_random_play(game: Game, steps: int, batch: tuple[int, ...] = (), seed: int = 7) -> Any:
    state = start(game, batch, seed)
    for _, transition in rollout(game, state, random_actions(game, steps, batch, seed)):
        state = transition.state
    return state


def rewards(game: Game, transition: Transition, mode: str) -> Any:
    state = transition.state
    return reward_layer(mode)(Step(game, 0, state, state.last_action, transition))


def stage_rewards(game: Game, profiles: Any, mode: str = "private", **options: Any) -> FloatArray:
    """Rewards ``(B, N)`` of cooperation shares ``(B, N)`` in the one-shot game at reset.

    Stocks that follow a choice stand where that choice keeps them: the wage in force is the wage posted, the asset of a
    hold-up is the investment.
    """
    profiles = np.asarray(profiles, dtype=float)
    state = start(game, profiles.shape[:-1], **{"gamma": 2.5 if game.id == "SynergySearch-v1" else None, **options})
    steady = {"wage": profiles[..., 0], "asset": profiles[..., 1]}
    fields = set(state_arrays(state))
    state = dataclasses.replace(state, **{name: stock for name, stock in steady.items() if name in fields})
    return np.asarray(rewards(game, game.step(state, profiles * game.spec.endowments), mode))
