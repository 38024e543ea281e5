"""Finite games: utilities on a grid of actions, and what can be read off the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from coopgym.oracles.finite.rounding import spread
from coopgym.oracles.games.normal_form import NormalForm
from coopgym.typing import FloatArray, IntArray

MAX_PROFILES = 50_000
"""Largest table that is filled."""
LEVELS = 21
"""Shares per seat: a 5 % grid."""
NO_GAIN = 1e-9
"""Gains up to this size do not move anybody, utility units."""


@dataclass(frozen=True, eq=False)
class FiniteGame:
    """A simultaneous game in which each of N seats picks one of K_i actions.

    >>> prisoners = FiniteGame.bimatrix(row=[[3, 0], [5, 1]], column=[[3, 5], [0, 1]])  # cooperate, defect
    >>> prisoners.pure_nash(), prisoners.social_maximum(), prisoners.security_levels()
    (array([[1, 1]]), array([0, 0]), array([1., 1.]))
    """

    utilities: FloatArray
    """``(K_1, ..., K_N, N)`` what every seat gets in every profile."""
    actions: tuple[FloatArray, ...]
    """Per seat ``(K_i,)``: what its actions stand for, usually shares of endowment."""

    def __post_init__(self) -> None:
        shape = self.utilities.shape
        if len(shape) < 2 or shape[-1] != len(shape) - 1 or 0 in shape:
            raise ValueError(
                f"utilities of shape {shape}: expected (K_1, ..., K_N, N), one axis of actions per seat, then the seats"
            )
        if tuple(map(len, self.actions)) != shape[:-1]:
            raise ValueError(
                f"actions: expected {shape[:-1]} actions for the {len(shape) - 1} seats, "
                f"got {tuple(map(len, self.actions))}"
            )
        if not np.isfinite(self.utilities).all():
            raise ValueError("utilities: expected finite numbers")

    @classmethod
    def tabulated(cls, utilities: npt.ArrayLike) -> Self:
        """Take a table ``(K_1, ..., K_N, N)`` whose actions are just numbered from 0."""
        table = np.asarray(utilities, dtype=np.float64)
        return cls(table, tuple(np.arange(count, dtype=np.float64) for count in table.shape[:-1]))

    @classmethod
    def bimatrix(cls, row: npt.ArrayLike, column: npt.ArrayLike) -> Self:
        """Take a game of two seats from their payoff matrices, each ``(K_1, K_2)``.

        Raises:
            ValueError: matrices of different shapes.
        """
        first, second = np.asarray(row, dtype=np.float64), np.asarray(column, dtype=np.float64)
        if first.ndim != 2 or first.shape != second.shape:
            raise ValueError(f"bimatrix: expected two matrices of one shape, got {first.shape} and {second.shape}")
        return cls.tabulated(np.stack([first, second], axis=-1))

    @property
    def n_agents(self) -> int:
        """Number of seats N."""
        return len(self.actions)

    @property
    def shape(self) -> tuple[int, ...]:
        """Actions per seat, ``(K_1, ..., K_N)``."""
        return self.utilities.shape[:-1]

    @property
    def welfare(self) -> FloatArray:
        """Sum of utilities in every profile, ``(K_1, ..., K_N)``."""
        return self.utilities.sum(-1)

    @property
    def ranges(self) -> FloatArray:
        """Difference between each seat's largest and smallest utility ``(N,)``, zero where it is rounding."""
        return np.array([spread(self.utilities[..., seat]) for seat in range(self.n_agents)])

    def profile(self, indices: npt.ArrayLike) -> FloatArray:
        """Return the actions ``(..., N)`` that indices ``(..., N)`` stand for."""
        chosen = np.asarray(indices)
        return np.stack([self.actions[seat][chosen[..., seat]] for seat in range(self.n_agents)], axis=-1)

    def deviation_gains(self, seat: int) -> FloatArray:
        """Return what a seat gains in every profile by playing each of its actions, ``(K_seat, K_1, ..., K_N)``."""
        own = self.utilities[..., seat]
        return np.expand_dims(np.moveaxis(own, seat, 0), seat + 1) - own

    def pure_nash(self, tolerance: float = NO_GAIN) -> IntArray:
        """Return the profiles ``(M, N)``, as indices, that nobody gains more than a tolerance by leaving alone."""
        gains = [
            self.utilities[..., seat].max(seat, keepdims=True) - self.utilities[..., seat]
            for seat in range(self.n_agents)
        ]
        return np.argwhere(np.max(gains, axis=0) <= tolerance)

    def social_maximum(self) -> IntArray:
        """Return the profile ``(N,)``, as indices, of greatest welfare. Ties go to the lowest indices."""
        return np.array(np.unravel_index(self.welfare.argmax(), self.shape))

    def security_levels(self) -> FloatArray:
        """Return what each seat can make sure of with a single action, max over own of min over others, ``(N,)``."""
        levels = [
            np.moveaxis(self.utilities[..., seat], seat, 0).reshape(count, -1).min(1).max()
            for seat, count in enumerate(self.shape)
        ]
        return np.array(levels)


