"""What a bandit plays against: the rewards of a round, for all replicas at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coopgym.oracles.bandits.learner import Instance
from coopgym.typing import FloatArray, IntArray


@dataclass(frozen=True)
class Outcome:
    """What a round brought."""

    rewards: FloatArray
    """``(R,)`` in [0, 1], of the arms that were chosen."""
    all_rewards: FloatArray | None = None
    """``(R, K)`` what each arm would have brought in this round; None where nobody can say."""


class Arms(ABC):
    """K arms that R replicas of a learner play, round by round."""

    count: int
    """K."""

    @property
    @abstractmethod
    def instance(self) -> Instance:
        """What bounds may know."""

    @abstractmethod
    def reset(self, horizon: int, replicas: int, rng: np.random.Generator) -> None:
        """Begin T rounds of R replicas; all chance comes from ``rng``."""

    def context(self) -> FloatArray | None:
        """Return what a contextual learner sees before it chooses, ``(R, ...)``; None where there is nothing."""
        return None

    @abstractmethod
    def pull(self, chosen: IntArray) -> Outcome:
        """Play a round of chosen arms, ``(R,)``."""

    def gaps(self) -> FloatArray | None:
        """Return how far each arm's mean reward is below the best, ``(R, K)``; None where arms have no means."""
        return None

    def always(self) -> FloatArray | None:
        """Return what each arm would have brought in all rounds so far, had it always been played, ``(R, K)``.

        Unlike the sum of `Outcome.all_rewards`, others then answer to that arm; None where nobody can say.
        """
        return None


class StochasticArms(Arms):
    """Arms with independent rewards: coins, or normal noise that is clipped to [0, 1].

    >>> arms = StochasticArms([0.9, 0.5])
    >>> arms.reset(horizon=10, replicas=3, rng=np.random.default_rng(0))
    >>> arms.pull(np.array([0, 0, 1])).rewards, arms.instance.gaps
    (array([1., 1., 1.]), (0.0, 0.4))
    """

    def __init__(self, means: npt.ArrayLike, noise: float | None = None, lipschitz: float | None = None) -> None:
        """Choose the arms.

        Args:
            means: ``(K,)`` in [0, 1], or ``(R, K)`` for replicas that have arms of their own, drawn from a prior.
            noise: standard deviation of a reward before it is clipped; None for coins.
            lipschitz: constant of the means along [0, 1], if arms are places there.

        Raises:
            ValueError: a mean outside [0, 1], or negative noise.
        """
        self.means = np.atleast_1d(np.asarray(means, dtype=np.float64))
        if self.means.ndim > 2 or not self.means.size or not ((self.means >= 0.0) & (self.means <= 1.0)).all():
            raise ValueError(f"means of shape {self.means.shape}: expected (K,) or (R, K) mean rewards in [0, 1]")
        if noise is not None and not noise >= 0.0:
            raise ValueError(f"noise={noise!r}: expected a standard deviation of at least 0, or None for coins")
        self.count, self._noise, self._lipschitz = self.means.shape[-1], noise, lipschitz

    @property
    def instance(self) -> Instance:
        if self.means.ndim == 2:
            return Instance(self.count, lipschitz=self._lipschitz, process="bayesian")
        return Instance.of(self.means, self._lipschitz)

    def reset(self, horizon: int, replicas: int, rng: np.random.Generator) -> None:
        if self.means.ndim == 2 and len(self.means) != replicas:
            raise ValueError(f"means of {len(self.means)} replicas, but {replicas} are to be played")
        self._rng, self._rows = rng, np.arange(replicas)

    def pull(self, chosen: IntArray) -> Outcome:
        means = self.means[chosen] if self.means.ndim == 1 else self.means[self._rows, chosen]
        if self._noise is None:
            return Outcome((self._rng.random(len(chosen)) < means).astype(np.float64))
        return Outcome(np.clip(means + self._noise * self._rng.standard_normal(len(chosen)), 0.0, 1.0))

    def gaps(self) -> FloatArray | None:
        gaps = self.means.max(-1, keepdims=True) - self.means
        return np.broadcast_to(gaps, (len(self._rows), self.count))


