"""Independent PPO: every seat learns its own policy and value function from its own reward.

Sources: Schulman et al. 2017, "Proximal Policy Optimization Algorithms"; Schulman et al. 2016, "High-Dimensional
Continuous Control Using Generalized Advantage Estimation"; de Witt et al. 2020, "Is Independent Learning All You Need
in the StarCraft Multi-Agent Challenge?".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from coopgym.algorithms.common.learner_contract import MEMORIES, Memory
from coopgym.algorithms.marl.core.agent_learner import Context
from coopgym.algorithms.marl.core.trainer import ReplicaLearner
from coopgym.algorithms.marl.on_policy.ppo import PPOSeats, PPOSettings
from coopgym.algorithms.marl.on_policy.recurrent_actor_critic import paired_networks


@dataclass(frozen=True, kw_only=True)
class IPPO(PPOSettings, ReplicaLearner):
    """Independent proximal policy optimisation.

    Attributes:
        sharing: whether one pair of networks, told the seat, serves all seats (de Witt et al. 2020).
    """

    sources: ClassVar[str] = "Schulman et al. 2017; de Witt et al. 2020"
    memories: ClassVar[tuple[Memory, ...]] = MEMORIES
    partnered: ClassVar[bool] = True

    sharing: bool = False

    def agent_learner(self, context: Context) -> PPOSeats:
        networks = paired_networks(self, context, sharing=self.sharing)
        return PPOSeats(self, context, networks, pooled=self.sharing)
