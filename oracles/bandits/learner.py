"""The slot for online learners: many replicas side by side, all chance supplied from outside."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from coopgym.typing import BoolArray, FloatArray, IntArray

Process: TypeAlias = Literal["stochastic", "bayesian", "oblivious", "adaptive"]
"""Where rewards come from: drawn every round from the same distributions, whose means are given or, if bayesian,
drawn from the prior that the learner has; fixed before play (oblivious); or answering what is played (adaptive)."""

ROUNDING = 1e-6
"""How far probabilities may be from a distribution."""


@dataclass(frozen=True)
class Instance:
    """What a bound may know of a bandit problem.

    >>> Instance.of([0.9, 0.6, 0.4]).gaps
    (0.0, 0.3, 0.5)
    """

    arms: int
    means: tuple[float, ...] | None = None
    """``(K,)`` mean rewards, of stochastic arms."""
    lipschitz: float | None = None
    """Of the mean as a function of the arm's place in [0, 1], where arms are points of an interval."""
    process: Process = "stochastic"

    @property
    def is_stochastic(self) -> bool:
        """Whether rewards of an arm are independent draws from one distribution."""
        return self.process in ("stochastic", "bayesian")

    @classmethod
    def of(cls, means: npt.ArrayLike, lipschitz: float | None = None) -> Instance:
        """Return the instance of stochastic arms with these means, ``(K,)`` in [0, 1].

        Raises:
            ValueError: no arm, or a mean outside [0, 1].
        """
        values = np.asarray(means, dtype=np.float64)
        if values.ndim != 1 or not len(values) or not ((values >= 0.0) & (values <= 1.0)).all():
            raise ValueError(f"means={means!r}: expected at least one mean reward, each in [0, 1]")
        return cls(len(values), tuple(values.tolist()), lipschitz)

    @property
    def gaps(self) -> tuple[float, ...] | None:
        """``(K,)`` how far each mean is below the best."""
        if self.means is None:
            return None
        best = max(self.means)
        return tuple(round(best - mean, 15) for mean in self.means)


class OnlineLearner(ABC):
    """Chooses one of K arms every round, in R replicas that never meet, and learns from what the arms bring.

    A subclass is a dataclass of its settings that sets up its state in `prepare`, arrays with the replicas first, says
    in `probabilities` how likely it is to choose each arm, and takes in a round in `learn`. One whose choice needs no
    chance is a `DeterministicLearner`. Rewards are in [0, 1]; costs are one less reward.

    Every draw u in [0, 1) selects the smallest index whose cumulative probability exceeds it; ties in a maximum go to
    the lowest index.

    >>> @dataclass
    ... class Uniform(OnlineLearner):
    ...     def prepare(self):
    ...         pass
    ...     def probabilities(self, context=None):
    ...         return np.full((self.replicas, self.arms), 1.0 / self.arms)
    ...     def learn(self, arms, rewards, feedback):
    ...         pass
    >>> learner = Uniform()
    >>> learner.reset(arms=4, horizon=100, replicas=3)
    >>> learner.act(np.array([[0.0], [0.3], [0.99]]))
    array([0, 1, 3])
    """

    full_feedback: ClassVar[bool] = False
    """Whether it learns from the rewards of all arms; without this it never sees any but those of the arms it chose."""
    contextual: ClassVar[bool] = False
    """Whether it looks at a context, ``(R, ...)``, before it chooses."""
    explicit: ClassVar[bool] = True
    """Whether `probabilities` follow from a formula; without one they are integrated, which takes long."""
    citation: ClassVar[str] = ""

    arms: int
    """K."""
    horizon: int
    """T, rounds that it is told it will play."""
    replicas: int
    """R."""
    round: IntArray
    """``(R,)`` rounds learned from so far."""
    rows: IntArray
    """``(R,)`` numbers of the replicas."""
    offsets: IntArray
    """``(R,)`` where rows of ``(R, K)`` begin in flat views, which are indexed several times as fast."""

    @property
    def draws(self) -> int:
        """Uniform numbers that a choice takes in each replica."""
        return 1

    def reset(self, arms: int, horizon: int, replicas: int = 1) -> None:
        """Forget everything and prepare to play.

        Raises:
            ValueError: no arm, round or replica.
        """
        for name, value in (("arms", arms), ("horizon", horizon), ("replicas", replicas)):
            if not isinstance(value, int | np.integer) or value < 1:
                raise ValueError(f"{name}={value!r}: expected a whole number of at least 1")
        self.arms, self.horizon, self.replicas = int(arms), int(horizon), int(replicas)
        self.round = np.zeros(self.replicas, dtype=np.int64)
        self.rows = np.arange(self.replicas)
        self.offsets = self.rows * self.arms
        self.prepare()

    def restart(self, rows: BoolArray) -> None:
        """Forget everything in some replicas, ``(R,)``, and begin again there.

        What is remembered stands in arrays with the replicas first, of the learner or of one that `parts` names.
        """
        fresh = copy.deepcopy(self)
        fresh.reset(self.arms, self.horizon, self.replicas)
        self._take_over(fresh, rows)

    @property
    def parts(self) -> tuple[OnlineLearner, ...]:
        """Itself, and the learners that it consists of, as many replicas each."""
        return (self,)

    @abstractmethod
    def prepare(self) -> None:
        """Set up the state of `replicas` plays of `horizon` rounds with `arms` arms."""

    @abstractmethod
    def probabilities(self, context: FloatArray | None = None) -> FloatArray:
        """Return how likely the next choice is each arm, ``(R, K)``."""

    def act(self, uniforms: FloatArray, context: FloatArray | None = None) -> IntArray:
        """Choose arms, ``(R,)``.

        Args:
            uniforms: ``(R, draws)`` in [0, 1).
            context: what a contextual learner sees, ``(R, ...)``.

        Raises:
            ValueError: `probabilities` that are no distributions over the arms.
        """
        return selected(self._distributions(context), uniforms[:, 0])

    def _distributions(self, context: FloatArray | None) -> FloatArray:
        likely, expected = self.probabilities(context), (self.replicas, self.arms)
        if likely.shape != expected:
            raise ValueError(
                f"{type(self).__name__}: probabilities of shape {likely.shape}, expected (replicas, arms) = {expected}"
            )
        if not (likely.min() >= -ROUNDING and np.abs(likely.sum(1) - 1.0).max() <= ROUNDING):
            raise ValueError(
                f"{type(self).__name__}: expected probabilities of at least 0 that sum to one in every replica; "
                f"got at least {likely.min():g} and sums from {likely.sum(1).min():g} to {likely.sum(1).max():g}"
            )
        return likely

    def update(self, arms: IntArray, rewards: FloatArray, feedback: FloatArray | None = None) -> None:
        """Take in the round that was just played.

        Args:
            arms: ``(R,)`` that were chosen.
            rewards: ``(R,)`` in [0, 1], of these arms.
            feedback: ``(R, K)`` rewards of all arms; only for a learner that declares `full_feedback`.

        Raises:
            ValueError: feedback for a learner that does not declare it, or none for one that does; other shapes, or
                rewards outside [0, 1].
        """
        expected = self.round.shape
        if not arms.shape == rewards.shape == expected or not (rewards.min() >= 0.0 and rewards.max() <= 1.0):
            raise ValueError(
                f"arms of shape {np.shape(arms)}, rewards of shape {np.shape(rewards)} from {np.min(rewards):g} to "
                f"{np.max(rewards):g}: expected (replicas,) = {expected} of both, and rewards in [0, 1]"
            )
        if (feedback is not None) != self.full_feedback:
            wrong = "needs the rewards of all arms" if self.full_feedback else "must not see what other arms bring"
            raise ValueError(
                f"{type(self).__name__} declares full_feedback={self.full_feedback} and so {wrong}; "
                f"got feedback={'None' if feedback is None else 'an array'}"
            )
        self.learn(arms, rewards, feedback)
        self.round += 1

    def update_where(
        self, rows: BoolArray, arms: IntArray, rewards: FloatArray, feedback: FloatArray | None = None
    ) -> None:
        """Take in the round that was just played in some replicas, ``(R,)``; nothing happened in the others."""
        if rows.all():
            self.update(arms, rewards, feedback)
        elif rows.any():
            before = copy.deepcopy(self)
            self.update(arms, rewards, feedback)
            self._take_over(before, ~rows)

    def _take_over(self, other: OnlineLearner, rows: BoolArray) -> None:
        """Take what another of the same settings remembers, in some replicas."""
        for mine, theirs in zip(self.parts, other.parts, strict=True):
            for name, value in vars(theirs).items():
                if isinstance(value, np.ndarray) and value.shape[:1] == (self.replicas,):
                    mask = rows.reshape(-1, *(1,) * (value.ndim - 1))
                    vars(mine)[name] = np.where(mask, value, vars(mine)[name])

    @abstractmethod
    def learn(self, arms: IntArray, rewards: FloatArray, feedback: FloatArray | None) -> None:
        """Take in a round, before `round` counts it; arguments as in `update`."""

    def declared_bound(self, horizon: int, instance: Instance) -> float | None:
        """Return what is proved of its expected regret after that many rounds; None where nothing is."""
        return None


