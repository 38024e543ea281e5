"""QMIX: the value of a joint action is a monotone function of what each seat's level is worth, another one per state.

Source: Rashid et al. 2018, "QMIX: Monotonic Value Function Factorisation for Deep Multi-Agent Reinforcement Learning".

The mixer sees the compact global state. Its biases start so that it adds values up, as VDN does, and it departs from
there. Double-DQN targets are those of van Hasselt et al. 2016.

Shapes: R replicas, n seats, M transitions of a minibatch, G entries of the compact state, E units of the mixer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import elu

from coopgym.algorithms.common.learner_contract import Objective
from coopgym.algorithms.common.settings import hyperparameter
from coopgym.algorithms.common.stacked_networks import ParameterStack, affine, initialise_mlp
from coopgym.algorithms.marl.core.agent_learner import Context
from coopgym.algorithms.marl.core.rollout_buffer import needed
from coopgym.algorithms.marl.value_based.iql import IQL, IQLSeats


@dataclass(frozen=True, kw_only=True)
class QMIX(IQL):
    """Monotone mixing of values with double estimators; for a common reward only.

    Attributes:
        mixer_units: hidden units E of the mixer (32: Rashid et al. 2018, appendix).
    """

    sources: ClassVar[str] = "Rashid et al. 2018"
    partnered: ClassVar[bool] = False
    objectives: ClassVar[tuple[Objective, ...]] = ("team",)
    needs_state: ClassVar[bool] = True

    objective: Objective = "team"
    mixer_units: int = hyperparameter(32, 1)

    def agent_learner(self, context: Context) -> QMIXSeats:
        return QMIXSeats(self, context)


class QMIXSeats(IQLSeats):
    """Values of levels, mixed into one common value per replica."""

    def __init__(self, settings: QMIX, context: Context) -> None:
        super().__init__(settings, context)
        self.mixer, self.target_mixer = Mixer(context, settings.mixer_units), Mixer(context, settings.mixer_units)
        self.mixer.initialise(context)
        self.learn_with_target("mixer", self.mixer.parameters, self.target_mixer.parameters)

    def joint_value(self, values: Tensor, state: Tensor | None, target: bool = False) -> Tensor:
        mixer = self.target_mixer if target else self.mixer
        return mixer(values, needed(state))


class Mixer:
    """A network of one hidden layer whose weights a hypernetwork reads off the state (Rashid et al. 2018, §4.2).

    Weights on values are absolute, so the outcome rises with the value of every seat; biases are free.

    Args:
        context: the seats, one mixer per replica.
        units: E.
    """

    def __init__(self, context: Context, units: int) -> None:
        replicas, seats = context.lead
        self.sizes = [seats * units, units, units, units]
        shapes = {
            "weight_0": (context.state_size, sum(self.sizes)),
            "bias_0": (1, sum(self.sizes)),
            "weight_1": (units, 1),
            "bias_1": (1, 1),
        }
        self.parameters = ParameterStack((replicas,), shapes, context.device)

    @torch.no_grad()
    def initialise(self, context: Context) -> None:
        """Draw small weights, each replica from its own stream, on biases that make every unit a sum of the values."""
        initialise_mlp(self.parameters, 2, context.streams.initial, output_gain=0.01, hidden_gain=0.1)
        first, _, second, _ = self.parameters["bias_0"].split(self.sizes, dim=-1)
        units = self.sizes[1]
        first.fill_(units**-0.5)
        second.fill_(units**-0.5)

    def __call__(self, values: Tensor, state: Tensor) -> Tensor:
        """Return the common value ``(R, 1, M)`` of values ``(R, n, M)`` of seats in states ``(R, M, G)``."""
        parameters = self.parameters
        computed = affine(parameters["bias_0"], state, parameters["weight_0"])
        first, bias, second, unmixed = computed.split(self.sizes, dim=-1)
        weight = first.unflatten(-1, (values.shape[1], -1)).abs()  # (R, M, n, E)
        hidden = elu((values.transpose(1, 2).unsqueeze(-1) * weight).sum(-2) + bias)
        alone = affine(parameters["bias_1"], torch.relu(unmixed), parameters["weight_1"])
        return ((hidden * second.abs()).sum(-1, keepdim=True) + alone).transpose(1, 2)
