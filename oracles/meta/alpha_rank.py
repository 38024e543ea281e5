"""α-rank: how much time a population under rare mutations spends with each strategy (Omidshafiei et al. 2019)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse.csgraph import connected_components

from coopgym.oracles.finite.discretised import FiniteGame
from coopgym.oracles.meta.fixation import (
    POPULATION,
    PopulationMatching,
    constant_advantages,
    cumulative_advantages,
    limit_fixation,
    log_fixation,
)
from coopgym.oracles.meta.payoffs import payoff_range, square_payoffs
from coopgym.oracles.meta.stationary import stationary_distribution
from coopgym.typing import FloatArray, IntArray

RELATIVE_INTENSITIES = np.geomspace(1e-2, 1e8, 41)
"""Intensities of a sweep, per range of payoffs; the strongest tell apart what is not a tie."""
MAX_STATES = 1000
"""States are eliminated one by one, each in a time that grows with their number squared."""
SETTLED = 1e-3
"""Change of any share over one step of a sweep below which a ranking counts as settled."""


@dataclass(frozen=True, eq=False)
class Takeovers:
    """How a population moves between states in which all of it plays one strategy: E ways for a mutant to take over."""

    sources: IntArray
    """``(E,)`` states before."""
    targets: IntArray
    """``(E,)`` states after."""
    advantages: FloatArray
    """``(E, m - 1)`` cumulative advantages of the mutants."""
    mutations: int
    """Different mutations in every state, all equally likely."""
    scale: float
    """Range of payoffs."""
    shape: tuple[int, ...]
    """Strategies of each population; the number of states S is their product."""

    @classmethod
    def of_strategies(
        cls, payoffs: npt.ArrayLike, population: int = POPULATION, matching: PopulationMatching = "population"
    ) -> Takeovers:
        """Take one population whose members play a symmetric game of two.

        Args:
            payoffs: ``(K, K)`` what row earns against column.
            population: members m.
            matching: ``"population"`` lets members earn the mean over all others, so that what a strategy earns among
                its own counts; ``"pair"`` compares what mutant and resident earn from each other, the local selection
                of the publication.

        Raises:
            ValueError: payoffs that are no square matrix, a population below 2, or an unknown matching.
        """
        table = square_payoffs(payoffs)
        count = len(table)
        residents, mutants = np.nonzero(~np.eye(count, dtype=bool))
        advantages = cumulative_advantages(table, population, matching)[mutants, residents]
        return cls(residents, mutants, advantages, max(1, count - 1), payoff_range(table), (count,))

    @classmethod
    def of_profiles(cls, game: FiniteGame, population: int = POPULATION) -> Takeovers:
        """Take one population per seat of a finite game; states are its profiles, in C order.

        Raises:
            ValueError: a population below 2, or more than 1,000 profiles.
        """
        profiles = np.indices(game.shape).reshape(game.n_agents, -1)
        count = profiles.shape[1]
        if count > MAX_STATES:
            raise ValueError(f"game of {count:,} profiles: expected at most {MAX_STATES:,}; leave out some strategies")
        differing = profiles[:, :, None] != profiles[:, None, :]
        sources, targets = np.nonzero(differing.sum(0) == 1)
        seats = differing[:, sources, targets].argmax(0)
        utilities = game.utilities.reshape(count, game.n_agents)
        gains = utilities[targets, seats] - utilities[sources, seats]
        mutations = max(1, sum(game.shape) - game.n_agents)
        scale = float(game.ranges.max()) or 1.0
        return cls(sources, targets, constant_advantages(gains, population), mutations, scale, game.shape)

    def log_rates(self, alpha: float) -> FloatArray:
        """Logarithms of transition probabilities ``(S, S)`` at a ranking intensity; the diagonal has none."""
        states = int(np.prod(self.shape))
        rates = np.full((states, states), -np.inf)
        rates[self.sources, self.targets] = log_fixation(self.advantages, alpha) - np.log(self.mutations)
        return rates

    def limit_rates(self) -> FloatArray:
        """Transition probabilities ``(S, S)`` that survive at infinite ranking intensity; the diagonal has none."""
        states = int(np.prod(self.shape))
        rates = np.zeros((states, states))
        rates[self.sources, self.targets] = limit_fixation(self.advantages, self.scale) / self.mutations
        return rates


@dataclass(frozen=True, eq=False)
class AlphaSweep:
    """Rankings from weak to strong selection."""

    alphas: FloatArray
    """``(A,)`` ranking intensities, ascending, per unit of payoff."""
    distributions: FloatArray
    """``(A, ...)`` shares of time."""

    @property
    def settled(self) -> bool:
        """Whether the last step of the sweep changed no share by more than 1e-3."""
        return bool(np.abs(self.distributions[-1] - self.distributions[-2]).max() <= SETTLED)

    @property
    def ranking(self) -> FloatArray:
        """Shares of time at the strongest selection."""
        return self.distributions[-1]


@dataclass(frozen=True, eq=False)
class SinkComponent:
    """States that lead to each other and nowhere else when selection is infinitely strong."""

    members: IntArray
    """``(M,)`` positions of the states in C order, ascending."""
    distribution: FloatArray
    """``(M,)`` shares of the time spent inside."""


def alpha_rank(takeovers: Takeovers, alpha: float) -> FloatArray:
    """Return the share of time spent with each strategy ``(K,)``, or profile ``(K_1, ..., K_N)``.

    Args:
        takeovers: how a mutant takes over.
        alpha: ranking intensity α, per unit of payoff; any finite number of at least 0.

    Raises:
        ValueError: another α. For the limit, see `sink_components`.
    """
    if not 0.0 <= alpha < np.inf:
        raise ValueError(f"alpha={alpha!r}: expected a finite number of at least 0; sink_components gives the limit")
    return stationary_distribution(takeovers.log_rates(alpha)).reshape(takeovers.shape)


def alpha_sweep(takeovers: Takeovers, alphas: npt.ArrayLike | None = None) -> AlphaSweep:
    """Rank at ascending intensities, to see where the ranking settles.

    Args:
        takeovers: how a mutant takes over.
        alphas: ``(A,)`` ascending intensities, at least two; None is 0.01 to 100 million per range of payoffs.

    Raises:
        ValueError: other intensities.
    """
    values = RELATIVE_INTENSITIES / takeovers.scale if alphas is None else np.asarray(alphas, dtype=np.float64)
    if values.ndim != 1 or len(values) < 2 or not (np.diff(values) > 0.0).all():
        raise ValueError(f"alphas={alphas!r}: expected at least two numbers in ascending order")
    return AlphaSweep(values, np.stack([alpha_rank(takeovers, float(alpha)) for alpha in values]))


def sink_components(takeovers: Takeovers) -> tuple[SinkComponent, ...]:
    """Return where a population ends at infinite ranking intensity: the sink components of the response graph.

    A single component holds the limit of α-rank. Among several the limit depends on how rare the ways out are; a large
    finite α weighs them.
    """
    rates = takeovers.limit_rates()
    count, labels = connected_components(rates > 0.0, directed=True, connection="strong")
    sinks = []
    for label in range(count):
        members = np.flatnonzero(labels == label)
        if not rates[members][:, labels != label].any():
            with np.errstate(divide="ignore"):  # no transition has the logarithm minus infinity
                inside = np.log(rates[np.ix_(members, members)])
            sinks.append(SinkComponent(members, stationary_distribution(inside)))
    return tuple(sorted(sinks, key=lambda sink: int(sink.members[0])))
