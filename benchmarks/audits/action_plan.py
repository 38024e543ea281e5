"""Ways to play that are fixed in advance, and the draws that they meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from coopgym.backend import Array
from coopgym.games.game import AnyGame
from coopgym.play import NOMINAL
from coopgym.typing import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class ActionPlans:
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

    def __getitem__(self, ways: slice) -> ActionPlans:
        return ActionPlans(self.held[ways], self.seat[ways], self.plan[:, ways])

    def repeated(self, times: int) -> ActionPlans:
        """Every way ``times`` times in a row."""
        if times == 1:
            return self
        return ActionPlans(np.repeat(self.held, times, 0), np.repeat(self.seat, times), np.repeat(self.plan, times, 1))

    def at(self, t: int) -> FloatArray:
        """Joint actions ``(W, N)`` of step t."""
        actions = self.held.copy()
        actions[np.arange(len(actions)), self.seat] = self.plan[min(t, len(self.plan) - 1)]
        return actions


@dataclass(frozen=True, eq=False)
class ResetDraws:
    """`coopgym.play.draws.Draws` of E episodes for each of W ways to play, or of the same E for all (W = 1).

    Rows of a batch are episodes, those of a way in a row. Payoff noise is at its mean.
    """

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

    def distinct(self) -> ResetDraws:
        """Leave out episodes that cannot differ, because a reset draws nothing."""
        return (
            self if self.uniforms.size or self.normals.size else ResetDraws(self.uniforms[:, :1], self.normals[:, :1])
        )

    @property
    def episodes(self) -> int:
        """Episodes E per way to play."""
        return self.uniforms.shape[1]

    def __getitem__(self, ways: slice) -> ResetDraws:
        return self if len(self.uniforms) == 1 else ResetDraws(self.uniforms[ways], self.normals[ways])

    def reset(self, game: AnyGame, batch: tuple[int, ...]) -> tuple[Array, Array]:
        """Return the uniform and normal numbers of ``(W·E,)`` episodes."""
        return self._rows(self.uniforms, batch), self._rows(self.normals, batch)

    def step(self, game: AnyGame, t: int, batch: tuple[int, ...]) -> Array | None:
        """Return the numbers of a step, all at their means."""
        return NOMINAL.step(game, t, batch)

    def _rows(self, drawn: FloatArray, batch: tuple[int, ...]) -> FloatArray:
        rows, size = batch[0], drawn.shape[-1]
        return np.broadcast_to(drawn, (rows // self.episodes, self.episodes, size)).reshape(rows, size)
