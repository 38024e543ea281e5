"""Bandits with knapsacks: earn as much as possible before a budget runs out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from coopgym.oracles.bandits.learner import OnlineLearner
from coopgym.oracles.mechanism_design.knapsack_programme import best_mixes, feasible_corners, require_budget
from coopgym.typing import BoolArray, FloatArray, IntArray

MOST_ARMS = 5
"""Arms up to which corners of the set of mixes are listed."""
FITS = 1e-9
"""Use above what is left that rounding explains."""


@dataclass
class BudgetedLearner(OnlineLearner):
    """Base of learners that see what arms use up. The last arm is the null arm, which earns and uses nothing.

    Attributes:
        budget: B, of each resource.
        resources: d.
    """

    budget: float
    resources: int = 1

    def prepare(self) -> None:
        """Check the budget.

        Raises:
            ValueError: a budget that is not positive, or no arm beside the null arm.
        """
        require_budget(self.horizon, self.budget)
        if self.arms < 2:
            raise ValueError(f"arms={self.arms}: expected at least one beside the null arm, which is the last")
        if self.resources < 1:
            raise ValueError(f"resources={self.resources!r}: expected a whole number of at least 1")

    def update(
        self, arms: IntArray, rewards: FloatArray, feedback: FloatArray | None = None, use: FloatArray | None = None
    ) -> None:
        """Take in the round that was just played.

        Args:
            arms: ``(R,)`` that were chosen.
            rewards: ``(R,)`` in [0, 1], of these arms.
            feedback: None.
            use: ``(R, d)`` in [0, 1], of each resource by these arms.

        Raises:
            ValueError: no use, one of another shape, or feedback.
        """
        if use is None or use.shape != (self.replicas, self.resources):
            found = "none" if use is None else f"shape {use.shape}"
            raise ValueError(f"use: expected ({self.replicas}, {self.resources}), one per resource, got {found}")
        self.used = use
        super().update(arms, rewards, feedback)


@dataclass
class LagrangeBwK(BudgetedLearner):
    """Plays the Lagrange game: EXP3 over arms against Hedge over resources and time (Immorlica et al. 2022).

    Attributes:
        arm_rate: of EXP3; None is sqrt(2 ln K / (T K)), K with the null arm.
        price_rate: of Hedge; None is sqrt(8 ln(d + 1) / T).

    >>> learner = LagrangeBwK(budget=30.0)
    >>> learner.reset(arms=3, horizon=100)
    >>> learner.update(np.array([0]), np.array([0.9]), use=np.array([[0.8]]))
    >>> learner.probabilities().round(3), learner.prices.round(3)  # the resource has become dear
    (array([[0.308, 0.346, 0.346]]), array([[0.523, 0.477]]))
    """

    citation = "Immorlica, Sankararaman, Schapire & Slivkins 2022"

    arm_rate: float | None = None
    price_rate: float | None = None

    def prepare(self) -> None:
        super().prepare()
        self.losses = np.zeros((self.replicas, self.arms))
        """Importance-weighted sums ``(R, K)``."""
        self.gains = np.zeros((self.replicas, self.resources + 1))
        """Sums ``(R, d + 1)`` of what each resource, and time, would have cost the arms."""

    @property
    def prices(self) -> FloatArray:
        """Weights of resources and time, ``(R, d + 1)``."""
        rate = np.sqrt(8.0 * np.log(self.resources + 1) / self.horizon) if self.price_rate is None else self.price_rate
        return _weights(-rate * self.gains)

    def probabilities(self, context: FloatArray | None = None) -> FloatArray:
        rate = np.sqrt(2.0 * np.log(self.arms) / (self.horizon * self.arms)) if self.arm_rate is None else self.arm_rate
        return _weights(-rate * self.losses)

    def learn(self, arms: IntArray, rewards: FloatArray, feedback: FloatArray | None) -> None:
        scarcity = self.horizon / self.budget
        least, width = 1.0 - scarcity, 1.0 + scarcity
        # The Lagrangian of the arm played, against each resource and, at the end, against time.
        values = np.column_stack([rewards[:, None] + 1.0 - scarcity * self.used, rewards])
        chance = self.probabilities()[self.rows, arms]
        expected = (values * self.prices).sum(-1)
        # An arm that is never drawn is only named in replicas that are at their end.
        loss = np.divide((2.0 - expected) / width, chance, out=np.zeros_like(chance), where=chance > 0.0)
        self.losses[self.rows, arms] += loss
        self.gains += (values - least) / width


@dataclass
class ConfidentBudgetedLearner(BudgetedLearner):
    """Base of learners that keep variance-aware confidence intervals of what arms earn and use.

    The radius of a mean m after n pulls is sqrt(f m / n) + f / n with f = c ln T: what is rarely earned or used is
    known sooner. With a radius that looks at n alone the budget is spent too early.

    Attributes:
        radius: c.
        shrink: part of the budget that is kept back.
        every: rounds between two looks at the intervals.
    """

    citation = "Badanidiyuru, Kleinberg & Slivkins 2018; Agrawal & Devanur 2014"

    radius: float = 0.5
    shrink: float = 0.1
    every: int = 50

    def prepare(self) -> None:
        super().prepare()
        if not 0.0 <= self.shrink < 1.0:
            raise ValueError(f"shrink={self.shrink!r}: expected a share of the budget in [0, 1)")
        self.counts = np.zeros((self.replicas, self.arms))
        """Pulls ``(R, K)``."""
        self.earned = np.zeros((self.replicas, self.arms))
        self.spent = np.zeros((self.replicas, self.arms, self.resources))
        self.mixes = self.planned()

    @property
    def rate(self) -> float:
        """What may be used per round, after what is kept back."""
        return (1.0 - self.shrink) * self.budget / self.horizon

    @abstractmethod
    def planned(self) -> FloatArray:
        """Return the distributions ``(R, K)`` to draw from until the next look."""

    def probabilities(self, context: FloatArray | None = None) -> FloatArray:
        return self.mixes

    def learn(self, arms: IntArray, rewards: FloatArray, feedback: FloatArray | None) -> None:
        self.counts[self.rows, arms] += 1.0
        self.earned[self.rows, arms] += rewards
        self.spent[self.rows, arms] += self.used
        due = (self.round + 1) % self.every == 0
        if due.any():
            self.mixes = np.where(due[:, None], self.planned(), self.mixes)

    def intervals(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return least and greatest mean rewards ``(R, K)`` and uses ``(R, K, d)``; the null arm's are known."""
        earned, used = (confidence(*each, self.horizon, self.radius) for each in self._means())
        for bound in (*earned, *used):
            bound[:, -1] = 0.0
        return *earned, *used

    def _means(self) -> tuple[tuple[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]:
        pulled = np.maximum(self.counts, 1.0)
        each = self.counts[..., None]
        return (self.earned / pulled, self.counts), (
            self.spent / pulled[..., None],
            np.broadcast_to(each, self.spent.shape),
        )


class UcbBwK(ConfidentBudgetedLearner):
    """Plays the best mix if rewards were as high, and uses as low, as they may be (Agrawal & Devanur 2014).

    >>> learner = UcbBwK(budget=30.0)
    >>> learner.reset(arms=3, horizon=100)
    >>> learner.probabilities()  # nothing is known yet
    array([[1., 0., 0.]])
    """

    def planned(self) -> FloatArray:
        _, rewards, use, _ = self.intervals()
        return best_mixes(rewards, use, self.rate)


class BalancedElimination(ConfidentBudgetedLearner):
    """Explores all arms evenly by mixes that may still be the best (Badanidiyuru, Kleinberg & Slivkins 2018).

    A mix may be the best while its least use keeps to the budget and its greatest reward comes up to what is surely
    earned. Each arm in turn is played by the mix that gives it the largest chance, a corner of that set: for up to five
    arms beside the null arm.
    """

    def prepare(self) -> None:
        if self.arms > MOST_ARMS + 1:
            raise ValueError(
                f"arms={self.arms}: corners are listed for at most {MOST_ARMS} arms beside the null arm; use UcbBwK"
            )
        super().prepare()

    def planned(self) -> FloatArray:
        low_reward, high_reward, low_use, high_use = self.intervals()
        sure = (best_mixes(low_reward, high_use, self.rate) * low_reward).sum(-1)
        short = sure[:, None] - high_reward
        # What a mix falls short of the sure reward is one more resource, of which nothing may be used.
        limits = np.concatenate([low_use - self.rate, short[..., None]], axis=-1)
        return np.array([_balanced(each) for each in limits])


def _balanced(limits: FloatArray) -> FloatArray:
    """Average, over arms, of the mix ``(K,)`` among corners of the feasible set that plays the arm most.

    Of the null arm all is known, and it gets no turn.
    """
    corners = feasible_corners(limits, 0.0)
    return np.asarray(corners[corners[:, :-1].argmax(0)].mean(0))


def confidence(means: FloatArray, counts: FloatArray, horizon: int, radius: float) -> tuple[FloatArray, FloatArray]:
    """Return the least and greatest means in [0, 1] by the variance-aware radius; everything where nothing is known.

    >>> low, high = confidence(np.array([0.7]), np.array([40.0]), horizon=2000, radius=0.5)
    >>> low.round(6), high.round(6)
    (array([0.347097]), array([1.]))
    """
    around = radii(means, counts, horizon, radius)
    return np.maximum(means - around, 0.0), np.minimum(means + around, 1.0)


def radii(means: FloatArray, counts: FloatArray, horizon: int, radius: float) -> FloatArray:
    """Return sqrt(f m / n) + f / n with f = c ln T, infinite where n is 0."""
    scaled = radius * np.log(horizon) / np.where(counts > 0.0, counts, 1.0)
    return np.where(counts > 0.0, np.sqrt(scaled * means) + scaled, np.inf)


BudgetedArms: TypeAlias = Callable[[int, IntArray], tuple[FloatArray, FloatArray]]
"""Rewards ``(R,)`` and uses ``(R, d)``, both in [0, 1], of arms ``(R,)`` in a round."""


@dataclass(frozen=True, eq=False)
class BudgetedPlay:
    """What came of a learner's play within a budget."""

    arms: IntArray
    """``(T, R)`` arms; the null arm after the end."""
    rewards: FloatArray
    """``(R,)`` in total."""
    left: FloatArray
    """``(R, d)`` of the budget."""
    rounds: IntArray
    """``(R,)`` before the drawn arm did not fit any more; T where it always did."""


def play_within(
    learner: BudgetedLearner, arms: BudgetedArms, count: int, horizon: int, uniforms: FloatArray
) -> BudgetedPlay:
    """Let a learner play until the horizon, or until an arm is drawn that uses more than is left.

    Args:
        learner: is reset.
        arms: what they bring.
        count: K + 1, with the null arm, which `arms` is never asked about.
        horizon: T.
        uniforms: ``(T, R, draws)`` in [0, 1).

    >>> def arms(t, chosen):
    ...     return np.array([0.9, 0.5, 0.0])[chosen], np.array([[0.8], [0.2], [0.0]])[chosen]
    >>> play = play_within(UcbBwK(30.0), arms, 3, 100, np.random.default_rng(0).random((100, 2, 1)))
    >>> bool((play.left >= 0.0).all()), play.rewards.shape
    (True, (2,))
    """
    replicas = uniforms.shape[1]
    learner.reset(count, horizon, replicas)
    null, left = count - 1, np.full((replicas, learner.resources), learner.budget)
    going: BoolArray = np.ones(replicas, dtype=bool)
    total, rounds, played = np.zeros(replicas), np.zeros(replicas, dtype=np.int64), []
    for t in range(horizon):
        drawn = np.where(going, learner.act(uniforms[t]), null)
        rewards, use = arms(t, drawn)
        real = (drawn != null)[:, None]
        use, rewards = use * real, rewards * real[:, 0]
        going = going & (use <= left + FITS).all(-1)
        counted = going[:, None]
        left, total, rounds = left - use * counted, total + rewards * going, rounds + going
        played.append(np.where(going, drawn, null))
        if not going.any():
            played.extend([played[-1]] * (horizon - t - 1))
            break
        learner.update(played[-1], rewards * going, use=use * counted)
    return BudgetedPlay(np.array(played), total, left, rounds)


def _weights(exponents: FloatArray) -> FloatArray:
    grown = np.exp(exponents - exponents.max(-1, keepdims=True))
    return np.asarray(grown / grown.sum(-1, keepdims=True))
