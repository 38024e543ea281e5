"""Independent Q-learning: every seat learns what its levels are worth to itself.

Sources: Tan 1993, "Multi-Agent Reinforcement Learning: Independent vs. Cooperative Agents"; Mnih et al. 2015,
"Human-Level Control through Deep Reinforcement Learning"; van Hasselt et al. 2016, "Deep Reinforcement Learning with
Double Q-Learning".

This is what the individual objective means for value-based methods. VDN and QMIX explain one common return by the
values of the seats, so they exist for the team's reward only; here each seat's value answers for that seat's own
reward. Trained on the team's reward, every seat explains all of it alone.

Shapes: R replicas, n seats, T steps and B environment copies of a block, M transitions of a minibatch, K levels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from coopgym.algorithms.common.optimiser import StackedAdam
from coopgym.algorithms.common.schedules import annealed, falling
from coopgym.algorithms.common.settings import hyperparameter
from coopgym.algorithms.common.stacked_networks import ParameterStack, gradients
from coopgym.algorithms.marl.core.agent_learner import AgentNetworks, Context
from coopgym.algorithms.marl.core.discrete_actions import LEVELS, level_of, picked, share_of
from coopgym.algorithms.marl.core.off_policy_loop import Batch, OffPolicySeats, ReplaySettings
from coopgym.algorithms.marl.core.rollout_buffer import Rollout
from coopgym.algorithms.marl.core.trainer import ReplicaLearner


@dataclass(frozen=True, kw_only=True)
class IQL(ReplaySettings, ReplicaLearner):
    """Independent deep Q-learning with double estimators.

    Attributes:
        levels: number K of equal levels on the own endowment.
        sharing: whether one network, told the seat, serves all seats.
        exploration_initial_eps: share of uniform actions at the beginning; every seat explores for itself.
        exploration_final_eps: the same at the end.
        exploration_fraction: share of training over which it falls.
        learning_rate_decay: last share of training over which the step size falls to zero.
        averaging: last share of training whose parameters the policy is the mean of. Neighbouring levels differ by less
            than the noise of values, so the best of the latest values keeps changing.
    """

    sources: ClassVar[str] = "Tan 1993; Mnih et al. 2015; van Hasselt et al. 2016"
    partnered: ClassVar[bool] = True

    n_steps: int = hyperparameter(4, 1)  # exploration is uniform here: in a longer sum somebody has often explored
    levels: int = hyperparameter(LEVELS, 2)
    sharing: bool = True
    exploration_initial_eps: float = hyperparameter(1.0, 0.0, 1.0, recorded_as="epsilon")
    exploration_final_eps: float = hyperparameter(0.02, 0.0, 1.0, recorded_as="final_epsilon")
    exploration_fraction: float = hyperparameter(0.1, 0.0, 1.0, recorded_as="epsilon_decay")
    learning_rate_decay: float = hyperparameter(0.8, 0.0, 1.0)
    averaging: float = hyperparameter(0.5, 0.0, 1.0)

    def agent_learner(self, context: Context) -> IQLSeats:
        return IQLSeats(self, context)


class IQLSeats(OffPolicySeats):
    """Values of levels of all seats and replicas; subclasses say how the values of seats make a common one."""

    policy_kind = "action_values"

    def __init__(self, settings: IQL, context: Context) -> None:
        super().__init__(settings, context)
        self.settings = settings
        self.followers: dict[str, tuple[ParameterStack, ParameterStack]] = {}
        self.optimisers: list[StackedAdam] = []

        def networks() -> AgentNetworks:
            hidden, activation, sharing = settings.hidden, settings.activation, settings.sharing
            return AgentNetworks(context, context.inputs, hidden, settings.levels, activation, sharing=sharing)

        self.values, self.target_values = networks(), networks()
        self.values.initialise(context, output_gain=0.01)
        self.learn_with_target("values", self.values.parameters, self.target_values.parameters)
        self.average = self.keep("average", IterateAverage(networks().parameters, settings.averaging))
        self.average.mean.follow(self.values.parameters)

    def learn_with_target(self, name: str, online: ParameterStack, target: ParameterStack) -> None:
        """Learn a stack, followed by a target of its own that starts as its equal."""
        target.follow(online)
        self.followers[name] = online, self.keep(f"target_{name}", target)
        self.optimisers.append(self.optimiser(name, online))

    def begin(self, progress: float) -> None:
        """Draw which seats explore when, and how."""
        settings, streams = self.settings, self.context.streams
        shape = len(self.context.seats), self.context.steps, self.context.copies
        epsilon = falling(
            settings.exploration_initial_eps,
            settings.exploration_final_eps,
            progress,
            settings.exploration_fraction,
        )
        self.explores = streams.uniform(shape) < (1.0 if self.warming_up else epsilon)  # (R, n, T, B)
        self.random_level = streams.integers(settings.levels, shape)
        self.played = self.values.parameters.values()

    def act(self, t: int, observation: Tensor) -> Tensor:
        level = self.random_level[:, :, t]
        if not self.warming_up:
            greedy = self.values(observation, self.played).argmax(-1)
            level = torch.where(self.explores[:, :, t], level, greedy)
        return share_of(level, self.settings.levels)

    def update(self, block: Rollout, progress: float) -> dict[str, Tensor]:
        metrics = super().update(block, progress)
        self.average.update(self.values.parameters, progress)
        return metrics

    def joint_value(self, values: Tensor, state: Tensor | None, target: bool = False) -> Tensor:
        """Return what is compared with the reward, ``(R, n, M)`` here and ``(R, 1, M)`` where seats have it in common.

        Args:
            values: of the levels that seats play, ``(R, n, M)``.
            state: ``(R, M, G)``.
            target: whether to mix as the target does.
        """
        return values

    def loss(self, batch: Batch) -> Tensor:
        """Return squared errors ``(R,)`` of the levels taken against Double-DQN targets (van Hasselt et al., Eq. 4)."""
        with torch.no_grad():
            best = self.values(batch.next_observation).argmax(-1)
            following = self.joint_value(
                picked(self.target_values(batch.next_observation), best), batch.next_state, target=True
            )
            goal = self.target(batch, following)[:, : following.shape[1]]
        level = level_of(0.5 * (batch.level + 1.0), self.settings.levels)
        value = self.joint_value(picked(self.values(batch.observation), level), batch.state)
        return (value - goal).square().mean(-1).sum(-1)

    def improve(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Update values and move their targets."""
        settings, loss = self.settings, self.loss(batch)
        learning_rate = annealed(settings.learning_rate, progress, settings.learning_rate_decay)
        found = gradients(loss.sum(), [online for online, _ in self.followers.values()])
        for optimiser, gradient in zip(self.optimisers, found, strict=True):
            optimiser.step(gradient, loss, learning_rate)
        for online, follower in self.followers.values():
            follower.follow(online, settings.tau)
        return {"value_loss": loss.detach()}

    def policy_facts(self) -> list[dict[str, Any]]:
        return [{**facts, "epsilon": self.settings.exploration_final_eps} for facts in super().policy_facts()]

    def policy_tensors(self) -> dict[str, Tensor]:
        return self.values.per_seat(self.average.mean.values())


class IterateAverage:
    """The plain mean of a stack's parameters over the last part of training; until then, the parameters as they are.

    Sources: Ruppert 1988, "Efficient Estimations from a Slowly Convergent Robbins-Monro Process"; Polyak and Juditsky
    1992, "Acceleration of Stochastic Approximation by Averaging".

    Args:
        mean: a stack of the same shapes as the one averaged; it is overwritten.
        over: last share of training that is averaged over, in [0, 1].
    """

    def __init__(self, mean: ParameterStack, over: float) -> None:
        self.mean, self.over = mean, over
        self.count = torch.zeros((), dtype=torch.int64)
        """Iterates that the mean is of."""

    def update(self, iterate: ParameterStack, progress: float) -> None:
        """Take in the parameters at a share ``progress`` of training."""
        if progress < 1.0 - self.over:
            self.mean.follow(iterate)
        else:
            self.count += 1
            self.mean.follow(iterate, 1.0 / int(self.count))

    def state(self) -> dict[str, Tensor]:
        """Return everything a resumed run needs."""
        return {**self.mean.state(), "count": self.count}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a state that `state` returned."""
        self.mean.restore(state)
        self.count.copy_(state["count"])
