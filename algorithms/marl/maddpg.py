"""MADDPG: every seat's deterministic policy climbs a critic of its own that sees the global state and all actions.

Source: Lowe et al. 2017, "Multi-Agent Actor-Critic for Mixed Cooperative-Competitive Environments".

Critics are linear at the output and see the compact global state instead of all observations; actions are levels in
[-1, 1]. Experience begins with uniform actions. Seats played by other learners are part of the environment.

Shapes: R replicas, n seats, B environment copies, M transitions of a minibatch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from algorithms.marl.explore import falling
from algorithms.marl.hyperparameters import hyperparameter
from algorithms.marl.offpolicy import Batch, OffPolicyLearner, OffPolicySeats
from algorithms.marl.optimiser import annealed
from algorithms.marl.rollout import needed
from algorithms.marl.seat_networks import SeatNetworks
from algorithms.marl.seats import Context
from algorithms.marl.values import TargetScale

SCALE_RATE = 0.01  # weight of a minibatch in the running scale of targets


@dataclass(frozen=True, kw_only=True)
class MADDPG(OffPolicyLearner):
    """Multi-agent deep deterministic policy gradient.

    Attributes:
        learning_rate: Adam's step size of the policies.
        critic_learning_rate: Adam's step size of the critics.
        noise: deviation of the noise on actions, in levels, at the beginning.
        final_noise: the same at the end.
        noise_decay: share of training over which it falls.
        learning_rate_decay: last share of training over which both step sizes fall to zero.
    """

    sources: ClassVar[str] = "Lowe et al. 2017"
    needs_state: ClassVar[bool] = True

    learning_rate: float = hyperparameter(3e-4, 0.0, above_low=True)
    critic_learning_rate: float = hyperparameter(1e-3, 0.0, above_low=True)
    noise: float = hyperparameter(0.2, 0.0)
    final_noise: float = hyperparameter(0.05, 0.0)
    noise_decay: float = hyperparameter(0.5, 0.0, 1.0)
    learning_rate_decay: float = hyperparameter(0.5, 0.0, 1.0)

    def seats_learner(self, context: Context) -> MADDPGSeats:
        return MADDPGSeats(self, context)


class MADDPGSeats(OffPolicySeats):
    """Deterministic policies and centralised critics of all seats and replicas."""

    policy_kind = "deterministic"

    def __init__(self, settings: MADDPG, context: Context) -> None:
        super().__init__(settings, context)
        self.settings = settings

        def networks(inputs: int) -> SeatNetworks:
            return SeatNetworks(context, inputs, settings.hidden, 1, settings.activation)

        judged = context.state_size + len(context.seats)
        self.actor, self.actor_target = networks(context.inputs), networks(context.inputs)
        self.critic, self.critic_target = networks(judged), networks(judged)
        self.actor.initialise(context, output_gain=0.01)
        self.critic.initialise(context, output_gain=0.01)
        self.pairs = {"actor": (self.actor, self.actor_target), "critic": (self.critic, self.critic_target)}
        for name, (online, target) in self.pairs.items():
            target.parameters.follow(online.parameters)
            self.keep(f"{name}_target", target.parameters)
        self.actor_adam = self.optimiser("actor", self.actor.parameters)
        self.scale = self.keep("scale", TargetScale(context.lead, SCALE_RATE, context.device))
        self.last_layers = [*self.critic.last_layer(), *self.critic_target.last_layer()]
        self.critic_adam = self.optimiser("critic", self.critic.parameters)
        self.others = ~torch.eye(len(context.seats), dtype=torch.bool, device=context.device).unsqueeze(1)  # (n, 1, n)

    def begin(self, progress: float) -> None:
        """Draw the noise of a block: levels while warming up, deviations from the policy later."""
        context, settings = self.context, self.settings
        shape = len(context.seats), context.steps, context.copies
        if self.warming_up:
            self.drawn = 2.0 * context.streams.uniform(shape) - 1.0  # (R, n, T, B)
        else:
            sigma = falling(settings.noise, settings.final_noise, progress, settings.noise_decay)
            self.drawn = sigma * context.streams.normal(shape)
        self.policy = self.actor.parameters.values()

    def act(self, t: int, observation: Tensor) -> Tensor:
        level = self.drawn[:, :, t]
        if not self.warming_up:
            level = (self.levels(self.actor, observation, self.policy) + level).clamp(-1.0, 1.0)
        return 0.5 * (level + 1.0)

    def levels(self, actor: SeatNetworks, observation: Tensor, parameters: dict[str, Tensor] | None = None) -> Tensor:
        """Return the levels ``(R, n, M)`` in (-1, 1) that policies play on observations ``(R, n, M, O)``."""
        return torch.tanh(actor(observation, parameters).squeeze(-1))

    def value(self, critic: SeatNetworks, state: Tensor, levels: Tensor, frozen: bool = False) -> Tensor:
        """Return each seat's value ``(R, n, M)``, less what is steady and in units of its scale, of states and levels.

        Args:
            critic: the networks.
            state: ``(R, M, G)``.
            levels: ``(R, n, M, n)``, the last dimension the seats that act.
            frozen: whether to cut the critic's parameters off from differentiation.
        """
        seen = state.unsqueeze(1).expand(-1, levels.shape[1], -1, -1)
        parameters = critic.parameters.values() if frozen else None
        return critic(torch.cat([seen, levels], dim=-1), parameters).squeeze(-1)

    def joint(self, levels: Tensor) -> Tensor:
        """Show everybody the same levels ``(R, n, M)``, as ``(R, n, M, n)``."""
        return levels.transpose(1, 2).unsqueeze(1).expand(-1, levels.shape[1], -1, -1)

    def improve(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Update critics (Lowe et al. 2017, Eq. 6), policies (Eq. 5) and targets."""
        decay = annealed(1.0, progress, self.settings.learning_rate_decay)
        settings = self.settings
        state, played = needed(batch.state), self.joint(batch.level)
        with torch.no_grad():
            following = self.joint(self.levels(self.actor_target, batch.next_observation))
            next_value = self.value(self.critic_target, needed(batch.next_state), following)
            target = self.target(batch, self.scale.denormalise(next_value))
            self.scale.update(target, self.last_layers)
            target = self.scale.normalise(target)
        critic_loss = (self.value(self.critic, state, played) - target).square().mean(-1).sum(-1)  # (R,)
        gradient = self.critic.parameters.gradient(critic_loss.sum())
        self.critic_adam.step(gradient, critic_loss, decay * settings.critic_learning_rate)

        own = self.levels(self.actor, batch.observation).unsqueeze(-1)  # (R, n, M, 1)
        chosen = torch.where(self.others, played, own)
        value = self.value(self.critic, state, chosen, frozen=True).mean(-1)  # (R, n)
        actor_loss = -value.sum(-1)
        gradient = self.actor.parameters.gradient(actor_loss.sum())
        self.actor_adam.step(gradient, actor_loss, decay * settings.learning_rate)

        for online, follower in self.pairs.values():
            follower.parameters.follow(online.parameters, settings.tau)
        seats = value.shape[1]
        return {"value_loss": critic_loss.detach() / seats, "value": value.detach().mean(-1)}

    def policy_facts(self) -> list[dict[str, Any]]:
        return [{**facts, "noise": self.settings.final_noise} for facts in super().policy_facts()]

    def policy_tensors(self) -> dict[str, Tensor]:
        return self.actor.per_seat()
