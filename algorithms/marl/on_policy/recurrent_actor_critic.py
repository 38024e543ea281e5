"""Networks of actor-critics that remember their episode (``memory="gru"``).

Samples of a gradient step are whole sequences: all steps of some environment copies, in the order of time, with what
was remembered when the block began. Backpropagation goes through time as far as that; a block is an episode unless
`rollout_steps` says otherwise.

Value functions of a seat's own observation remember too, since what is to come depends on what the seat has found out.
Those that judge the global state do not: it holds whatever the game remembers, and what a world has drawn.

Shapes: R replicas, n seats, T steps and B environment copies of a block, S samples, M copies of a minibatch, O
observation entries, G entries of what the value function judges, H units.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import torch
from torch import Tensor

from coopgym.algorithms.marl.core.agent_learner import Context, Part
from coopgym.algorithms.marl.core.recurrent_networks import HiddenStates, RecurrentNetworks
from coopgym.algorithms.marl.core.rollout_buffer import Rollout
from coopgym.algorithms.marl.on_policy.actor_critic import ActorCriticNetworks, ActorCriticSettings
from coopgym.algorithms.marl.on_policy.actor_critic_networks import (
    EXTRA,
    OUTPUT_GAIN,
    POLICY,
    VALUE,
    NetworkPair,
    NetworksApart,
    PairedNetworks,
    SeparateNetworks,
)


def paired_networks(settings: ActorCriticSettings, context: Context, *, sharing: bool = False) -> ActorCriticNetworks:
    """Make policies and value functions that see the same, with the memory that the training asks for."""
    kind = RecurrentPair if context.memory == "gru" else PairedNetworks
    return kind(settings, context, sharing=sharing)


def separate_networks(
    settings: ActorCriticSettings, context: Context, critic_inputs: int, *, sharing: bool = False
) -> ActorCriticNetworks:
    """Make policies with the memory that the training asks for, and value functions of something else."""
    kind = RecurrentActor if context.memory == "gru" else SeparateNetworks
    return kind(settings, context, critic_inputs, sharing=sharing)


class Remembering:
    """What `ActorCriticNetworks` that remember their episode do with their memory."""

    hidden: HiddenStates

    def begin(self) -> None:
        """Begin a block with what is remembered."""
        self.hidden.begin()

    def forget(self, ended: Tensor) -> None:
        """Forget the episodes that ended with the last step, ``(R, B)``."""
        self.hidden.forget(ended)


class RecurrentPair(Remembering, NetworkPair[RecurrentNetworks]):
    """Recurrent policy and value networks that see the same sequences; the arguments are those of `PairedNetworks`."""

    def __init__(self, settings: ActorCriticSettings, context: Context, *, sharing: bool = False) -> None:
        hidden, activation = settings.hidden, settings.activation
        networks = RecurrentNetworks(
            context, context.inputs, hidden, 1, activation, ensemble=2, sharing=sharing, extra=EXTRA
        )
        networks.initialise(context, OUTPUT_GAIN)
        super().__init__(networks, settings, context)
        replicas, seats = context.lead
        self.hidden = HiddenStates((replicas, 2, seats), hidden[-1], context)

    @property
    def parts(self) -> Mapping[str, Part]:
        return {**super().parts, "hidden": self.hidden}

    def means(self, observation: Tensor, policy: Mapping[str, Tensor]) -> Tensor:
        outputs, self.hidden.now[:, POLICY] = self.networks.step(observation, self.hidden.now[:, POLICY], policy)
        return outputs.squeeze(-1)

    def remembered(self, block: Rollout) -> tuple[Tensor, ...]:
        """Return where episodes ended ``(R, 1, S)`` and what was remembered at first, ``(R, n, B, 2, H)``."""
        return block.ended.flatten(2), self.hidden.start.movedim(1, 3)

    def outputs(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        observation, ended, hidden = inputs
        rows = hidden.shape[2]
        seen = in_time(observation, rows).unsqueeze(1).expand(-1, 2, -1, -1, -1, -1)  # (R, 2, n, T, M, O)
        outputs, _ = self.networks(seen, hidden.movedim(3, 1), in_time(ended, rows).unsqueeze(1))
        mean, value = outputs.squeeze(-1).flatten(-2).unbind(1)
        return mean, value

    @torch.no_grad()
    def recalled(self, block: Rollout) -> Rollout:
        """Return the block with what value functions remember behind what seats see, ``(..., O + H)``."""
        start, valuing = self.hidden.start[:, VALUE], self.parameters.part(dimension=1, index=VALUE)
        _, units = self.networks(block.observation, start, block.ended, valuing)  # (R, n, T, B, H)
        kept = units.masked_fill(block.ended.unsqueeze(-1), 0.0)
        self.hidden.now[:, VALUE] = kept[:, :, -1]
        before = torch.cat([start.unsqueeze(2), kept[:, :, :-1]], dim=2)
        final = block.final_observation
        return dataclasses.replace(
            block,
            observation=torch.cat([block.observation, before], dim=-1),
            last_observation=torch.cat([block.last_observation, kept[:, :, -1:]], dim=-1),
            final_observation=None if final is None else torch.cat([final, units], dim=-1),
        )

    @torch.no_grad()
    def values(self, critic_input: Tensor) -> Tensor:
        """Return normalised values ``(R, n, S)`` of what is seen and what is remembered, ``(R, n, S, O + H)``."""
        units = self.hidden.now.shape[-1]
        observation, hidden = critic_input.split([critic_input.shape[-1] - units, units], dim=-1)
        valuing = self.parameters.part(dimension=1, index=VALUE)
        outputs, _ = self.networks.step(observation, hidden, valuing)
        return outputs.squeeze(-1)


class RecurrentActor(Remembering, NetworksApart[RecurrentNetworks]):
    """Recurrent policies with value functions that judge the state; the arguments are those of `SeparateNetworks`."""

    def __init__(
        self, settings: ActorCriticSettings, context: Context, critic_inputs: int, *, sharing: bool = False
    ) -> None:
        hidden, activation = settings.hidden, settings.activation
        actor = RecurrentNetworks(context, context.inputs, hidden, 1, activation, sharing=sharing, extra=EXTRA)
        actor.initialise(context, OUTPUT_GAIN)
        super().__init__(actor, settings, context, critic_inputs, sharing=sharing)
        self.hidden = HiddenStates(context.lead, hidden[-1], context)

    @property
    def parts(self) -> Mapping[str, Part]:
        return {**super().parts, "hidden": self.hidden}

    def means(self, observation: Tensor, policy: Mapping[str, Tensor]) -> Tensor:
        outputs, self.hidden.now[:] = self.actor.step(observation, self.hidden.now, policy)
        return outputs.squeeze(-1)

    def remembered(self, block: Rollout) -> tuple[Tensor, ...]:
        """Return where episodes ended ``(R, 1, S)`` and what was remembered at first, ``(R, n, B, H)``."""
        return block.ended.flatten(2), self.hidden.start

    def recalled(self, block: Rollout) -> Rollout:
        return block

    def outputs(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        observation, critic_input, ended, hidden = inputs
        rows = hidden.shape[2]
        outputs, _ = self.actor(in_time(observation, rows), hidden, in_time(ended, rows))
        return outputs.squeeze(-1).flatten(-2), self.value_outputs(critic_input)


def in_time(samples: Tensor, rows: int) -> Tensor:
    """Return samples ``(R, n, T·M, ...)`` of M copies as sequences, ``(R, n, T, M, ...)``."""
    return samples.unflatten(2, (-1, rows))
