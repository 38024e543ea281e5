"""Self-play preference optimisation: a learner without regret against itself averages to a minimax winner."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coopgym.oracles.preferences.preference_matrix import PreferenceMatrix
from coopgym.typing import FloatArray


@dataclass(frozen=True)
class SPO:
    """Exponential weights rewarded with win rates against themselves (Swamy et al. 2024); a `GameSolver`.

    The game is symmetric, so one player suffices. Max_y P(y, average) - 1/2 ≤ ln K / (η T) + η / 8.

    Attributes:
        rounds: T, each with one evaluation of preferences against a policy.
        rate: learning rate η; None is sqrt(8 ln K / T), the best for the bound.

    >>> cyclic = PreferenceMatrix.of([[0.5, 0.9, 0.2], [0.1, 0.5, 0.8], [0.8, 0.2, 0.5]])
    >>> spo = SPO(rounds=4000)
    >>> spo.solve(cyclic).round(2), spo.gap(cyclic, spo.solve(cyclic)) <= spo.bound(3)
    (array([0.3, 0.3, 0.4]), True)
    """

    rounds: int = 1000
    rate: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.rounds, int | np.integer) or self.rounds < 1:
            raise ValueError(f"rounds={self.rounds!r}: expected a whole number of at least 1")
        if self.rate is not None and not 0.0 < self.rate < math.inf:
            raise ValueError(f"rate={self.rate!r}: expected a positive number, or None")

    def solve(self, preferences: PreferenceMatrix) -> FloatArray:
        """Return the mean of the policies played ``(K,)``."""
        total = np.zeros(len(preferences))
        for policy in self.policies(preferences.probabilities):
            total += policy
        return total / self.rounds

    def gap(self, preferences: PreferenceMatrix, distribution: npt.ArrayLike) -> float:
        """Return max_y P(y, p) - 1/2.

        Raises:
            ValueError: no distribution over the options.
        """
        return preferences.exploitability(distribution)

    def policies(self, probabilities: FloatArray) -> Iterator[FloatArray]:
        """Yield the policy ``(..., K)`` that every round plays, the uniform one first.

        Args:
            probabilities: of one game or several, ``(..., K, K)``.
        """
        rate, totals = self.rate_of(probabilities.shape[-1]), np.zeros(probabilities.shape[:-1])
        for _ in range(self.rounds):
            weights = np.exp(rate * (totals - totals.max(-1, keepdims=True)))
            policy = weights / weights.sum(-1, keepdims=True)
            yield policy
            totals = totals + (probabilities @ policy[..., None])[..., 0]

    def rate_of(self, options: int) -> float:
        """Learning rate for K options."""
        return math.sqrt(8.0 * math.log(options) / self.rounds) if self.rate is None else self.rate

    def bound(self, options: int) -> float:
        """Return what theory allows for the exploitability of the mean, ln K / (η T) + η / 8."""
        rate = self.rate_of(options)
        return math.log(options) / (rate * self.rounds) + rate / 8.0 if rate > 0.0 else 0.0
