"""Proximal policy optimisation: several passes over a block with a clipped surrogate.

Source: Schulman et al. 2017, "Proximal Policy Optimization Algorithms".

Shapes: R replicas, n seats, S samples of a block, M samples of a minibatch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from coopgym.algorithms.common.settings import hyperparameter
from coopgym.algorithms.marl.core.agent_learner import Context
from coopgym.algorithms.marl.core.batch_ops import reordered
from coopgym.algorithms.marl.on_policy.actor_critic import ActorCritic, ActorCriticNetworks, ActorCriticSeats


@dataclass(frozen=True, kw_only=True)
class PPO(ActorCritic):
    """Hyper-parameters of the PPO family.

    A block is an episode (`rollout_steps`), which is cut into many minibatches: where loyalty or trust pays only after
    several steps at a level, policies that take few steps on short blocks settle below it (`docs/learners.md`).

    Attributes:
        epochs: passes over a block.
        minibatches: gradient steps per epoch; each sees M = S/minibatches samples of every seat of every replica.
        clip: ε of the clipped surrogate (0.2: Schulman et al. 2017, Table 3).
    """

    learning_rate: float = hyperparameter(5e-3, 0.0, above_low=True)
    epochs: int = hyperparameter(4, 1)
    minibatches: int = hyperparameter(8, 1)
    clip: float = hyperparameter(0.2, 0.0, 1.0, above_low=True)


class PPOSeats(ActorCriticSeats):
    """Gaussian actor-critics that improve a clipped surrogate (Schulman et al. 2017, Algorithm 1).

    The arguments are those of `ActorCriticSeats`.
    """

    def __init__(
        self,
        settings: PPO,
        context: Context,
        networks: ActorCriticNetworks,
        *,
        times: int | None = None,
        pooled: bool = False,
    ) -> None:
        super().__init__(settings, context, networks, times=times, pooled=pooled)
        self.epochs, self.minibatches, self.clip = settings.epochs, settings.minibatches, settings.clip

    def batches(self, samples: Sequence[Tensor]) -> Iterator[list[tuple[Tensor, ...]]]:
        for order in self.context.streams.shuffles(self.epochs, samples[0].shape[2]).unbind(1):  # (R, S)
            shuffled = [reordered(sample, order).chunk(self.minibatches, dim=2) for sample in samples]
            yield list(zip(*shuffled, strict=True))

    def surrogate(self, ratio: Tensor, advantage: Tensor) -> Tensor:
        clipped = ratio.clamp(1.0 - self.clip, 1.0 + self.clip)
        return torch.minimum(ratio * advantage, clipped * advantage)  # Eq. 7
