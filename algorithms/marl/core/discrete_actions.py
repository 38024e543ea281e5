"""Discrete actions: K equal levels on each seat's own endowment."""

from __future__ import annotations

import torch
from torch import Tensor

LEVELS = 26
"""Levels that discrete learners use unless told otherwise: the fewest that leave no optimum further than 2 % of the own
endowment from a level. The best constant on this grid earns at least 99.2 % of the best constant in every game of the
released edition but SynergySearch."""


def share_of(level: Tensor, levels: int) -> Tensor:
    """Return the shares of endowment in [0, 1] that levels 0 … K - 1 stand for."""
    return level.to(torch.float32) / (levels - 1)


def level_of(share: Tensor, levels: int) -> Tensor:
    """Return the levels nearest to shares of endowment."""
    return torch.round(share * (levels - 1)).to(torch.int64)


def picked(values: Tensor, level: Tensor) -> Tensor:
    """Return what belongs to levels ``(...)`` out of what belongs to all K of them, ``(..., K)``."""
    return values.gather(-1, level.unsqueeze(-1)).squeeze(-1)
