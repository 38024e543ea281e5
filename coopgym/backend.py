"""Where arrays live: one array namespace, floating type and device for a whole call tree."""

from __future__ import annotations

import importlib
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from coopgym.extras import missing_extra

Array: TypeAlias = Any
"""An array of the namespace in force: ``numpy.ndarray`` or ``torch.Tensor``."""

Namespace: TypeAlias = Any
"""A module that follows the array API standard."""


@dataclass(frozen=True)
class Backend:
    """The array namespace, floating type and device that a game computes with.

    Raises:
        TypeError: a floating type other than float32 and float64.
    """

    xp: Namespace
    dtype: Any
    device: Any = None

    def __post_init__(self) -> None:
        if self.dtype not in (self.xp.float32, self.xp.float64):
            raise TypeError(
                f"dtype={self.dtype!r}: expected float32 or float64. Games add small changes to their stocks and "
                "compare them with thresholds, for which 16 bits are too coarse; a network in half precision takes "
                "converted observations"
            )

    def array(self, values: Any, dtype: Any = None) -> Array:
        """Return ``values`` as an array of this backend, floating unless another type is given."""
        dtype = self.dtype if dtype is None else dtype
        if self.device is None:
            return self.xp.asarray(values, dtype=dtype)
        return self.xp.asarray(_owned(values), dtype=dtype, device=self.device)

    def __reduce__(self) -> tuple[Any, ...]:
        # Modules cannot be pickled, their names can.
        return _backend_of, (self.xp.__name__, self.dtype, self.device)

    def cast(self, array: Array, dtype: Any = None) -> Array:
        """Return a copy of an array in another type, the floating one unless another is given."""
        dtype = self.dtype if dtype is None else dtype
        # The method of NumPy's arrays takes a quarter of the time of its function.
        return array.astype(dtype) if self.xp is np else self.xp.astype(array, dtype)

    def constant(self, number: float) -> Any:
        """Return a number in the form that is fastest beside arrays of this backend's floating type.

        NumPy settles the type of a Python number anew in every operation; torch's compiler wants to see its value.
        """
        return np.asarray(number, dtype=self.dtype) if self.xp is np else number

    def integers(self, values: Any) -> Array:
        """Return ``values`` as an int64 array of this backend, for indexing and counting."""
        return self.array(values, self.xp.int64)

    def lasting(self) -> AbstractContextManager[None]:
        """Return a context whose arrays outlive the one that the caller is in, torch's inference mode."""
        return nullcontext() if self.xp is np else self.xp.lasting()


def _owned(values: Any) -> Any:
    """Copy NumPy arrays: a CPU tensor would share their memory, read-only or not."""
    return values.copy() if isinstance(values, np.ndarray) else values


def _backend_of(namespace: str, dtype: Any, device: Any) -> Backend:
    return Backend(importlib.import_module(namespace), dtype, device)


NUMPY = Backend(np, np.float64)
"""The default backend: NumPy in double precision."""


def torch_backend(device: Any = "cpu", dtype: Any = None) -> Backend:
    """Return the backend of torch tensors on ``device``.

    Args:
        device: a torch device or its name.
        dtype: ``torch.float32`` or ``torch.float64``; ``None`` means the former.

    Raises:
        ImportError: torch is not installed.
        TypeError: ``dtype`` is another type.
        ValueError: torch cannot use the device.

    >>> import torch
    >>> game = coopgym.make_game("TrustDilemma-v1", torch_backend(dtype=torch.float64))
    >>> game.step(game.initial_state(), torch.tensor([0.0, 0.0], dtype=torch.float64)).payoffs
    tensor([1., 1.], dtype=torch.float64)
    """
    try:
        import torch
    except ImportError as error:
        raise missing_extra("this", "torch") from error
    from coopgym import torch_namespace as namespace

    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"device={device!r}: torch cannot use it here ({reason}); expected 'cpu', say") from error
    return Backend(namespace, torch.float32 if dtype is None else dtype, torch.device(device))


def normal_cdf(array: Array, xp: Namespace | None = None) -> Array:
    """Return the standard normal distribution function Φ of numbers on any backend."""
    xp = xp or namespace_of(array)
    if xp is np:
        from scipy.special import ndtr

        return ndtr(array)
    return xp.ndtr(array)


def namespace_of(array: Array) -> Namespace:
    """Return the array namespace of ``array``: NumPy itself for NumPy arrays and numbers, else torch's.

    Raises:
        TypeError: neither a NumPy array or number nor a torch tensor.
    """
    if isinstance(array, np.ndarray | np.generic | float | int):
        return np
    if type(array).__module__.partition(".")[0] != "torch":
        raise TypeError(f"expected a NumPy array or a torch tensor, got {type(array).__name__}")
    from coopgym import torch_namespace

    return torch_namespace
