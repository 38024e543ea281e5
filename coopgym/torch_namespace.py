"""The array namespace of torch: array-api-compat's, less what interrupts ``torch.compile``.

array-api-compat promotes number arguments of ``maximum`` and ``minimum`` by asking torch for a type, which cannot be
traced and would split a compiled step into dozens of graphs. Clamping does the same without asking.
"""

from __future__ import annotations

from typing import Any

import array_api_compat.torch as compat
import torch

globals().update({name: getattr(compat, name) for name in dir(compat) if not name.startswith("__")})


def maximum(x1: torch.Tensor, x2: torch.Tensor | float) -> torch.Tensor:
    """Elementwise maximum of a tensor and a tensor or number."""
    return torch.maximum(x1, x2) if isinstance(x2, torch.Tensor) else torch.clamp(x1, min=x2)


def minimum(x1: torch.Tensor, x2: torch.Tensor | float) -> torch.Tensor:
    """Elementwise minimum of a tensor and a tensor or number."""
    return torch.minimum(x1, x2) if isinstance(x2, torch.Tensor) else torch.clamp(x1, max=x2)


def __getattr__(name: str) -> Any:
    return getattr(compat, name)
