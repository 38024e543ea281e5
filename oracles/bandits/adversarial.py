"""Exponential weights against costs that somebody else has chosen: Hedge, EXP3 and EXP4. Costs are one less reward."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from coopgym.oracles.bandits.learner import Instance, OnlineLearner, selected
from coopgym.oracles.games.exponential_weights import exponential_weights
from coopgym.typing import FloatArray, IntArray


@dataclass
class OnlineHedge(OnlineLearner):
    """Hedge with full feedback: w(a) is multiplied by (1 - ε)^c(a) after every round, whatever was played.

    `coopgym.oracles.finite.Hedge` lets all seats of a finite game play by such weights at once.

    Attributes:
        epsilon: ε; None is min(1/2, sqrt(ln K / T)).

    >>> learner = OnlineHedge(epsilon=0.5)
    >>> learner.reset(arms=2, horizon=10)
    >>> learner.update(np.array([0]), np.array([0.0]), np.array([[0.0, 1.0]]))  # arm 0 cost 1, arm 1 nothing
    >>> learner.probabilities().round(3)
    array([[0.333, 0.667]])
    """

    full_feedback = True
    citation = (
        "Freund, Y. & Schapire, R. E. (1997). A decision-theoretic generalization of on-line learning and an "
        "application to boosting. Journal of Computer and System Sciences 55, 119-139."
    )

    epsilon: float | None = None

    def __post_init__(self) -> None:
        if self.epsilon is not None and not 0.0 < self.epsilon <= 0.5:
            raise ValueError(f"epsilon={self.epsilon!r}: expected a number above 0 and up to 1/2, or None")

    @property
    def rate(self) -> float:
        """ε of a play of `horizon` rounds; 0 where there is only one arm."""
        return min(0.5, math.sqrt(math.log(self.arms) / self.horizon)) if self.epsilon is None else self.epsilon

    def prepare(self) -> None:
        self.costs = np.zeros((self.replicas, self.arms))
        """``(R, K)`` of every arm so far."""

    def probabilities(self, context: FloatArray | None = None) -> FloatArray:
        return exponential_weights(math.log1p(-self.rate) * self.costs)

    def learn(self, arms: IntArray, rewards: FloatArray, feedback: FloatArray | None) -> None:
        assert feedback is not None
        self.costs += 1.0 - feedback

    def declared_bound(self, horizon: int, instance: Instance) -> float | None:
        """Return ln K / ε + ε T, the most that costs of at most T for the best arm leave of ln K / ε + ε min_a C(a).

        It holds of external regret even where rewards answer to what is played, and says nothing of policy regret.
        """
        rate = min(0.5, math.sqrt(math.log(instance.arms) / horizon)) if self.epsilon is None else self.epsilon
        return math.log(instance.arms) / rate + rate * horizon if rate > 0.0 else 0.0


@dataclass
class ImportanceWeighted(OnlineLearner):
    """Base of learners that see only what they chose, and divide its cost by how likely they were to choose it.

    Attributes:
        eta: η; None is sqrt(2 ln N / (T K)) for the N that are weighted, arms or experts.
        gamma: γ, part of the choices that are made uniformly.
    """

    eta: float | None = None
    gamma: float = 0.0

    def __post_init__(self) -> None:
        if self.eta is not None and not 0.0 < self.eta < math.inf:
            raise ValueError(f"eta={self.eta!r}: expected a positive number, or None")
        if not 0.0 <= self.gamma < 1.0:
            raise ValueError(f"gamma={self.gamma!r}: expected a number in [0, 1)")

    @property
    @abstractmethod
    def weighted(self) -> int:
        """N."""

    @property
    def rate(self) -> float:
        """η of a play of `horizon` rounds."""
        return tuned_rate(self.horizon, self.arms, self.weighted) if self.eta is None else self.eta

    def prepare(self) -> None:
        self.costs = np.zeros((self.replicas, self.weighted))
        """``(R, N)`` estimates of what each arm, or expert, would have cost so far."""
        self.likely = np.full((self.replicas, self.arms), 1.0 / self.arms)
        """``(R, K)`` probabilities of the last choice."""

    def weights(self) -> FloatArray:
        """Return the distribution over the N, ``(R, N)``."""
        return exponential_weights(-self.rate * self.costs)

    def act(self, uniforms: FloatArray, context: FloatArray | None = None) -> IntArray:
        self.likely = self.probabilities(context)
        return selected(self.likely, uniforms[:, 0])

    def estimates(self, arms: IntArray, rewards: FloatArray) -> FloatArray:
        """Return unbiased estimates of what all arms cost, ``(R, K)``: c / p where chosen, else 0."""
        estimated = np.zeros((self.replicas, self.arms))
        # What is chosen is likely; replicas in which nothing was played may name an arm that is not.
        likely = np.maximum(self.likely[self.rows, arms], np.finfo(np.float64).tiny)
        estimated[self.rows, arms] = (1.0 - rewards) / likely
        return estimated

    def _bound(self, horizon: int, arms: int, weighted: int) -> float:
        """Return ln N / η + η T K / 2."""
        rate = tuned_rate(horizon, arms, weighted) if self.eta is None else self.eta
        return math.log(weighted) / rate + 0.5 * rate * horizon * arms if rate > 0.0 else 0.0


@dataclass
class EXP3(ImportanceWeighted):
    """Exponential weights on importance-weighted costs: p ∝ exp(-η S), S(a) += c(a) / p(a).

    Its guarantee is against costs that were fixed before play. Partners who react void it: see
    `RegretLedger.policy_regret`.

    >>> learner = EXP3(eta=0.5)
    >>> learner.reset(arms=2, horizon=10)
    >>> learner.update(learner.act(np.array([[0.2]])), np.array([0.0]))  # arm 0, at probability 1/2, cost 1
    >>> learner.costs, learner.probabilities().round(3)
    (array([[2., 0.]]), array([[0.269, 0.731]]))
    """

    citation = (
        "Auer, P., Cesa-Bianchi, N., Freund, Y. & Schapire, R. E. (2002). The nonstochastic multiarmed bandit problem. "
        "SIAM Journal on Computing 32, 48-77."
    )

    @property
    def weighted(self) -> int:
        return self.arms

    def probabilities(self, context: FloatArray | None = None) -> FloatArray:
        return (1.0 - self.gamma) * self.weights() + self.gamma / self.arms

    def learn(self, arms: IntArray, rewards: FloatArray, feedback: FloatArray | None) -> None:
        self.costs += self.estimates(arms, rewards)

    def declared_bound(self, horizon: int, instance: Instance) -> float | None:
        """Return ln K / η + η T K / 2 against costs that do not answer, sqrt(2 T K ln K) with the default η.

        None against ones that do, or with γ, whose share of choices the proof leaves out.
        """
        if instance.process == "adaptive" or self.gamma > 0.0:
            return None
        return self._bound(horizon, instance.arms, instance.arms)


@dataclass
class EXP4(ImportanceWeighted):
    """Exponential weights over experts who advise distributions over arms; the context is their advice, ``(R, N, K)``.

    Attributes:
        experts: N.

    >>> learner = EXP4(experts=2, eta=0.5)
    >>> learner.reset(arms=2, horizon=10)
    >>> advice = np.array([[[0.9, 0.1], [0.1, 0.9]]])
    >>> learner.update(learner.act(np.array([[0.2]]), advice), np.array([0.0]))
    >>> learner.costs, learner.weights().round(3)  # the expert who advised arm 0 pays for it
    (array([[1.8, 0.2]]), array([[0.31, 0.69]]))
    """

    contextual = True
    citation = EXP3.citation

    experts: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.experts < 1:
            raise ValueError(f"experts={self.experts!r}: expected a whole number of at least 1")

    @property
    def weighted(self) -> int:
        return self.experts

    def prepare(self) -> None:
        super().prepare()
        self.advice = np.full((self.replicas, self.experts, self.arms), 1.0 / self.arms)
        """``(R, N, K)`` that the last choice followed."""

    def probabilities(self, context: FloatArray | None = None) -> FloatArray:
        """Return (1 - γ) q · advice + γ / K, ``(R, K)``.

        Raises:
            ValueError: no advice, of another shape, or what are no distributions.
        """
        advice = self._checked(context)
        return (1.0 - self.gamma) * np.einsum("rn,rnk->rk", self.weights(), advice) + self.gamma / self.arms

    def act(self, uniforms: FloatArray, context: FloatArray | None = None) -> IntArray:
        self.advice = self._checked(context)
        return super().act(uniforms, context)

    def learn(self, arms: IntArray, rewards: FloatArray, feedback: FloatArray | None) -> None:
        self.costs += np.einsum("rnk,rk->rn", self.advice, self.estimates(arms, rewards))

    def bound_to_best_expert(self, horizon: int, arms: int) -> float:
        """Return ln N / η + η T K / 2, sqrt(2 T K ln N) with the default η: regret to the best expert, with γ = 0.

        Ledgers compare with the best arm, which no expert need advise, so that `declared_bound` is None.

        Raises:
            ValueError: with γ nothing is proved here.

        >>> round(EXP4(experts=3).bound_to_best_expert(8, arms=3), 6)
        7.261776
        """
        if self.gamma > 0.0:
            raise ValueError(f"gamma={self.gamma!r}: the bound is for gamma=0")
        return self._bound(horizon, arms, self.experts)

    def _checked(self, context: FloatArray | None) -> FloatArray:
        expected = self.replicas, self.experts, self.arms
        if context is None or context.shape != expected:
            got = None if context is None else context.shape
            raise ValueError(f"advice of shape {got}: expected (replicas, experts, arms) = {expected}")
        if (context < 0.0).any() or not np.allclose(context.sum(-1), 1.0, atol=1e-9):
            raise ValueError("advice: expected every expert's distribution over the arms, which sums to one")
        return context


def tuned_rate(horizon: int, arms: int, weighted: int) -> float:
    """Return η = sqrt(2 ln N / (T K)), the best for the bound of EXP3 and EXP4.

    >>> round(tuned_rate(horizon=15, arms=3, weighted=3), 6)
    0.220969
    """
    return math.sqrt(2.0 * math.log(weighted) / (horizon * arms))
