"""Independent advantage actor-critic: one step along the policy gradient of each seat per short block.

Sources: Mnih et al. 2016, "Asynchronous Methods for Deep Reinforcement Learning", whose synchronous variant this is;
Papoudakis et al. 2021, "Benchmarking Multi-Agent Deep Reinforcement Learning Algorithms in Cooperative Tasks", for the
independent form.

Deviations: Adam instead of RMSprop; separate networks for policy and value; advantages are standardised per seat, since
in these games an action moves a return by thousandths. Blocks are as short as the paper's: one step along the gradient
is all that a block gives, and training needs about a thousand of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from coopgym.algorithms.common.learner_contract import MEMORIES, Memory
from coopgym.algorithms.common.settings import hyperparameter
from coopgym.algorithms.marl.core.agent_learner import Context
from coopgym.algorithms.marl.core.trainer import ReplicaLearner
from coopgym.algorithms.marl.on_policy.actor_critic import ActorCriticSeats, ActorCriticSettings
from coopgym.algorithms.marl.on_policy.recurrent_actor_critic import paired_networks


@dataclass(frozen=True, kw_only=True)
class IA2C(ActorCriticSettings, ReplicaLearner):
    """Independent synchronous advantage actor-critic.

    Attributes:
        sharing: whether one pair of networks, told the seat, serves all seats.
        rollout_steps: 5 (Mnih et al. 2016, §8).
        final_sigma: small, which no clip punishes here.
        gae_lambda: 1 makes advantages n-step returns less the value (Mnih et al. 2016, §4).
    """

    sources: ClassVar[str] = "Mnih et al. 2016; Papoudakis et al. 2021"
    memories: ClassVar[tuple[Memory, ...]] = MEMORIES
    partnered: ClassVar[bool] = True

    rollout_steps: int | None = hyperparameter(5, 1)
    learning_rate: float = hyperparameter(3e-3, 0.0, above_low=True)
    gae_lambda: float = hyperparameter(1.0, 0.0, 1.0)
    final_sigma: float = hyperparameter(0.05, 0.0, 0.5, above_low=True)
    sharing: bool = False

    def agent_learner(self, context: Context) -> ActorCriticSeats:
        networks = paired_networks(self, context, sharing=self.sharing)
        return ActorCriticSeats(self, context, networks, pooled=self.sharing)
