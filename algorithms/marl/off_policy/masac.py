"""MASAC: soft actor-critic whose critics see the global state and the actions of all seats.

Sources: Haarnoja et al. 2018, "Soft Actor-Critic Algorithms and Applications", with the centralised critics of Lowe et
al. 2017, "Multi-Agent Actor-Critic for Mixed Cooperative-Competitive Environments".

It is `ISAC` but for what critics see: the compact global state and samples of everybody's current policy, in the
critics' targets as in the policies' losses. A seat's target counts the entropy of its own policy.

Shapes: R replicas, n seats, M transitions of a minibatch, G entries of the compact state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from coopgym.algorithms.marl.core.agent_learner import Context
from coopgym.algorithms.marl.core.off_policy_loop import Batch
from coopgym.algorithms.marl.core.rollout_buffer import needed
from coopgym.algorithms.marl.off_policy.isac import ISAC, ISACSeats


@dataclass(frozen=True, kw_only=True)
class MASAC(ISAC):
    """Multi-agent soft actor-critic."""

    sources: ClassVar[str] = "Haarnoja et al. 2018; Lowe et al. 2017"
    partnered: ClassVar[bool] = False
    needs_state: ClassVar[bool] = True

    def agent_learner(self, context: Context) -> MASACSeats:
        return MASACSeats(self, context)


class MASACSeats(ISACSeats):
    """`ISACSeats` with centralised critics."""

    @property
    def sight(self) -> int:
        return self.context.state_size + len(self.context.seats)

    def situation(self, batch: Batch) -> tuple[Tensor, Tensor]:
        seats = len(self.context.seats)
        now, following = (
            needed(state).unsqueeze(1).expand(-1, seats, -1, -1) for state in (batch.state, batch.next_state)
        )
        return now, following

    def actions(self, levels: Tensor) -> Tensor:
        others = levels.detach().transpose(1, 2).unsqueeze(1)  # (R, 1, M, n)
        own = torch.eye(levels.shape[1], dtype=torch.bool, device=levels.device).unsqueeze(1)  # (n, 1, n)
        return torch.where(own, levels.unsqueeze(-1), others)
