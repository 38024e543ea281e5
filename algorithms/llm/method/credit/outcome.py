"""Methods that turn one reward per rollout into one advantage on all of its tokens."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from coopgym.algorithms.common.settings import Settings, hyperparameter
from coopgym.algorithms.llm.kernels import bnpo, core
from coopgym.algorithms.llm.method.credit.rewards import PathReward, Rank, Reward, Rewarded, reward_of
from coopgym.algorithms.llm.method.credit.tokens import everywhere, on_own, whitened
from coopgym.algorithms.llm.method.slots import CreditAssigner
from coopgym.algorithms.llm.play.trajectories import Batch, Credit
from coopgym.typing import FloatArray


@dataclass(frozen=True, kw_only=True)
class OutcomeCredit(Rewarded):
    """One advantage per rollout, broadcast."""

    @abstractmethod
    def advantages(self, batch: Batch) -> FloatArray:
        """Return the advantage of every rollout, ``(N,)``."""

    def assign(self, batch: Batch) -> Credit:
        return Credit.single(batch, everywhere(batch, self.advantages(batch)), metrics=self.metrics(batch))

    def metrics(self, batch: Batch) -> dict[str, float]:
        """Return what the method itself has to report."""
        return {}


@dataclass(frozen=True, kw_only=True)
class GroupZ(OutcomeCredit):
    """GRPO: the reward standardised in its group (arXiv 2402.03300).

    Attributes:
        eps: added to the standard deviation.
    """

    eps: float = hyperparameter(1e-6, 0.0)

    def advantages(self, batch: Batch) -> FloatArray:
        return core.group_zscore(self.worth(batch), batch.group, eps=self.eps)


@dataclass(frozen=True, kw_only=True)
class GroupCenter(OutcomeCredit):
    """The reward above its group's mean: Dr. GRPO (arXiv 2503.20783), h1 (2510.07312), InT's RL stage (2601.14209)."""

    def advantages(self, batch: Batch) -> FloatArray:
        return core.group_center(self.worth(batch), batch.group)


@dataclass(frozen=True, kw_only=True)
class LeaveOneOut(OutcomeCredit):
    """RLOO: the reward above the mean of the group's *other* members (arXiv 2402.14740); 0 for a group of one."""

    def advantages(self, batch: Batch) -> FloatArray:
        size = np.bincount(batch.group)[batch.group].astype(np.float64)
        return core.group_center(self.worth(batch), batch.group) * size / np.maximum(size - 1.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class BatchZ(Rewarded):
    """REINFORCE++: the reward standardised over all written tokens of the batch (arXiv 2501.03262).

    There is no baseline per prompt, so a group of equal rewards still tells good prompts from bad ones. The paper's
    penalty for leaving the reference, token by token, is the objective's.

    Attributes:
        eps: added to the standard deviation.
    """

    eps: float = hyperparameter(1e-8, 0.0)

    def assign(self, batch: Batch) -> Credit:
        members = batch.trajectories
        rows = [np.full(member.written, reward) for member, reward in zip(members, self.worth(batch), strict=True)]
        standardised = whitened(rows, self.eps)
        return Credit.single(batch, [on_own(member, row) for member, row in zip(members, standardised, strict=True)])


@dataclass(frozen=True, kw_only=True)
class BetaWeight(OutcomeCredit):
    """BNPO: the centred reward over a Beta density fitted to the batch's success rates (arXiv 2506.02864).

    Attributes:
        decomposed: several rewards, such as ``("outcome", "welfare", "format")``, each weighted by itself and then
            averaged; they replace ``reward``.
        low: least reward.
        high: largest reward.
        max_weight: cap of the weight. Published is 1e6, which a single rollout can reach.
    """

    decomposed: tuple[str | Reward, ...] = ()
    low: float = hyperparameter(0.0)
    high: float = hyperparameter(1.0)
    max_weight: float = hyperparameter(10.0, 0.0, above_low=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low >= self.high:
            raise ValueError(f"low={self.low:g}, high={self.high:g}: expected low below high")
        if self.decomposed:
            reads = type(self).reads.union(*(reward_of(each).reads for each in self.decomposed))
            object.__setattr__(self, "reads", reads)

    def advantages(self, batch: Batch) -> FloatArray:
        rewards = self.decomposed or (self.reward,)
        each = [
            bnpo.advantages(reward_of(reward)(batch), batch.group, self.low, self.high, self.max_weight)
            for reward in rewards
        ]
        return np.asarray(np.mean(each, axis=0))


@dataclass(frozen=True, kw_only=True)
class P2S(GroupZ):
    """P2S: where nobody in a group is right, paths are told apart by how likely they make a good chain."""

    reward: str | Reward = PathReward()


@dataclass(frozen=True, kw_only=True)
class GTAlign(GroupZ):
    """GTAlign: the geometric mean of all parties' welfare as the reward."""

    reward: str | Reward = "welfare"


@dataclass(frozen=True, kw_only=True)
class ArenaRL(GroupZ):
    """ArenaRL: the rank in a tournament as the reward."""

    reward: str | Reward = Rank()


@dataclass(frozen=True, kw_only=True)
class SCOPE(GroupZ):
    """SCOPE: outcomes after repair, standardised in their group; the mixed-policy objective tells who wrote what."""

    def metrics(self, batch: Batch) -> dict[str, float]:
        repaired = [member.off_policy is not None and bool(member.off_policy.any()) for member in batch.trajectories]
        return {"repaired": float(np.mean(repaired))}


@dataclass(frozen=True, kw_only=True)
class Imitate(Settings, CreditAssigner):
    """Advantage 1 on every written token, for fine-tuning on rollouts that are worth repeating."""

    def assign(self, batch: Batch) -> Credit:
        return Credit.single(batch, everywhere(batch, np.ones(len(batch.trajectories))))
