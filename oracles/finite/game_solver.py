"""The slot for solvers of finite games, and the regrets by which any joint distribution can be audited."""

from __future__ import annotations

from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from coopgym.oracles.finite.discretised import FiniteGame
from coopgym.typing import FloatArray

GameT_contra = TypeVar("GameT_contra", contravariant=True)


class GameSolver(Protocol[GameT_contra]):
    """Solves games by a distribution, and says how far any other is from a solution.

    Of a `FiniteGame` it is one over profiles, ``(K_1, ..., K_N)``; of a matrix of preferences one over options,
    ``(K,)``.
    """

    def solve(self, game: GameT_contra, /) -> FloatArray:
        """Return a distribution that solves the game."""

    def gap(self, game: GameT_contra, distribution: npt.ArrayLike, /) -> float:
        """Return the most that anybody gains by leaving a distribution, in the game's units."""


def external_regrets(game: FiniteGame, distribution: npt.ArrayLike) -> FloatArray:
    """Return what each seat would gain by one action played always, whatever it is told, ``(N,)``.

    max_a E[U_i(a, A_-i)] - E[U_i(A)]: none is positive in a coarse correlated equilibrium.

    >>> from coopgym.oracles import FiniteGame
    >>> prisoners = FiniteGame.bimatrix(row=[[3, 0], [5, 1]], column=[[3, 5], [0, 1]])
    >>> external_regrets(prisoners, [[0.5, 0.0], [0.0, 0.5]])  # always defecting earns 3 on average, listening 2
    array([1., 1.])
    """
    weights = checked_distribution(game, distribution).ravel()
    return np.array([(_gains(game, seat) @ weights).max() for seat in range(game.n_agents)])


def recommendation_regrets(game: FiniteGame, distribution: npt.ArrayLike) -> FloatArray:
    """Return what each seat would gain by changing its answer to one recommendation, ``(N,)``.

    max_{r,a} E[1{A_i = r} (U_i(a, A_-i) - U_i(A))], so weighted with the chance of hearing r: none is positive in a
    correlated equilibrium. Also known as internal regret.
    """
    weights = checked_distribution(game, distribution)
    return np.array(
        [
            np.moveaxis(game.deviation_gains(seat) * weights, seat + 1, 1).reshape(count, count, -1).sum(-1).max()
            for seat, count in enumerate(game.shape)
        ]
    )


def expected_utilities(game: FiniteGame, distribution: npt.ArrayLike) -> FloatArray:
    """Return what each seat gets on average, ``(N,)``."""
    return checked_distribution(game, distribution).ravel() @ game.utilities.reshape(-1, game.n_agents)


def checked_distribution(game: FiniteGame, distribution: npt.ArrayLike) -> FloatArray:
    """Return a joint distribution as an array.

    Raises:
        ValueError: another shape than the game's, negative entries, or a sum other than one.
    """
    weights = np.asarray(distribution, dtype=np.float64)
    if weights.shape != game.shape:
        raise ValueError(f"distribution of shape {weights.shape}: the game has profiles of shape {game.shape}")
    if not (weights >= 0.0).all() or abs(weights.sum() - 1.0) > 1e-9:
        raise ValueError(
            f"distribution: expected probabilities that sum to 1, got a least entry of {weights.min():g} and a sum of "
            f"{weights.sum():.12g}"
        )
    return weights


def _gains(game: FiniteGame, seat: int) -> FloatArray:
    return game.deviation_gains(seat).reshape(game.shape[seat], -1)
