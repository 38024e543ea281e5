"""Seats that play squashed Gaussian policies and learn from blocks of their own making.

Shapes: R replicas, n seats, T steps and B environment copies of a block, S samples, I entries of a network's input.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from coopgym.algorithms.common.policies import LOG_SIGMA_RANGE
from coopgym.algorithms.common.squashed_gaussian import INITIAL_LOG_SIGMA, share
from coopgym.algorithms.marl.core.agent_learner import AgentLearner, AgentNetworks, Context


class GaussianSeats(AgentLearner):
    """Policies u ~ N(μ(o), σ(o)²), z = (tanh u + 1)/2; networks return μ and log σ.

    Deviations come from the network because learners that take one step per block take few: a deviation that is one
    parameter moves by one learning rate per step, the output of a network by many.

    Args:
        context: the training it is part of.
        inputs: entries I of the networks' input, which `inputs` makes of an observation.
        hidden: hidden layer sizes.
        activation: ``"tanh"`` or ``"relu"``.
        sharing: whether one network serves all seats.
        log_sigma: initial log σ.
    """

    policy_kind = "squashed_gaussian"

    def __init__(
        self,
        context: Context,
        inputs: int,
        hidden: tuple[int, ...],
        activation: str,
        *,
        sharing: bool = False,
        log_sigma: float = INITIAL_LOG_SIGMA,
    ) -> None:
        super().__init__(context)
        self.activation = activation
        self.policies = AgentNetworks(context, inputs, hidden, 2, activation, sharing=sharing)
        self.policies.initialise(context, output_gain=0.01)
        self.parameters = self.keep("policies", self.policies.parameters)
        with torch.no_grad():
            self.parameters[f"bias_{self.policies.layers - 1}"][..., 1] = log_sigma
        shape = (*context.lead, context.steps, context.copies)
        self.pre_tanh = torch.zeros(shape, device=context.device)
        """``(R, n, T, B)`` u of the block."""

    def inputs(self, observation: Tensor) -> Tensor:
        """Return what the networks take ``(R, n, S, I)`` of observations ``(R, n, S, O)``."""
        return observation

    def policy(self, inputs: Tensor, parameters: Mapping[str, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """Return μ and log σ ``(R, n, S)`` of inputs ``(R, n, S, I)``."""
        return moments(self.policies(inputs, parameters))

    def begin(self, progress: float) -> None:
        """Draw the block's noise and fix the policies that play it."""
        self.noise = self.context.streams.normal(tuple(self.pre_tanh.shape[1:]))  # (R, n, T, B)
        self.acting = self.parameters.values()

    def act(self, t: int, observation: Tensor) -> Tensor:
        mean, log_sigma = self.policy(self.inputs(observation), self.acting)  # (R, n, B)
        return share(torch.addcmul(mean, torch.exp(log_sigma), self.noise[:, :, t], out=self.pre_tanh[:, :, t]))

    def policy_tensors(self) -> dict[str, Tensor]:
        return self.policies.per_seat()


def moments(outputs: Tensor) -> tuple[Tensor, Tensor]:
    """Split network outputs ``(..., 2)`` into μ and log σ, which stays within its range."""
    mean, log_sigma = outputs.unbind(-1)
    return mean, log_sigma.clamp(*LOG_SIGMA_RANGE)
