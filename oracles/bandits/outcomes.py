"""Many arms, few outcomes: what an arm brings depends on its outcome alone, so that arms share what they teach."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from coopgym.oracles.bandits.learner import DeterministicLearner, Instance
from coopgym.oracles.bandits.sample_means import gap_free_bound
from coopgym.typing import FloatArray, IntArray


@dataclass
class OutcomeUCB(DeterministicLearner):
    """UCB1 on outcomes: the bonus of an arm counts how often its outcome was seen, by whichever arm.

    Rebuilt from the idea of its publication: bandits with K arms, each of which leads to one of m outcomes, and rewards
    that depend on outcomes only, so that regret grows with sqrt(m T) instead of sqrt(K T).

    Attributes:
        outcome_of: ``(K,)`` outcome of every arm, whole numbers from 0. Arms of one outcome are alike; the lowest of
            them is played.

    >>> learner = OutcomeUCB(outcome_of=(0, 0, 1, 1, 1))
    >>> learner.reset(arms=5, horizon=200)
    >>> for t in range(200):
    ...     learner.update(arm := learner.choose(), np.array([0.3, 0.3, 0.8, 0.8, 0.8])[arm])
    >>> learner.counts.astype(int)  # rounds by outcome
    array([[ 20, 180]])
    """

    citation = "Song, Y., Kempe, J. & Munos, R. (2025). Outcome-based exploration for LLM reasoning. arXiv:2509.06941."

    outcome_of: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        seen = set(self.outcome_of)
        if seen != set(range(len(seen))):
            raise ValueError(
                f"outcome_of={self.outcome_of!r}: expected an outcome per arm, numbered from 0 without gaps"
            )

    @property
    def outcomes(self) -> int:
        """M."""
        return max(self.outcome_of) + 1

    def prepare(self) -> None:
        if len(self.outcome_of) != self.arms:
            raise ValueError(
                f"outcome_of: expected an outcome for each of {self.arms} arms, got {len(self.outcome_of)}"
            )
        self.counts = np.zeros((self.replicas, self.outcomes))
        """``(R, m)`` how often each outcome was seen."""
        self.sums = np.zeros((self.replicas, self.outcomes))
        """``(R, m)`` rewards of these rounds together."""
        self._outcome = np.array(self.outcome_of)
        self._first = np.unique(self._outcome, return_index=True)[1]

    def choose(self, context: FloatArray | None = None) -> IntArray:
        with np.errstate(divide="ignore", invalid="ignore"):
            index = self.sums / self.counts + np.sqrt(2.0 * math.log(self.horizon) / self.counts)
        return np.asarray(self._first[np.where(self.counts > 0.0, index, np.inf).argmax(1)])

    def learn(self, arms: IntArray, rewards: FloatArray, feedback: FloatArray | None) -> None:
        place = self.rows, self._outcome[arms]
        self.counts[place] += 1.0
        self.sums[place] += rewards

    def declared_bound(self, horizon: int, instance: Instance) -> float | None:
        """Return the bound of UCB1 without gaps, 4 sqrt(2 m T ln T) + m + 2 / T, for m outcomes instead of K arms."""
        return gap_free_bound(horizon, self.outcomes) if instance.is_stochastic else None
