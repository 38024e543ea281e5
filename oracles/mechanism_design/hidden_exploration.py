"""Recommendations that agents like to follow and that still explore: exploration hidden among exploitation.

A stream of agents each takes one of two arms once. Arm 1 is the better one by the prior, so that nobody would try arm 2
for the others' sake. A recommender who has seen N0 samples of arm 1 may hide a little exploration: agents who are told
"2" do not know whether they explore or whether arm 1 has disappointed (Mansour, Slivkins & Syrgkanis 2020).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import betaln, gammaln

from coopgym.oracles.bandits.learner import OnlineLearner
from coopgym.typing import FloatArray, IntArray

Beta = tuple[float, float]
"""Successes and failures of a prior of an arm that pays 1 or 0."""


@dataclass(frozen=True)
class HiddenExploration:
    """Two arms with priors, and how often arm 2 may be recommended to explore.

    Attributes:
        first: prior of arm 1, the better one on average.
        second: prior of arm 2.
        samples: N0, of arm 1 that the recommender has seen.

    >>> advice = HiddenExploration(first=(6, 4), second=(5, 5), samples=10)
    >>> round(advice.threshold(), 4), round(advice.threshold(conservative=True), 4)  # chance of exploring
    (0.0922, 0.0034)
    >>> [bool(gain >= -1e-12) for gain in advice.incentives(advice.threshold())]  # nobody loses by following
    [True, True]
    """

    first: Beta
    second: Beta
    samples: int

    def __post_init__(self) -> None:
        for name, prior in (("first", self.first), ("second", self.second)):
            if len(prior) != 2 or not all(0.0 < each < np.inf for each in prior):
                raise ValueError(f"{name}={prior!r}: expected two positive numbers, the parameters of a beta prior")
        if self.samples < 1:
            raise ValueError(f"samples={self.samples!r}: expected a whole number of at least 1")
        if self.lag < 0.0:
            raise ValueError(
                f"first={self.first!r}, second={self.second!r}: expected the arm of the higher mean first; "
                "nothing has to be hidden to have the better one tried"
            )

    @property
    def means(self) -> tuple[float, float]:
        """Prior means of both arms."""
        return self.first[0] / sum(self.first), self.second[0] / sum(self.second)

    @property
    def lag(self) -> float:
        """How far the mean of arm 2 is below that of arm 1."""
        return self.means[0] - self.means[1]

    @cached_property
    def gaps(self) -> FloatArray:
        """G ``(N0 + 1,)``: what arm 2 is expected to bring more, by successes among the samples."""
        successes = np.arange(self.samples + 1)
        return np.asarray(self.means[1] - (self.first[0] + successes) / (sum(self.first) + self.samples), np.float64)

    @cached_property
    def chances(self) -> FloatArray:
        """``(N0 + 1,)`` probabilities of successes among the samples, beta-binomial."""
        n, k = self.samples, np.arange(self.samples + 1)
        a, b = self.first
        logs = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1) + betaln(a + k, b + n - k) - betaln(a, b)
        return np.asarray(np.exp(logs))

    @property
    def positive_gap(self) -> float:
        """E[G 1{G > 0}]."""
        return float(self.chances @ np.maximum(self.gaps, 0.0))

    def threshold(self, *, conservative: bool = False, any_learner: bool = False) -> float:
        """Return the largest chance of exploring at which agents who are told "2" do not lose by following.

        With E[G+] = E[G 1{G > 0}] and the lag d of arm 2 it is E[G+] / (E[G+] + d), exactly.

        Args:
            conservative: the sufficient E[G+] / 3 of textbooks, many times smaller.
            any_learner: E[G+] / (2 E[G+] + d), which holds whatever the recommender explores by, even if it tries arm 2
                just when that is worse; for `explore_repeatedly`.
        """
        if conservative:
            return self.positive_gap / 3.0
        weighed = (2.0 if any_learner else 1.0) * self.positive_gap + self.lag
        return min(1.0, self.positive_gap / weighed) if weighed > 0.0 else 1.0

    def incentives(self, chance: float) -> tuple[float, float]:
        """Return what following gains over doing the other thing when told "1" and "2", weighted with being told so.

        Raises:
            ValueError: what is no probability.
        """
        _require_chance(chance)
        told_first = (1.0 - chance) * float(self.chances @ np.maximum(-self.gaps, 0.0))
        told_second = chance * float(self.chances @ self.gaps) + (1.0 - chance) * self.positive_gap
        return told_first, told_second

    def never_tried(self, rounds: int) -> float:
        """Return how likely agents who see everything and each do what is best for themselves never try arm 2.

        Exact, over all histories of arm 1. At least the lag of arm 2, however long they go on: Bayesian greed fails.

        >>> advice = HiddenExploration(first=(6, 4), second=(5, 5), samples=10)
        >>> round(advice.never_tried(rounds=1000), 2), round(advice.lag, 2)
        (0.57, 0.1)
        """
        a, b = self.first
        alive = np.ones(1)
        for t in range(rounds):
            successes = np.arange(t + 1)
            mean = (a + successes) / (a + b + t)
            going = np.where(mean >= self.means[1], alive, 0.0)
            alive = np.append(going * (1.0 - mean), 0.0) + np.append(0.0, going * mean)
        return float(alive.sum())


@dataclass(frozen=True, eq=False)
class HiddenRun:
    """What repeated hidden exploration brought in R replicas."""

    regret: FloatArray
    """``(R,)`` against always the better arm, over all rounds."""
    exploration_regret: FloatArray
    """``(R,)`` of the learner's own rounds."""
    explorations: IntArray
    """``(R,)`` rounds in which the learner chose."""
    told_second: FloatArray
    """``(R,)`` what agents who were told "2" gained by following, summed: not below zero on average."""
    told_first: FloatArray


