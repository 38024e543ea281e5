"""What learners of stochastic arms share: how often each arm was played, what it brought, and how sure that is."""

from __future__ import annotations

import math

import numpy as np

from coopgym.oracles.bandits.learner import OnlineLearner
from coopgym.typing import FloatArray, IntArray


def confidence_radius(horizon: int, counts: FloatArray, constant: float = 2.0) -> FloatArray:
    """Return r(n) = sqrt(c ln T / n), infinite for n = 0.

    With c = 2 every sample mean of up to T rewards is within its radius of the mean but with probability 2 / T^3 per
    arm, by Hoeffding's inequality and a union bound over n.

    >>> confidence_radius(1000, np.array([0.0, 1.0, 100.0])).round(3)
    array([  inf, 3.717, 0.372])
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        radius: FloatArray = np.where(counts > 0.0, np.sqrt(constant * math.log(horizon) / counts), np.inf)
    return radius


def gap_free_bound(horizon: int, arms: int) -> float:
    """Return 4 sqrt(2 K T ln T) + K + 2 / T, which UCB1 and successive elimination keep on any stochastic arms.

    >>> round(gap_free_bound(500, 3), 3)
    549.174
    """
    return 4.0 * math.sqrt(2.0 * arms * horizon * math.log(horizon)) + arms + 2.0 / horizon


class SampleMeans(OnlineLearner):
    """Base of learners that remember of each arm how often it was played and the sum of what it brought."""

    counts: FloatArray
    """``(R, K)`` rounds in which each arm was played."""
    sums: FloatArray
    """``(R, K)`` rewards of these rounds together."""

    def prepare(self) -> None:
        self.counts = np.zeros((self.replicas, self.arms))
        self.sums = np.zeros((self.replicas, self.arms))

    def learn(self, arms: IntArray, rewards: FloatArray, feedback: FloatArray | None) -> None:
        places = self.offsets + arms
        self.counts.reshape(-1)[places] += 1.0
        self.sums.reshape(-1)[places] += rewards

    def means(self, unplayed: float = np.inf) -> FloatArray:
        """Return the mean reward of each arm so far, ``(R, K)``.

        Args:
            unplayed: what stands for the mean of an arm that was never played.
        """
        return np.divide(self.sums, self.counts, out=np.full(self.sums.shape, unplayed), where=self.counts > 0.0)
