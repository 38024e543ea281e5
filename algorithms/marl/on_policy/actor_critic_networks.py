"""Networks of actor-critics with Gaussian policies: a policy and a value function per seat.

Shapes: R replicas, n seats, S samples, O observation entries, G entries of what the value function judges.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

import torch
from torch import Tensor

from coopgym.algorithms.common.optimiser import StackedAdam
from coopgym.algorithms.common.policies import LOG_SIGMA_RANGE
from coopgym.algorithms.common.squashed_gaussian import INITIAL_LOG_SIGMA
from coopgym.algorithms.common.stacked_networks import ParameterStack, gradients
from coopgym.algorithms.marl.core.agent_learner import AgentNetworks, Context, Part, SeatNetworks
from coopgym.algorithms.marl.core.rollout_buffer import Rollout
from coopgym.algorithms.marl.on_policy.actor_critic import ActorCriticSettings

POLICY, VALUE = 0, 1  # positions in the ensemble of networks

EXTRA = {"log_sigma": (1,)}
"""What policies are made of beside the network."""
OUTPUT_GAIN = 0.01
"""So small that all policies start at half of the endowment and all values at zero."""

NetworksT = TypeVar("NetworksT", bound=SeatNetworks)


class Memoryless:
    """What `ActorCriticNetworks` that see one step at a time say of their memory."""

    def begin(self) -> None:
        """Begin a block."""

    def forget(self, ended: Tensor) -> None:
        """Forget the episodes that ended."""

    def remembered(self, block: Rollout) -> tuple[Tensor, ...]:
        """Return that nothing was remembered."""
        return ()

    def recalled(self, block: Rollout) -> Rollout:
        """Return the block as it is."""
        return block


class NetworkPair(Generic[NetworksT]):
    """Policy and value networks of one shape that see the same input: one stack and one optimiser.

    Args:
        networks: an ensemble of two, with the shapes `EXTRA`.
        settings: the optimiser of each.
        context: the seats.
    """

    def __init__(self, networks: NetworksT, settings: ActorCriticSettings, context: Context) -> None:
        self.networks, self.parameters = networks, networks.parameters
        with torch.no_grad():
            self.parameters["log_sigma"].fill_(INITIAL_LOG_SIGMA)
        self.adam = _optimiser(self.parameters, settings, context)

    @property
    def parts(self) -> Mapping[str, Part]:
        """What a resumed run has to find as it was."""
        return {"parameters": self.parameters, "adam": self.adam}

    @property
    def log_sigma(self) -> Tensor:
        """``(R, n, 1)``, or ``(R, 1, 1)`` where the seats share."""
        return self.parameters["log_sigma"][:, POLICY]

    def policy(self) -> dict[str, Tensor]:
        """Return a copy of the policies as they stand."""
        return self.parameters.part(dimension=1, index=POLICY)

    def value_head(self) -> tuple[Tensor, Tensor]:
        """Return the last weights ``(R, n, in, 1)`` and biases ``(R, n, 1, 1)`` of the value functions."""
        weight, bias = self.networks.last_layer()
        return weight[:, VALUE], bias[:, VALUE]

    @torch.no_grad()
    def limit_noise(self, log_sigma: float) -> None:
        """Bring log σ below a bound, in place."""
        self.log_sigma.clamp_(max=log_sigma)

    def step(self, losses: Tensor, learning_rate: float) -> None:
        """Take one gradient step along losses ``(R,)``."""
        self.adam.step(self.parameters.gradient(losses.sum()), losses, learning_rate)
        _keep_in_range(self.parameters["log_sigma"])

    def per_seat(self) -> dict[str, Tensor]:
        """Return the policies as every seat would own them, ``(R, n, ...)``."""
        return self.networks.per_seat(self.policy())


class PairedNetworks(Memoryless, NetworkPair[AgentNetworks]):
    """Policy and value networks of one shape that see the same input: one stack, one forward pass, one optimiser.

    Args:
        settings: sizes and optimiser of each network.
        context: the seats.
        sharing: whether one pair, told the seat, serves all seats.
    """

    def __init__(self, settings: ActorCriticSettings, context: Context, *, sharing: bool = False) -> None:
        hidden, activation = settings.hidden, settings.activation
        networks = AgentNetworks(
            context, context.inputs, hidden, 1, activation, ensemble=2, sharing=sharing, extra=EXTRA
        )
        networks.initialise(context, OUTPUT_GAIN)
        super().__init__(networks, settings, context)

    def means(self, observation: Tensor, policy: Mapping[str, Tensor]) -> Tensor:
        return self.networks(observation, policy).squeeze(-1)

    def outputs(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        (observation,) = inputs
        mean, value = self.networks(observation).squeeze(-1).unbind(1)
        return mean, value

    @torch.no_grad()
    def values(self, critic_input: Tensor) -> Tensor:
        return self.networks(critic_input, self.parameters.part(dimension=1, index=VALUE)).squeeze(-1)


class NetworksApart(Generic[NetworksT]):
    """Policies that see their own observation, value functions that judge something else, for instance the state.

    Args:
        actor: with the shapes `EXTRA`.
        settings: sizes of the value functions, and the optimiser of each network.
        context: the seats.
        critic_inputs: entries G of what the value functions judge.
        sharing: whether one value function, told the seat, serves all seats.
    """

    def __init__(
        self, actor: NetworksT, settings: ActorCriticSettings, context: Context, critic_inputs: int, *, sharing: bool
    ) -> None:
        self.actor, self.seats = actor, context.lead[1]
        self.critic = AgentNetworks(context, critic_inputs, settings.hidden, 1, settings.activation, sharing=sharing)
        self.critic.initialise(context, OUTPUT_GAIN)
        with torch.no_grad():
            self.actor.parameters["log_sigma"].fill_(INITIAL_LOG_SIGMA)
        self.stacks = [self.actor.parameters, self.critic.parameters]
        self.adams = [_optimiser(stack, settings, context) for stack in self.stacks]

    @property
    def parts(self) -> Mapping[str, Part]:
        """What a resumed run has to find as it was."""
        actor, critic = self.stacks
        actor_adam, critic_adam = self.adams
        return {"actor": actor, "critic": critic, "actor_adam": actor_adam, "critic_adam": critic_adam}

    @property
    def log_sigma(self) -> Tensor:
        """``(R, n, 1)``, or ``(R, 1, 1)`` where the seats share."""
        return self.actor.parameters["log_sigma"]

    def policy(self) -> dict[str, Tensor]:
        """Return a copy of the policies as they stand."""
        return {name: view.clone() for name, view in self.actor.parameters.values().items()}

    @torch.no_grad()
    def values(self, critic_input: Tensor) -> Tensor:
        """Return normalised values ``(R, n, S)``."""
        return self.value_outputs(critic_input)

    def value_outputs(self, critic_input: Tensor) -> Tensor:
        """Return values ``(R, n, S)`` of what all seats see alike, ``(R, 1, S, G)``, to be differentiated."""
        seen = critic_input if self.critic.sharing else critic_input.expand(-1, self.seats, -1, -1)
        return self.critic(seen).squeeze(-1)

    def value_head(self) -> tuple[Tensor, Tensor]:
        """Return the last weights ``(R, n, in, 1)`` and biases ``(R, n, 1, 1)`` of the value functions."""
        return self.critic.last_layer()

    @torch.no_grad()
    def limit_noise(self, log_sigma: float) -> None:
        """Bring log σ below a bound, in place."""
        self.log_sigma.clamp_(max=log_sigma)

    def step(self, losses: Tensor, learning_rate: float) -> None:
        """Take one gradient step along losses ``(R,)``."""
        for adam, gradient in zip(self.adams, gradients(losses.sum(), self.stacks), strict=True):
            adam.step(gradient, losses, learning_rate)
        _keep_in_range(self.log_sigma)

    def per_seat(self) -> dict[str, Tensor]:
        """Return the policies as every seat would own them, ``(R, n, ...)``."""
        return self.actor.per_seat()


class SeparateNetworks(Memoryless, NetworksApart[AgentNetworks]):
    """Perceptrons as policies and as value functions that judge something else than policies see.

    Args:
        settings: sizes and optimiser of each network.
        context: the seats.
        critic_inputs: entries G of what the value functions judge.
        sharing: whether one policy and one value function, told the seat, serve all seats.
    """

    def __init__(
        self, settings: ActorCriticSettings, context: Context, critic_inputs: int, *, sharing: bool = False
    ) -> None:
        actor = AgentNetworks(
            context, context.inputs, settings.hidden, 1, settings.activation, sharing=sharing, extra=EXTRA
        )
        actor.initialise(context, OUTPUT_GAIN)
        super().__init__(actor, settings, context, critic_inputs, sharing=sharing)

    def means(self, observation: Tensor, policy: Mapping[str, Tensor]) -> Tensor:
        return self.actor(observation, policy).squeeze(-1)

    def outputs(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        observation, critic_input = inputs
        return self.actor(observation).squeeze(-1), self.value_outputs(critic_input)


def _optimiser(stack: ParameterStack, settings: ActorCriticSettings, context: Context) -> StackedAdam:
    return StackedAdam(stack, settings.max_grad_norm, settings.adam_epsilon, alive=context.alive)


@torch.no_grad()
def _keep_in_range(log_sigma: Tensor) -> None:
    """Keep log σ in the range of exported policies, in place."""
    log_sigma.clamp_(*LOG_SIGMA_RANGE)
