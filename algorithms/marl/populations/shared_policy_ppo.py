"""One policy for any seat: it is told the seat, learns in some slots of a block and meets other policies there.

A *slot* is a seat of one environment copy. Slots of a block are numbered through replicas, seats and copies, so that
whoever plays a set of slots gathers its rows of what is seen and scatters its shares back.

Shapes: R replicas, n seats, T steps and B environment copies of a block, O observation entries, F static features of a
seat; G groups of M slots each, where every group is played by one policy of a replica.
"""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from coopgym.algorithms.common.random_streams import Branches
from coopgym.algorithms.common.settings import Settings, hyperparameter
from coopgym.algorithms.common.squashed_gaussian import share
from coopgym.algorithms.common.stacked_networks import ACTIVATIONS, mlp
from coopgym.algorithms.marl.core.agent_learner import AgentLearner, Context, for_every_seat
from coopgym.algorithms.marl.core.rollout_buffer import Rollout
from coopgym.algorithms.marl.on_policy.actor_critic_networks import PairedNetworks
from coopgym.algorithms.marl.on_policy.ppo import PPOSeats, PPOSettings


class SeatSlots:
    """The slots of the blocks of a training.

    Args:
        context: the seats.
    """

    def __init__(self, context: Context) -> None:
        replicas, seats = context.lead
        self.context, self.copies = context, context.copies
        self.features = context.features.repeat_interleave(self.copies, 0).expand(replicas, -1, -1)  # (R, n·B, F)
        numbers = torch.arange(replicas * seats * self.copies, device=context.device)
        self.numbers = numbers.view(replicas, seats, self.copies)
        """``(R, n, B)``."""

    def dealt(self) -> Tensor:
        """Return the slots with the seats of every copy in random order, ``(R, n, B)``."""
        order = self.context.streams.uniform(tuple(self.numbers.shape[1:])).argsort(dim=1, stable=True)
        return self.numbers.gather(1, order)

    def seen(self, observation: Tensor) -> Tensor:
        """Return what all slots see and the features of their seats, ``(R·n·B, O + F)``.

        Args:
            observation: ``(R, n, B, O)``.
        """
        return torch.cat([observation.flatten(1, 2), self.features], dim=-1).flatten(0, 1)

    def shares(self) -> Tensor:
        """Return an empty sheet for the shares of all slots, ``(R, n, B)``."""
        return torch.empty(self.numbers.shape, device=self.numbers.device)

    def block(self, block: Rollout, slots: Tensor) -> Rollout:
        """Return the block as groups of slots saw it, each group a replica with one seat and M copies.

        Times tell the seats apart: seat·(H + 1) + steps since the start of the episode, H the steps of an episode.

        Args:
            block: of the seats.
            slots: ``(R, G, M)``.
        """
        slots = slots.flatten(0, 1)  # (R·G, M)
        rows, copy = slots // self.copies, slots % self.copies
        replica, seat = rows // self.numbers.shape[1], rows % self.numbers.shape[1]
        features = self.context.features[seat].unsqueeze(1)  # (R·G, 1, M, F)

        def own(entries: Tensor) -> Tensor:
            return entries[replica, seat, :, copy].transpose(1, 2).unsqueeze(1)  # (R·G, 1, T, M, ...)

        def joint(entries: Tensor) -> Tensor:
            return entries[replica, :, copy].transpose(1, 2)  # (R·G, T, M)

        def actor_input(observation: Tensor) -> Tensor:
            found = own(observation)
            return torch.cat([found, features.expand(-1, found.shape[2], -1, -1).unsqueeze(1)], dim=-1)

        final = block.final_observation
        offset = (seat * (self.context.horizon + 1)).unsqueeze(1)  # (R·G, 1, M)
        return dataclasses.replace(
            block,
            observation=actor_input(block.observation),
            **{name: own(getattr(block, name)) for name in ("signal", "reward", "payoff", "share")},
            joint_share=own(block.share),
            **{name: joint(getattr(block, name)[:, 0]).unsqueeze(1) for name in ("terminal", "ended")},
            time=joint(block.time) + offset,
            last_observation=actor_input(block.last_observation),
            last_time=joint(block.last_time) + offset,
            final_observation=None if final is None else actor_input(final),
        )


@dataclass(frozen=True, kw_only=True)
class SharedPolicySettings(Settings):
    """Other defaults of `PPOSettings` where PPO learns in some slots, among policies that stand still.

    Attributes:
        n_epochs: one more than usual (5: Yu et al. 2022, §5.3).
        n_minibatches: fewer than usual, since blocks hold fewer samples.
        max_grad_norm: 10 (Yu et al. 2022, Table 7).
        learning_rate_decay: all of training, since steps have to shrink with σ, below whose size clips hold them.
        clip_range: wider than usual.
        gae_lambda: lower than usual, because what others do makes long returns noisy.
    """

    n_epochs: int = hyperparameter(5, 1)
    n_minibatches: int = hyperparameter(4, 1)
    max_grad_norm: float = hyperparameter(10.0, 0.0, above_low=True)
    learning_rate_decay: float = hyperparameter(1.0, 0.0, 1.0)
    clip_range: float = hyperparameter(0.3, 0.0, 1.0, above_low=True)
    gae_lambda: float = hyperparameter(0.8, 0.0, 1.0)


