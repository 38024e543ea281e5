"""Thompson sampling: each arm is played as often as it is likely to be the best."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, betaincinv, ndtr, ndtri

from coopgym.oracles.bandits.learner import Instance, OnlineLearner
from coopgym.typing import FloatArray, IntArray

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(256)
LEVELS: FloatArray = 0.5 * (_NODES + 1.0)
"""``(256,)`` points of Gauss-Legendre quadrature on (0, 1)."""


class PosteriorSampling(OnlineLearner):
    """Base of learners that draw a mean for every arm from its posterior and play the largest."""

    citation = (
        "Thompson, W. R. (1933). On the likelihood that one unknown probability exceeds another in view of the "
        "evidence of two samples. Biometrika 25, 285-294; Russo, D. & Van Roy, B. (2016). An information-theoretic "
        "analysis of Thompson sampling. JMLR 17(68)."
    )

    explicit = False

    @property
    def draws(self) -> int:
        """One for the sample of every arm."""
        return self.arms

    @abstractmethod
    def quantile(self, levels: FloatArray) -> FloatArray:
        """Return the means ``(..., R, K)`` that posteriors exceed with probability one less these."""

    @abstractmethod
    def cumulative(self, means: FloatArray, arm: int) -> FloatArray:
        """Return how likely the mean of one arm is at most these, ``(..., R)``."""

    def act(self, uniforms: FloatArray, context: FloatArray | None = None) -> IntArray:
        return self.quantile(uniforms[:, : self.arms]).argmax(1)

    def probabilities(self, context: FloatArray | None = None) -> FloatArray:
        levels = np.broadcast_to(LEVELS[:, None, None], (len(LEVELS), self.replicas, self.arms))
        return probability_best(self.quantile(levels), self.cumulative)


@dataclass
class ThompsonBeta(PosteriorSampling):
    """Thompson sampling with Beta posteriors; a reward that is not 0 or 1 is first tossed as a coin of that bias.

    A choice takes K + 1 numbers, the last of them for the toss.

    Attributes:
        prior: (α, β) of every arm, or one pair per arm.

    >>> learner = ThompsonBeta()
    >>> learner.reset(arms=2, horizon=100)
    >>> for reward in (1.0, 1.0, 0.0):  # arm 0 wins twice of three times
    ...     learner.update(np.array([0]), np.array([reward]))
    >>> learner.alpha, learner.beta, learner.probabilities().round(4)
    (array([[3., 1.]]), array([[2., 1.]]), array([[0.6, 0.4]]))
    """

    prior: tuple[float, float] | tuple[tuple[float, float], ...] = (1.0, 1.0)

    def __post_init__(self) -> None:
        pairs = np.asarray(self.prior, dtype=np.float64)
        if pairs.ndim not in (1, 2) or pairs.shape[-1] != 2 or not (pairs > 0.0).all():
            raise ValueError(f"prior={self.prior!r}: expected a pair of positive numbers (α, β), or one pair per arm")

    @property
    def draws(self) -> int:
        """One for the sample of every arm, and one for tossing what it brings."""
        return self.arms + 1

    def prepare(self) -> None:
        pairs = np.asarray(self.prior, dtype=np.float64)
        if pairs.ndim == 2 and len(pairs) != self.arms:
            raise ValueError(f"prior: expected one pair (α, β) or {self.arms}, one per arm; got {len(pairs)}")
        both = np.broadcast_to(pairs, (self.arms, 2))
        self.alpha = np.tile(both[:, 0], (self.replicas, 1))
        """``(R, K)`` prior and successes."""
        self.beta = np.tile(both[:, 1], (self.replicas, 1))
        """``(R, K)`` prior and failures."""
        self._toss = np.full(self.replicas, 0.5)

    def act(self, uniforms: FloatArray, context: FloatArray | None = None) -> IntArray:
        self._toss = uniforms[:, self.arms]
        return super().act(uniforms, context)

    def learn(self, arms: IntArray, rewards: FloatArray, feedback: FloatArray | None) -> None:
        won = self._toss < rewards
        self.alpha[self.rows, arms] += won
        self.beta[self.rows, arms] += ~won

    def quantile(self, levels: FloatArray) -> FloatArray:
        means: FloatArray = betaincinv(self.alpha, self.beta, levels)
        return means

    def cumulative(self, means: FloatArray, arm: int) -> FloatArray:
        below: FloatArray = betainc(self.alpha[:, arm], self.beta[:, arm], means)
        return below

    def declared_bound(self, horizon: int, instance: Instance) -> float | None:
        """Return sqrt(K T ln K / 2), which mean regret over arms drawn from the prior keeps (Russo & Van Roy 2016).

        Nothing is declared of arms that are given: there its regret is small too, but constants are not known.
        """
        if instance.process != "bayesian":
            return None
        return math.sqrt(0.5 * instance.arms * horizon * math.log(instance.arms))


@dataclass
class ThompsonGauss(PosteriorSampling):
    """Thompson sampling with normal posteriors of normal rewards.

    Rewards in [0, 1] are never normal, so nothing is declared of its regret: with too small a variance of noise it may
    take a worse arm for the best for long.

    Attributes:
        prior_mean: m0 of every arm.
        prior_variance: v0.
        noise_variance: s2 of a reward; with 0, posteriors would collapse after one round.

    >>> learner = ThompsonGauss(prior_variance=4.0, noise_variance=1.0)
    >>> learner.reset(arms=2, horizon=100)
    >>> learner.update(np.array([0]), np.array([1.0]))
    >>> learner.mean, learner.variance
    (array([[0.8, 0. ]]), array([[0.8, 4. ]]))
    """

    prior_mean: float = 0.0
    prior_variance: float = 1.0
    noise_variance: float = 0.01

    def __post_init__(self) -> None:
        for name in ("prior_variance", "noise_variance"):
            if not 0.0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name}={getattr(self, name)!r}: expected a positive number")

    def prepare(self) -> None:
        self.precision = np.full((self.replicas, self.arms), 1.0 / self.prior_variance)
        """``(R, K)`` 1 / v0 + n / s2."""
        self._weighted = np.full((self.replicas, self.arms), self.prior_mean / self.prior_variance)

    @property
    def mean(self) -> FloatArray:
        """``(R, K)`` posterior means."""
        return self._weighted / self.precision

    @property
    def variance(self) -> FloatArray:
        """``(R, K)`` posterior variances."""
        return 1.0 / self.precision

    def learn(self, arms: IntArray, rewards: FloatArray, feedback: FloatArray | None) -> None:
        self.precision[self.rows, arms] += 1.0 / self.noise_variance
        self._weighted[self.rows, arms] += rewards / self.noise_variance

    def quantile(self, levels: FloatArray) -> FloatArray:
        # A uniform number may be 0, whose quantile would hide that of any other arm drawn so.
        safe = np.maximum(levels, np.finfo(np.float64).tiny)
        return self.mean + np.sqrt(self.variance) * ndtri(safe)

    def cumulative(self, means: FloatArray, arm: int) -> FloatArray:
        below: FloatArray = ndtr((means - self.mean[:, arm]) * np.sqrt(self.precision[:, arm]))
        return below


def probability_best(quantiles: FloatArray, cumulative: Callable[[FloatArray, int], FloatArray]) -> FloatArray:
    """Return how likely each of independent arms has the largest mean, ``(R, K)``: ∫ Π_b≠a F_b(F_a⁻¹(u)) du.

    Args:
        quantiles: ``(256, R, K)`` means at `LEVELS`.
        cumulative: how likely the mean of one arm is at most some, ``(256, R)``.
    """
    arms = quantiles.shape[-1]
    likely = np.empty(quantiles.shape[1:])
    for arm in range(arms):
        others = [cumulative(quantiles[..., arm], other) for other in range(arms) if other != arm]
        beaten = np.prod(others, axis=0) if others else np.ones(quantiles.shape[:2])
        likely[:, arm] = 0.5 * _WEIGHTS @ beaten
    return likely / likely.sum(1, keepdims=True)
