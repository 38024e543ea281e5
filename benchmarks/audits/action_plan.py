"""Ways to play that are fixed in advance, and the chance that they meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from coopgym.games.game import AnyGame
from coopgym.games.state import State
from coopgym.typing import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Conduct:
    """W ways to play: everybody holds a level, and one seat follows a plan.

    Actions are in endowment units. NaN leaves a move to the agent in the seat, where there are agents.
    """

    held: FloatArray
    """``(W, N)`` what the seats hold."""
    seat: IntArray
    """``(W,)`` the seat that follows a plan."""
    plan: FloatArray
    """``(T, W)`` what that seat plays at each step; after T steps it stays with the last."""

    @classmethod
    def levels(cls, held: FloatArray) -> Self:
        """Everybody holds a level ``(W, N)`` from beginning to end."""
        return cls(held, np.zeros(len(held), dtype=np.int64), held[None, :, 0])

    @classmethod
    def deviating(cls, held: FloatArray, seats: IntArray, plans: FloatArray) -> Self:
        """Every seat of ``(K,)`` follows plans of its own ``(T, K, M)`` while the others hold ``(N,)``: W = K·M."""
        count = plans.shape[2]
        rows = np.broadcast_to(held, (len(seats) * count, len(held)))
        return cls(rows, np.repeat(seats, count), plans.reshape(len(plans), -1))

    def __len__(self) -> int:
        return len(self.held)

    def __getitem__(self, ways: slice) -> Conduct:
        return Conduct(self.held[ways], self.seat[ways], self.plan[:, ways])

    def repeated(self, times: int) -> Conduct:
        """Every way ``times`` times in a row."""
        if times == 1:
            return self
        return Conduct(np.repeat(self.held, times, 0), np.repeat(self.seat, times), np.repeat(self.plan, times, 1))

    def at(self, t: int) -> FloatArray:
        """Joint actions ``(W, N)`` of step t."""
        actions = self.held.copy()
        actions[np.arange(len(actions)), self.seat] = self.plan[min(t, len(self.plan) - 1)]
        return actions


@dataclass(frozen=True, eq=False)
class Chance:
    """What a reset draws: E episodes for each of W ways to play, or the same E for all (W = 1)."""

    uniforms: FloatArray
    """``(W, E, reset_uniforms)`` in [0, 1)."""
    normals: FloatArray
    """``(W, E, reset_normals)``."""

    @classmethod
    def seeded(cls, game: AnyGame, seeds: IntArray) -> Self:
        """Draw as a reset with each of the seeds ``(W, E)`` does."""
        streams = [np.random.default_rng(int(seed)) for seed in seeds.ravel()]
        uniforms = np.array([stream.random(game.reset_uniforms) for stream in streams])
        normals = np.array([stream.standard_normal(game.reset_normals) for stream in streams])
        return cls(uniforms.reshape(*seeds.shape, -1), normals.reshape(*seeds.shape, -1))

    @classmethod
    def fixed(cls, game: AnyGame, episodes: int) -> Self:
        """Cover a hidden uniform draw evenly, without seeds: the middles of E equal parts; normal draws are at 0.

        Games that draw nothing have E = 1, since all episodes would be the same.
        """
        count = episodes if game.reset_uniforms else 1
        middles = (np.arange(count) + 0.5) / count
        uniforms = np.broadcast_to(middles[None, :, None], (1, count, game.reset_uniforms))
        return cls(uniforms, np.zeros((1, count, game.reset_normals)))

    def distinct(self) -> Chance:
        """Leave out episodes that cannot differ, because a reset draws nothing."""
        return self if self.uniforms.size or self.normals.size else Chance(self.uniforms[:, :1], self.normals[:, :1])

    @property
    def episodes(self) -> int:
        """Episodes E per way to play."""
        return self.uniforms.shape[1]

    def __getitem__(self, ways: slice) -> Chance:
        return self if len(self.uniforms) == 1 else Chance(self.uniforms[ways], self.normals[ways])

    def start(self, game: AnyGame, ways: slice) -> State:
        """State ``(W·E,)`` after reset for some ways to play, episodes of a way in a row."""
        count, drawn = ways.stop - ways.start, self[ways]
        draws = (
            np.broadcast_to(array, (count, *array.shape[1:])).reshape(count * self.episodes, array.shape[2])
            for array in (drawn.uniforms, drawn.normals)
        )
        return game.initial_state((count * self.episodes,), None, *draws)
