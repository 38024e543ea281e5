"""Full-information Hedge in every seat: where players without regret end up on average."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt

from coopgym.oracles.finite.discretised import FiniteGame
from coopgym.oracles.finite.game_solver import external_regrets
from coopgym.oracles.finite.linear_programme import SolverError
from coopgym.oracles.finite.zero_sum import checked_matrix, duality_gap
from coopgym.oracles.games.exponential_weights import exponential_weights
from coopgym.typing import FloatArray

_ROUNDING = 1e-9
"""Excess over a proven bound, relative to a seat's range, that rounding explains."""


@dataclass(frozen=True, eq=False)
class NoRegretPlay:
    """Averages over the rounds of a play."""

    distribution: FloatArray
    """``(K_1, ..., K_N)`` mean of the joint distributions played."""
    strategies: tuple[FloatArray, ...]
    """Per seat ``(K_i,)``: mean of the mixed strategies played."""
    regrets: FloatArray
    """``(N,)`` audited external regrets of the distribution, utility units."""
    bounds: FloatArray
    """``(N,)`` what theory allows, range (ln K / (η T) + η / 8)."""


@dataclass(frozen=True, eq=False)
class ResponsePlay:
    """Averages over the rounds of a learner's play against a best responder."""

    row: FloatArray
    """``(m,)`` mean of the learner's mixed strategies."""
    column: FloatArray
    """``(n,)`` how often each column was the answer."""
    gap: float
    """What both players together could gain by deviating from these."""
    bound: float
    """What theory allows, range (ln m / (η T) + η / 8)."""


@dataclass(frozen=True)
class Hedge:
    """Simultaneous exponential weights on all counterfactual utilities (Freund & Schapire 1999); a `GameSolver`.

    The time-averaged joint distribution is a coarse correlated equilibrium up to the regret, and in zero-sum games the
    averaged strategies are minimax up to the sum of regrets.

    Attributes:
        rounds: T.
        rate: learning rate η on utilities scaled to [0, 1]; None is sqrt(8 ln K / T), the best for the bound.

    >>> payoff = np.array([[2, -1], [-1, 1]])  # minimax plays 2 : 3
    >>> play = Hedge(rounds=1000).play(FiniteGame.bimatrix(payoff, -payoff))
    >>> play.strategies[0].round(2), bool((play.regrets <= play.bounds).all())
    (array([0.41, 0.59]), True)
    """

    rounds: int = 1000
    rate: float | None = None

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise ValueError(f"rounds={self.rounds!r}: expected a whole number of at least 1")
        if self.rate is not None and not 0.0 < self.rate < np.inf:
            raise ValueError(f"rate={self.rate!r}: expected a positive number, or None")

    def solve(self, game: FiniteGame) -> FloatArray:
        """Return the time-averaged joint distribution ``(K_1, ..., K_N)``.

        Raises:
            SolverError: as in `play`.
        """
        return self.play(game).distribution

    def gap(self, game: FiniteGame, distribution: npt.ArrayLike) -> float:
        """Return the largest external regret of any seat under a distribution, utility units."""
        return float(external_regrets(game, distribution).max())

    def play(self, game: FiniteGame) -> NoRegretPlay:
        """Let all seats learn against each other and return the averages.

        Raises:
            SolverError: a seat's regret exceeds its proven bound.
        """
        scaled = _unit_gains(game)
        rates = [self.rate_of(count) for count in game.shape]
        totals = [np.zeros(count) for count in game.shape]
        averages = [np.zeros(count) for count in game.shape]
        distribution = np.zeros(game.shape)
        for _ in range(self.rounds):
            mixed = [exponential_weights(rate * total) for rate, total in zip(rates, totals, strict=True)]
            distribution += reduce(np.multiply.outer, mixed) / self.rounds
            averages = [mean + played / self.rounds for mean, played in zip(averages, mixed, strict=True)]
            totals = [total + action_values(scaled, mixed, seat) for seat, total in enumerate(totals)]
        regrets, bounds = external_regrets(game, distribution), self.bounds(game)
        if (regrets - bounds > _ROUNDING * game.ranges).any():
            raise SolverError(f"Hedge: regrets {regrets} exceed their bounds {bounds}")
        return NoRegretPlay(distribution, tuple(averages), regrets, bounds)

    def against_best_response(self, payoff: npt.ArrayLike) -> ResponsePlay:
        """Let the row player of a zero-sum game learn against a column player who best-responds in every round.

        The column player sees the mixed strategy before it answers, ties to the lowest index. Averages of both are
        minimax up to the row player's regret (Freund & Schapire 1999): half of what two learners are allowed.

        Args:
            payoff: ``(m, n)`` what the column player pays to the row player.

        Raises:
            ValueError: not a matrix of finite numbers.
            SolverError: the duality gap exceeds its proven bound.

        >>> play = Hedge(rounds=1000).against_best_response([[2, -1], [-1, 1]])
        >>> play.row.round(2), play.column.round(2), play.gap <= play.bound
        (array([0.4, 0.6]), array([0.4, 0.6]), True)
        """
        matrix = checked_matrix(payoff)
        width = float(np.ptp(matrix))
        gains = (matrix - matrix.min()) / (width if width > 0.0 else 1.0)
        rate, total = self.rate_of(len(matrix)), np.zeros(len(matrix))
        row, answers = np.zeros(len(matrix)), np.zeros(matrix.shape[1])
        for _ in range(self.rounds):
            mixed = exponential_weights(rate * total)
            answer = int((mixed @ matrix).argmin())
            row += mixed / self.rounds
            answers[answer] += 1.0 / self.rounds
            total += gains[:, answer]
        started = np.log(len(matrix)) / (rate * self.rounds) if rate > 0.0 else 0.0
        gap, bound = duality_gap(matrix, row, answers), float(width * (started + rate / 8.0))
        # Where all payoffs are the same, what rounding may add is a part of them and not of their range.
        if gap - bound > _ROUNDING * float(np.abs(matrix).max()):
            raise SolverError(f"Hedge against best responses: the duality gap {gap:.3g} exceeds its bound {bound:.3g}")
        return ResponsePlay(row, answers, gap, bound)

    def rate_of(self, count: int) -> float:
        """Learning rate of a seat with ``count`` actions."""
        return float(np.sqrt(8.0 * np.log(count) / self.rounds)) if self.rate is None else self.rate

    def bounds(self, game: FiniteGame) -> FloatArray:
        """Return the proven bound on every seat's external regret, range (ln K / (η T) + η / 8), ``(N,)``."""
        counts = np.array(game.shape)
        rates = np.array([self.rate_of(count) for count in game.shape])
        started = np.divide(np.log(counts), rates * self.rounds, out=np.zeros(len(rates)), where=rates > 0.0)
        return game.ranges * (started + rates / 8.0)


def action_values(utilities: FloatArray, mixed: list[FloatArray], seat: int) -> FloatArray:
    """Return what each action of a seat earns against the others' mixed strategies, ``(K_seat,)``.

    Args:
        utilities: ``(K_1, ..., K_N, N)``.
        mixed: per seat ``(K_i,)`` probabilities.
        seat: whose actions.
    """
    values = utilities[..., seat]
    for other in reversed(range(len(mixed))):
        if other != seat:
            values = np.tensordot(values, mixed[other], axes=(other, 0))
    return values


def _unit_gains(game: FiniteGame) -> FloatArray:
    """Utilities mapped to [0, 1] seat by seat."""
    least = game.utilities.reshape(-1, game.n_agents).min(0)
    ranges = game.ranges
    return (game.utilities - least) / np.where(ranges > 0.0, ranges, 1.0)
