"""What may be an action: real numbers, and nothing that merely could be turned into some."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.visible_text import brief

_REAL_KINDS = "biuf"
"""Kinds of arrays whose values are real numbers."""


def real_numbers(values: Any) -> Any:
    """Return numbers as a floating array; tensors stay as they are.

    Raises:
        ValueError: something else, such as texts, bytes, dates, complex numbers, objects or masked entries: turning
            these into numbers would lose what they say.
    """
    if type(values) is np.ndarray and values.dtype.kind == "f":
        return values
    if hasattr(values, "is_complex"):  # a tensor, which stays on its device
        if values.is_complex():
            raise ValueError("got complex numbers")
        return values
    if isinstance(values, bytes | bytearray):
        raise ValueError(f"got bytes, {brief(values)}")
    if _has_gaps(values):
        raise ValueError("got masked entries, which have no value")
    array: npt.NDArray[Any] = np.asarray(values)
    if array.dtype.kind not in _REAL_KINDS:
        raise ValueError(f"got {brief(values)} of type {array.dtype.name}")
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _has_gaps(values: Any) -> bool:
    if isinstance(values, list | tuple):
        return any(map(_has_gaps, values))
    return isinstance(values, np.ma.MaskedArray) and bool(np.ma.getmaskarray(values).any())
