"""Populations under selection: what every strategy earns in them, and how selection moves them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coopgym.oracles.finite.zero_sum import checked_matrix
from coopgym.oracles.meta.payoffs import payoff_range, square_payoffs
from coopgym.typing import FloatArray

_ROUNDING = 1e-9

Shares = tuple[FloatArray, ...]
"""Per population ``(B, K_p)``: shares of its strategies in B states at once."""


class Populations(ABC):
    """Populations whose strategies earn payoffs against each other.

    A state is the concatenation ``(..., K)`` of the populations' shares, K = Σ K_p.
    """

    sizes: tuple[int, ...]
    """Strategies of each population."""

    @abstractmethod
    def fitness(self, shares: Shares) -> Shares:
        """Return what each strategy earns, ``(B, K_p)`` per population, mapped to [0, 1] by the range of payoffs."""

    def split(self, states: FloatArray) -> Shares:
        """Return the shares of each population in states ``(..., K)``."""
        return tuple(np.split(states, np.cumsum(self.sizes)[:-1], axis=-1))

    @property
    def centre(self) -> FloatArray:
        """The state ``(K,)`` in which all strategies of a population are equally frequent."""
        return np.concatenate([np.full(size, 1.0 / size) for size in self.sizes])

    def velocity(self, states: FloatArray, mutation: float = 0.0) -> FloatArray:
        """Return the time derivative of states ``(B, K)`` under the replicator equation with uniform mutation.

        x_i' = x_i (f_i - Σ_j x_j f_j) + μ (1 / K_p - x_i) (Taylor & Jonker 1978; mutation as in Bomze & Bürger 1995),
        with f in units of the range of payoffs.
        """
        shares = self.split(states)
        return np.concatenate(
            [
                x * (f - _mean(x, f)) + mutation * (1.0 / x.shape[-1] - x)
                for x, f in zip(shares, self.fitness(shares), strict=True)
            ],
            axis=-1,
        )

    def next_generation(self, states: FloatArray, mutation: float = 0.0, background: float = 1.0) -> FloatArray:
        """Return the states ``(B, K)`` one generation later.

        x_i ← (1 - μ) x_i (β + f_i) / (β + Σ_j x_j f_j) + μ / K_p (Maynard Smith 1982), with f mapped to [0, 1] and the
        background fitness β.
        """
        shares = self.split(states)
        return np.concatenate(
            [
                (1.0 - mutation) * x * (background + f) / (background + _mean(x, f)) + mutation / x.shape[-1]
                for x, f in zip(shares, self.fitness(shares), strict=True)
            ],
            axis=-1,
        )

    def regrets(self, states: FloatArray) -> FloatArray:
        """Return what the best strategy earns more than the average, ``(B,)``, in units of the range of payoffs.

        Zero in Nash equilibrium only; of several populations the largest.
        """
        shares = self.split(states)
        gains = [f.max(-1) - _mean(x, f)[..., 0] for x, f in zip(shares, self.fitness(shares), strict=True)]
        return np.maximum(np.max(gains, axis=0), 0.0)

    def checked_states(self, states: npt.ArrayLike) -> FloatArray:
        """Return states as an array ``(B, K)``; a single one is a batch of one.

        Raises:
            ValueError: of another width, negative shares, or shares of a population that do not sum to 1.
        """
        batch = np.atleast_2d(np.asarray(states, dtype=np.float64))
        if batch.ndim != 2 or batch.shape[1] != sum(self.sizes):
            raise ValueError(f"states of shape {np.shape(states)}: expected (B, {sum(self.sizes)}) or one such row")
        sums = np.stack([x.sum(-1) for x in self.split(batch)])
        if not (batch >= 0.0).all() or not (np.abs(sums - 1.0) <= _ROUNDING).all():
            raise ValueError("states: expected shares of at least 0 that sum to 1 within each population")
        return batch


@dataclass(frozen=True, eq=False)
class OnePopulation(Populations):
    """One population whose members meet each other at random."""

    payoffs: FloatArray
    """``(K, K)`` what row earns against column."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "payoffs", square_payoffs(self.payoffs))
        object.__setattr__(self, "sizes", (len(self.payoffs),))

    def fitness(self, shares: Shares) -> Shares:
        return (shares[0] @ _unit(self.payoffs).T,)


@dataclass(frozen=True, eq=False)
class TwoPopulations(Populations):
    """Two populations, rows and columns, whose members meet those of the other one at random."""

    row: FloatArray
    """``(m, n)`` what rows earn."""
    column: FloatArray
    """``(m, n)`` what columns earn."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "row", checked_matrix(self.row))
        object.__setattr__(self, "column", checked_matrix(self.column))
        if self.row.shape != self.column.shape:
            raise ValueError(f"row {self.row.shape} and column {self.column.shape}: expected matrices of one shape")
        object.__setattr__(self, "sizes", self.row.shape)

    def fitness(self, shares: Shares) -> Shares:
        rows, columns = shares
        return columns @ _unit(self.row).T, rows @ _unit(self.column)


def _mean(shares: FloatArray, fitness: FloatArray) -> FloatArray:
    return (shares * fitness).sum(-1, keepdims=True)


def _unit(payoffs: FloatArray) -> FloatArray:
    return (payoffs - payoffs.min()) / payoff_range(payoffs)
