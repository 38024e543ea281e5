"""Where arrays live: one array namespace, floating type and device for a whole call tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any
"""An array of the namespace in force: ``numpy.ndarray`` or ``torch.Tensor``."""

Namespace: TypeAlias = Any
"""A module that follows the array API standard."""


@dataclass(frozen=True)
class Backend:
    """The array namespace, floating type and device that a game computes with."""

    xp: Namespace
    dtype: Any
    device: Any = None

    def array(self, values: Any) -> Array:
        """Return ``values`` as a floating array of this backend."""
        if self.device is None:
            return self.xp.asarray(values, dtype=self.dtype)
        return self.xp.asarray(values, dtype=self.dtype, device=self.device)

    def integers(self, values: Any) -> Array:
        """Return ``values`` as an int64 array of this backend, for indexing."""
        if self.device is None:
            return self.xp.asarray(values, dtype=self.xp.int64)
        return self.xp.asarray(values, dtype=self.xp.int64, device=self.device)


NUMPY = Backend(np, np.float64)
"""The default backend: NumPy in double precision."""


def torch_backend(device: Any = "cpu", dtype: Any = None) -> Backend:
    """Return the backend of torch tensors on ``device``.

    Args:
        device: a torch device or its name.
        dtype: a torch floating type; ``None`` means ``torch.float32``.

    Raises:
        ImportError: torch is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise ImportError(
            "this needs torch, which is not installed; install it with: pip install 'coopgym[torch]'"
        ) from error
    import array_api_compat.torch as namespace

    return Backend(namespace, dtype or torch.float32, torch.device(device))


def namespace_of(array: Array) -> Namespace:
    """Return the array namespace of ``array``; NumPy itself for NumPy arrays and scalars."""
    if isinstance(array, np.ndarray | np.generic | float | int):
        return np
    from array_api_compat import array_namespace

    return array_namespace(array)
