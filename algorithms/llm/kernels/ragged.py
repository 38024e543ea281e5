"""Numbers per turn of trajectories of different lengths, held as one flat array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from coopgym.algorithms.llm.kernels.groups import bin_sums
from coopgym.algorithms.llm.kernels.returns import discounted
from coopgym.algorithms.llm.kernels.validation import check_range, floats
from coopgym.typing import FloatArray, IntArray

Rows: TypeAlias = Sequence[npt.ArrayLike]
"""One sequence of numbers per trajectory."""


@dataclass(frozen=True, eq=False)
class Ragged:
    """N rows of different lengths with M entries in all."""

    values: FloatArray
    """``(M,)`` row after row."""
    lengths: IntArray
    """``(N,)`` entries of each row."""

    @classmethod
    def of(
        cls,
        name: str,
        rows: Rows,
        *,
        shortest: int = 0,
        low: float = -np.inf,
        high: float = np.inf,
        finite: bool = True,
    ) -> Ragged:
        """Take rows of numbers.

        Args:
            name: of the argument, for messages.
            rows: N sequences of numbers.
            shortest: entries that every row must have.
            low: bound of every number.
            high: bound of every number.
            finite: refuse numbers that are not finite.

        Raises:
            ValueError: a row that is no sequence of numbers, is too short, or holds a number that is not allowed.
        """
        arrays = [floats(name, row) for row in rows]
        for index, row in enumerate(arrays):
            if row.ndim != 1 or row.size < shortest:
                raise ValueError(
                    f"{name}[{index}]: expected at least {shortest} numbers in a row, got shape {row.shape}"
                )
        values = np.concatenate([np.zeros(0), *arrays])
        if finite:
            check_range(name, values, low, high)
        return cls(values, np.array([row.size for row in arrays], dtype=np.intp))

    @cached_property
    def rows(self) -> IntArray:
        """``(M,)`` row of each entry."""
        return np.repeat(np.arange(self.lengths.size), self.lengths)

    @cached_property
    def columns(self) -> IntArray:
        """``(M,)`` position of each entry inside its row."""
        starts = np.cumsum(self.lengths) - self.lengths
        return np.arange(self.values.size) - starts[self.rows]

    @cached_property
    def last(self) -> IntArray:
        """Entry that ends each row that has any."""
        return (np.cumsum(self.lengths) - 1)[self.lengths > 0]

    def sums(self) -> FloatArray:
        """Sum of each row, ``(N,)``."""
        return bin_sums(self.rows, self.values, self.lengths.size)

    def returns(self, gamma: float) -> FloatArray:
        """Discounted sums of each row's entries from each entry on, ``(M,)``."""
        padded = np.zeros((self.lengths.size, self.lengths.max(initial=0)))
        padded[self.rows, self.columns] = self.values
        return discounted(padded, gamma)[self.rows, self.columns]

    def with_values(self, values: FloatArray) -> Ragged:
        """Return rows of the same lengths with other values ``(M,)``."""
        return Ragged(values, self.lengths)

    def split(self) -> list[FloatArray]:
        """Return one array per row."""
        return np.split(self.values, np.cumsum(self.lengths))[:-1]

    def check_like(self, name: str, other: Ragged, other_name: str) -> None:
        """Raise unless another has rows of the same lengths."""
        if not np.array_equal(self.lengths, other.lengths):
            raise ValueError(
                f"{other_name}: expected rows as long as those of {name}, {self.lengths.tolist()}, "
                f"got {other.lengths.tolist()}"
            )
