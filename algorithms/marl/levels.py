"""Discrete actions: K equal levels on each seat's own endowment."""

from __future__ import annotations

import torch
from torch import Tensor

LEVELS = 21
"""Levels that discrete learners use unless told otherwise: steps of 5 % of the own endowment."""


def share_of(level: Tensor, levels: int) -> Tensor:
    """Return the shares of endowment in [0, 1] that levels 0 … K - 1 stand for."""
    return level.to(torch.float32) / (levels - 1)


def level_of(share: Tensor, levels: int) -> Tensor:
    """Return the levels nearest to shares of endowment."""
    return torch.round(share * (levels - 1)).to(torch.int64)
