"""Play out plans: what a game pays when the seats' cooperation is given in advance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from coopgym.backend import Array
from coopgym.games.game import AnyGame, ResetOptions
from coopgym.games.state import State, map_arrays
from coopgym.play import NOMINAL
from coopgym.play.unroll import Policy, counted, open_loop, remaining_steps, unroll
from coopgym.rewards import Rewards


def initial_state(game: AnyGame, trust: float | None = None, damage: float | None = None, **stocks: Any) -> State:
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
    return game.initial_state((), options, *NOMINAL.reset(game, ()))


def checked_state(game: AnyGame, state: State | None) -> State:
    """Return a single state of a game with steps left to play; the initial state if none is given.

    Raises:
        ValueError: a batch of states, a state of another game, or one at the horizon.
    """
    if state is None:
        return initial_state(game)
    kind = type(initial_state(game))
    if type(state) is not kind:
        raise ValueError(f"{game.id}: expected a state of this game ({kind.__name__}), got {type(state).__name__}")
    if state.t.ndim:
        raise ValueError(f"{game.id}: expected a single state, got a batch of shape {tuple(state.t.shape)}")
    if remaining_steps(game, state) < 1:
        raise ValueError(
            f"{game.id}: the state is at the horizon of {game.spec.horizon} steps, nothing is left to play"
        )
    return state


def repeated(game: AnyGame, state: State, batch: tuple[int, ...]) -> State:
    """Repeat a single state over leading dimensions ``batch``, without copying."""
    return map_arrays(lambda array: game.xp.broadcast_to(array, (*batch, *array.shape)), state)


def plan_returns(game: AnyGame, start: State, plan: Array, layers: Sequence[Rewards]) -> list[Array]:
    """Return what each seat earns in total under each reward layer, undiscounted, ``(..., N)`` per layer.

    Differentiable on the torch backend.

    Args:
        game: on any backend.
        start: batch ``(...)`` of states at the same time.
        plan: cooperation shares ``(steps, ..., N)``, or ``(..., N)`` to hold them until the horizon.
        layers: reward layers to read the same play under.
    """
    held = plan.ndim == start.t.ndim + 1
    totals = [0.0 * start.last_action for _ in layers]
    policy: Policy = (lambda *_: plan * game.endowments) if held else open_loop(game, plan)
    steps = None if held else len(plan)
    for step in unroll(game, policy, start=start, draws=NOMINAL, horizon=steps, past_end=True):
        totals = [total + counted(step, layer(step)) for total, layer in zip(totals, layers, strict=True)]
    return totals
