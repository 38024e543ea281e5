"""The minimax winner: the mixture of options that no option is preferred to by more than half."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coopgym.oracles.meta.nash_averaging import nash_averaging
from coopgym.oracles.preferences.preference_matrix import PreferenceMatrix
from coopgym.typing import FloatArray

_PRESENT = 1e-9


@dataclass(frozen=True, eq=False)
class Winner:
    """A minimax winner and what is known of it."""

    distribution: FloatArray
    """``(K,)``."""
    unique: bool
    """Whether it is the only one."""
    gap: float
    """How far the best option is preferred to it beyond one half; zero up to rounding."""

    @property
    def options(self) -> tuple[int, ...]:
        """Those that it plays."""
        return tuple(np.flatnonzero(self.distribution > _PRESENT).tolist())


@dataclass(frozen=True)
class MinimaxWinner:
    """Maximin strategy of the symmetric zero-sum game P - 1/2, by linear programmes; a `GameSolver`.

    Kreweras (1965), Fishburn (1984): Condorcet's winner where there is one, otherwise a lottery over the top cycle. Of
    several it is the most even, in which identical options share what one of them would have.

    >>> cyclic = PreferenceMatrix.of([[0.5, 0.9, 0.2], [0.1, 0.5, 0.8], [0.8, 0.2, 0.5]])
    >>> winner = MinimaxWinner().find(cyclic)
    >>> winner.distribution.round(6), winner.unique, cyclic.borda_winner
    (array([0.3, 0.3, 0.4]), True, 0)
    """

    def find(self, preferences: PreferenceMatrix) -> Winner:
        """Return the winner and whether it is the only one.

        Raises:
            SolverError: HiGHS found no optimum, or its answer does not pass the audit.
        """
        average = nash_averaging(preferences.margins)
        distribution = average.distribution
        return Winner(distribution, average.unique, self.gap(preferences, distribution))

    def solve(self, preferences: PreferenceMatrix) -> FloatArray:
        """Return the winner ``(K,)``.

        Raises:
            SolverError: as in `find`.
        """
        return self.find(preferences).distribution

    def gap(self, preferences: PreferenceMatrix, distribution: npt.ArrayLike) -> float:
        """Return max_y P(y, p) - 1/2.

        Raises:
            ValueError: no distribution over the options.
        """
        return preferences.exploitability(distribution)
