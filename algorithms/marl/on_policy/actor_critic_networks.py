"""Networks of actor-critics with Gaussian policies: a policy and a value function per seat.

Shapes: R replicas, n seats, S samples, O observation entries, G entries of what the value function judges.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from coopgym.algorithms.common.optimiser import StackedAdam
from coopgym.algorithms.common.policies import LOG_SIGMA_RANGE
from coopgym.algorithms.common.squashed_gaussian import INITIAL_LOG_SIGMA
from coopgym.algorithms.common.stacked_networks import ParameterStack, gradients
from coopgym.algorithms.marl.core.agent_learner import AgentNetworks, Context, Part
from coopgym.algorithms.marl.on_policy.actor_critic import ActorCriticSettings

POLICY, VALUE = 0, 1  # positions in the ensemble of networks

_EXTRA = {"log_sigma": (1,)}
_OUTPUT_GAIN = 0.01  # so small that all policies start at half of the endowment and all values at zero


class PairedNetworks:
    """Policy and value networks of one shape that see the same input: one stack, one forward pass, one optimiser.

    Args:
        settings: sizes and optimiser of each network.
        context: the seats.
        sharing: whether one pair, told the seat, serves all seats.
    """

    def __init__(self, settings: ActorCriticSettings, context: Context, *, sharing: bool = False) -> None:
        hidden, activation = settings.hidden, settings.activation
        self.networks = AgentNetworks(
            context, context.inputs, hidden, 1, activation, ensemble=2, sharing=sharing, extra=_EXTRA
        )
        self.networks.initialise(context, _OUTPUT_GAIN)
        self.parameters = self.networks.parameters
        with torch.no_grad():
            self.parameters["log_sigma"].fill_(INITIAL_LOG_SIGMA)
        self.adam = _optimiser(self.parameters, settings, context)

    @property
    def parts(self) -> Mapping[str, Part]:
        return {"parameters": self.parameters, "adam": self.adam}

    @property
    def log_sigma(self) -> Tensor:
        return self.parameters["log_sigma"][:, POLICY]

    def policy(self) -> dict[str, Tensor]:
        return self.parameters.part(dimension=1, index=POLICY)

    def means(self, observation: Tensor, policy: Mapping[str, Tensor]) -> Tensor:
        return self.networks(observation, policy).squeeze(-1)

    def outputs(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        (observation,) = inputs
        mean, value = self.networks(observation).squeeze(-1).unbind(1)
        return mean, value

    @torch.no_grad()
    def values(self, critic_input: Tensor) -> Tensor:
        return self.networks(critic_input, self.parameters.part(dimension=1, index=VALUE)).squeeze(-1)

    def value_head(self) -> tuple[Tensor, Tensor]:
        last = self.networks.layers - 1
        return self.parameters[f"weight_{last}"][:, VALUE], self.parameters[f"bias_{last}"][:, VALUE]

    @torch.no_grad()
    def limit_noise(self, log_sigma: float) -> None:
        self.log_sigma.clamp_(max=log_sigma)

    def step(self, losses: Tensor, learning_rate: float) -> None:
        self.adam.step(self.parameters.gradient(losses.sum()), losses, learning_rate)
        _keep_in_range(self.parameters["log_sigma"])

    def per_seat(self) -> dict[str, Tensor]:
        return self.networks.per_seat(self.policy())


class SeparateNetworks:
    """Policies that see their own observation, value functions that judge something else, for instance the state.

    Args:
        settings: sizes and optimiser of each network.
        context: the seats.
        critic_inputs: entries G of what the value functions judge.
        sharing: whether one policy and one value function, told the seat, serve all seats.
    """

    def __init__(
        self, settings: ActorCriticSettings, context: Context, critic_inputs: int, *, sharing: bool = False
    ) -> None:
        hidden, activation = settings.hidden, settings.activation
        self.actor = AgentNetworks(context, context.inputs, hidden, 1, activation, sharing=sharing, extra=_EXTRA)
        self.critic = AgentNetworks(context, critic_inputs, hidden, 1, activation, sharing=sharing)
        self.seats = context.lead[1]
        for networks in (self.actor, self.critic):
            networks.initialise(context, _OUTPUT_GAIN)
        with torch.no_grad():
            self.actor.parameters["log_sigma"].fill_(INITIAL_LOG_SIGMA)
        self.stacks = [self.actor.parameters, self.critic.parameters]
        self.adams = [_optimiser(stack, settings, context) for stack in self.stacks]

    @property
    def parts(self) -> Mapping[str, Part]:
        actor, critic = self.stacks
        actor_adam, critic_adam = self.adams
        return {"actor": actor, "critic": critic, "actor_adam": actor_adam, "critic_adam": critic_adam}

    @property
    def log_sigma(self) -> Tensor:
        return self.actor.parameters["log_sigma"]

    def policy(self) -> dict[str, Tensor]:
        return {name: view.clone() for name, view in self.actor.parameters.values().items()}

    def means(self, observation: Tensor, policy: Mapping[str, Tensor]) -> Tensor:
        return self.actor(observation, policy).squeeze(-1)

    def outputs(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        observation, critic_input = inputs
        return self.actor(observation).squeeze(-1), self._values(critic_input)

    @torch.no_grad()
    def values(self, critic_input: Tensor) -> Tensor:
        return self._values(critic_input)

    def value_head(self) -> tuple[Tensor, Tensor]:
        last, critic = self.critic.layers - 1, self.critic.parameters
        return critic[f"weight_{last}"], critic[f"bias_{last}"]

    @torch.no_grad()
    def limit_noise(self, log_sigma: float) -> None:
        self.log_sigma.clamp_(max=log_sigma)

    def step(self, losses: Tensor, learning_rate: float) -> None:
        for adam, gradient in zip(self.adams, gradients(losses.sum(), self.stacks), strict=True):
            adam.step(gradient, losses, learning_rate)
        _keep_in_range(self.log_sigma)

    def per_seat(self) -> dict[str, Tensor]:
        return self.actor.per_seat()

    def _values(self, critic_input: Tensor) -> Tensor:
        """Return values ``(R, n, S)`` of what all seats see alike, ``(R, 1, S, G)``."""
        seen = critic_input if self.critic.sharing else critic_input.expand(-1, self.seats, -1, -1)
        return self.critic(seen).squeeze(-1)


def _optimiser(stack: ParameterStack, settings: ActorCriticSettings, context: Context) -> StackedAdam:
    return StackedAdam(stack, settings.max_grad_norm, settings.adam_epsilon, alive=context.alive)


@torch.no_grad()
def _keep_in_range(log_sigma: Tensor) -> None:
    """Keep log σ in the range of exported policies, in place."""
    log_sigma.clamp_(*LOG_SIGMA_RANGE)
