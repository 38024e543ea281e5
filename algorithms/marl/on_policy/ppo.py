"""Proximal policy optimisation: several passes over a block with a clipped surrogate.

Source: Schulman et al. 2017, "Proximal Policy Optimization Algorithms".

Shapes: R replicas, n seats, S samples of a block, M samples of a minibatch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from coopgym.algorithms.common.learner_contract import NO_MEMORY
from coopgym.algorithms.common.settings import hyperparameter
from coopgym.algorithms.marl.core.agent_learner import Context
from coopgym.algorithms.marl.core.rollout_buffer import reordered, sequences
from coopgym.algorithms.marl.on_policy.actor_critic import ActorCriticNetworks, ActorCriticSeats, ActorCriticSettings


@dataclass(frozen=True, kw_only=True)
class PPOSettings(ActorCriticSettings):
    """Settings of the PPO family.

    A block is an episode (`rollout_steps`), which is cut into many minibatches: where loyalty or trust pays only after
    several steps at a level, policies that take few steps on short blocks settle below it (`docs/learners.md`).

    Attributes:
        n_epochs: passes over a block.
        n_minibatches: gradient steps per epoch; each sees M = S/n_minibatches samples of every seat of every replica,
            which are all steps of some environment copies where policies have a memory.
        clip_range: ε of the clipped surrogate (0.2: Schulman et al. 2017, Table 3).
    """

    learning_rate: float = hyperparameter(5e-3, 0.0, above_low=True)
    n_epochs: int = hyperparameter(4, 1, recorded_as="epochs")
    n_minibatches: int = hyperparameter(8, 1, recorded_as="minibatches")
    clip_range: float = hyperparameter(0.2, 0.0, 1.0, above_low=True, recorded_as="clip")


class PPOSeats(ActorCriticSeats):
    """Gaussian actor-critics that improve a clipped surrogate (Schulman et al. 2017, Algorithm 1).

    The arguments are those of `ActorCriticSeats`.
    """

    def __init__(
        self,
        settings: PPOSettings,
        context: Context,
        networks: ActorCriticNetworks,
        *,
        times: int | None = None,
        pooled: bool = False,
    ) -> None:
        super().__init__(settings, context, networks, times=times, pooled=pooled)
        self.n_epochs, self.n_minibatches = settings.n_epochs, settings.n_minibatches
        self.clip_range = settings.clip_range

    def batches(self, samples: Sequence[Tensor]) -> Iterator[list[tuple[Tensor, ...]]]:
        if self.context.memory != NO_MEMORY:
            yield from self.sequences(samples)
            return
        for order in self.context.streams.shuffles(self.n_epochs, samples[0].shape[2]).unbind(1):  # (R, S)
            shuffled = [reordered(sample, order).chunk(self.n_minibatches, dim=2) for sample in samples]
            yield list(zip(*shuffled, strict=True))

    def sequences(self, samples: Sequence[Tensor]) -> Iterator[list[tuple[Tensor, ...]]]:
        """Yield minibatches of environment copies, whose steps stay together and in order."""
        copies = self.context.copies
        for order in self.context.streams.shuffles(self.n_epochs, copies).unbind(1):  # (R, B)
            chosen = order.chunk(self.n_minibatches, dim=1)
            yield [tuple(sequences(sample, each, copies) for sample in samples) for each in chosen]

    def surrogate(self, ratio: Tensor, advantage: Tensor) -> Tensor:
        clipped = ratio.clamp(1.0 - self.clip_range, 1.0 + self.clip_range)
        return torch.minimum(ratio * advantage, clipped * advantage)  # Eq. 7
