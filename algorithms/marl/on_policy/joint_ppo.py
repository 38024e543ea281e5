"""Joint PPO: one controller for all seats, the centralised baseline of independent PPO.

Source: Schulman et al. 2017, "Proximal Policy Optimization Algorithms", on the game as one agent's problem with a joint
action: the sum of rewards, one ratio and one clip for the whole action.

A Gaussian over joint actions with independent seats is a product of one Gaussian per seat, so the controller is one
network that is told the seat whose action it gives. With ``view="full"`` every seat's observation tells what all seats
see, and the controller is the joint one; with a narrower view it stays what the seats can play by themselves.

Shapes: R replicas, n seats, M samples of a minibatch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from coopgym.algorithms.common.learner_contract import MEMORIES, Memory, Objective
from coopgym.algorithms.marl.core.agent_learner import Context
from coopgym.algorithms.marl.core.trainer import ReplicaLearner
from coopgym.algorithms.marl.on_policy.ppo import PPOSeats, PPOSettings
from coopgym.algorithms.marl.on_policy.recurrent_actor_critic import paired_networks


@dataclass(frozen=True, kw_only=True)
class JointPPO(PPOSettings, ReplicaLearner):
    """Proximal policy optimisation of all seats' actions as one."""

    sources: ClassVar[str] = "Schulman et al. 2017"
    memories: ClassVar[tuple[Memory, ...]] = MEMORIES
    objectives: ClassVar[tuple[Objective, ...]] = ("team",)

    objective: Objective = "team"

    def agent_learner(self, context: Context) -> JointPPOSeats:
        return JointPPOSeats(self, context, paired_networks(self, context, sharing=True), pooled=True)


class JointPPOSeats(PPOSeats):
    """A joint controller per replica."""

    def surrogate(self, ratio: Tensor, advantage: Tensor) -> Tensor:
        """Return the clipped surrogate of the joint action, in equal parts ``(R, n, M)`` for the seats."""
        seats = ratio.shape[1]
        joint = super().surrogate(torch.prod(ratio, dim=1, keepdim=True), advantage.mean(1, keepdim=True))
        return joint.expand_as(ratio) / seats
