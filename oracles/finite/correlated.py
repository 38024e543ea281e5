"""Correlated and coarse correlated equilibria of finite games by linear programming."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, vstack

from coopgym.oracles.finite.discretised import NO_GAIN, FiniteGame
from coopgym.oracles.finite.game_solver import external_regrets, recommendation_regrets
from coopgym.oracles.finite.linear_programme import SolverError, least_cost, probabilities
from coopgym.oracles.finite.rounding import spread
from coopgym.typing import FloatArray, IntArray

AUDIT = 1e-7
"""Regret, relative to a seat's range of utilities, above which an answer is refused."""

ProfileObjective: TypeAlias = Callable[[FiniteGame], FloatArray]
"""What a profile is worth to whoever recommends, ``(K_1, ..., K_N)``."""


def welfare(game: FiniteGame) -> FloatArray:
    """Sum of utilities in every profile."""
    return game.welfare


@dataclass(frozen=True)
class EquilibriumProgramme(ABC):
    """A linear programme over joint distributions that nobody wants to leave; fits the `GameSolver` slot.

    Variables are the probabilities of all profiles; every deviation of a seat is one constraint on what it gains on
    average. The best or worst value of any linear objective is at a corner of that set.
    """

    objective: ProfileObjective = welfare
    direction: Literal["best", "worst"] = "best"

    def __post_init__(self) -> None:
        if self.direction not in ("best", "worst"):
            raise ValueError(f"direction={self.direction!r}: expected 'best' or 'worst'")

    def solve(self, game: FiniteGame) -> FloatArray:
        """Return the equilibrium ``(K_1, ..., K_N)`` at which the objective is best or worst.

        Raises:
            SolverError: HiGHS found no optimum, or its answer does not pass the audit.
            ValueError: the objective does not value every profile.
        """
        values = np.asarray(self.objective(game), dtype=np.float64)
        if values.shape != game.shape:
            raise ValueError(f"objective: expected values of shape {game.shape}, one per profile, got {values.shape}")
        name = f"{self.direction} {type(self).__name__} of a game of shape {game.shape}"
        sign = -1.0 if self.direction == "best" else 1.0
        costs = sign * (values - values.mean()) / (spread(values) or 1.0)
        incentives = vstack([self.incentives(game, seat) for seat in range(game.n_agents)])
        answer = least_cost(name, costs.ravel(), incentives, np.ones(values.size), [(0.0, None)])
        distribution = probabilities(answer).reshape(game.shape)
        relative = self.regrets(game, distribution) / _scales(game)
        if relative.max() > AUDIT:
            raise SolverError(f"{name}: the answer leaves a regret of {relative.max():.2g} of a seat's range")
        return distribution

    def gap(self, game: FiniteGame, distribution: npt.ArrayLike) -> float:
        """Return the largest regret of any seat under a distribution, utility units; zero or below in equilibrium."""
        return float(self.regrets(game, distribution).max())

    @abstractmethod
    def regrets(self, game: FiniteGame, distribution: npt.ArrayLike) -> FloatArray:
        """Return each seat's regret ``(N,)`` under a distribution."""

    @abstractmethod
    def incentives(self, game: FiniteGame, seat: int) -> csr_array:
        """Return rows ``(deviations, profiles)``: what the seat gains, relative to its range; none may be positive."""


class CoarseCorrelatedEquilibrium(EquilibriumProgramme):
    """Nobody gains by refusing to listen and playing one action always (Moulin & Vial 1978)."""

    def regrets(self, game: FiniteGame, distribution: npt.ArrayLike) -> FloatArray:
        return external_regrets(game, distribution)

    def incentives(self, game: FiniteGame, seat: int) -> csr_array:
        gains = game.deviation_gains(seat).reshape(game.shape[seat], -1)
        return csr_array(gains / _scales(game)[seat])


class CorrelatedEquilibrium(EquilibriumProgramme):
    """Nobody gains by answering any recommendation with another action (Aumann 1974)."""

    def regrets(self, game: FiniteGame, distribution: npt.ArrayLike) -> FloatArray:
        return recommendation_regrets(game, distribution)

    def incentives(self, game: FiniteGame, seat: int) -> csr_array:
        count = game.shape[seat]
        gains = game.deviation_gains(seat).reshape(count, -1) / _scales(game)[seat]
        recommended = np.indices(game.shape)[seat].ravel()
        # Row (r, a) holds the gains of action a in the profiles that recommend r.
        rows = recommended * count + np.arange(count)[:, None]
        columns = np.broadcast_to(np.arange(gains.shape[1]), gains.shape)
        entries = (gains.ravel(), (rows.ravel(), columns.ravel()))
        return csr_array(entries, shape=(count * count, gains.shape[1]))


@dataclass(frozen=True, eq=False)
class WelfareBracket:
    """What players who listen, learn or merely best-respond can reach: sums of utilities."""

    worst_coarse: float
    best_coarse: float
    worst_correlated: float
    best_correlated: float
    pure_nash: IntArray
    """``(M, N)`` indices of the pure equilibria."""
    nash_welfare: FloatArray
    """``(M,)`` their sums of utilities."""
    social_maximum: float
    social_profile: IntArray
    """``(N,)`` indices of the profile of greatest welfare."""


def welfare_bracket(game: FiniteGame, tolerance: float = NO_GAIN) -> WelfareBracket:
    """Return the welfare of the extreme equilibria of a finite game.

    In coarse ⊇ correlated ⊇ Nash, each set's extremes enclose those of the next.

    Args:
        game: any finite game.
        tolerance: gain that does not move anybody in a pure equilibrium, utility units.

    Raises:
        SolverError: a programme has no answer that passes its audit.
    """

    def value(programme: EquilibriumProgramme) -> float:
        return float((programme.solve(game) * game.welfare).sum())

    nash, social = game.pure_nash(tolerance), game.social_maximum()
    return WelfareBracket(
        worst_coarse=value(CoarseCorrelatedEquilibrium(direction="worst")),
        best_coarse=value(CoarseCorrelatedEquilibrium()),
        worst_correlated=value(CorrelatedEquilibrium(direction="worst")),
        best_correlated=value(CorrelatedEquilibrium()),
        pure_nash=nash,
        nash_welfare=game.welfare[tuple(nash.T)],
        social_maximum=float(game.welfare.max()),
        social_profile=social,
    )


def _scales(game: FiniteGame) -> FloatArray:
    """Ranges of utilities ``(N,)``, 1 for seats to whom everything is equal."""
    ranges = game.ranges
    return np.where(ranges > 0.0, ranges, 1.0)
