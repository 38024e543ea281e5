"""Statistics inside groups: centring and z-scores, the baseline of every group-relative method."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from coopgym.algorithms.llm.kernels.validation import choice
from coopgym.typing import BoolArray, FloatArray, IntArray

SINGLETONS = ("zero", "raw")
"""What a group of one gets: nothing, or its own value as it is."""


def bin_sums(bins: IntArray, x: FloatArray, count: int) -> FloatArray:
    """Sum entries ``(N,)`` by the number of the bin that each belongs to, ``(count,)``."""
    return np.bincount(bins, weights=x, minlength=count).astype(np.float64, copy=False)


@dataclass(frozen=True, eq=False)
class Groups:
    """Which of G groups each of N entries belongs to; groups are numbered in the order of their first entries.

    Deviations are taken from a group's first entry before anything is averaged: where all entries are equal, they are
    exactly zero, and large offsets cost no precision.
    """

    codes: IntArray
    """``(N,)`` number of the group of each entry."""
    count: int
    """Groups G."""

    @classmethod
    def by(cls, labels: Sequence[Hashable]) -> Groups:
        """Group entries that carry the same label."""
        numbers: dict[Hashable, int] = {}
        codes = [numbers.setdefault(label, len(numbers)) for label in labels]
        return cls(np.array(codes, dtype=np.intp), len(numbers))

    @classmethod
    def whole(cls, length: int) -> Groups:
        """Put everything into one group."""
        return cls(np.zeros(length, dtype=np.intp), min(length, 1))

    @cached_property
    def first(self) -> IntArray:
        """``(G,)`` entry that each group begins with."""
        return np.unique(self.codes, return_index=True)[1]

    @cached_property
    def sizes(self) -> IntArray:
        """``(G,)`` entries of each group."""
        return np.bincount(self.codes, minlength=self.count)

    def sums(self, x: FloatArray) -> FloatArray:
        """Sum of each group, ``(G,)``."""
        return bin_sums(self.codes, x, self.count)

    def means(self, x: FloatArray, weight: FloatArray | None = None) -> FloatArray:
        """Mean of each group, ``(G,)``; weighted where weights ``(N,)`` are given."""
        offset = x[self.first]
        return offset + self._mean_deviation(x - offset[self.codes], weight)

    def centred(self, x: FloatArray, weight: FloatArray | None = None) -> FloatArray:
        """Deviation of each entry from its group's mean, ``(N,)``."""
        deviation = x - x[self.first][self.codes]
        return deviation - self._mean_deviation(deviation, weight)[self.codes]

    def variances(self, deviation: FloatArray, ddof: int, weight: FloatArray | None = None) -> FloatArray:
        """Variance of each group from its centred entries, ``(G,)``; 0 where ``ddof`` leaves no freedom.

        Weights count as repetitions of an entry, as tokens are of their turn's score.
        """
        repetitions = np.ones_like(deviation) if weight is None else weight
        freedom = self.sums(repetitions) - ddof
        return np.divide(
            self.sums(repetitions * deviation**2), freedom, out=np.zeros_like(freedom), where=freedom > 0.0
        )

    def flat(self, x: FloatArray) -> BoolArray:
        """Whether all entries of a group are equal, ``(G,)``."""
        differs = x != x[self.first][self.codes]
        return np.bincount(self.codes[differs], minlength=self.count) == 0

    def _mean_deviation(self, deviation: FloatArray, weight: FloatArray | None) -> FloatArray:
        repetitions = np.ones_like(deviation) if weight is None else weight
        total = self.sums(repetitions)
        return np.divide(self.sums(repetitions * deviation), total, out=np.zeros_like(total), where=total > 0.0)


def zscore(
    x: FloatArray,
    groups: Groups,
    *,
    ddof: int,
    eps: float,
    var_floor: float = 0.0,
    weight: FloatArray | None = None,
    singleton: str = "zero",
) -> FloatArray:
    """Standardise inside groups, ``(x - mean) / (sqrt(variance + var_floor) + eps)``.

    Args:
        x: ``(N,)``.
        groups: of the N entries.
        ddof: 1 for the sample's variance, 0 for the population's.
        eps: added to the standard deviation.
        var_floor: added to the variance.
        weight: ``(N,)`` how often each entry counts in mean and variance; None is once.
        singleton: what a group of one gets, ``"zero"`` or ``"raw"`` (its value as it is).

    Returns:
        ``(N,)``; exactly 0 in groups without variance.
    """
    choice("singleton", singleton, SINGLETONS)
    deviation = groups.centred(x, weight)
    variance = groups.variances(deviation, ddof, weight)
    scale = np.divide(1.0, np.sqrt(variance + var_floor) + eps, out=np.zeros_like(variance), where=variance > 0.0)
    z = deviation * scale[groups.codes]
    return np.where(groups.sizes[groups.codes] == 1, x, z) if singleton == "raw" else z