class RewardTable(Arms):
    """Rewards that were fixed before play: an oblivious adversary, whose counterfactuals are known.

    >>> arms = RewardTable([[0.1, 0.9], [0.8, 0.2]])
    >>> arms.reset(horizon=2, replicas=1, rng=np.random.default_rng(0))
    >>> arms.pull(np.array([0])), arms.pull(np.array([0])).rewards
    (Outcome(rewards=array([0.1]), all_rewards=array([[0.1, 0.9]])), array([0.8]))
    """

    def __init__(self, rewards: npt.ArrayLike) -> None:
        """Take a table ``(T, K)`` of rewards in [0, 1]; costs are one less reward.

        Raises:
            ValueError: another shape, or a reward outside [0, 1].
        """
        self.rewards = np.asarray(rewards, dtype=np.float64)
        table = self.rewards
        if table.ndim != 2 or not table.size or not ((table >= 0.0) & (table <= 1.0)).all():
            raise ValueError(f"rewards of shape {table.shape}: expected (T, K) numbers in [0, 1]")
        self.count = table.shape[1]

    @property
    def instance(self) -> Instance:
        return Instance(self.count, process="oblivious")

    def reset(self, horizon: int, replicas: int, rng: np.random.Generator) -> None:
        if horizon > len(self.rewards):
            raise ValueError(f"horizon={horizon}: the table has rewards of {len(self.rewards)} rounds")
        self._t = 0

    def pull(self, chosen: IntArray) -> Outcome:
        row = self.rewards[self._t]
        self._t += 1
        return Outcome(row[chosen], np.tile(row, (len(chosen), 1)))

    def always(self) -> FloatArray:
        return self.rewards[: self._t].sum(0, keepdims=True)


class AlternatingArms(Arms):
    """Arms without chance: μ + δ on pulls of even number, from 0, of an arm and μ - δ on odd ones.

    >>> arms = AlternatingArms([0.5], delta=0.1)
    >>> arms.reset(horizon=2, replicas=1, rng=np.random.default_rng(0))
    >>> [float(arms.pull(np.array([0])).rewards[0]) for _ in range(2)]
    [0.6, 0.4]
    """

    def __init__(self, means: npt.ArrayLike, delta: float = 0.0) -> None:
        """Choose mean rewards ``(K,)`` and δ."""
        self.means = np.asarray(means, dtype=np.float64)
        self.count, self.delta = len(self.means), delta

    @property
    def instance(self) -> Instance:
        return Instance.of(self.means)

    def reset(self, horizon: int, replicas: int, rng: np.random.Generator) -> None:
        self._rows = np.arange(replicas)
        self._odd = np.zeros((replicas, self.count), dtype=bool)

    def pull(self, chosen: IntArray) -> Outcome:
        odd = self._odd[self._rows, chosen]
        self._odd[self._rows, chosen] = ~odd
        return Outcome(self.means[chosen] + np.where(odd, -self.delta, self.delta))

    def gaps(self) -> FloatArray | None:
        return np.broadcast_to(self.means.max() - self.means, self._odd.shape)


class NoisyReward(Arms):
    """Adds normal noise to the rewards of arms and clips them to [0, 1]; games have none of their own as a rule.

    What every arm would have brought carries the same noise.

    >>> arms = NoisyReward(RewardTable([[0.5, 0.9]]), sigma=0.05)
    >>> arms.reset(horizon=1, replicas=1, rng=np.random.default_rng(0))
    >>> outcome = arms.pull(np.array([0]))
    >>> outcome.rewards.round(3), outcome.all_rewards.round(3)
    (array([0.572]), array([[0.572, 0.972]]))
    """

    def __init__(self, arms: Arms, sigma: float = 0.05) -> None:
        """Choose the arms and the standard deviation, as a part of the range of rewards.

        Raises:
            ValueError: a negative standard deviation.
        """
        if not sigma >= 0.0:
            raise ValueError(f"sigma={sigma!r}: expected a standard deviation of at least 0")
        self.inner, self.sigma, self.count = arms, sigma, arms.count

    @property
    def instance(self) -> Instance:
        return self.inner.instance

    def reset(self, horizon: int, replicas: int, rng: np.random.Generator) -> None:
        (self._rng,) = rng.spawn(1)
        self.inner.reset(horizon, replicas, rng)

    def context(self) -> FloatArray | None:
        return self.inner.context()

    def pull(self, chosen: IntArray) -> Outcome:
        outcome = self.inner.pull(chosen)
        noise = self.sigma * self._rng.standard_normal(len(chosen))
        rest = outcome.all_rewards
        return Outcome(
            np.clip(outcome.rewards + noise, 0.0, 1.0),
            None if rest is None else np.clip(rest + noise[:, None], 0.0, 1.0),
        )

    def gaps(self) -> FloatArray | None:
        return self.inner.gaps()

    def always(self) -> FloatArray | None:
        return self.inner.always()
