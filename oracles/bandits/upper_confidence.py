"""UCB1: optimism in the face of uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from coopgym.oracles.bandits.learner import DeterministicLearner, Instance
from coopgym.oracles.bandits.sample_means import SampleMeans, gap_free_bound
from coopgym.typing import FloatArray, IntArray


@dataclass
class UCB1(SampleMeans, DeterministicLearner):
    """Plays every arm once, then the one of largest m(a) + sqrt(c ln T / n(a)).

    Attributes:
        anytime: take ln t instead of ln T, for plays of unknown length (Auer et al. 2002).
        constant: c; bounds are proved for 2, smaller ones explore less.

    >>> learner = UCB1()
    >>> learner.reset(arms=3, horizon=500)
    >>> for t in range(500):
    ...     learner.update(arm := learner.choose(), np.array([0.9, 0.6, 0.4])[arm])
    >>> learner.counts.astype(int), round(learner.declared_bound(500, Instance.of([0.9, 0.6, 0.4])), 1)
    (array([[416,  56,  28]]), 266.0)
    """

    citation = (
        "Auer, P., Cesa-Bianchi, N. & Fischer, P. (2002). Finite-time analysis of the multiarmed bandit problem. "
        "Machine Learning 47, 235-256."
    )

    anytime: bool = False
    constant: float = 2.0

    def __post_init__(self) -> None:
        if not 0.0 < self.constant < math.inf:
            raise ValueError(f"constant={self.constant!r}: expected a positive number")

    def prepare(self) -> None:
        super().prepare()
        self.index = np.full((self.replicas, self.arms), np.inf)
        """``(R, K)`` upper confidence bounds at the horizon; infinite before an arm is played."""
        self._exploration = self.constant * math.log(self.horizon)

    def choose(self, context: FloatArray | None = None) -> IntArray:
        return (self._at_present() if self.anytime else self.index).argmax(1)

    def learn(self, arms: IntArray, rewards: FloatArray, feedback: FloatArray | None) -> None:
        places, all_counts, all_sums = self.offsets + arms, self.counts.reshape(-1), self.sums.reshape(-1)
        counts, sums = all_counts[places] + 1.0, all_sums[places] + rewards
        all_counts[places], all_sums[places] = counts, sums
        # No other arm's bound moves while the horizon stands for the time.
        self.index.reshape(-1)[places] = sums / counts + np.sqrt(self._exploration / counts)

    def _at_present(self) -> FloatArray:
        exploration = self.constant * np.log(np.maximum(self.round, 1))[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            index = self.sums / self.counts + np.sqrt(exploration / self.counts)
        return np.where(self.counts > 0.0, index, np.inf)

    def declared_bound(self, horizon: int, instance: Instance) -> float | None:
        """Return Σ_a (8 ln T / Δ(a) + Δ(a)) + 2 / T or 4 sqrt(2 K T ln T) + K + 2 / T, whichever is less.

        The anytime version has the bound of its publication instead, Σ_a 8 ln T / Δ(a) + (1 + π²/3) Σ_a Δ(a).
        """
        if not instance.is_stochastic or self.constant < 2.0 or (self.constant > 2.0 and self.anytime):
            return None
        gaps = [gap for gap in instance.gaps or () if gap > 0.0]
        costs = sum(4.0 * self.constant * math.log(horizon) / gap for gap in gaps)
        if self.anytime:
            return None if instance.gaps is None else costs + (1.0 + math.pi**2 / 3.0) * sum(gaps)
        free = gap_free_bound(horizon, instance.arms) * math.sqrt(self.constant / 2.0)
        return free if instance.gaps is None else min(free, costs + sum(gaps) + 2.0 / horizon)
