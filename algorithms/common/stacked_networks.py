"""Stacked networks: many networks of one shape, multiplied at once."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

LANES = 64
"""Parameters of one network fill a multiple of this, so that vectorised arithmetic treats every network alike."""


class ParameterStack:
    """Named parameters of many networks, all in one tensor.

    ``flat`` is ``(*lead, P)`` and ``stack[name]`` a differentiable view of it, ``(*lead, *shape)``. An optimiser or a
    checkpoint needs only the flat tensor.

    Args:
        lead: leading dimensions, one network per index; the first is the replica dimension R.
        shapes: shape of each parameter of a single network.
        device: where the tensors live.
    """

    def __init__(self, lead: tuple[int, ...], shapes: Mapping[str, tuple[int, ...]], device: torch.device) -> None:
        size = sum(math.prod(shape) for shape in shapes.values())
        self.lead = lead
        self.flat = torch.zeros(*lead, math.ceil(size / LANES) * LANES, device=device)
        self.padding = self.flat[..., size:].clone()
        self._views: dict[str, Tensor] = {}
        start = 0
        for name, shape in shapes.items():
            stop = start + math.prod(shape)
            self._views[name] = self.flat[..., start:stop].unflatten(-1, shape).requires_grad_()
            start = stop

    def __getitem__(self, name: str) -> Tensor:
        return self._views[name]

    def gradient(self, loss: Tensor) -> Tensor:
        """Return the gradient ``(*lead, P)`` of a scalar."""
        return gradients(loss, [self])[0]

    def part(self, dimension: int, index: int) -> dict[str, Tensor]:
        """Return a contiguous copy of the networks at one index of a leading dimension."""
        return {name: view.detach().select(dimension, index).contiguous() for name, view in self._views.items()}

    def named(self) -> dict[str, Tensor]:
        """Return the parameters by name, to be differentiated."""
        return dict(self._views)

    def values(self) -> dict[str, Tensor]:
        """Return the parameters by name, cut off from differentiation."""
        return {name: view.detach() for name, view in self._views.items()}

    @property
    def views(self) -> list[Tensor]:
        """The parameters in the order in which they lie in ``flat``."""
        return list(self._views.values())

    @torch.no_grad()
    def follow(self, leader: ParameterStack, rate: float = 1.0) -> None:
        """Move a share ``rate`` of the way to the parameters of a stack of the same shapes: a target network."""
        self.flat.lerp_(leader.flat, rate)

    def state(self) -> dict[str, Tensor]:
        """Return everything a resumed run needs."""
        return {"flat": self.flat}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a state that `state` returned."""
        self.flat.copy_(state["flat"])


def gradients(loss: Tensor, stacks: Sequence[ParameterStack]) -> list[Tensor]:
    """Return the gradients ``(*lead, P)`` of a scalar with respect to several stacks, from one backward pass."""
    parts = iter(torch.autograd.grad(loss, [view for stack in stacks for view in stack.views]))
    return [
        torch.cat([*(next(parts).flatten(len(stack.lead)) for _ in stack.views), stack.padding], dim=-1)
        for stack in stacks
    ]


class _Tanh(torch.autograd.Function):
    """tanh x = 2·s(2x) - 1, s the logistic function, which torch computes on a CPU several times faster than tanh."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.mark_dirty(x)
        x.mul_(2.0).sigmoid_().mul_(2.0).sub_(1.0)
        ctx.save_for_backward(x)
        return x

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (output,) = ctx.saved_tensors
        return torch.ops.aten.tanh_backward(gradients[0], output)


def tanh_(x: Tensor) -> Tensor:
    """Replace ``x`` by its hyperbolic tangent: no memory is taken, which costs more than the arithmetic."""
    return _Tanh.apply(x)


ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {"tanh": tanh_, "relu": torch.relu_}
"""Activations by the names that hyper-parameters use; each works in place."""


def mlp_shapes(inputs: int, hidden: Sequence[int], outputs: int) -> dict[str, tuple[int, ...]]:
    """Return parameter shapes of a multilayer perceptron: weights ``(in, out)`` and biases ``(1, out)``."""
    sizes = [inputs, *hidden, outputs]
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
        shapes[f"weight_{layer}"] = (fan_in, fan_out)
        shapes[f"bias_{layer}"] = (1, fan_out)
    return shapes


def mlp(
    parameters: Mapping[str, Tensor] | ParameterStack,
    layers: int,
    inputs: Tensor,
    activation: Callable[[Tensor], Tensor] = tanh_,
    first: int = 0,
) -> Tensor:
    """Apply stacked perceptrons, one per leading index; the last of ``layers`` layers is linear.

    Args:
        parameters: weights ``(*lead, in, out)`` and biases ``(*lead, 1, out)`` by the names of `mlp_shapes`.
        layers: number of weight matrices.
        inputs: ``(*lead, S, in)``.
        activation: between layers, in place.
        first: the layer that takes the inputs.

    Returns:
        ``(*lead, S, out)``.
    """
    lead = inputs.shape[:-2]
    values = inputs.reshape(-1, *inputs.shape[-2:])
    for layer in range(first, layers):
        weight, bias = (parameters[f"{kind}_{layer}"].flatten(0, len(lead) - 1) for kind in ("weight", "bias"))
        values = affine(bias, values, weight)
        if layer < layers - 1:
            values = activation(values)
    return values.unflatten(0, lead)


def affine(bias: Tensor, values: Tensor, weight: Tensor) -> Tensor:
    """Return bias + values·weight, ``(K, S, out)`` of K networks, rounded the same whatever K is.

    Alone, a matrix with a single column would be multiplied by another routine than among others; it gets company.
    """
    if len(values) == 1 and weight.shape[-1] == 1:
        return torch.baddbmm(*(tensor.expand(2, -1, -1) for tensor in (bias, values, weight)))[:1]
    return torch.baddbmm(bias, values, weight)


def orthogonal(rng: np.random.Generator, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Draw matrices with orthonormal rows or columns, ``(..., in, out)`` (Saxe et al. 2014)."""
    *lead, rows, columns = shape
    normal = rng.standard_normal((*lead, max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(normal)
    q = q * np.sign(np.diagonal(r, axis1=-2, axis2=-1))[..., None, :]
    return q if rows >= columns else np.swapaxes(q, -1, -2)


@torch.no_grad()
def initialise_mlp(
    stack: ParameterStack,
    layers: int,
    rngs: Sequence[np.random.Generator],
    output_gain: npt.ArrayLike,
    hidden_gain: float = math.sqrt(2.0),
) -> None:
    """Fill weights with scaled orthogonal matrices and biases with zeros, each replica from its own generator.

    Args:
        stack: parameters with lead ``(R, ...)``.
        layers: number of weight matrices.
        rngs: one generator per replica.
        output_gain: gain of the last layer; a number or an array that broadcasts to the lead after R.
        hidden_gain: gain of the other layers.
    """
    for layer in range(layers):
        weight = stack[f"weight_{layer}"]
        gain = np.broadcast_to(output_gain if layer == layers - 1 else hidden_gain, weight.shape[1:-2])
        for replica, rng in enumerate(rngs):
            matrices = orthogonal(rng, tuple(weight.shape[1:])) * gain[..., None, None]
            weight[replica] = torch.as_tensor(matrices, dtype=weight.dtype)
        stack[f"bias_{layer}"].zero_()
