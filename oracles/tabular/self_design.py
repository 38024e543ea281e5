"""ExploRS: a learner shapes its own reward, from what it has reached and how often it has been where (Devidze 2022)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coopgym.typing import BoolArray, FloatArray

BONUS_ENDS = 0.7
"""Share of training after which no bonus is paid."""


class Episode(NamedTuple):
    """What one episode of T steps went through."""

    states: npt.NDArray[np.int64]
    """``(T,)``."""
    actions: npt.NDArray[np.int64]
    """``(T,)``."""
    rewards: FloatArray
    """``(T,)`` original ones."""

    def returns(self, gamma: float) -> FloatArray:
        """Return the discounted sums ``(T,)`` of rewards from every step on."""
        powers = gamma ** np.arange(len(self.rewards))
        return np.cumsum((powers * self.rewards)[::-1])[::-1] / powers


def count_bonus(counts: FloatArray, scale: float, largest: float) -> FloatArray:
    """Return B = λ / √((λ / B_max)² + N): B_max where nobody has been, and about λ / √N later.

    >>> count_bonus(np.array([0.0, 1.0, 3.0, 99.0]), scale=1.0, largest=1.0).round(3)
    array([1.   , 0.707, 0.5  , 0.1  ])
    """
    return np.asarray(scale / np.sqrt((scale / largest) ** 2 + counts))


def annealed(progress: float) -> float:
    """Return the weight of the bonus after a share of training: from 1 straight to 0, which it is from 0.7 on.

    The bonus is no potential, and would move the optimum if it stayed.

    >>> annealed(0.0), annealed(0.35), annealed(0.9)
    (1.0, 0.5, 0.0)
    """
    return max(0.0, 1.0 - progress / BONUS_ENDS)


def intrinsic_update(policy: FloatArray, pairs: npt.NDArray[np.int64], advantages: FloatArray) -> FloatArray:
    """Return what visits add to φ ``(S, A)``, before the rate: every row sums to zero.

    Args:
        policy: ``(S, A)`` of the learner.
        pairs: ``(V, 2)`` states and actions visited.
        advantages: ``(V,)`` returns less the critic's values.
    """
    states, actions = pairs.T
    pushes = policy[states, actions] * advantages
    change = np.zeros_like(policy)
    np.add.at(change, (states, actions), pushes)
    np.add.at(change, states, -policy[states] * pushes[:, None])
    return change


@dataclass
class SelfDesign:
    """What a learner knows for its own reward r + φ(s, a) + B(s').

    Attributes:
        states: S.
        actions: A.
        gamma: discount of the returns.
        terminal: ``(S,)`` absorbing states, whose bonus is 0; None is none.
        scale: λ of the bonus.
        largest: B_max.
        rate: η of φ.
        critic_rate: η_c.
        clip: largest |φ|; None does not clip.

    Raises:
        ValueError: a number out of range.

    >>> design = SelfDesign(states=2, actions=2, gamma=0.9)
    >>> design.rewarded(0, 1, 0.0, 1), design.counts
    (1.0, array([1., 0.]))
    """

    states: int
    actions: int
    gamma: float
    terminal: BoolArray | None = None
    scale: float = 1.0
    largest: float = 1.0
    rate: float = 0.01
    critic_rate: float = 0.01
    clip: float | None = None
    counts: FloatArray = field(init=False)
    """``(S,)`` visits."""
    intrinsic: FloatArray = field(init=False)
    """φ ``(S, A)``."""
    values: FloatArray = field(init=False)
    """The critic ``(S,)``."""

    def __post_init__(self) -> None:
        for name in ("scale", "largest"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name}={getattr(self, name)!r}: expected a number above 0")
        for name in ("rate", "critic_rate"):
            if not getattr(self, name) >= 0.0:
                raise ValueError(f"{name}={getattr(self, name)!r}: expected a number of at least 0")
        self.counts, self.values = np.zeros(self.states), np.zeros(self.states)
        self.intrinsic = np.zeros((self.states, self.actions))

    def bonus(self, state: int) -> float:
        """Return B of a state."""
        if self.terminal is not None and self.terminal[state]:
            return 0.0
        return float(count_bonus(self.counts[state], self.scale, self.largest))

    def rewarded(self, state: int, action: int, reward: float, after: int, weight: float = 1.0) -> float:
        """Return r + φ(s, a) + w B(s') of a step, and count its state; `annealed` is a w for whoever trains so long."""
        made = reward + float(self.intrinsic[state, action]) + weight * self.bonus(after)
        self.counts[state] += 1.0
        return made

    def update(self, policy: FloatArray, episodes: Sequence[Episode]) -> None:
        """Move φ and the critic towards what a buffer of episodes has returned.

        Args:
            policy: ``(S, A)`` of the learner.
            episodes: at least one of at least one step.
        """
        pairs = np.concatenate([np.stack([each.states, each.actions], -1) for each in episodes])
        returns = np.concatenate([each.returns(self.gamma) for each in episodes])
        errors = returns - self.values[pairs[:, 0]]
        self.intrinsic = self.intrinsic + self.rate * intrinsic_update(policy, pairs, errors)
        if self.clip is not None:
            self.intrinsic = np.clip(self.intrinsic, -self.clip, self.clip)
        moved = np.bincount(pairs[:, 0], weights=errors, minlength=self.states)
        self.values = self.values + self.critic_rate * moved / len(pairs)
