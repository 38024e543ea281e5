"""What a rollout is worth before anything is normalised. Methods that only change the reward are one of these."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from coopgym.algorithms.common.settings import Settings, hyperparameter
from coopgym.algorithms.llm.kernels import p2s
from coopgym.algorithms.llm.method.slots import CreditAssigner
from coopgym.algorithms.llm.play.trajectories import Batch, Group
from coopgym.typing import FloatArray


@dataclass(frozen=True, kw_only=True)
class Reward(Settings, ABC):
    """One number per rollout."""

    @property
    def reads(self) -> frozenset[str]:
        """Signals it cannot do without."""
        return frozenset()

    @abstractmethod
    def __call__(self, batch: Batch) -> FloatArray:
        """Return the rewards of a batch, ``(N,)``."""


@dataclass(frozen=True, kw_only=True)
class Recorded(Reward):
    """What the rollout itself records: its outcome, whether it is correct or well-formed."""

    field: str

    def __call__(self, batch: Batch) -> FloatArray:
        return np.array([getattr(member, self.field) for member in batch.trajectories], dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class Signalled(Reward):
    """A signal that is a number, such as ``welfare`` (GTAlign, arXiv 2510.08872)."""

    signal: str

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({self.signal})

    def __call__(self, batch: Batch) -> FloatArray:
        return np.array(batch.gather(self.signal), dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class PathReward(Reward):
    """P2S: 1 or 0 where somebody in the group is right, how good the path is where nobody is (arXiv 2601.20649).

    Attributes:
        low: least path reward; above -1, so that a malformed rollout never beats a well-formed one.
        high: largest path reward.
        cold_start: reward the format only.
    """

    low: float = hyperparameter(-0.9, -1.0, 1.0, above_low=True)
    high: float = hyperparameter(1.0, -1.0, above_low=True)
    cold_start: bool = False

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({"path_reward"})

    def __call__(self, batch: Batch) -> FloatArray:
        batch.gather("path_reward")
        return _joined([self._rewards(group) for group in batch.groups])

    def _rewards(self, group: Group) -> FloatArray:
        paths = np.array([member.signals["path_reward"] for member in group.members], dtype=np.float64)
        return p2s.group_rewards(
            [member.format_ok for member in group.members],
            [member.correct for member in group.members],
            np.clip(paths, self.low, self.high),
            self.cold_start,
        )


@dataclass(frozen=True, kw_only=True)
class Rank(Reward):
    """ArenaRL: where a rollout stands in its group, 1 for the best and 0 for the worst (arXiv 2601.06487).

    Read back from the rank advantages of a judge, which are a positive multiple of it, shifted; all tied earn 0.
    """

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({"rank_adv"})

    def __call__(self, batch: Batch) -> FloatArray:
        batch.gather("rank_adv")
        return _joined(
            [
                _unit(np.array([member.signals["rank_adv"] for member in group.members], dtype=np.float64))
                for group in batch.groups
            ]
        )


NAMED: dict[str, Reward] = {
    "outcome": Recorded(field="outcome"),
    "correct": Recorded(field="correct"),
    "format": Recorded(field="format_ok"),
    "path": PathReward(),
    "rank": Rank(),
}


def reward_of(reward: str | Reward) -> Reward:
    """Return a reward by its name in `NAMED`; another name is that of a signal which is a number."""
    if isinstance(reward, Reward):
        return reward
    return NAMED.get(reward) or Signalled(signal=reward)


@dataclass(frozen=True, kw_only=True)
class Rewarded(Settings, CreditAssigner):
    """Credit that starts from one reward per rollout.

    Attributes:
        reward: a name that `reward_of` knows, or a reward.
    """

    reward: str | Reward = "outcome"

    def __post_init__(self) -> None:
        super().__post_init__()
        # What is read depends on the reward, hence on the instance.
        object.__setattr__(self, "reads", type(self).reads | reward_of(self.reward).reads)

    def worth(self, batch: Batch) -> FloatArray:
        """Return the rewards of a batch, ``(N,)``."""
        return reward_of(self.reward)(batch)


def _unit(ranks: FloatArray) -> FloatArray:
    """Map numbers to [0, 1], the smallest to 0 and the largest to 1; equal ones to 0."""
    span = np.ptp(ranks) if len(ranks) else 0.0
    return (ranks - ranks.min()) / span if span > 0.0 else np.zeros(len(ranks))


def _joined(groups: list[FloatArray]) -> FloatArray:
    return np.concatenate([np.zeros(0), *groups])
