"""A decoder-only transformer as functions of its weights.

Pre-norm blocks of causal attention and a GELU perceptron, rotary positions, no biases, and one embedding for reading
and writing. Layer norms and the exact GELU, because torch computes them on a CPU several times faster than RMS norms
and gated perceptrons.

Sources: Vaswani et al. 2017 (attention), Radford et al. 2019 (pre-norm blocks), Su et al. 2021 (rotary positions),
Press and Wolf 2017 (tied embeddings).

Shapes: B sequences, L tokens, H heads of d entries, width H·d.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

ROTARY_BASE = 10_000.0


class Attend(Protocol):
    """How queries of one layer look at keys and values, all ``(B, H, L, d)``."""

    def __call__(self, layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Return what the queries see, ``(B, H, L, d)``."""


def weight_shapes(layers: int, width: int, vocabulary: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of every weight by name; matrices are ``(out, in)``."""
    shapes: dict[str, tuple[int, ...]] = {"embedding": (vocabulary, width), "norm": (width,)}
    for layer in range(layers):
        shapes[f"{layer}.attention.norm"] = (width,)
        shapes[f"{layer}.attention.in"] = (3 * width, width)
        shapes[f"{layer}.attention.out"] = (width, width)
        shapes[f"{layer}.perceptron.norm"] = (width,)
        shapes[f"{layer}.perceptron.in"] = (4 * width, width)
        shapes[f"{layer}.perceptron.out"] = (width, 4 * width)
    return shapes


def initial_weights(layers: int, width: int, vocabulary: int, rng: np.random.Generator) -> dict[str, Tensor]:
    """Draw weights: matrices keep variances, what enters the residual stream shrinks with depth, norms start at 1."""
    weights = {}
    for name, shape in weight_shapes(layers, width, vocabulary).items():
        if name.endswith("norm"):
            weights[name] = torch.ones(shape)
            continue
        deviation = 1.0 / math.sqrt(shape[-1])
        if name.endswith("out"):
            deviation /= math.sqrt(2.0 * layers)
        weights[name] = torch.as_tensor(rng.standard_normal(shape) * deviation, dtype=torch.float32)
    return weights


def rotations(positions: int, entries: int, device: torch.device) -> Tensor:
    """Return by how much each position turns each pair of a head's entries: unit numbers ``(positions, d/2)``."""
    frequencies = ROTARY_BASE ** (-torch.arange(0, entries, 2, device=device) / entries)
    angles = torch.arange(positions, device=device).unsqueeze(-1) * frequencies
    return torch.polar(torch.ones_like(angles), angles)


def rotate(vectors: Tensor, turns: Tensor) -> Tensor:
    """Turn pairs of entries of ``(..., L, d)`` by ``(..., L, d/2)``."""
    pairs = torch.view_as_complex(vectors.unflatten(-1, (-1, 2)))
    return torch.view_as_real(pairs * turns).flatten(-2)


def hidden_states(
    weights: Mapping[str, Tensor], layers: int, heads: int, ids: Tensor, turns: Tensor, attend: Attend
) -> Tensor:
    """Return the state ``(B, L, width)`` after each token.

    Args:
        weights: by the names of `weight_shapes`.
        layers: number of blocks.
        heads: number of attention heads.
        ids: tokens ``(B, L)``.
        turns: rotations of the tokens' positions, ``(L, d/2)`` or ``(B, 1, L, d/2)``.
        attend: attention; keeps and finds what earlier tokens left behind, if anything.
    """
    states = functional.embedding(ids, weights["embedding"])
    for layer in range(layers):
        attention = {name: weights[f"{layer}.attention.{name}"] for name in ("norm", "in", "out")}
        projected = functional.linear(_normalised(states, attention["norm"]), attention["in"])
        queries, keys, values = projected.unflatten(-1, (3, heads, -1)).permute(2, 0, 3, 1, 4)
        seen = attend(layer, rotate(queries, turns), rotate(keys, turns), values)
        states = states + functional.linear(seen.transpose(1, 2).flatten(2), attention["out"])
        inner = functional.linear(
            _normalised(states, weights[f"{layer}.perceptron.norm"]), weights[f"{layer}.perceptron.in"]
        )
        states = states + functional.linear(functional.gelu(inner), weights[f"{layer}.perceptron.out"])
    return _normalised(states, weights["norm"])


def causal_attention(layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Look at the token itself and those before it; ``layer`` makes no difference."""
    return functional.scaled_dot_product_attention(queries, keys, values, is_causal=True)


class KeyValueCache:
    """What every layer keeps of the tokens read so far, for sequences of different lengths.

    Args:
        capacity: length of the longest sequence.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._kept: list[tuple[Tensor, Tensor]] = []

    def fill(self, layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Attend within new sequences, read from their first token on and padded on the right; keep their traces."""
        tail = (0, 0, 0, self._capacity - keys.shape[2])
        self._kept.append((functional.pad(keys, tail), functional.pad(values, tail)))
        return causal_attention(layer, queries, keys, values)

    def grow(self, ends: Tensor) -> None:
        """Let one token follow in each sequence, at positions ``ends`` ``(B,)``."""
        self._ends = ends
        self._rows = torch.arange(len(ends), device=ends.device)
        self._visible = (torch.arange(int(ends.max()) + 1, device=ends.device) <= ends.unsqueeze(-1))[:, None, None]

    def extend(self, layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Attend from one new token per sequence, ``(B, H, 1, d)``, to all before it."""
        length = self._visible.shape[-1]
        for kept, new in zip(self._kept[layer], (keys, values), strict=True):
            kept[self._rows, :, self._ends] = new.squeeze(2)
        past_keys, past_values = (kept[:, :, :length] for kept in self._kept[layer])
        return functional.scaled_dot_product_attention(queries, past_keys, past_values, attn_mask=self._visible)

    def keep(self, rows: Tensor) -> None:
        """Go on with the sequences of these indices."""
        self._kept = [(keys[rows], values[rows]) for keys, values in self._kept]


def _normalised(states: Tensor, scale: Tensor) -> Tensor:
    return functional.layer_norm(states, scale.shape, scale)