class SharedPolicyPPO(PPOSeats):
    """PPO of one policy per group of slots that learns from all of them.

    Args:
        settings: hyper-parameters.
        context: the seats.
        groups: policies per replica.
        size: slots M of a group.
        alive: ``(R·G,)`` the freeze of the policies.
    """

    def __init__(self, settings: PPOSettings, context: Context, groups: int, size: int, alive: Tensor) -> None:
        placed = dataclasses.replace(
            context,
            replicas=tuple(replica for replica in context.replicas for _ in range(groups)),
            seats=(0,),
            copies=size,
            inputs=context.inputs + context.features.shape[1],
            streams=Branches(context.streams, groups),
            alive=alive,
        )
        self.cycle = context.horizon + 1
        self.features = context.features
        times = context.lead[1] * self.cycle
        super().__init__(settings, placed, PairedNetworks(settings, placed), times=times)

    def value(self, critic_input: Tensor, time: Tensor) -> Tensor:
        """Return values ``(R·G, 1, S)``; the end of an episode counts as its last step."""
        at_end = time % self.cycle == self.cycle - 1
        return super().value(critic_input, time - at_end.to(time.dtype))

    def policy_tensors(self) -> dict[str, Tensor]:
        return for_every_seat(self.networks.policy(), self.features)


@dataclass(frozen=True, eq=False)
class Players:
    """Policies that do not learn, in their slots of one block."""

    policy: Mapping[str, Tensor]
    """Parameters ``(R, G, ...)``."""
    activation: str
    slots: Tensor
    """``(R, G, M)``."""
    noise: Tensor
    """``(R, G, T, M)`` standard normal."""

    @classmethod
    def drawn(cls, policy: Mapping[str, Tensor], slots: Tensor, context: Context, activation: str) -> Players:
        """Seat policies for a block and draw their noise."""
        _, groups, size = slots.shape
        return cls(policy, activation, slots, context.streams.normal((groups, context.steps, size)))

    @classmethod
    def guessing(cls, policy: Mapping[str, Tensor], slots: Tensor, context: Context, activation: str) -> Players:
        """Seat policies that play their best guess: their noise is zero."""
        replicas, groups, size = slots.shape
        silence = torch.zeros(replicas, groups, context.steps, size, device=slots.device)
        return cls(policy, activation, slots, silence)

    def act(self, t: int, seen: Tensor) -> Tensor:
        """Return shares ``(R, G, M)`` at step t of the block, given what all slots see."""
        layers = sum(name.startswith("weight_") for name in self.policy)
        mean = mlp(self.policy, layers, seen[self.slots], ACTIVATIONS[self.activation]).squeeze(-1)
        return share(torch.addcmul(mean, torch.exp(self.policy["log_sigma"]), self.noise[:, :, t]))


class SharedPolicySeats(AgentLearner):
    """A learner that plays some slots of a block and meets other policies in the rest."""

    policy_kind = "squashed_gaussian"
    learner: SharedPolicyPPO
    own: Tensor
    """``(R, G, M)`` the learner's slots."""
    players: list[Players]

    def __init__(self, settings: PPOSettings, context: Context) -> None:
        super().__init__(context)
        self.activation = settings.activation
        self.slots = SeatSlots(context)

    @abstractmethod
    def begin(self, progress: float) -> None:
        """Set who learns, who else plays, and in which slots of the next block."""

    def act(self, t: int, observation: Tensor) -> Tensor:
        seen, shares = self.slots.seen(observation), self.slots.shares()
        own = self.own.flatten(0, 1).unsqueeze(1)  # (R·G, 1, M)
        shares.view(-1)[own] = self.learner.act(t, seen[own])
        for players in self.players:
            shares.view(-1)[players.slots] = players.act(t, seen)
        return shares


class PolicyPool:
    """Copies of policies, to be played later.

    Args:
        like: parameters ``(R, 1, ...)`` of a policy.
        capacity: number of policies that fit.
    """

    def __init__(self, like: Mapping[str, Tensor], capacity: int) -> None:
        self.tensors = {name: torch.zeros_like(tensor).repeat_interleave(capacity, 1) for name, tensor in like.items()}

    def store(self, index: int, policy: Mapping[str, Tensor]) -> None:
        """Copy policies ``(R, 1, ...)`` to a position of the pool."""
        for name, tensor in policy.items():
            self.tensors[name][:, index] = tensor[:, 0]

    def take(self, indices: Tensor) -> dict[str, Tensor]:
        """Return the policies ``(R, G, ...)`` at positions ``(R, G)`` of the pool."""
        replica = torch.arange(len(indices), device=indices.device).unsqueeze(1)
        return {name: tensor[replica, indices] for name, tensor in self.tensors.items()}

    def state(self) -> dict[str, Tensor]:
        """Return everything a resumed run needs."""
        return dict(self.tensors)

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a state that `state` returned."""
        for name, tensor in self.tensors.items():
            tensor.copy_(state[name])
