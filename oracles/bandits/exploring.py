"""Learners that explore on a schedule of their own, whatever they see: explore-first and epsilon-greedy."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from coopgym.oracles.bandits.learner import DeterministicLearner, Instance, one_hot
from coopgym.oracles.bandits.sample_means import SampleMeans, confidence_radius
from coopgym.typing import FloatArray, IntArray


@dataclass
class ExploreFirst(SampleMeans, DeterministicLearner):
    """Plays every arm N times in turn, then the one of highest mean for ever.

    Slivkins (2019), Introduction to Multi-Armed Bandits, Algorithm 1.1; regret of order T^(2/3) (K ln T)^(1/3).

    Attributes:
        pulls: N; None is ceil((T / K)^(2/3) (ln T)^(1/3)), at most T / K.

    >>> learner = ExploreFirst(pulls=2)
    >>> learner.reset(arms=2, horizon=10)
    >>> for reward in (0.1, 0.8, 0.3, 0.6):  # arms 0, 1, 0, 1
    ...     learner.update(learner.choose(), np.array([reward]))
    >>> learner.choose()
    array([1])
    """

    citation = "Slivkins, A. (2019). Introduction to multi-armed bandits. FnT Machine Learning 12, section 1.2."

    pulls: int | None = None

    def __post_init__(self) -> None:
        if self.pulls is not None and self.pulls < 1:
            raise ValueError(f"pulls={self.pulls!r}: expected a whole number of at least 1, or None")

    def prepare(self) -> None:
        super().prepare()
        self._explored = self.arms * self.pulls_of(self.horizon, self.arms)

    def pulls_of(self, horizon: int, arms: int) -> int:
        """Return how often each of K arms is explored in T rounds."""
        if self.pulls is not None:
            return self.pulls
        return max(1, min(math.ceil(recommended_pulls(horizon, arms)), horizon // arms))

    def choose(self, context: FloatArray | None = None) -> IntArray:
        exploring = self.round < self._explored
        return np.where(exploring, self.round % self.arms, self.means().argmax(1))

    def learn(self, arms: IntArray, rewards: FloatArray, feedback: FloatArray | None) -> None:
        exploring = self.round < self._explored
        self.counts[self.rows, arms] += exploring
        self.sums[self.rows, arms] += rewards * exploring

    def declared_bound(self, horizon: int, instance: Instance) -> float | None:
        """Return what exploring costs, and twice the radius of the means in every round after it."""
        if not instance.is_stochastic:
            return None
        pulls, gaps = self.pulls_of(horizon, instance.arms), instance.gaps
        explored = pulls * (instance.arms - 1.0 if gaps is None else sum(gaps))
        error = min(2.0 * float(confidence_radius(horizon, np.array(float(pulls)))), largest_gap(instance))
        left = max(0, horizon - pulls * instance.arms)
        return explored + left * error + 2.0 * instance.arms / horizon**2


@dataclass
class EpsilonGreedy(SampleMeans):
    """Plays a random arm with probability ε_t = min(1, (K ln t / t)^(1/3)), else the one of highest mean.

    An arm that was never played counts as best. Two numbers make a choice: whether to explore, and where.

    >>> learner = EpsilonGreedy()
    >>> learner.reset(arms=2, horizon=1000)
    >>> learner.epsilon(np.array([1, 2, 100, 1000])).round(3)
    array([1.   , 0.885, 0.452, 0.24 ])
    """

    citation = "Slivkins, A. (2019). Introduction to multi-armed bandits. FnT Machine Learning 12, section 1.2."

    @property
    def draws(self) -> int:
        return 2

    def epsilon(self, t: IntArray) -> FloatArray:
        """Return how likely rounds, counted from 1, explore."""
        return exploration_rate(t, self.arms)

    def probabilities(self, context: FloatArray | None = None) -> FloatArray:
        explored = self.epsilon(self.round + 1)[:, None]
        return explored / self.arms + (1.0 - explored) * one_hot(self.means().argmax(1), self.arms)

    def act(self, uniforms: FloatArray, context: FloatArray | None = None) -> IntArray:
        explore = uniforms[:, 0] < self.epsilon(self.round + 1)
        anywhere = np.minimum((uniforms[:, 1] * self.arms).astype(np.int64), self.arms - 1)
        return np.where(explore, anywhere, self.means().argmax(1))

    def declared_bound(self, horizon: int, instance: Instance) -> float | None:
        """Return the sum over rounds of how likely they explore, and how far off the best mean may be if they do not.

        By round t every arm has been explored E_t / 2 times or more but with probability exp(-E_t / 8) each, where E_t
        is expected (a multiplicative Chernoff bound), and then means are within their radius.
        """
        if not instance.is_stochastic:
            return None
        arms, worst = instance.arms, largest_gap(instance)
        explored = exploration_rate(np.arange(1, horizon + 1), arms)
        expected = (np.cumsum(explored) - explored) / arms
        error = 2.0 * confidence_radius(horizon, expected / 2.0) + arms * np.exp(-expected / 8.0)
        per_round = explored * worst + (1.0 - explored) * np.minimum(error, worst)
        return float(per_round.sum()) + 2.0 * arms / horizon**2


def recommended_pulls(horizon: int, arms: int) -> float:
    """Return (T / K)^(2/3) (ln T)^(1/3), which balances the regret of exploring with that of a wrong choice.

    >>> round(recommended_pulls(60, 3), 3)
    11.787
    """
    return (horizon / arms) ** (2.0 / 3.0) * math.log(horizon) ** (1.0 / 3.0)


def exploration_rate(t: IntArray, arms: int) -> FloatArray:
    """Return ε_t = min(1, (K ln max(t, 2) / t)^(1/3)) of rounds counted from 1."""
    rate: FloatArray = np.minimum(1.0, np.cbrt(arms * np.log(np.maximum(t, 2)) / t))
    return rate


def largest_gap(instance: Instance) -> float:
    """Return how much a round can cost at most, 1 where means are not known."""
    return 1.0 if instance.gaps is None else max(instance.gaps)
