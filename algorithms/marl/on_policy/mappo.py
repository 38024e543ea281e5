"""Multi-agent PPO: every seat acts on what it sees, and learns with a value function that sees the whole game.

Source: Yu et al. 2022, "The Surprising Effectiveness of PPO in Cooperative Multi-Agent Games".

Every seat has its own ratio and its own clip. Its value V_i judges the compact global state and is told the seat; it is
normalised as PopArt does, by times of the episode. With ``objective="team"`` all seats learn from the sum of rewards,
as in the paper; with ``"individual"`` each from its own. Value clipping and death masks have no use here.

Shapes: R replicas, n seats, T steps and B environment copies of a block, S = T·B samples, G entries of the state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from coopgym.algorithms.common.learner_contract import MEMORIES, Memory
from coopgym.algorithms.marl.core.agent_learner import Context
from coopgym.algorithms.marl.core.rollout_buffer import Rollout, needed
from coopgym.algorithms.marl.core.trainer import ReplicaLearner
from coopgym.algorithms.marl.on_policy.ppo import PPOSeats, PPOSettings
from coopgym.algorithms.marl.on_policy.recurrent_actor_critic import separate_networks


@dataclass(frozen=True, kw_only=True)
class MAPPO(PPOSettings, ReplicaLearner):
    """Multi-agent proximal policy optimisation.

    Attributes:
        sharing: whether one policy and one value function, told the seat, serve all seats.
    """

    sources: ClassVar[str] = "Yu et al. 2022"
    memories: ClassVar[tuple[Memory, ...]] = MEMORIES
    partnered: ClassVar[bool] = True
    needs_state: ClassVar[bool] = True

    sharing: bool = True

    def agent_learner(self, context: Context) -> MAPPOSeats:
        return MAPPOSeats(self, context)


class MAPPOSeats(PPOSeats):
    """PPO learners with values of the global state, one per seat and replica."""

    def __init__(self, settings: MAPPO, context: Context) -> None:
        networks = separate_networks(settings, context, critic_inputs=context.state_size, sharing=settings.sharing)
        super().__init__(settings, context, networks, pooled=settings.sharing)

    def inputs(self, block: Rollout) -> tuple[Tensor, ...]:
        """Return observations ``(R, n, S, O)`` and the state that all seats judge alike, ``(R, 1, S, G)``."""
        return block.observation.flatten(2, 3), needed(block.state).flatten(1, 2).unsqueeze(1)

    def next_values(self, block: Rollout, values: Tensor) -> Tensor:
        return block.next_state_values(lambda state, time: self.value(state.unsqueeze(1), time), values)
