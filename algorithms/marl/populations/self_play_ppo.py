"""Self-play PPO: one policy for all seats learns against earlier versions of itself.

Sources: Heinrich et al. 2015, "Fictitious Self-Play in Extensive-Form Games", for playing against one's past; Bansal et
al. 2018, "Emergent Complexity via Multi-Agent Competition", for sampling opponents from snapshots.

The policy is told its seat. In every environment copy a random subset of seats learns; a snapshot, drawn anew for every
block, plays the rest. Only what the learner's seats saw teaches.

Deviation: snapshots play their best guess, since the noise of early ones ruins trust whatever the learner does.

Shapes: R replicas, n seats, T steps and B environment copies of a block, k learning seats of a copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from coopgym.algorithms.common.settings import hyperparameter
from coopgym.algorithms.marl.core.agent_learner import Context
from coopgym.algorithms.marl.core.rollout_buffer import Rollout
from coopgym.algorithms.marl.core.trainer import ReplicaLearner
from coopgym.algorithms.marl.on_policy.ppo import PPOSettings
from coopgym.algorithms.marl.populations.shared_policy_ppo import (
    Players,
    PolicyPool,
    SharedPolicyPPO,
    SharedPolicySeats,
    SharedPolicySettings,
)


@dataclass(frozen=True, kw_only=True)
class SelfPlayPPO(SharedPolicySettings, PPOSettings, ReplicaLearner):
    """Proximal policy optimisation in self-play.

    Attributes:
        num_envs: fewer than usual, since blocks are longer.
        final_sigma: small, since opponents keep σ from shrinking by itself.
        learning_seats: share of a copy's seats that learn, at least one of them; 1 leaves none to snapshots.
        snapshot_every: joint steps between snapshots, rounded up to whole blocks.
        snapshots: number of snapshots kept; the oldest make room.
        latest: chance to meet the latest snapshot; otherwise any that is kept, all alike. High, since in games of trust
            nobody does well among opponents that still play at random.
    """

    sources: ClassVar[str] = "Heinrich et al. 2015; Bansal et al. 2018"
    min_agents: ClassVar[int] = 2

    num_envs: int = hyperparameter(32, 1)
    final_sigma: float = hyperparameter(0.03, 0.0, 0.5, above_low=True)
    learning_seats: float = hyperparameter(0.5, 0.0, 1.0)
    snapshot_every: int = hyperparameter(10_000, 1)
    snapshots: int = hyperparameter(100, 1)
    latest: float = hyperparameter(0.9, 0.0, 1.0)

    def agent_learner(self, context: Context) -> SelfPlaySeats:
        return SelfPlaySeats(self, context)


class SelfPlaySeats(SharedPolicySeats):
    """A self-play learner per replica."""

    def __init__(self, settings: SelfPlayPPO, context: Context) -> None:
        super().__init__(settings, context)
        self.latest = settings.latest
        self.learning = max(1, round(settings.learning_seats * context.lead[1]))  # k
        size = self.learning * context.copies
        self.learner = self.keep("learner", SharedPolicyPPO(settings, context, 1, size, context.alive))
        self.past = self.keep("past", Past(self.learner.networks.policy(), settings))

    def begin(self, progress: float) -> None:
        self.learner.begin(progress)
        dealt = self.slots.dealt()  # (R, n, B)
        self.own = dealt[:, : self.learning].flatten(1).unsqueeze(1)  # (R, 1, k·B)
        others = dealt[:, self.learning :].transpose(1, 2)  # (R, B, n - k)
        self.players = []
        if others.numel():
            self.players.append(Players.guessing(self.past.take(self._met()), others, self.context, self.activation))

    def _met(self) -> Tensor:
        """Draw the snapshot that every copy meets, ``(R, B)``."""
        streams, copies = self.context.streams, (self.context.copies,)
        return torch.where(
            streams.uniform(copies) < self.latest, self.past.latest, streams.integers(len(self.past), copies)
        )

    def update(self, block: Rollout, progress: float) -> dict[str, Tensor]:
        """Learn from the learner's slots and take a snapshot where one is due."""
        metrics = self.learner.update(self.slots.block(block, self.own), progress)
        self.past.advance(self.context.steps * self.context.copies, self.learner.networks.policy())
        return metrics

    @property
    def gradient_updates(self) -> int:
        return self.learner.gradient_updates

    def policy_tensors(self) -> dict[str, Tensor]:
        return self.learner.policy_tensors()


class Past(PolicyPool):
    """Snapshots of a policy at even intervals, the latest ones of them; the first is the policy before training.

    Args:
        policy: parameters ``(R, 1, ...)``.
        settings: interval and number of snapshots.
    """

    def __init__(self, policy: Mapping[str, Tensor], settings: SelfPlayPPO) -> None:
        super().__init__(policy, settings.snapshots)
        self.every, self.capacity = settings.snapshot_every, settings.snapshots
        self.env_steps, self.taken = 0, 1
        self.store(0, policy)

    def __len__(self) -> int:
        return min(self.taken, self.capacity)

    @property
    def latest(self) -> int:
        """Position of the latest snapshot."""
        return (self.taken - 1) % self.capacity

    def advance(self, env_steps: int, policy: Mapping[str, Tensor]) -> None:
        """Count steps and take a snapshot where one is due."""
        due = (self.env_steps + env_steps) // self.every > self.env_steps // self.every
        self.env_steps += env_steps
        if due:
            self.taken += 1
            self.store(self.latest, policy)

    def state(self) -> dict[str, Tensor]:
        counts = {"env_steps": torch.tensor(self.env_steps), "taken": torch.tensor(self.taken)}
        return super().state() | counts

    def restore(self, state: Mapping[str, Tensor]) -> None:
        super().restore(state)
        self.env_steps, self.taken = int(state["env_steps"]), int(state["taken"])
