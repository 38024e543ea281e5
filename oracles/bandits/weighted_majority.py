"""Weighted majority: which of two labels, by the advice of experts who may be wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from coopgym.oracles.bandits.learner import DeterministicLearner
from coopgym.typing import FloatArray, IntArray


@dataclass
class WeightedMajority(DeterministicLearner):
    """Predicts the label, 0 or 1, of the heavier side, and multiplies the weights of wrong experts by 1 - ε.

    The arms are the two labels, the context is what the experts say, ``(R, N)`` labels. Ties go to 0.

    Attributes:
        experts: N.
        epsilon: ε.

    >>> learner = WeightedMajority(experts=3, epsilon=0.5)
    >>> learner.reset(arms=2, horizon=10)
    >>> advice = np.array([[0.0, 1.0, 1.0]])
    >>> said = learner.choose(advice)
    >>> learner.update(said, np.array([0.0]), np.array([[1.0, 0.0]]))  # right was label 0
    >>> said, learner.weights(), learner.mistakes
    (array([1]), array([[1. , 0.5, 0.5]]), array([1]))
    """

    full_feedback = True
    contextual = True
    citation = (
        "Littlestone, N. & Warmuth, M. K. (1994). The weighted majority algorithm. Information and Computation 108, "
        "212-261."
    )

    experts: int = 2
    epsilon: float = 0.5

    def __post_init__(self) -> None:
        if self.experts < 1:
            raise ValueError(f"experts={self.experts!r}: expected a whole number of at least 1")
        if not 0.0 < self.epsilon < 1.0:
            raise ValueError(f"epsilon={self.epsilon!r}: expected a number in (0, 1)")

    def prepare(self) -> None:
        if self.arms != 2:
            raise ValueError(f"arms={self.arms}: weighted majority chooses between two labels")
        self.wrong = np.zeros((self.replicas, self.experts), dtype=np.int64)
        """``(R, N)`` how often each expert was wrong."""
        self.mistakes = np.zeros(self.replicas, dtype=np.int64)
        """``(R,)`` how often the learner was."""
        self._advice = np.zeros((self.replicas, self.experts), dtype=np.int64)

    def weights(self) -> FloatArray:
        """Return (1 - ε)^(mistakes) of every expert, ``(R, N)``."""
        return np.asarray((1.0 - self.epsilon) ** self.wrong)

    def choose(self, context: FloatArray | None = None) -> IntArray:
        """Return the label that more weight is on, ``(R,)``.

        Raises:
            ValueError: no advice, of another shape, or other labels than 0 and 1.
        """
        expected = self.replicas, self.experts
        if context is None or context.shape != expected or not np.isin(context, (0, 1)).all():
            got = None if context is None else f"shape {context.shape}"
            raise ValueError(f"advice: expected labels 0 or 1 of shape (replicas, experts) = {expected}, got {got}")
        self._advice = context.astype(np.int64)
        weights = self.weights()
        for_one = (weights * self._advice).sum(1)
        return (for_one > weights.sum(1) - for_one).astype(np.int64)

    def learn(self, arms: IntArray, rewards: FloatArray, feedback: FloatArray | None) -> None:
        assert feedback is not None
        right = feedback.argmax(1)
        self.wrong += self._advice != right[:, None]
        self.mistakes += arms != right

    def mistake_bound(self, best: int) -> float:
        """Return 2 / (1 - ε) m + 2 / ε ln N, more mistakes than which are never made if the best expert makes m.

        >>> round(WeightedMajority(experts=3, epsilon=0.3).mistake_bound(3), 5)
        15.89551
        """
        return 2.0 / (1.0 - self.epsilon) * best + 2.0 / self.epsilon * math.log(self.experts)
