"""Networks of the seats of all replicas: one per seat, or one that all seats share and that is told the seat.

Shapes: R replicas, E members of an ensemble, n seats, S samples, F static features of a seat.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy.typing as npt
import torch
from torch import Tensor

from coopgym.algorithms.common.stacked_networks import ACTIVATIONS, ParameterStack, initialise_mlp, mlp, mlp_shapes
from coopgym.algorithms.marl.core.agent_learner import Context


class AgentNetworks:
    """Stacked perceptrons with lead ``(R, n)``, or ``(R, 1)`` where the seats share.

    A shared network takes the features of the seat beside its input. They never change, so they only move the biases
    of the first layer: `per_seat` returns the perceptrons that the seats would own.

    Args:
        context: the seats.
        inputs: entries of an input.
        hidden: sizes of hidden layers.
        outputs: entries of an output.
        activation: ``"tanh"`` or ``"relu"``.
        ensemble: number of networks per seat that see the same input, such as twin critics; the lead becomes
            ``(R, E, n)`` and outputs ``(R, E, n, S, out)``. None leaves that dimension out.
        sharing: whether one network serves all seats.
        extra: shapes of further parameters of each network.
    """

    def __init__(
        self,
        context: Context,
        inputs: int,
        hidden: tuple[int, ...],
        outputs: int,
        activation: str,
        *,
        ensemble: int | None = None,
        sharing: bool = False,
        extra: Mapping[str, tuple[int, ...]] | None = None,
    ) -> None:
        replicas, seats = context.lead
        self.sharing, self.features = sharing, context.features
        self.ensemble = ensemble
        self.layers = len(hidden) + 1
        self.activation = ACTIVATIONS[activation]
        members = () if ensemble is None else (ensemble,)
        entries = inputs + (context.features.shape[1] if sharing else 0)
        shapes = {**mlp_shapes(entries, hidden, outputs), **(extra or {})}
        self.parameters = ParameterStack((replicas, *members, 1 if sharing else seats), shapes, context.device)

    def initialise(self, context: Context, output_gain: npt.ArrayLike) -> None:
        """Draw orthogonal weights with zero biases, each replica from its own stream."""
        initialise_mlp(self.parameters, self.layers, context.streams.initial, output_gain)

    def __call__(self, inputs: Tensor, parameters: Mapping[str, Tensor] | None = None) -> Tensor:
        """Return outputs ``(R, n, S, out)``, or ``(R, E, n, S, out)`` of an ensemble.

        Args:
            inputs: ``(R, n, S, in)``, the same for all members; or ``(R, E, n, S, in)``. Where the seats share, one
                entry of the seat dimension stands for all that see the same.
            parameters: those to compute with instead of the own, such as one member's `ParameterStack.part`.
        """
        if parameters is None and self.ensemble is not None and inputs.dim() == 4:
            inputs = inputs.unsqueeze(1).expand(-1, self.ensemble, *inputs.shape[1:])
        chosen = self.parameters if parameters is None else parameters
        if not self.sharing:
            return mlp(chosen, self.layers, inputs, self.activation)
        seats, samples = inputs.shape[-3:-1]
        weight, bias = self._first_layer(chosen)
        values = torch.matmul(inputs.flatten(-3, -2), weight.squeeze(-3)).unflatten(-2, (seats, samples)) + bias
        if self.layers > 1:
            together = self.activation(values).flatten(-3, -2).unsqueeze(-3)
            values = mlp(chosen, self.layers, together, self.activation, first=1)
            values = values.squeeze(-3).unflatten(-2, (-1, samples))
        return values

    def per_seat(self, parameters: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
        """Return the parameters that every seat would own, ``(R, [E,] n, ...)``."""
        found = dict(self.parameters.values() if parameters is None else parameters)
        return for_every_seat(found, self.features) if self.sharing else found

    def last_layer(self) -> tuple[Tensor, Tensor]:
        """Return the last layer's weights ``(R, [E,] n, in, out)`` and biases ``(R, [E,] n, 1, out)``."""
        last = self.layers - 1
        return self.parameters[f"weight_{last}"], self.parameters[f"bias_{last}"]

    def _first_layer(self, parameters: Mapping[str, Tensor] | ParameterStack) -> tuple[Tensor, Tensor]:
        return _seat_biases(parameters, self.features)


def for_every_seat(parameters: Mapping[str, Tensor], features: Tensor) -> dict[str, Tensor]:
    """Return the parameters ``(R, [E,] n, ...)`` that every seat would own instead of a shared network.

    Args:
        parameters: of a network that takes the features of the seat after its input, ``(R, [E,] 1, ...)``.
        features: ``(n, F)``.
    """
    weight, bias = _seat_biases(parameters, features)
    found = {**parameters, "weight_0": weight, "bias_0": bias}
    seat = weight.dim() - 3
    return {
        name: tensor.expand(*tensor.shape[:seat], len(features), *tensor.shape[seat + 1 :])
        for name, tensor in found.items()
    }


def _seat_biases(parameters: Mapping[str, Tensor] | ParameterStack, features: Tensor) -> tuple[Tensor, Tensor]:
    """Return the first layer's weights ``(R, [E,] 1, in, out)`` on inputs and biases ``(R, [E,] n, 1, out)``."""
    weight, bias = parameters["weight_0"], parameters["bias_0"]
    inputs = weight.shape[-2] - features.shape[1]
    seat_bias = torch.matmul(features, weight[..., inputs:, :]).transpose(-3, -2)
    return weight[..., :inputs, :], bias + seat_bias
