"""COMA: every seat compares what came of its level with what its policy would have got on average, all else equal.

Source: Foerster et al. 2018, "Counterfactual Multi-Agent Policy Gradients".

Critics see the compact global state and the levels of the other seats, and answer for every level of the own seat at
once, so the comparison takes one pass. Targets are TD(λ) returns by the critic as it stood before the block, which
thereby serves as the target critic. One critic, told the seat, explains the team's reward; under the individual
objective every seat has a critic of its own reward. Seats played by other learners are part of the environment.

Deviation: the level taken is worth the TD(λ) return that it led to. In the paper it is worth what the critic says,
which here keeps policies where they are: about levels that are rare, critics err by more than they differ.

Shapes: R replicas, n seats, T steps and B environment copies of a block, S = T·B samples, M samples of a minibatch, K
levels, O observation entries, G entries of the compact state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from coopgym.algorithms.common.advantage_estimation import generalised_advantages
from coopgym.algorithms.common.learner_contract import Objective
from coopgym.algorithms.common.optimiser import StackedAdam
from coopgym.algorithms.common.schedules import annealed, falling
from coopgym.algorithms.common.settings import hyperparameter
from coopgym.algorithms.common.value_normalisation import ValueNormaliser
from coopgym.algorithms.marl.core.agent_learner import AgentLearner, AgentNetworks, Context
from coopgym.algorithms.marl.core.discrete_actions import LEVELS, level_of, picked, share_of
from coopgym.algorithms.marl.core.rollout_buffer import Rollout, needed, reordered
from coopgym.algorithms.marl.core.trainer import ReplicaLearner


@dataclass(frozen=True, kw_only=True)
class COMA(ReplicaLearner):
    """Counterfactual multi-agent policy gradients.

    Attributes:
        hidden: hidden layer sizes of every network.
        activation: ``"tanh"`` or ``"relu"``, between layers.
        gamma: discount factor γ.
        learning_rate: Adam's step size of the policies.
        critic_learning_rate: Adam's step size of the critics.
        learning_rate_decay: last share of training over which both step sizes fall to zero.
        levels: number K of equal levels on the own endowment.
        sharing: whether one policy, told the seat, serves all seats, and one critic wherever the reward is common.
        exploration_initial_eps: share ε of uniform actions at the beginning; policies know of it,
            (1 - ε)·π + ε/K is what they play.
        exploration_final_eps: the same at the end (0.5 and 0.02: Foerster et al. 2018, §5).
        exploration_fraction: share of training over which it falls.
        ent_coef: weight of the entropy of policies.
        entropy_decay: last share of training over which that weight falls to zero: all of it, so that policies narrow
            down no sooner than they know where.
        td_lambda: λ of the returns that levels are worth and critics regress on; more than 0.8 (same section), since
            what the game remembers of past levels is not always part of the state.
        critic_epochs: passes of the critics over a block.
        n_minibatches: gradient steps per pass; policies take one pass.
        max_grad_norm: largest gradient norm of one network.
        adam_epsilon: Adam's ε.
        value_memory: samples that old statistics of returns count for against those of a new block.
    """

    sources: ClassVar[str] = "Foerster et al. 2018"
    needs_state: ClassVar[bool] = True

    objective: Objective = "team"
    hidden: tuple[int, ...] = hyperparameter((64, 64), 1)
    activation: Literal["tanh", "relu"] = "tanh"
    gamma: float = hyperparameter(0.99, 0.0, 1.0)
    learning_rate: float = hyperparameter(1e-3, 0.0, above_low=True)
    critic_learning_rate: float = hyperparameter(2e-3, 0.0, above_low=True)
    learning_rate_decay: float = hyperparameter(0.5, 0.0, 1.0)
    levels: int = hyperparameter(LEVELS, 2)
    sharing: bool = True
    exploration_initial_eps: float = hyperparameter(0.5, 0.0, 1.0, recorded_as="epsilon")
    exploration_final_eps: float = hyperparameter(0.02, 0.0, 1.0, recorded_as="final_epsilon")
    exploration_fraction: float = hyperparameter(0.5, 0.0, 1.0, recorded_as="epsilon_decay")
    ent_coef: float = hyperparameter(0.1, 0.0, recorded_as="entropy_coefficient")
    entropy_decay: float = hyperparameter(1.0, 0.0, 1.0)
    td_lambda: float = hyperparameter(0.95, 0.0, 1.0)
    critic_epochs: int = hyperparameter(2, 1)
    n_minibatches: int = hyperparameter(16, 1, recorded_as="minibatches")
    max_grad_norm: float = hyperparameter(0.5, 0.0, above_low=True, recorded_as="max_gradient_norm")
    adam_epsilon: float = hyperparameter(1e-5, 0.0, above_low=True)
    value_memory: float = hyperparameter(8.0, 0.0, above_low=True)

    def agent_learner(self, context: Context) -> COMASeats:
        return COMASeats(self, context)


class COMASeats(AgentLearner):
    """Policies over levels and counterfactual critics of all seats and replicas."""

    policy_kind = "categorical"

    def __init__(self, settings: COMA, context: Context) -> None:
        super().__init__(context)
        self.settings, self.activation = settings, settings.activation
        common = settings.sharing and settings.objective == "team"

        def networks(inputs: int, sharing: bool) -> AgentNetworks:
            return AgentNetworks(
                context, inputs, settings.hidden, settings.levels, settings.activation, sharing=sharing
            )

        def optimiser(name: str, networks: AgentNetworks) -> StackedAdam:
            parameters = self.keep(name, networks.parameters)
            adam = StackedAdam(parameters, settings.max_grad_norm, settings.adam_epsilon, alive=context.alive)
            return self.keep(f"{name}_adam", adam)

        self.actor = networks(context.inputs, settings.sharing)
        self.critic = networks(context.state_size + len(context.seats), common)
        for network in (self.actor, self.critic):
            network.initialise(context, output_gain=0.01)
        self.actor_adam, self.critic_adam = optimiser("actor", self.actor), optimiser("critic", self.critic)
        shape, memory = (*context.lead, context.horizon), settings.value_memory
        self.value_scale = self.keep("values", ValueNormaliser(shape, memory, context.device, pooled=common))
        self.others = 1.0 - torch.eye(len(context.seats), device=context.device).unsqueeze(1)  # (n, 1, n)

    def begin(self, progress: float) -> None:
        """Draw the block's chances, those of the action after it too, and fix the policies that play it."""
        settings, context = self.settings, self.context
        self.epsilon = falling(
            settings.exploration_initial_eps,
            settings.exploration_final_eps,
            progress,
            settings.exploration_fraction,
        )
        self.chance = context.streams.uniform((len(context.seats), context.steps + 1, context.copies))
        self.played = self.actor.parameters.values()

    def act(self, t: int, observation: Tensor) -> Tensor:
        return share_of(self.drawn(observation, self.chance[:, :, t]), self.settings.levels)

    def drawn(self, observation: Tensor, chance: Tensor) -> Tensor:
        """Return the levels ``(R, n, M)`` that chances ``(R, n, M)`` in [0, 1) pick from the policies of the block."""
        reached = self.probabilities(self.actor(observation, self.played)).cumsum(-1)
        return (reached[..., :-1] <= chance.unsqueeze(-1)).sum(-1)

    def probabilities(self, logits: Tensor) -> Tensor:
        """Return how likely each level is to be played, ``(..., K)``: (1 - ε)·π + ε/K."""
        return (1.0 - self.epsilon) * torch.softmax(logits, dim=-1) + self.epsilon / self.settings.levels

    def action_values(self, state: Tensor, level: Tensor) -> Tensor:
        """Return the value of each own level given the levels of the others, ``(R, n, M, K)``, on the network's scale.

        Args:
            state: ``(R, M, G)``.
            level: what seats played, ``(R, n, M)``.
        """
        played = 2.0 * share_of(level, self.settings.levels) - 1.0
        others = played.transpose(1, 2).unsqueeze(1) * self.others  # (R, n, M, n)
        return self.critic(torch.cat([state.unsqueeze(1).expand(-1, level.shape[1], -1, -1), others], dim=-1))

    @torch.no_grad()
    def value(self, state: Tensor, level: Tensor, time: Tensor) -> Tensor:
        """Return the value ``(R, n, T, B)``, on the scale of the signal, of what seats played.

        Args:
            state: ``(R, T, B, G)``.
            level: ``(R, n, T, B)``.
            time: ``(R, T, B)``.
        """
        steps = [
            picked(self.action_values(s, u), u) for s, u in zip(state.unbind(1), level.unbind(2), strict=True)
        ]  # one step at a time, for what critics see of N seats is N times as large as the state
        return self.value_scale.denormalise(torch.stack(steps, dim=2).flatten(2), time.flatten(1)).view_as(level)

    def next_value(self, block: Rollout, value: Tensor) -> Tensor:
        """Return the value ``(R, n, T, B)`` of what seats play next; where an episode ended, would have played."""
        if block.final_observation is not None:
            level = torch.stack(
                [
                    self.drawn(seen, self.chance[:, :, t + 1])
                    for t, seen in enumerate(block.final_observation.unbind(2))
                ],
                dim=2,
            )
            return self.value(needed(block.final_state), level, block.time + 1)
        level = self.drawn(block.last_observation[:, :, 0], self.chance[:, :, -1]).unsqueeze(2)
        return torch.cat([value[:, :, 1:], self.value(needed(block.last_state), level, block.last_time)], dim=2)

    @torch.no_grad()
    def returns(self, block: Rollout, level: Tensor, lam: float) -> Tensor:
        """Return TD(λ) returns ``(R, n, S)`` by the critic as it stands (Foerster et al. 2018, §3)."""
        value = self.value(needed(block.state), level, block.time)
        outcome = block.signal, value, self.next_value(block, value), block.terminal, block.ended
        return (generalised_advantages(*outcome, self.settings.gamma, lam) + value).flatten(2)

    def update(self, block: Rollout, progress: float) -> dict[str, Tensor]:
        """Teach the critics, then the policies (Foerster et al. 2018, Algorithm 1).

        Returns:
            Metrics ``(R,)``, means over seats and minibatches of the last pass.
        """
        settings, shuffles = self.settings, self.context.streams.shuffles
        decay = annealed(1.0, progress, settings.learning_rate_decay)
        entropy_weight = annealed(settings.ent_coef, progress, settings.entropy_decay)
        level, time = level_of(block.share, settings.levels), block.time.flatten(1)
        self.value_scale.update(self.returns(block, level, lam=1.0), time, *self.critic.last_layer())
        target = self.value_scale.normalise(self.returns(block, level, settings.td_lambda), time)
        state = needed(block.state).flatten(1, 2).unsqueeze(1)  # (R, 1, S, G)
        level = level.flatten(2)

        def minibatches(order: Tensor, *samples: Tensor) -> Any:
            """Cut samples ``(R, n, S, ...)`` into minibatches, in an order ``(R, S)``."""
            return zip(*(reordered(s, order).chunk(settings.n_minibatches, dim=2) for s in samples), strict=True)

        for order in shuffles(settings.critic_epochs, time.shape[1]).unbind(1):
            errors = []
            for seen, taken, goal in minibatches(order, state, level, target):
                error = (picked(self.action_values(seen.squeeze(1), taken), taken) - goal).square().mean(-1)  # (R, n)
                loss = error.sum(-1)
                gradient = self.critic.parameters.gradient(loss.sum())
                self.critic_adam.step(gradient, loss, decay * settings.critic_learning_rate)
                errors.append(error.detach())

        entropies = []
        observation = block.observation.flatten(2, 3)
        for order in shuffles(1, time.shape[1]).unbind(1):
            for known, seen, taken, value in minibatches(order, state, observation, level, target):
                probabilities = self.probabilities(self.actor(seen))
                with torch.no_grad():
                    advantage = counterfactual(value, self.action_values(known.squeeze(1), taken), probabilities)
                    advantage /= advantage.square().mean(-1, keepdim=True).sqrt() + 1e-8
                log_probability = picked(probabilities, taken).log()
                entropy = -(probabilities * probabilities.log()).sum(-1).mean(-1)  # (R, n)
                loss = -((log_probability * advantage).mean(-1) + entropy_weight * entropy).sum(-1)  # (R,)
                gradient = self.actor.parameters.gradient(loss.sum())
                self.actor_adam.step(gradient, loss, decay * settings.learning_rate)
                entropies.append(entropy.detach())
        found = {"value_loss": errors, "entropy": entropies}
        return {name: torch.stack(values).mean(0).mean(-1) for name, values in found.items()}

    def policy_facts(self) -> list[dict[str, Any]]:
        return [{**facts, "epsilon": self.settings.exploration_final_eps} for facts in super().policy_facts()]

    def policy_tensors(self) -> dict[str, Tensor]:
        return self.actor.per_seat()


def counterfactual(value: Tensor, values: Tensor, probabilities: Tensor) -> Tensor:
    """Return how much more a level is worth than what the policy plays on average (Foerster et al. 2018, Eq. 4).

    Args:
        value: of the level played, ``(...)``.
        values: of each own level, all else equal, ``(..., K)``.
        probabilities: of each own level, ``(..., K)``.
    """
    return value - (values * probabilities).sum(-1)
