"""Return estimators over rollout blocks. Time is the second-last dimension: ``(..., T, B)``."""

from __future__ import annotations

import torch
from torch import Tensor


@torch.no_grad()
def generalised_advantages(
    reward: Tensor,
    value: Tensor,
    next_value: Tensor,
    terminal: Tensor,
    ended: Tensor,
    gamma: float,
    lam: float,
) -> Tensor:
    """Return generalised advantage estimates (Schulman et al. 2016, Eq. 16).

    Args:
        reward: ``(..., T, B)``.
        value: V(s_t), ``(..., T, B)``.
        next_value: V(s_{t+1}), ``(..., T, B)``; where an episode ended, of the last state of that episode.
        terminal: where nothing follows, so that the next value counts as zero; broadcasts to ``(..., T, B)``.
        ended: where an episode ended for any reason, so that estimates stop there; broadcasts likewise.
        gamma: discount factor γ.
        lam: exponential weight λ.

    Returns:
        Advantages ``(..., T, B)``. A block cut in mid-episode bootstraps from its last next value.

    >>> reward, value, next_value = torch.tensor([[[0.0], [1.0]], [[0.5], [0.5]], [[0.5], [0.0]]])
    >>> over = torch.tensor([[False], [True]])
    >>> generalised_advantages(reward, value, next_value, terminal=over, ended=over, gamma=1.0, lam=0.5).flatten()
    tensor([0.2500, 0.5000])
    """
    advantage = reward + gamma * next_value * ~terminal - value  # one-step errors δ_t, then accumulated in place
    decay = (gamma * lam) * (~ended).to(reward.dtype)
    for t in range(reward.shape[-2] - 2, -1, -1):
        advantage[..., t, :].addcmul_(decay[..., t, :], advantage[..., t + 1, :])
    return advantage
