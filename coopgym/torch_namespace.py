"""The array namespace of torch: array-api-compat's, less what interrupts ``torch.compile``, and what games add to it.

array-api-compat promotes number arguments of ``maximum`` and ``minimum`` by asking torch for a type, which cannot be
traced and would split a compiled step into dozens of graphs. Clamping does the same without asking.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import array_api_compat.torch as compat
import torch

globals().update({name: getattr(compat, name) for name in dir(compat) if not name.startswith("__")})


def asarray(obj: Any, /, *, dtype: torch.dtype | None = None, device: Any = None) -> torch.Tensor:
    """Bring a tensor, with its gradient, or anything else to a type and device."""
    if isinstance(obj, torch.Tensor):
        return obj.to(device=device, dtype=dtype)
    return torch.asarray(obj, dtype=dtype, device=device)


def maximum(x1: torch.Tensor, x2: torch.Tensor | float) -> torch.Tensor:
    """Elementwise maximum of a tensor and a tensor or number."""
    return torch.maximum(x1, x2) if isinstance(x2, torch.Tensor) else torch.clamp(x1, min=x2)


def minimum(x1: torch.Tensor, x2: torch.Tensor | float) -> torch.Tensor:
    """Elementwise minimum of a tensor and a tensor or number."""
    return torch.minimum(x1, x2) if isinstance(x2, torch.Tensor) else torch.clamp(x1, max=x2)


ndtr = torch.special.ndtr


@contextmanager
def lasting() -> Iterator[None]:
    """Make ordinary tensors even in inference mode, whose own could not take part in gradients later."""
    if not torch.is_inference_mode_enabled():
        yield
        return
    with torch.inference_mode(False), torch.no_grad():
        yield


def __getattr__(name: str) -> Any:
    return getattr(compat, name)
