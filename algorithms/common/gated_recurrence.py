"""Stacked recurrent networks: perceptrons whose last hidden layer is a gated recurrent unit, multiplied at once.

Source: Cho et al. 2014, "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine
Translation", with the reset gate where Chung et al. 2014 and torch have it, after the recurrent product.

Shapes: *lead networks, T steps of M episodes, H units, which are also what is remembered from step to step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from coopgym.algorithms.common.policies import GATES
from coopgym.algorithms.common.stacked_networks import (
    ParameterStack,
    affine,
    initialise_mlp,
    mlp,
    mlp_shapes,
    orthogonal,
)


def recurrent_shapes(inputs: int, hidden: Sequence[int], outputs: int) -> dict[str, tuple[int, ...]]:
    """Return parameter shapes of a perceptron whose last hidden layer is a gated recurrent unit.

    Weights and biases are named as those of `mlp_shapes`; what the unit remembers enters by ``recurrent_weight``
    ``(H, 3H)`` and ``recurrent_bias`` ``(1, 3H)``.

    >>> recurrent_shapes(5, (4,), 1)["weight_0"], recurrent_shapes(5, (4,), 1)["recurrent_weight"]
    ((5, 12), (4, 12))
    """
    units, last = hidden[-1], len(hidden)
    return {
        **mlp_shapes(inputs, (*hidden[:-1], GATES * units), outputs),
        f"weight_{last}": (units, outputs),
        "recurrent_weight": (units, GATES * units),
        "recurrent_bias": (1, GATES * units),
    }


@torch.no_grad()
def initialise_recurrent(
    stack: ParameterStack, layers: int, rngs: Sequence[np.random.Generator], output_gain: float
) -> None:
    """Fill weights as `initialise_mlp` does, those of every gate with orthogonal matrices of gain 1.

    Args:
        stack: parameters with lead ``(R, ...)``.
        layers: number of weight matrices, without the recurrent one.
        rngs: one generator per replica.
        output_gain: gain of the last layer.
    """
    initialise_mlp(stack, layers, rngs, output_gain)
    for name in (f"weight_{layers - 2}", "recurrent_weight"):
        weight = stack[name]
        rows, columns = weight.shape[-2:]
        for replica, rng in enumerate(rngs):
            gates = orthogonal(rng, (*weight.shape[1:-2], GATES, rows, columns // GATES))
            weight[replica] = torch.as_tensor(np.concatenate(np.moveaxis(gates, -3, 0), axis=-1), dtype=weight.dtype)
    stack["recurrent_bias"].zero_()


def recurrent(
    parameters: Mapping[str, Tensor],
    layers: int,
    inputs: Tensor,
    hidden: Tensor,
    ended: Tensor | None = None,
    activation: Callable[[Tensor], Tensor] = torch.tanh,
) -> tuple[Tensor, Tensor]:
    """Apply stacked recurrent networks to sequences.

    Args:
        parameters: by the names of `recurrent_shapes`, ``(*lead, ...)``.
        layers: number of weight matrices, without the recurrent one.
        inputs: ``(*lead, T, M, in)``.
        hidden: what is remembered before the first step, ``(*lead, M, H)``.
        ended: whether an episode ended with a step, so that the next one remembers nothing, ``(*lead, T, M)`` or what
            broadcasts to it; None is nowhere.
        activation: between the layers before the unit.

    Returns:
        Outputs ``(*lead, T, M, out)``, and the units ``(*lead, T, M, H)``: what is remembered after each step, while
        its episode goes on.
    """
    *lead, steps, rows, _ = inputs.shape
    own = {name: parameters[name].flatten(0, len(lead) - 1) for name in ("recurrent_weight", "recurrent_bias")}
    gates = mlp(parameters, layers - 1, inputs.flatten(-3, -2), activation).flatten(0, len(lead) - 1)
    before, units = hidden.flatten(0, len(lead) - 1), []
    forgotten = None if ended is None else ended.expand(*lead, steps, rows).flatten(0, len(lead) - 1).unsqueeze(-1)
    for t, step in enumerate(gates.unflatten(1, (steps, rows)).unbind(1)):
        units.append(unit(step, before, own["recurrent_weight"], own["recurrent_bias"]))
        before = units[-1] if forgotten is None else units[-1].masked_fill(forgotten[:, t], 0.0)
    remembered = torch.stack(units, dim=1)  # (K, T, M, H)
    weight, bias = (parameters[f"{kind}_{layers - 1}"].flatten(0, len(lead) - 1) for kind in ("weight", "bias"))
    outputs = affine(bias, remembered.flatten(1, 2), weight)
    return outputs.unflatten(1, (steps, rows)).unflatten(0, lead), remembered.unflatten(0, lead)


def recurrent_step(
    parameters: Mapping[str, Tensor],
    layers: int,
    inputs: Tensor,
    hidden: Tensor | None = None,
    activation: Callable[[Tensor], Tensor] = torch.tanh,
) -> tuple[Tensor, Tensor]:
    """Apply stacked recurrent networks to one step.

    Args:
        parameters: as those of `recurrent`.
        layers: likewise.
        inputs: ``(*lead, M, in)``.
        hidden: what is remembered, ``(*lead, M, H)``; None at the start of an episode.
        activation: between the layers before the unit.

    Returns:
        Outputs ``(*lead, M, out)``, and what is remembered then, ``(*lead, M, H)``.
    """
    if hidden is None:
        hidden = inputs.new_zeros(*inputs.shape[:-1], parameters["recurrent_weight"].shape[-2])
    outputs, units = recurrent(parameters, layers, inputs.unsqueeze(-3), hidden, None, activation)
    return outputs.squeeze(-3), units.squeeze(-3)


def unit(gates: Tensor, hidden: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Take one step of K gated recurrent units and return what they remember then, ``(K, M, H)``.

    Args:
        gates: what inputs contribute, ``(K, M, 3H)``.
        hidden: what is remembered, ``(K, M, H)``.
        weight: ``(K, H, 3H)``.
        bias: ``(K, 1, 3H)``.
    """
    own_reset, own_update, own_candidate = gates.chunk(GATES, dim=-1)
    reset, update, candidate = affine(bias, hidden, weight).chunk(GATES, dim=-1)
    fresh = torch.tanh(own_candidate + torch.sigmoid(own_reset + reset) * candidate)
    return torch.lerp(fresh, hidden, torch.sigmoid(own_update + update))
