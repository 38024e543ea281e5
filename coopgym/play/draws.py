"""Where the random numbers of a play come from: nature's side of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from coopgym.backend import Array
from coopgym.games.game import AnyGame
from coopgym.typing import BoolArray, FloatArray

STEPS_AHEAD = 128
"""Steps whose numbers are drawn from a stream at once, at most."""
NUMBERS_AHEAD = 1 << 20
"""Numbers that are kept of steps to come, at most, where there are many rows or agents: 8 MB."""


class Draws(Protocol):
    """Gives a game the random numbers it asks for; None where it asks for none."""

    def reset(self, game: AnyGame, batch: tuple[int, ...]) -> tuple[Array | None, Array | None]:
        """Return the uniform ``(*batch, reset_uniforms)`` and normal ``(*batch, reset_normals)`` numbers of a reset."""

    def step(self, game: AnyGame, t: int, batch: tuple[int, ...]) -> Array | None:
        """Return the normal numbers ``(*batch, step_normals)`` of the step after t others."""


class Nominal:
    """Every number at its median: what resets hide is typical, payoff noise is at its mean.

    >>> NOMINAL.reset(coopgym.make_game("SynergySearch-v1"), ())  # the hidden synergy weight is the middle of its range
    (array([0.5]), None)
    """

    def reset(self, game: AnyGame, batch: tuple[int, ...]) -> tuple[Array | None, Array | None]:
        uniforms, normals = game.reset_uniforms, game.reset_normals
        return self._constant(game, 0.5, batch, uniforms), self._constant(game, 0.0, batch, normals)

    def step(self, game: AnyGame, t: int, batch: tuple[int, ...]) -> Array | None:
        return self._constant(game, 0.0, batch, game.step_normals)

    def _constant(self, game: AnyGame, number: float, batch: tuple[int, ...], count: int) -> Array | None:
        if not count:
            return None
        return game.xp.broadcast_to(game.backend.array(np.full(count, number)), (*batch, count))


NOMINAL = Nominal()


class Seeded:
    """Every row of the batch, in row-major order, draws from the stream of its own seed.

    So row k of a batch meets the chance of a single environment with the k-th seed. Streams are opened when a game
    first draws: most games never do.

    >>> game = coopgym.make_game("SynergySearch-v1")
    >>> both, alone = Seeded([0, 1]).reset(game, (2,))[0], Seeded([1]).reset(game, ())[0]
    >>> both.round(3), alone.round(3)  # row 1 is the episode of seed 1
    (array([[0.637],
           [0.512]]), array([0.512]))
    """

    def __init__(self, seeds: Sequence[int]) -> None:
        self.seeds = seeds
        self._ahead: _DrawnAhead | None = None

    @cached_property
    def _streams(self) -> list[np.random.Generator]:
        return [np.random.default_rng(seed) for seed in self.seeds]

    def reset(
        self, game: AnyGame, batch: tuple[int, ...], rows: Array | None = None
    ) -> tuple[Array | None, Array | None]:
        """Draw a reset; with ``rows``, booleans over the flattened batch, only there, and zeros elsewhere."""
        if self._ahead is not None and (game.reset_uniforms or game.reset_normals):
            self._ahead.give_back(rows)
        uniforms = self._drawn(game, batch, game.reset_uniforms, rows, np.random.Generator.random)
        return uniforms, self._drawn(game, batch, game.reset_normals, rows, np.random.Generator.standard_normal)

    def step(self, game: AnyGame, t: int, batch: tuple[int, ...], rows: Array | None = None) -> Array | None:
        """Draw a step, likewise: the next of every stream, whatever the time."""
        if game.step_normals == 0:
            return None
        if self._ahead is None or self._ahead.count != game.step_normals:
            if self._ahead is not None:
                self._ahead.give_back(None)
            self._ahead = _DrawnAhead(self._streams, game.step_normals, game.spec.horizon)
        return game.backend.array(self._ahead.step(rows).reshape((*batch, game.step_normals)))

    def _drawn(
        self,
        game: AnyGame,
        batch: tuple[int, ...],
        count: int,
        rows: Array | None,
        draw: Callable[[np.random.Generator, int], FloatArray],
    ) -> Array | None:
        if count == 0:
            return None
        drawn = np.zeros((len(self.seeds), count))
        for row, stream in enumerate(self._streams):
            if rows is None or rows[row]:
                drawn[row] = draw(stream, count)
        return game.backend.array(drawn.reshape((*batch, count)))


class _DrawnAhead:
    """Normal numbers of every row's next steps, drawn from its stream at once: the same numbers in fewer calls.

    Where a stream is wanted for something else, it goes back to where the row's play stands.
    """

    def __init__(self, streams: Sequence[np.random.Generator], count: int, horizon: int) -> None:
        self.count = count
        """Numbers that one step takes."""
        most = max(1, min(STEPS_AHEAD, NUMBERS_AHEAD // (count * len(streams))))
        # Blocks of equal length end where episodes do, so that streams seldom go back.
        steps = math.ceil(horizon / math.ceil(horizon / most))
        self._streams = streams
        self._numbers = np.empty((len(streams), steps, count))
        self._first = np.arange(0, len(streams) * steps, steps)
        self._taken = np.full(len(streams), steps)
        self._starts: list[Mapping[str, Any]] = [{}] * len(streams)

    def step(self, rows: BoolArray | None) -> FloatArray:
        """Return the next numbers ``(R, count)`` of rows, all or those of a mask, and zeros elsewhere."""
        spent = self._taken == self._numbers.shape[1]
        for row in np.flatnonzero(spent if rows is None else spent & rows).tolist():
            self._draw(row)
        asked = True if rows is None else rows
        every_step = self._numbers.reshape(-1, self.count)
        drawn: FloatArray = every_step.take(self._first + self._taken * asked, axis=0)
        self._taken += asked
        if rows is not None:
            drawn[~rows] = 0.0
        return drawn

    def _draw(self, row: int) -> None:
        stream = self._streams[row]
        self._starts[row] = stream.bit_generator.state
        stream.standard_normal(out=self._numbers[row])
        self._taken[row] = 0

    def give_back(self, rows: BoolArray | None) -> None:
        """Put streams, all or those of a mask, back to where single draws would have left them."""
        steps = self._numbers.shape[1]
        begun = self._taken < steps
        for row in np.flatnonzero(begun if rows is None else begun & rows).tolist():
            stream = self._streams[row]
            stream.bit_generator.state = self._starts[row]
            stream.standard_normal((self._taken[row], self.count))
            self._taken[row] = steps


@dataclass(frozen=True, eq=False)
class Tape:
    """Numbers written down in advance, ``...`` are batch dimensions.

    >>> game, none = coopgym.make_game("SynergySearch-v1"), np.empty(0)
    >>> start = game.initial_state((), None, *Tape(np.array([0.25]), none, none).reset(game, ()))
    >>> float(start.gamma)  # a quarter of the way from 2.1 to 2.9
    2.3
    """

    uniforms: FloatArray
    """``(..., reset_uniforms)``."""
    normals: FloatArray
    """``(..., reset_normals)``."""
    step_normals: FloatArray
    """``(steps, ..., step_normals)``."""

    def reset(self, game: AnyGame, batch: tuple[int, ...]) -> tuple[Array, Array]:
        return game.backend.array(self.uniforms), game.backend.array(self.normals)

    def step(self, game: AnyGame, t: int, batch: tuple[int, ...]) -> Array:
        return game.backend.array(self.step_normals[t])


class CommonRandomNumbers:
    """E episodes of seeded chance that every way to play meets alike: row k of a batch has that of episode k modulo E.

    Episode k is the one that `Seeded` draws for seed + k.

    >>> game = coopgym.make_game("SynergySearch-v1")
    >>> CommonRandomNumbers(game, seed=0, episodes=2).reset(game, (4,))[0].ravel().round(3)
    array([0.637, 0.512, 0.637, 0.512])
    """

    def __init__(self, game: AnyGame, seed: int, episodes: int) -> None:
        self.episodes = episodes
        streams = [np.random.default_rng(seed + k) for k in range(episodes)]
        self._uniforms = np.stack([stream.random(game.reset_uniforms) for stream in streams])
        self._normals = np.stack([stream.standard_normal(game.reset_normals) for stream in streams])
        noise = [stream.standard_normal((game.spec.horizon, game.step_normals)) for stream in streams]
        self._step_normals = np.stack(noise, axis=1)

    def reset(self, game: AnyGame, batch: tuple[int, ...]) -> tuple[Array | None, Array | None]:
        return self._recurring(game, batch, self._uniforms), self._recurring(game, batch, self._normals)

    def step(self, game: AnyGame, t: int, batch: tuple[int, ...]) -> Array | None:
        return self._recurring(game, batch, self._step_normals[t])

    def _recurring(self, game: AnyGame, batch: tuple[int, ...], drawn: FloatArray) -> Array | None:
        if not drawn.shape[-1]:
            return None
        ways = int(np.prod(batch)) // self.episodes
        return game.backend.array(np.tile(drawn, (ways, 1)).reshape((*batch, drawn.shape[-1])))