def discretise(form: NormalForm, levels: int | Sequence[int] = LEVELS) -> FiniteGame:
    """Tabulate a normal-form game on an even grid of shares.

    Args:
        form: the game with what its seats care about.
        levels: shares per seat, from 0 to 1; one number for all, or one per seat.

    Raises:
        ValueError: fewer than two levels, the wrong number of them, or more than 50,000 profiles.

    >>> from coopgym.oracles import StageGame
    >>> game = discretise(StageGame(coopgym.make_game("TrustDilemma-v1")), levels=11)
    >>> game.profile(game.social_maximum()), game.profile(game.pure_nash())  # the second stands between two grid points
    (array([0.6, 0.6]), array([[0.1, 0.1],
           [0.2, 0.2]]))
    """
    counts = [levels] * form.n_agents if isinstance(levels, int) else list(levels)
    if len(counts) != form.n_agents or min(counts) < 2:
        raise ValueError(
            f"levels={levels!r}: expected a whole number of at least 2, or {form.n_agents} of them, one per seat"
        )
    _refuse_large(form, counts)
    actions = tuple(np.linspace(0.0, 1.0, count) for count in counts)
    profiles = np.stack(np.meshgrid(*actions, indexing="ij"), axis=-1)
    utilities = form.utilities(profiles.reshape(-1, form.n_agents))
    return FiniteGame(utilities.reshape(profiles.shape), actions)


def largest_grid(n_agents: int) -> int:
    """Levels per seat at which N seats still have at most 50,000 profiles."""
    levels = round(MAX_PROFILES ** (1.0 / n_agents))
    return levels if levels**n_agents <= MAX_PROFILES else levels - 1


def _refuse_large(form: NormalForm, counts: Sequence[int]) -> None:
    profiles = float(np.prod(counts, dtype=np.float64))
    if profiles <= MAX_PROFILES:
        return
    fitting = largest_grid(form.n_agents)
    advice = f"at most {fitting} levels fit" if fitting >= 2 else "not even 2 levels fit; search without a grid"
    raise ValueError(
        f"{form.game.id}: {' x '.join(map(str, counts))} levels make {profiles:,.0f} profiles, more than "
        f"{MAX_PROFILES:,}; with {form.n_agents} seats {advice}"
    )


@dataclass(frozen=True, eq=False)
class GridEquilibria:
    """Pure equilibria on a grid and on one with half its spacing."""

    levels: int
    profiles: FloatArray
    """``(M, N)`` shares that are equilibria among the grid's shares."""
    refined_levels: int
    refined_profiles: FloatArray
    """``(M', N)`` likewise on the finer grid."""

    @property
    def survives(self) -> npt.NDArray[np.bool_]:
        """``(M,)`` which profiles are still equilibria among the finer grid's shares; the others belong to the grid."""
        distances = np.abs(self.profiles[:, None] - self.refined_profiles).max(-1)
        return (distances < 1e-9).any(1)

    @property
    def grid_dependent(self) -> bool:
        """Whether refining the grid removes or adds equilibria, which are then only as exact as its spacing."""
        return len(self.profiles) != len(self.refined_profiles) or not bool(self.survives.all())


def grid_equilibria(form: NormalForm, levels: int = LEVELS, tolerance: float = NO_GAIN) -> GridEquilibria:
    """Find pure equilibria on a grid and refine it once, because coarse grids can create equilibria of their own.

    Args:
        form: the game with what its seats care about.
        levels: shares per seat; the finer grid has ``2 levels - 1``.
        tolerance: gain, in utility units, that does not move anybody.

    Raises:
        ValueError: the finer grid has more than 50,000 profiles.
    """
    coarse, fine = discretise(form, levels), discretise(form, 2 * levels - 1)
    return GridEquilibria(
        levels,
        coarse.profile(coarse.pure_nash(tolerance)),
        2 * levels - 1,
        fine.profile(fine.pure_nash(tolerance)),
    )