def explore_repeatedly(
    advice: HiddenExploration,
    learner: OnlineLearner,
    horizon: int,
    replicas: int,
    rng: np.random.Generator,
    chance: float | None = None,
) -> HiddenRun:
    """Let a learner choose in rounds of exploration, and recommend what the posterior likes best in all others.

    Arms are drawn from the priors. What is learned from is the samples of the warm-up and what rounds of exploration
    bring; regret is the learner's, stretched by 1 / ε.

    Args:
        advice: the arms.
        learner: over two arms; is reset. It plays in its own time, which counts rounds of exploration alone.
        horizon: T, the warm-up of N0 rounds with arm 1 among them.
        replicas: R.
        rng: draws everything.
        chance: ε of exploring; None is the largest that suffices for any learner.

    Raises:
        ValueError: no round after the warm-up, or what is no probability.
    """
    if horizon <= advice.samples:
        raise ValueError(f"horizon={horizon!r}: expected more than the warm-up of {advice.samples} rounds")
    explore = advice.threshold(any_learner=True) if chance is None else _require_chance(chance)
    if explore == 0.0:
        raise ValueError("chance=0: nothing would ever be explored; agents cannot be brought to it by these priors")
    means = np.stack([rng.beta(*advice.first, size=replicas), rng.beta(*advice.second, size=replicas)], axis=1)
    wins = np.stack([rng.binomial(advice.samples, means[:, 0]), np.zeros(replicas, dtype=np.int64)], axis=1)
    pulls = np.tile([advice.samples, 0], (replicas, 1))
    learner.reset(2, max(1, int(np.ceil((horizon - advice.samples) * explore))), replicas)
    rows, best = np.arange(replicas), means.max(1)
    left = np.full(replicas, horizon - advice.samples)
    regret, exploring = advice.samples * (best - means[:, 0]), np.zeros(replicas)
    told, explorations = np.zeros((replicas, 2)), np.zeros(replicas, dtype=np.int64)
    # Between two explorations nothing is learned, so that all rounds between them are alike.
    while (left > 0).any():
        waited = np.minimum(rng.geometric(explore, size=replicas) - 1, left)
        advised = _posterior_best(advice, wins, pulls)
        _record(told, regret, means, advised, waited)
        left = left - waited
        going = left > 0
        arms = learner.act(rng.random((replicas, learner.draws)))
        rewards = (rng.random(replicas) < means[rows, arms]).astype(np.float64)
        learner.update(arms, rewards)
        counted = going.astype(np.int64)
        before = regret.copy()
        _record(told, regret, means, arms, counted)
        exploring += regret - before
        wins[rows, arms] += (rewards * counted).astype(np.int64)
        pulls[rows, arms] += counted
        explorations += counted
        left = left - counted
    return HiddenRun(regret, exploring, explorations, told[:, 1], told[:, 0])


def _posterior_best(advice: HiddenExploration, wins: IntArray, pulls: IntArray) -> IntArray:
    """Return the arm of the higher posterior mean, ``(R,)``; ties go to arm 1."""
    hits, both = np.array([advice.first[0], advice.second[0]]), np.array([sum(advice.first), sum(advice.second)])
    return np.asarray(((hits + wins) / (both + pulls)).argmax(1))


def _record(told: FloatArray, regret: FloatArray, means: FloatArray, arms: IntArray, rounds: IntArray) -> None:
    """Add rounds in which all agents are told the same arm, and follow."""
    rows = np.arange(len(arms))
    followed, other = means[rows, arms], means[rows, 1 - arms]
    told[rows, arms] += rounds * (followed - other)
    regret += rounds * (means.max(1) - followed)


def _require_chance(chance: float) -> float:
    if not 0.0 <= chance <= 1.0:
        raise ValueError(f"chance={chance!r}: expected a probability in [0, 1]")
    return chance
