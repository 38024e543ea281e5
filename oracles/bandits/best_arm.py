"""Best-arm identification with a fixed budget: learners that name an arm at the end."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from coopgym.oracles.bandits.learner import DeterministicLearner, Instance
from coopgym.oracles.bandits.sample_means import SampleMeans
from coopgym.typing import FloatArray, IntArray


class BestArm(SampleMeans, DeterministicLearner):
    """Base of learners that spend a budget of rounds to find the best arm; what the rounds bring does not count."""

    def prediction(self) -> IntArray:
        """Return the arms that it takes for the best, ``(R,)``."""
        return self.means(unplayed=-np.inf).argmax(1)

    @abstractmethod
    def declared_error(self, horizon: int, instance: Instance) -> float | None:
        """Return an upper bound on how likely the prediction is wrong; None where means are not known."""


@dataclass
class UniformAllocation(BestArm):
    """Plays all arms in turn and names the one of highest mean.

    >>> learner = UniformAllocation()
    >>> round(learner.declared_error(1000, Instance.of([0.7, 0.4, 0.4])), 4)
    0.0
    >>> round(learner.declared_error(100, Instance.of([0.7, 0.4, 0.4])), 4)
    0.1026
    """

    citation = (
        "Bubeck, S., Munos, R. & Stoltz, G. (2011). Pure exploration in finitely-armed and continuous-armed bandits. "
        "Theoretical Computer Science 412, 1832-1852."
    )

    def choose(self, context: FloatArray | None = None) -> IntArray:
        return self.round % self.arms

    def declared_error(self, horizon: int, instance: Instance) -> float | None:
        """Return Σ_a exp(-n Δ(a)^2) with n = floor(T / K) rounds per arm, by Hoeffding's inequality on differences."""
        if instance.gaps is None:
            return None
        pulls = horizon // instance.arms
        return min(1.0, sum(math.exp(-pulls * gap**2) for gap in instance.gaps if gap > 0.0))


@dataclass
class SequentialHalving(BestArm):
    """Spends the budget in ceil(log2 K) equal phases and drops the worse half of the arms after each.

    Means are taken over all rounds of an arm. What is left of the budget after the last phase goes to the arm named.

    >>> learner = SequentialHalving()
    >>> learner.reset(arms=4, horizon=80)
    >>> for t in range(80):
    ...     learner.update(arm := learner.choose(), np.array([0.2, 0.5, 0.8, 0.4])[arm])
    >>> learner.counts, learner.prediction()
    (array([[10., 30., 30., 10.]]), array([2]))
    """

    citation = "Karnin, Z., Koren, T. & Somekh, O. (2013). Almost optimal exploration in multi-armed bandits. ICML."

    def prepare(self) -> None:
        super().prepare()
        self.active = np.ones((self.replicas, self.arms), dtype=bool)
        """``(R, K)`` arms that are left."""
        self._phases = max(1, math.ceil(math.log2(self.arms)))
        self._left = np.full(self.replicas, self._pulls(np.array(self.arms)) * self.arms)
        self._played = np.zeros((self.replicas, self.arms))

    def choose(self, context: FloatArray | None = None) -> IntArray:
        return np.where(self.active, self._played, np.inf).argmin(1)

    def prediction(self) -> IntArray:
        return np.where(self.active, self.means(unplayed=-np.inf), -np.inf).argmax(1)

    def learn(self, arms: IntArray, rewards: FloatArray, feedback: FloatArray | None) -> None:
        super().learn(arms, rewards, feedback)
        self._played[self.rows, arms] += 1.0
        self._left -= 1
        done = np.flatnonzero(self._left == 0)
        if len(done):
            self._halve(done)

    def _pulls(self, left: IntArray) -> IntArray:
        """Rounds of each arm in a phase that so many arms play."""
        return np.maximum(1, self.horizon // (left * self._phases))

    def _halve(self, rows: IntArray) -> None:
        left = self.active[rows].sum(1)
        kept = (left + 1) // 2
        means = np.where(self.active[rows], self.means(-np.inf)[rows], -np.inf)
        rank = np.argsort(np.argsort(-means, axis=1, kind="stable"), axis=1, kind="stable")
        self.active[rows] = rank < kept[:, None]
        self._played[rows] = 0.0
        # Where one arm was left, nothing more is to be decided.
        self._left[rows] = np.where(left > 1, self._pulls(kept) * kept, -1)

    def declared_error(self, horizon: int, instance: Instance) -> float | None:
        """Return 3 log2 K exp(-T / (8 H log2 K)), H = max_i i / Δ_(i)^2 over arms by ascending gap (Theorem 4.1)."""
        if instance.gaps is None or instance.arms < 2:
            return None
        gaps = np.sort(instance.gaps)
        if gaps[1] == 0.0:
            return 0.0 if gaps[-1] == 0.0 else 1.0
        hardness = float((np.arange(2, len(gaps) + 1) / gaps[1:] ** 2).max())
        phases = math.log2(instance.arms)
        return min(1.0, 3.0 * phases * math.exp(-horizon / (8.0 * hardness * phases)))
