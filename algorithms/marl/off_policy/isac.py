"""Independent soft actor-critic: every seat learns a stochastic policy and twin critics from its own reward.

Sources: Haarnoja et al. 2018, "Soft Actor-Critic: Off-Policy Maximum Entropy Deep Reinforcement Learning with a
Stochastic Actor" and "Soft Actor-Critic Algorithms and Applications", which adds the learned temperature; twin critics
after Fujimoto et al. 2018, "Addressing Function Approximation Error in Actor-Critic Methods".

Densities and entropies are those of the share z in (0, 1), so that endowments drop out and zero is the entropy of
uniform play. Every seat of every replica has a temperature of its own. Experience begins with uniform actions.

Shapes: R replicas, n seats, M transitions of a minibatch, O observation entries, I entries that a
critic sees, A of them actions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from coopgym.algorithms.common.policies import LOG_SIGMA_RANGE
from coopgym.algorithms.common.schedules import annealed
from coopgym.algorithms.common.settings import hyperparameter
from coopgym.algorithms.common.squashed_gaussian import INITIAL_LOG_SIGMA, drawn_log_prob, log_slope, share
from coopgym.algorithms.common.stacked_networks import ParameterStack
from coopgym.algorithms.marl.core.agent_learner import AgentNetworks, Context
from coopgym.algorithms.marl.core.off_policy_loop import Batch, OffPolicySeats, ReplaySettings
from coopgym.algorithms.marl.core.trainer import ReplicaLearner
from coopgym.algorithms.marl.off_policy.critic_ensemble import Critics, CriticSettings


@dataclass(frozen=True, kw_only=True)
class ISAC(CriticSettings, ReplaySettings, ReplicaLearner):
    """Independent soft actor-critic.

    Attributes:
        learning_rate: Adam's step size of the policies.
        temperature: initial weight of the entropy, in units of the reward scale.
        temperature_learning_rate: Adam's step size of the temperatures' logarithms.
        target_entropy: entropy of the share played that the temperature aims at; -3 is that of a deviation of 1.2 %.
            Where trust breaks off just below the best share, policies stay some three deviations away from that edge.
    """

    sources: ClassVar[str] = "Haarnoja et al. 2018"
    partnered: ClassVar[bool] = True

    learning_rate: float = hyperparameter(1e-3, 0.0, above_low=True)
    temperature: float = hyperparameter(0.05, 0.0, above_low=True)
    temperature_learning_rate: float = hyperparameter(1e-3, 0.0, above_low=True)
    target_entropy: float = hyperparameter(-3.0, -10.0, 0.0)

    def agent_learner(self, context: Context) -> ISACSeats:
        return ISACSeats(self, context)


class ISACSeats(OffPolicySeats):
    """Squashed Gaussian policies, twin critics and temperatures of all seats and replicas."""

    policy_kind = "squashed_gaussian"

    def __init__(self, settings: ISAC, context: Context) -> None:
        super().__init__(settings, context)
        self.settings = settings

        self.actor = AgentNetworks(context, context.inputs, settings.hidden, 2, settings.activation)
        self.actor.initialise(context, output_gain=0.01)
        self.temperature = ParameterStack(context.lead, {"log": (1,)}, context.device)
        with torch.no_grad():
            self.actor.last_layer()[1][..., 1] = INITIAL_LOG_SIGMA
            self.temperature["log"].fill_(settings.temperature).log_()
        self.actor_adam = self.optimiser("actor", self.actor.parameters)
        self.temperature_adam = self.optimiser("temperature", self.temperature)
        self.critics = Critics(self, self.sight, members=2)

    @property
    def sight(self) -> int:
        """Number of entries I that a critic sees."""
        return self.context.inputs + 1

    def situation(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return what critics see besides actions, before and after the transition, ``(R, n, M, I - A)`` each."""
        return batch.observation, batch.next_observation

    def actions(self, levels: Tensor) -> Tensor:
        """Return what critics see ``(R, n, M, A)`` of levels ``(R, n, M)``; it moves with the own level only."""
        return levels.unsqueeze(-1)

    def begin(self, progress: float) -> None:
        """Draw the block's noise and fix the policies that play it."""
        streams, shape = self.context.streams, (len(self.context.seats), self.context.steps, self.context.copies)
        self.drawn = streams.uniform(shape) if self.warming_up else streams.normal(shape)  # (R, n, T, B)
        self.policy = self.actor.parameters.values()

    def act(self, t: int, observation: Tensor) -> Tensor:
        if self.warming_up:
            return self.drawn[:, :, t]
        mean, log_sigma = self.moments(observation, self.policy)
        return share(mean + torch.exp(log_sigma) * self.drawn[:, :, t])

    def moments(self, observation: Tensor, parameters: dict[str, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """Return μ and log σ ``(R, n, M)`` at observations ``(R, n, M, O)``."""
        mean, log_sigma = self.actor(observation, parameters).unbind(-1)
        return mean, log_sigma.clamp(*LOG_SIGMA_RANGE)

    def draw(self, observation: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return levels that the policies draw and the log-densities of their shares, ``(R, n, M)`` each."""
        mean, log_sigma = self.moments(observation)
        pre_tanh = mean + torch.exp(log_sigma) * noise
        return torch.tanh(pre_tanh), drawn_log_prob(noise, log_sigma) - log_slope(pre_tanh)

    def improve(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Update critics, policies, temperatures and targets (Haarnoja et al. 2018b, Algorithm 1)."""
        settings = self.settings
        pace = annealed(1.0, progress, settings.learning_rate_decay)
        noise, next_noise = self.context.streams.normal((2, *batch.level.shape[1:])).unbind(1)  # (R, n, M)
        situation, next_situation = self.situation(batch)
        log_temperature = self.temperature["log"]  # (R, n, 1)
        temperature = torch.exp(log_temperature.detach())

        def seen(situation: Tensor, levels: Tensor) -> Tensor:
            return torch.cat([situation, self.actions(levels)], dim=-1)

        with torch.no_grad():
            level, log_prob = self.draw(batch.next_observation, next_noise)
            soft_value = self.critics.foreseen(seen(next_situation, level)) - temperature * log_prob  # Eq. 3
            target = self.target(batch, soft_value)
        value_loss = self.critics.regress(seen(situation, batch.level), target, pace * settings.critic_learning_rate)

        level, log_prob = self.draw(batch.observation, noise)
        value = self.critics.least(seen(situation, level))
        loss = (temperature * log_prob - value).mean(-1).sum(-1)  # Eq. 9, (R,)
        self.actor_adam.step(self.actor.parameters.gradient(loss.sum()), loss, pace * settings.learning_rate)

        entropy = -log_prob.detach().mean(-1, keepdim=True)  # (R, n, 1)
        loss = (log_temperature * (entropy - settings.target_entropy)).sum((1, 2))  # Eq. 18 in log α, as is usual
        gradient = self.temperature.gradient(loss.sum())
        self.temperature_adam.step(gradient, loss, pace * settings.temperature_learning_rate)

        self.critics.follow(settings.tau)
        return {
            "value_loss": value_loss,
            "value": value.detach().mean((1, 2)),
            "entropy": entropy.mean((1, 2)),
            "temperature": temperature.mean((1, 2)),
        }

    def policy_tensors(self) -> dict[str, Tensor]:
        return self.actor.per_seat()
