"""One stream of random numbers per episode: an episode does not depend on how many are played beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from coopgym.typing import FloatArray

AHEAD = 64
"""Numbers drawn at once per episode, so that steps need no loop over episodes."""


class EpisodeGenerator(np.random.Generator):
    """The generator of the first episode, and behind it those of all others.

    Agents that draw for all episodes from the generator itself follow the first; `EpisodeDraws` and the children that
    ``spawn(episodes)`` returns follow the streams of their own episodes.
    """

    def __init__(self, streams: Sequence[np.random.Generator]) -> None:
        super().__init__(streams[0].bit_generator)
        self.streams = tuple(streams)

    def spawn(self, n_children: int) -> list[np.random.Generator]:
        """Return children, the k-th of the k-th episode's stream."""
        return [self.streams[k % len(self.streams)].spawn(1)[0] for k in range(n_children)]


class RecurringGenerator(np.random.Generator):
    """Episodes that come again: row k of a batch draws what row k modulo ``period`` draws, by `EpisodeDraws`."""

    def __init__(self, rng: np.random.Generator, period: int) -> None:
        super().__init__(rng.bit_generator)
        self.rng, self.period = rng, period

    def spawn(self, n_children: int) -> list[np.random.Generator]:
        """Return children, whose episodes come again likewise."""
        return [RecurringGenerator(child, self.period) for child in self.rng.spawn(n_children)]


def spawned(rng: np.random.Generator) -> np.random.Generator:
    """Return the generator of somebody inside an agent: of the same kind, and independent of the agent's own."""
    if isinstance(rng, EpisodeGenerator):
        return EpisodeGenerator(rng.spawn(len(rng.streams)))
    (child,) = rng.spawn(1)
    return child


class EpisodeDraws:
    """Numbers for all episodes at once, each from its episode's own stream.

    Args:
        rng: what an agent was given to begin with; the first episode draws from it, the others from its children
            unless it is an `EpisodeGenerator`. Those of a `RecurringGenerator` come again.
        episodes: how many.
    """

    def __init__(self, rng: np.random.Generator, episodes: int) -> None:
        if isinstance(rng, RecurringGenerator):
            self._rng, self._episodes = rng.rng, rng.period
        else:
            self._rng, self._episodes = rng, episodes
        self._ways = episodes // self._episodes
        self._streams: Sequence[np.random.Generator] = ()
        self._ahead: dict[str, tuple[FloatArray, int]] = {}

    def random(self) -> FloatArray:
        """Draw ``(episodes,)`` numbers uniform on [0, 1)."""
        return self._next("random", lambda stream: stream.random(AHEAD))

    def standard_normal(self) -> FloatArray:
        """Draw ``(episodes,)`` standard normal numbers."""
        return self._next("standard_normal", lambda stream: stream.standard_normal(AHEAD))

    def _next(self, kind: str, draw: Callable[[np.random.Generator], FloatArray]) -> FloatArray:
        drawn, used = self._ahead.get(kind, (np.empty((0, self._episodes)), 0))
        if used == len(drawn):
            own = np.stack([draw(stream) for stream in self._opened()], axis=1)
            drawn, used = np.tile(own, self._ways), 0
        self._ahead[kind] = drawn, used + 1
        numbers: FloatArray = drawn[used]
        return numbers

    def _opened(self) -> Sequence[np.random.Generator]:
        """The streams, made when first needed: most agents draw nothing."""
        if isinstance(self._rng, EpisodeGenerator):
            return self._rng.streams
        if not self._streams:
            self._streams = (self._rng, *self._rng.spawn(self._episodes - 1))
        return self._streams
