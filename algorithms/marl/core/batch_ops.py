"""Rearranging and rescaling the samples of a block. Shapes: R replicas, N seats, S samples."""

from __future__ import annotations

import torch
from torch import Tensor


def standardised(samples: Tensor) -> Tensor:
    """Bring samples ``(R, N, S)`` to mean 0 and standard deviation 1 along the last dimension.

    Raises:
        ValueError: a single sample, which would become 0 whatever it is.
    """
    if samples.shape[-1] < 2:
        raise ValueError("a block of one sample has no advantage over others; raise num_envs or rollout_steps")
    centred = samples - samples.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True).sqrt() + 1e-8)


def reordered(samples: Tensor, order: Tensor) -> Tensor:
    """Reorder samples ``(R, N, S, ...)`` by each replica's own order ``(R, S)``, the same for all seats."""
    r, n, s = samples.shape[:3]
    rows = order.unsqueeze(1) + s * torch.arange(r * n, device=order.device).view(r, n, 1)
    return samples.flatten(0, 2).index_select(0, rows.flatten()).unflatten(0, (r, n, s))
