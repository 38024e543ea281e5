"""Matrices of pairwise preferences: checks, win rates, and winners by the rules of social choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coopgym.typing import BoolArray, FloatArray, IntArray

COMPLEMENT = 1e-9
"""How far P(y, y') + P(y', y) may be from 1, and what is as good as one half."""


@dataclass(frozen=True, eq=False)
class PreferenceMatrix:
    """How probably each of K options is preferred to each.

    >>> rock_paper = PreferenceMatrix.of([[0.5, 0.0, 1.0], [1.0, 0.5, 0.0], [0.0, 1.0, 0.5]])
    >>> rock_paper.borda, rock_paper.copeland, rock_paper.condorcet_winner is None
    (array([0.5, 0.5, 0.5]), array([1, 1, 1]), True)
    """

    probabilities: FloatArray
    """``(K, K)``: row preferred to column; one half on the diagonal."""
    names: tuple[str, ...]
    """Of the options."""

    def __post_init__(self) -> None:
        table = self.probabilities
        if table.ndim != 2 or table.shape[0] != table.shape[1] or not table.size:
            raise ValueError(
                f"preferences of shape {table.shape}: expected (K, K), how probably each of K options is preferred to "
                "each"
            )
        outside = ~((table >= 0.0) & (table <= 1.0))
        if outside.any():
            row, column = _first(outside)
            raise ValueError(
                f"preferences[{row}, {column}] = {table[row, column]:g}: expected a probability between 0 and 1"
            )
        torn = np.abs(table + table.T - 1.0) > COMPLEMENT
        if torn.any():
            row, column = _first(torn)
            if row == column:
                raise ValueError(
                    f"preferences[{row}, {row}] = {table[row, row]:g}: expected 0.5, since an option ties with itself"
                )
            raise ValueError(
                f"preferences[{row}, {column}] = {table[row, column]:g} and preferences[{column}, {row}] = "
                f"{table[column, row]:g}: expected numbers that sum to 1, with ties counted as one half"
            )
        if len(self.names) != len(table):
            raise ValueError(f"names: expected {len(table)}, one for each option, got {len(self.names)}")

    @classmethod
    def of(cls, preferences: npt.ArrayLike, names: Sequence[str] | None = None) -> PreferenceMatrix:
        """Take a table of probabilities.

        Args:
            preferences: ``(K, K)``.
            names: of the options; None numbers them from 0.

        Raises:
            ValueError: not square, an entry outside [0, 1], or one whose counterpart is not its complement.
        """
        table = np.array(preferences, dtype=np.float64)
        count = table.shape[0] if table.ndim else 0
        return cls(table, tuple(names) if names is not None else tuple(str(option) for option in range(count)))

    @classmethod
    def counted(cls, wins: npt.ArrayLike, names: Sequence[str] | None = None) -> PreferenceMatrix:
        """Take shares of decided comparisons; pairs that were never compared are ties.

        Args:
            wins: ``(K, K)`` how often row was preferred to column, ties counted as one half on either side.
            names: of the options; None numbers them from 0.

        Raises:
            ValueError: not square, or a negative, infinite or missing number.
        """
        counts = np.asarray(wins, dtype=np.float64)
        if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not ((counts >= 0.0) & (counts < np.inf)).all():
            raise ValueError(f"wins of shape {counts.shape}: expected (K, K) finite numbers of at least 0")
        compared = counts + counts.T
        shares = np.divide(counts, compared, out=np.full(counts.shape, 0.5), where=compared > 0.0)
        np.fill_diagonal(shares, 0.5)
        return cls.of(shares, names)

    def __len__(self) -> int:
        """Number of options K."""
        return len(self.probabilities)

    @property
    def margins(self) -> FloatArray:
        """``(K, K)`` P - 1/2, what row takes from column in the zero-sum game whose value is 0; antisymmetric."""
        return (self.probabilities - self.probabilities.T) / 2.0

    @property
    def borda(self) -> FloatArray:
        """``(K,)`` mean probability of being preferred to another option; a lone option has one half."""
        others = len(self) - 1
        if others == 0:
            return np.full(1, 0.5)
        means: FloatArray = (self.probabilities.sum(1) - 0.5) / others
        return means

    @property
    def borda_winner(self) -> int:
        """The option of the highest mean win rate, which a fitted scalar reward ranks first; the lowest of several."""
        return _highest(self.borda)

    @property
    def majorities(self) -> BoolArray:
        """``(K, K)`` whether more than half prefer row to column."""
        beats: BoolArray = self.margins > COMPLEMENT
        return beats

    @property
    def copeland(self) -> IntArray:
        """``(K,)`` options that each beats by a majority (Copeland 1951); ties count for neither."""
        return self.majorities.sum(1).astype(np.int64)

    @property
    def condorcet_winner(self) -> int | None:
        """The option that a majority prefers to every other one, if there is one."""
        winners = np.flatnonzero(self.majorities.sum(1) == len(self) - 1)
        return int(winners[0]) if len(winners) else None

    def against(self, distribution: npt.ArrayLike) -> FloatArray:
        """Return how probably each option is preferred to a draw from a mixture, ``(K,)``.

        Raises:
            ValueError: no distribution over the options.
        """
        return self.probabilities @ self.checked(distribution)

    def exploitability(self, distribution: npt.ArrayLike) -> float:
        """Return max_y P(y, p) - 1/2, how far the best option is preferred to a mixture; 0 for a minimax winner.

        Raises:
            ValueError: no distribution over the options.
        """
        return float(self.against(distribution).max()) - 0.5

    def checked(self, distribution: npt.ArrayLike) -> FloatArray:
        """Return a distribution over the options as an array.

        Raises:
            ValueError: another length, negative entries, or a sum other than one.
        """
        mixture = np.asarray(distribution, dtype=np.float64)
        if mixture.shape != (len(self),):
            raise ValueError(f"distribution of shape {mixture.shape}: expected ({len(self)},), one entry per option")
        if not (mixture >= 0.0).all() or abs(mixture.sum() - 1.0) > COMPLEMENT:
            raise ValueError(
                "distribution: expected probabilities that sum to 1, got a least entry of "
                f"{mixture.min():g} and a sum of {mixture.sum():.12g}"
            )
        return mixture


def _highest(values: FloatArray) -> int:
    """Return the place of the largest number; of those that only rounding tells apart, the first."""
    return int(np.flatnonzero(values >= values.max() - COMPLEMENT)[0])


def _first(where: BoolArray) -> tuple[int, int]:
    row, column = np.argwhere(where)[0].tolist()
    return row, column
