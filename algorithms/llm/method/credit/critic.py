"""Methods that estimate advantages with a critic, token by token."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from coopgym.algorithms.common.settings import hyperparameter
from coopgym.algorithms.llm.kernels import ppr
from coopgym.algorithms.llm.method.credit.rewards import Rewarded
from coopgym.algorithms.llm.method.credit.tokens import on_own, whitened
from coopgym.algorithms.llm.play.trajectories import Batch, Credit
from coopgym.typing import FloatArray


@dataclass(frozen=True, kw_only=True)
class GAE(Rewarded):
    """Generalised advantages over written tokens; what came back is skipped (arXiv 1506.02438).

    The signal ``values`` has the critic's value before each token, ``(L,)``.

    Attributes:
        gamma: discount per token.
        lam: exponential weight of longer returns.
        whiten: standardise over all written tokens of the batch.
    """

    reads: ClassVar = frozenset({"values"})
    gamma: float = hyperparameter(1.0, 0.0, 1.0)
    lam: float = hyperparameter(1.0, 0.0, 1.0)
    whiten: bool = False

    @abstractmethod
    def token_rewards(self, batch: Batch) -> list[FloatArray]:
        """Return the reward of every token, N arrays ``(L,)``."""

    def assign(self, batch: Batch) -> Credit:
        members = batch.trajectories
        found = [
            ppr.gae(rewards[member.mask], np.asarray(values)[member.mask], self.gamma, self.lam)
            for member, rewards, values in zip(members, self.token_rewards(batch), batch.gather("values"), strict=True)
        ]
        advantages = [each["adv"] for each in found]
        if self.whiten:
            advantages = whitened(advantages, eps=1e-8)
        return Credit.single(
            batch,
            [on_own(member, row) for member, row in zip(members, advantages, strict=True)],
            returns=[on_own(member, each["returns"]) for member, each in zip(members, found, strict=True)],
            metrics={"explained_variance": _explained(found)},
        )


@dataclass(frozen=True, kw_only=True)
class PPO(GAE):
    """The reward on the last token (arXiv 1707.06347)."""

    def token_rewards(self, batch: Batch) -> list[FloatArray]:
        rows = [np.zeros(len(member.ids)) for member in batch.trajectories]
        for row, member, reward in zip(rows, batch.trajectories, self.worth(batch), strict=True):
            row[np.flatnonzero(member.mask)[-1:]] = reward
        return rows


@dataclass(frozen=True, kw_only=True)
class PPR(GAE):
    """Principle process rewards shifted by the outcome, on the last token of each turn (arXiv 2509.25598).

    Attributes:
        per_turn: divide by the number of turns. The shift adds ½ per turn to a right rollout and takes as much from a
            wrong one, so that returns grow with turns otherwise.
    """

    reads: ClassVar = frozenset({"values", "step_score"})
    per_turn: bool = False

    def token_rewards(self, batch: Batch) -> list[FloatArray]:
        rows = [np.zeros(len(member.ids)) for member in batch.trajectories]
        for row, member, scores, outcome in zip(
            rows, batch.trajectories, batch.gather("step_score"), self.worth(batch), strict=True
        ):
            rewards = ppr.renorm(scores, outcome) / (max(1, len(scores)) if self.per_turn else 1)
            for turn, reward in zip(member.turns, rewards, strict=True):
                row[turn.start : turn.end][-1:] = reward
        return rows


def _explained(found: list[dict[str, FloatArray]]) -> float:
    """Return the share of the returns' variance that the critic accounts for."""
    target, error = (np.concatenate([each[name] for each in found]) for name in ("returns", "adv"))
    variance = float(target.var()) if target.size else 0.0
    return 1.0 - float(error.var()) / variance if variance > 0.0 else 0.0