class DeterministicLearner(OnlineLearner):
    """Base of learners whose choice follows from what they have seen."""

    @property
    def draws(self) -> int:
        return 0

    @abstractmethod
    def choose(self, context: FloatArray | None = None) -> IntArray:
        """Return the arms to play, ``(R,)``."""

    def act(self, uniforms: FloatArray, context: FloatArray | None = None) -> IntArray:
        return self.choose(context)

    def probabilities(self, context: FloatArray | None = None) -> FloatArray:
        return one_hot(self.choose(context), self.arms)


def check_choice(who: str, arms: IntArray, replicas: int, count: int) -> None:
    """Raise ValueError unless these are numbers of arms, one per replica: others would count in other replicas."""
    chosen = np.asarray(arms)
    inside = chosen.shape == (replicas,) and chosen.dtype.kind in "iu" and chosen.min() >= 0 and chosen.max() < count
    if not inside:
        raise ValueError(
            f"{who}: chose {chosen.tolist() if chosen.size < 5 else chosen.dtype} of shape {chosen.shape}; expected "
            f"(replicas,) = {(replicas,)} whole numbers from 0 to {count - 1}"
        )


def selected(probabilities: FloatArray, uniforms: FloatArray) -> IntArray:
    """Return the smallest index whose cumulative probability exceeds each number, ``(R,)``.

    Args:
        probabilities: ``(R, K)``.
        uniforms: ``(R,)`` in [0, 1).

    >>> selected(np.array([[0.5, 0.0, 0.5]] * 3), np.array([0.49, 0.5, 0.999]))
    array([0, 2, 2])
    """
    cumulative = probabilities.cumsum(-1)
    # Rounding may leave the sum below a number near 1, which then means the last arm that can be chosen.
    return (cumulative <= np.minimum(uniforms, np.nextafter(cumulative[:, -1], 0.0))[:, None]).sum(-1)


def one_hot(arms: IntArray, count: int) -> FloatArray:
    """Return the distributions ``(R, K)`` that choose these arms for certain.

    >>> one_hot(np.array([2, 0]), 3)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    return (arms[:, None] == np.arange(count)).astype(np.float64)
