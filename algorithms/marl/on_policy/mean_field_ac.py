"""Mean-field actor-critic: every seat answers the mean action of the others, whatever their number.

Source: Yang et al. 2018, "Mean Field Multi-Agent Reinforcement Learning" (MF-AC). The surrogate is that of Schulman et
al. 2017, "Proximal Policy Optimization Algorithms".

The critic Q(s_i, a_i, ā) and the policy are shared by all seats and told the seat. ā is the mean share that the *other*
seats played in the step before, which a seat works out from its own observation; so policies are played as they were
trained. Observations show partners' shares, hence ā is linear in them, and on export its weights fold into the
first layer. An action's advantage is the critic's target, a sample of its Q, less the mean of Q over the policy's own
actions. Q itself in place of its sample would be as good only once the critic is as curved in the action as the game
is; before that, policies run to an edge and stop to explore.

Shapes: R replicas, n seats, N seats of the game, S samples of a block, M samples of a minibatch, O observation entries.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from coopgym.algorithms.common.advantage_estimation import generalised_advantages
from coopgym.algorithms.common.optimiser import StackedAdam
from coopgym.algorithms.common.schedules import annealed
from coopgym.algorithms.common.settings import hyperparameter
from coopgym.algorithms.common.squashed_gaussian import entropy, pre_tanh_log_prob
from coopgym.algorithms.common.value_normalisation import ValueNormaliser
from coopgym.algorithms.marl.core.agent_learner import AgentNetworks, Context
from coopgym.algorithms.marl.core.gaussian_policy import GaussianSeats
from coopgym.algorithms.marl.core.rollout_buffer import Rollout, reordered, standardised
from coopgym.algorithms.marl.core.trainer import ReplicaLearner
from coopgym.algorithms.marl.on_policy.ppo import PPOSettings


@dataclass(frozen=True, kw_only=True)
class MeanFieldAC(PPOSettings, ReplicaLearner):
    """Mean-field actor-critic with a clipped surrogate.

    Attributes:
        gae_lambda: λ of the critic's targets; 0 is the one-step target of Yang et al. 2018, Eq. 9, through which the
            errors of the critic reach the policy.
    """

    sources: ClassVar[str] = "Yang et al. 2018"
    partnered: ClassVar[bool] = True
    min_agents: ClassVar[int] = 3

    learning_rate: float = hyperparameter(2e-3, 0.0, above_low=True)
    rollout_steps: int | None = hyperparameter(16, 1)

    def agent_learner(self, context: Context) -> MeanFieldSeats:
        return MeanFieldSeats(self, context)


class MeanFieldSeats(GaussianSeats):
    """One mean-field actor and one critic per replica, shared by its seats.

    Raises:
        ValueError: the view hides the partners' actions.
    """

    def __init__(self, settings: MeanFieldAC, context: Context) -> None:
        super().__init__(context, context.inputs + 1, settings.hidden, settings.activation, sharing=True)
        self.settings = settings
        self.average = partners_average(context)
        self.critic = AgentNetworks(context, context.inputs + 2, settings.hidden, 1, settings.activation, sharing=True)
        self.critic.initialise(context, output_gain=0.01)
        self.judges = self.keep("critic", self.critic.parameters)
        norm, epsilon = settings.max_grad_norm, settings.adam_epsilon
        self.adam = self.keep("adam", StackedAdam(self.parameters, norm, epsilon, alive=context.alive))
        self.critic_adam = self.keep("critic_adam", StackedAdam(self.judges, norm, epsilon, alive=context.alive))
        shape = (*context.lead, context.horizon)
        self.value_scale = self.keep(
            "values", ValueNormaliser(shape, settings.value_memory, context.device, pooled=True)
        )

    def inputs(self, observation: Tensor) -> Tensor:
        """Return observations with the level 2ā - 1 beside them, ``(R, n, S, O + 1)``."""
        return torch.cat([observation, torch.matmul(observation, self.average)], dim=-1)

    def value(self, inputs: Tensor, level: Tensor) -> Tensor:
        """Return normalised Q ``(R, n, S)`` of inputs ``(R, n, S, O + 1)`` and own levels ``(R, n, S)``."""
        return self.critic(torch.cat([inputs, level.unsqueeze(-1)], dim=-1)).squeeze(-1)

    def expected_value(self, inputs: Tensor) -> Tensor:
        """Return E[Q] ``(R, n, S)`` over the policy's actions, by the quadrature that `policies.entropy` uses."""
        mean, log_sigma = self.policy(inputs)
        reach = math.sqrt(3.0) * torch.exp(log_sigma)
        low, middle, high = (self.value(inputs, torch.tanh(u)) for u in (mean - reach, mean, mean + reach))
        return (low + 4.0 * middle + high) / 6.0

    def update(self, block: Rollout, progress: float) -> dict[str, Tensor]:
        """Improve the critic on one block (Yang et al. 2018, Eq. 9), then the policy by it.

        Returns:
            Metrics ``(R,)``, means over seats of the last pass.
        """
        settings = self.settings
        inputs, level = self.inputs(block.observation.flatten(2, 3)), 2.0 * block.share.flatten(2) - 1.0
        learning_rate = annealed(settings.learning_rate, progress, settings.learning_rate_decay)
        target = self.targets(block)
        with torch.no_grad():
            advantage = standardised(target - self.expected_value(inputs))
            old = pre_tanh_log_prob(self.pre_tanh.flatten(2), *self.policy(inputs))
        for seen, own, goal in self.minibatches(inputs, level, target):
            error = (self.value(seen, own) - goal).square().mean(-1).sum(-1)  # (R,)
            self.critic_adam.step(self.judges.gradient(error.sum()), error, learning_rate)

        weight = annealed(settings.ent_coef, progress, settings.entropy_decay)
        samples = inputs, self.pre_tanh.flatten(2), old, advantage
        for seen, pre_tanh, old_log_prob, advantage in self.minibatches(*samples):
            mean, log_sigma = self.policy(seen)
            ratio = torch.exp(pre_tanh_log_prob(pre_tanh, mean, log_sigma) - old_log_prob)
            clipped = ratio.clamp(1.0 - settings.clip_range, 1.0 + settings.clip_range)
            surrogate = torch.minimum(ratio * advantage, clipped * advantage).mean(-1)  # Schulman et al. 2017, Eq. 7
            bonus = entropy(mean, log_sigma).mean(-1)
            loss = -(surrogate + weight * bonus).sum(-1)
            self.adam.step(self.parameters.gradient(loss.sum()), loss, learning_rate)
        seats = inputs.shape[1]
        return {"value_loss": error.detach() / seats, "entropy": bonus.detach().mean(-1)}

    @torch.no_grad()
    def targets(self, block: Rollout) -> Tensor:
        """Return what the critic regresses on, normalised ``(R, n, S)``: r + γ E[Q(s', a, ā')], with λ further on."""
        time, scale, last = block.time.flatten(1), self.value_scale, self.critic.layers - 1

        def value(observation: Tensor, time: Tensor) -> Tensor:
            return scale.denormalise(self.expected_value(self.inputs(observation)), time)

        def returns(lam: float) -> Tensor:
            values = value(block.observation.flatten(2, 3), time).view_as(block.signal)
            outcome = block.signal, values, block.next_values(value, values), block.terminal, block.ended
            return (values + generalised_advantages(*outcome, self.settings.gamma, lam)).flatten(2)

        scale.update(returns(lam=1.0), time, self.judges[f"weight_{last}"], self.judges[f"bias_{last}"])
        return scale.normalise(returns(self.settings.gae_lambda), time)

    def minibatches(self, *samples: Tensor) -> Iterator[tuple[Tensor, ...]]:
        """Yield the minibatches ``(R, n, M, ...)`` of every pass over samples ``(R, n, S, ...)``."""
        for order in self.context.streams.shuffles(self.settings.n_epochs, samples[0].shape[2]).unbind(1):
            parts = [reordered(sample, order).chunk(self.settings.n_minibatches, dim=2) for sample in samples]
            yield from zip(*parts, strict=True)

    def policy_tensors(self) -> dict[str, Tensor]:
        """Return perceptrons that see observations alone: the weights of ā are spread over what it is the mean of."""
        tensors = super().policy_tensors()
        seen, mean = tensors["weight_0"].split([self.context.inputs, 1], dim=-2)
        return {**tensors, "weight_0": seen + self.average * mean}


def partners_average(context: Context) -> Tensor:
    """Return ``(n, O, 1)``, by which what seats see gives the level 2ā - 1 of the partners' mean share ā.

    Partners' actions are seen on [0, e_j], so normalised entries are levels already. Of a history the last observation
    tells it.

    Raises:
        ValueError: the view hides the partners' actions.
    """
    average = torch.zeros(len(context.seats), context.inputs, 1, device=context.device)
    latest = context.inputs - context.inputs // context.history
    for position, seat in enumerate(context.seats):
        columns = context.game.observation_columns(context.view, seat).get("partner_actions")
        if not columns:
            raise ValueError(
                f"MeanFieldAC needs the partners' last actions, which the {context.view!r} view of "
                f"{context.game.spec.id} does not show; use view='own' or 'full'"
            )
        average[position, latest + torch.tensor(columns)] = 1.0 / len(columns)
    return average
