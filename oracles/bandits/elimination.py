"""Successive elimination: arms that are surely not the best are played no more."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from coopgym.oracles.bandits.learner import DeterministicLearner, Instance
from coopgym.oracles.bandits.sample_means import SampleMeans, confidence_radius, gap_free_bound
from coopgym.typing import FloatArray, IntArray


@dataclass
class SuccessiveElimination(SampleMeans, DeterministicLearner):
    """Plays all arms left in turn, then drops those whose upper confidence bound is below another's lower one.

    Regret is of order sqrt(K T ln T); with probability 1 - 2 / T^2 an arm of gap Δ is dropped after at most
    32 ln T / Δ^2 + 1 rounds of its own. It also screens policies: an arm a policy, a round an episode.

    >>> learner = SuccessiveElimination()
    >>> learner.reset(arms=2, horizon=1000)
    >>> while learner.active.all():
    ...     learner.update(arm := learner.choose(), np.array([0.9, 0.1])[arm])
    >>> int(learner.round[0]), learner.active, count_bound(1000, 0.8)
    (174, array([[ True, False]]), 346)
    """

    citation = (
        "Even-Dar, E., Mannor, S. & Mansour, Y. (2006). Action elimination and stopping conditions for the multi-armed "
        "bandit and reinforcement learning problems. JMLR 7, 1079-1105."
    )

    def prepare(self) -> None:
        super().prepare()
        self.active = np.ones((self.replicas, self.arms), dtype=bool)
        """``(R, K)`` arms that may still be the best."""
        self.eliminated_after = np.zeros((self.replicas, self.arms))
        """``(R, K)`` how often dropped arms had been played; 0 for those that were not dropped."""
        self._pending = self.active.copy()

    def choose(self, context: FloatArray | None = None) -> IntArray:
        return self._pending.argmax(1)

    def learn(self, arms: IntArray, rewards: FloatArray, feedback: FloatArray | None) -> None:
        super().learn(arms, rewards, feedback)
        self._pending[self.rows, arms] = False
        done = np.flatnonzero(~self._pending.any(1))
        if len(done):
            self._eliminate(done)

    def _eliminate(self, rows: IntArray) -> None:
        counts, active = self.counts[rows], self.active[rows]
        means, radius = self.sums[rows] / counts, confidence_radius(self.horizon, counts)
        surely = np.where(active, means - radius, -np.inf).max(1, keepdims=True)
        dropped = active & (means + radius < surely)
        self.eliminated_after[rows] = np.where(dropped, counts, self.eliminated_after[rows])
        self.active[rows] = self._pending[rows] = active & ~dropped

    def declared_bound(self, horizon: int, instance: Instance) -> float | None:
        """Return Σ_a (32 ln T / Δ(a) + Δ(a)) + 2 / T or 4 sqrt(2 K T ln T) + K + 2 / T, whichever is less."""
        if not instance.is_stochastic:
            return None
        free = gap_free_bound(horizon, instance.arms)
        if instance.gaps is None:
            return free
        costs = sum(32.0 * math.log(horizon) / gap + gap for gap in instance.gaps if gap > 0.0)
        return min(free, costs + 2.0 / horizon)


def count_bound(horizon: int, gap: float) -> int:
    """Return floor(32 ln T / Δ^2) + 1, rounds of an arm of this gap before it is dropped, but with chance 2 / T^2."""
    return math.floor(32.0 * math.log(horizon) / gap**2) + 1
