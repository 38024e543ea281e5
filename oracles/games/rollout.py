"""Play out plans: what a game pays when the seats' cooperation is given in advance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from coopgym.backend import Array
from coopgym.games.game import AnyGame, ResetOptions, Transition
from coopgym.games.spec import GameSpec
from coopgym.games.state import State, map_arrays
from coopgym.rewards import Rewards


def opening(game: AnyGame, trust: float | None = None, damage: float | None = None, **stocks: Any) -> State:
    """Return one state after reset, with hidden draws at their medians.

    Args:
        game: on any backend.
        trust: trust between any two agents instead of the game's own, in [0, 1].
        damage: reputation damage likewise.
        stocks: further parts of the state by name.

    Raises:
        ValueError: the game has no such state.
    """
    array = game.backend.array
    options = ResetOptions(
        initial_trust=None if trust is None else array(trust),
        initial_reputation=None if damage is None else array(damage),
        initial_state={name: array(value) for name, value in stocks.items()} or None,
    )
    uniforms = array(np.full(game.reset_uniforms, 0.5)) if game.reset_uniforms else None
    normals = array(np.zeros(game.reset_normals)) if game.reset_normals else None
    return game.initial_state((), options, uniforms, normals)


def checked_state(game: AnyGame, state: State | None) -> State:
    """Return a single state of a game with steps left to play; the opening if none is given.

    Raises:
        ValueError: a batch of states, a state of another game, or one at the horizon.
    """
    if state is None:
        return opening(game)
    kind = type(opening(game))
    if type(state) is not kind:
        raise ValueError(f"{game.id}: expected a state of this game ({kind.__name__}), got {type(state).__name__}")
    if state.t.ndim:
        raise ValueError(f"{game.id}: expected a single state, got a batch of shape {tuple(state.t.shape)}")
    if remaining_steps(game, state) < 1:
        raise ValueError(
            f"{game.id}: the state is at the horizon of {game.spec.horizon} steps, nothing is left to play"
        )
    return state


def payoff_unit(spec: GameSpec) -> float:
    """Size of one payoff unit: 1 in the formal edition, the mean endowment in the released one."""
    return 1.0 if spec.edition == "formal" else float(spec.endowments.mean())


def repeated(game: AnyGame, state: State, batch: tuple[int, ...]) -> State:
    """Repeat a single state over leading dimensions ``batch``, without copying."""
    return map_arrays(lambda array: game.xp.broadcast_to(array, (*batch, *array.shape)), state)


def remaining_steps(game: AnyGame, state: State) -> int:
    """Steps between a state and the horizon; all rows of a batch must stand at the same time."""
    return game.spec.horizon - int(state.t.reshape(-1)[0])


def expected_step(game: AnyGame, state: State, actions: Array) -> Transition:
    """Play one step with payoff noise at its mean."""
    if not game.step_normals:
        return game.step(state, actions)
    blank = game.backend.array(np.zeros(game.step_normals))
    return game.step(state, actions, game.xp.broadcast_to(blank, (*state.t.shape, game.step_normals)))


def plan_returns(game: AnyGame, start: State, plan: Array, layers: Sequence[Rewards]) -> list[Array]:
    """Return what each seat earns in total under each reward layer, undiscounted, ``(..., N)`` per layer.

    Differentiable on the torch backend.

    Args:
        game: on any backend.
        start: batch ``(...)`` of states at the same time.
        plan: cooperation shares ``(steps, ..., N)``, or ``(..., N)`` to hold them until the horizon.
        layers: reward layers to read the same play under.
    """
    constant = plan.ndim == start.t.ndim + 1
    steps = remaining_steps(game, start) if constant else len(plan)
    state, totals = start, [0.0 * start.last_action for _ in layers]
    alive = game.xp.ones_like(start.last_action[..., 0])
    for t in range(steps):
        transition = expected_step(game, state, (plan if constant else plan[t]) * game.endowments)
        rewards = [layer(game, transition) for layer in layers]
        if game.may_end_early:
            rewards = [alive[..., None] * reward for reward in rewards]
            alive = game.xp.where(transition.terminated, 0.0 * alive, alive)
        totals = [total + reward for total, reward in zip(totals, rewards, strict=True)]
        state = transition.state
    return totals
