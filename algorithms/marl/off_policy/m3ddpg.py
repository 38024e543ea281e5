"""M3DDPG: MADDPG whose seats reckon with others that act against them.

Source: Li et al. 2019, "Robust Multi-Agent Reinforcement Learning via Minimax Deep Deterministic Policy Gradient".

Whatever a seat's critic judges, in the critics' targets as in the policies' losses, it judges after one step of the
others' levels against the seat: a_j - ε·g/|g| with g the slope of the seat's value in a_j, kept within [-1, 1]. A level
is one number, so the normalised slope is its sign, and the step is ε wherever the slope is not zero.

Shapes: R replicas, n seats, M transitions of a minibatch, G entries of the compact state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from coopgym.algorithms.common.settings import hyperparameter
from coopgym.algorithms.marl.core.agent_learner import Context
from coopgym.algorithms.marl.off_policy.maddpg import MADDPG, MADDPGSeats


@dataclass(frozen=True, kw_only=True)
class M3DDPG(MADDPG):
    """Minimax multi-agent deep deterministic policy gradient.

    Attributes:
        adversity: step ε of the others' levels against a seat.
    """

    sources: ClassVar[str] = "Li et al. 2019"

    adversity: float = hyperparameter(0.05, 0.0)

    def agent_learner(self, context: Context) -> M3DDPGSeats:
        return M3DDPGSeats(self, context)


class M3DDPGSeats(MADDPGSeats):
    """`MADDPGSeats` that judge the worst of what the others could do instead."""

    def __init__(self, settings: M3DDPG, context: Context) -> None:
        super().__init__(settings, context)
        self.adversity = settings.adversity

    def value(self, critic: Callable[[Tensor], Tensor], state: Tensor, levels: Tensor) -> Tensor:
        return super().value(critic, state, self.worst(critic, state, levels))

    def worst(self, critic: Callable[[Tensor], Tensor], state: Tensor, levels: Tensor) -> Tensor:
        """Move the others' levels against the seat that judges (Li et al. 2019, Eq. 12); arguments as in `value`."""
        with torch.enable_grad():
            given = levels.detach().requires_grad_()
            (slope,) = torch.autograd.grad(super().value(critic, state, given).sum(), given)
        moved = (levels - self.adversity * slope.sign()).clamp(-1.0, 1.0)
        return torch.where(self.own, levels, moved)
