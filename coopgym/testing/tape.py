"""Recorded inputs of a play, so that the same play can be repeated on any batch, instance and backend."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from coopgym.backend import Array
from coopgym.games.game import AnyGame, Transition
from coopgym.games.state import State, state_arrays
from coopgym.play import draws, unroll
from coopgym.play.unroll import opened
from coopgym.typing import FloatArray


@dataclass(frozen=True, eq=False)
class Tape(draws.Tape):
    """All that a play needs besides the game: random numbers and actions, ``...`` are batch dimensions."""

    actions: FloatArray
    """``(steps, ..., N)`` in endowment units."""

    @property
    def batch(self) -> tuple[int, ...]:
        """Batch dimensions."""
        return self.actions.shape[1:-1]

    def rows(self, index: Any) -> Tape:
        """Keep the part of the batch that ``index`` selects."""
        selected = index if isinstance(index, tuple) else (index,)
        later = (slice(None), *selected)
        return Tape(self.uniforms[selected], self.normals[selected], self.step_normals[later], self.actions[later])


def random_tape(game: AnyGame, steps: int, batch: tuple[int, ...], seed: int) -> Tape:
    """Draw a tape of uniformly random play."""
    rng = np.random.default_rng(seed)
    return Tape(
        actions=rng.random((steps, *batch, game.n_agents)) * game.spec.endowments,
        uniforms=rng.random((*batch, game.reset_uniforms)),
        normals=rng.standard_normal((*batch, game.reset_normals)),
        step_normals=rng.standard_normal((steps, *batch, game.step_normals)),
    )


def start(game: AnyGame, tape: Tape) -> State:
    """Return the first state of a tape's play."""
    return opened(game, tape, tape.batch)


def replay(game: AnyGame, tape: Tape, first: State | None = None) -> Iterator[tuple[State, Array, Transition]]:
    """Play a tape, from its own first state or another, and yield state before, actions and transition of each step."""

    def recorded(t: int, _: State) -> Array:
        return game.backend.array(tape.actions[t])

    batch, steps = tape.batch, len(tape.actions)
    for step in unroll(game, recorded, batch=batch, start=first, draws=tape, horizon=steps, past_end=True):
        yield step.before, step.actions, step.transition


def numbers(transition: Transition) -> dict[str, FloatArray]:
    """Return all arrays of a transition and of the state it led to, as NumPy arrays by name."""
    shared = {field.name: getattr(transition, field.name) for field in fields(Transition)}
    named = {name: value for name, value in shared.items() if name != "state" and value is not None}
    named.update({f"state.{name}": value for name, value in state_arrays(transition.state).items()})
    return {name: to_numpy(value) for name, value in named.items()}


def to_numpy(array: Array) -> FloatArray:
    """Return a copy of an array of any backend as a NumPy array of double precision."""
    return np.array(array.detach().cpu().numpy() if hasattr(array, "detach") else array, dtype=np.float64)


def play_numbers(game: AnyGame, tape: Tape) -> dict[str, FloatArray]:
    """Play a tape and return everything that happened, time first, as NumPy arrays by name."""
    steps = [numbers(transition) for _, _, transition in replay(game, tape)]
    return {name: np.stack([step[name] for step in steps]) for name in steps[0]}


def first_difference(one: dict[str, FloatArray], other: dict[str, FloatArray], tolerance: float) -> str | None:
    """Describe where two records first differ by more than ``tolerance``, relative above one; None if nowhere."""
    if one.keys() != other.keys():
        return f"{', '.join(sorted(one.keys() ^ other.keys()))} present in one and absent in the other"
    for name, values in one.items():
        if values.shape != other[name].shape:
            return f"{name} has shape {values.shape} in one and {other[name].shape} in the other"
        gap = np.abs(values - other[name]) / np.maximum(1.0, np.abs(values))
        if gap.size and not gap.max() <= tolerance:
            return f"{name} differs by up to {gap.max():.3g}"
    return None
