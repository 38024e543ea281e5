"""What a table of payoffs says at a glance: best replies, dominance, and who can invade whom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coopgym.oracles.meta.payoffs import SAME, payoff_range, square_payoffs
from coopgym.typing import BoolArray, FloatArray


@dataclass(frozen=True, eq=False)
class EmpiricalGame:
    """Pure strategies compared; row a, column b is strategy a in a population of strategy b."""

    payoffs: FloatArray
    """``(K, K)``."""
    tie: float
    """Differences up to this many payoff units are ties."""

    @classmethod
    def of(cls, payoffs: npt.ArrayLike, tie: float | None = None) -> EmpiricalGame:
        """Take a table of payoffs.

        Args:
            payoffs: ``(K, K)`` what row earns among column.
            tie: differences up to this many payoff units are ties, for example a standard error; None is 1e-9 of the
                range of payoffs.

        Raises:
            ValueError: not a square matrix of finite numbers, or a negative tie.
        """
        table = square_payoffs(payoffs)
        if tie is not None and not tie >= 0.0:
            raise ValueError(f"tie={tie!r}: expected a number of at least 0")
        return cls(table, SAME * payoff_range(table) if tie is None else tie)

    @property
    def best_replies(self) -> BoolArray:
        """``(K, K)`` whether row is a best reply to column: the edges of the best-reply graph, from column to row."""
        return self.payoffs >= self.payoffs.max(0) - self.tie

    @property
    def symmetric_nash(self) -> BoolArray:
        """``(K,)`` strategies that are best replies to themselves."""
        return np.diag(self.best_replies).copy()

    @property
    def strictly_dominates(self) -> BoolArray:
        """``(K, K)`` whether row earns more than column whatever the population."""
        return np.all(self._leads > self.tie, axis=-1)

    @property
    def weakly_dominates(self) -> BoolArray:
        """``(K, K)`` whether row earns at least as much as column in every population, and more in some."""
        return np.all(self._leads >= -self.tie, axis=-1) & np.any(self._leads > self.tie, axis=-1)

    @property
    def invades(self) -> BoolArray:
        """``(K, K)`` whether a few of row spread in a population of column.

        They earn more than the residents, or the same there and more among themselves.
        """
        return (self._foothold > self.tie) | (self._tied & (self._among_mutants > self.tie))

    @property
    def drifts(self) -> BoolArray:
        """``(K, K)`` whether selection neither spreads nor removes a few of row in a population of column."""
        neutral = self._tied & (np.abs(self._among_mutants) <= self.tie)
        return neutral & ~np.eye(len(self.payoffs), dtype=bool)

    @property
    def evolutionarily_stable(self) -> BoolArray:
        """``(K,)`` strategies that remove every other one (Maynard Smith & Price 1973)."""
        return ~np.any(self.invades | self.drifts, axis=0)

    @property
    def neutrally_stable(self) -> BoolArray:
        """``(K,)`` strategies that no other one invades; some may drift in."""
        return ~np.any(self.invades, axis=0)

    @property
    def _leads(self) -> FloatArray:
        return self.payoffs[:, None, :] - self.payoffs[None, :, :]

    @property
    def _foothold(self) -> FloatArray:
        """What a single row earns more than the residents, ``(K, K)``."""
        return self.payoffs - np.diag(self.payoffs)

    @property
    def _tied(self) -> BoolArray:
        return np.abs(self._foothold) <= self.tie

    @property
    def _among_mutants(self) -> FloatArray:
        """What row earns among its own more than column does among them, ``(K, K)``."""
        return np.diag(self.payoffs)[:, None] - self.payoffs.T
