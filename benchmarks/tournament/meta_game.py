"""The game among agents that a table of payoffs makes, and what can be said of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.oracles.meta.alpha_rank import AlphaSweep, Takeovers, alpha_sweep
from coopgym.oracles.meta.empirical_game import EmpiricalGame
from coopgym.oracles.meta.fixation import POPULATION, PopulationMatching
from coopgym.oracles.meta.nash_averaging import NashAverage, antisymmetric_part, nash_averaging
from coopgym.oracles.meta.populations import OnePopulation
from coopgym.oracles.meta.replicator import Orbits, replicate
from coopgym.typing import FloatArray


@dataclass(frozen=True)
class Rating:
    """One agent by every method, in the payoff unit of the table."""

    agent: str
    self_play: float
    """Payoff among its own copies."""
    among_others: float
    """Mean payoff among copies of each other agent."""
    replicator: float
    """Share after replicator dynamics from equal shares; averaged over the second half of the time where
    they have not come to rest."""
    alpha_rank: float
    """Share of time under rare mutations and strong selection."""
    nash: float
    """Probability in the mixture from which nobody takes more than it gives."""
    skill: float
    """What the agent takes from that mixture; at most zero."""
    stable: bool
    """Whether no other agent of the table can enter a population of its copies, not even by drift."""


@dataclass(frozen=True, eq=False)
class Ratings:
    """All agents by every method, with what the methods say of themselves."""

    rows: tuple[Rating, ...]
    orbits: Orbits
    sweep: AlphaSweep
    average: NashAverage


class MetaGame(ABC):
    """Agents and what each of them earns among copies of each."""

    @property
    @abstractmethod
    def agents(self) -> tuple[str, ...]:
        """Names of the K agents."""

    @property
    @abstractmethod
    def payoffs(self) -> FloatArray:
        """What row earns alone among copies of column, ``(K, K)``."""

    @abstractmethod
    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield one tidy row per game, pair of agents and seed."""

    def replicator(self, starts: npt.ArrayLike | None = None, mutation: float = 0.0) -> Orbits:
        """Let a large population of the agents reproduce in proportion to what they earn; see `replicate`.

        Args:
            starts: shares of the agents ``(B, K)``; None starts with equal shares.
            mutation: rate at which any agent is replaced by a random one.
        """
        return replicate(OnePopulation(self.payoffs), starts, mutation=mutation)

    def alpha_rank(self, population: int = POPULATION, matching: PopulationMatching = "population") -> AlphaSweep:
        """Rank the agents by the time that a finite population spends with each; see `alpha_sweep`."""
        return alpha_sweep(Takeovers.of_strategies(self.payoffs, population, matching))

    def nash_averaging(self) -> NashAverage:
        """Rate the agents by who takes more from whom, (P - Pᵀ) / 2; see `nash_averaging`."""
        return nash_averaging(antisymmetric_part(self.payoffs))

    def empirical_game(self, tie: float | None = None) -> EmpiricalGame:
        """Say who is a best reply to whom, dominates, invades; see `EmpiricalGame`."""
        return EmpiricalGame.of(self.payoffs, tie)

    def ratings(self) -> Ratings:
        """Rate every agent by every method, in the order of `agents`."""
        table, stable = self.payoffs, self.empirical_game().evolutionarily_stable
        orbits, sweep, average = self.replicator(), self.alpha_rank(), self.nash_averaging()
        shares = orbits.ends[0] if orbits.converged[0] else orbits.averages[0]
        rows = tuple(
            Rating(
                agent=agent,
                self_play=float(table[i, i]),
                among_others=float(np.delete(table[i], i).mean()) if len(table) > 1 else float(table[i, i]),
                replicator=float(shares[i]),
                alpha_rank=float(sweep.ranking[i]),
                nash=float(average.distribution[i]),
                skill=float(average.skill[i]),
                stable=bool(stable[i]),
            )
            for i, agent in enumerate(self.agents)
        )
        return Ratings(rows, orbits, sweep, average)
