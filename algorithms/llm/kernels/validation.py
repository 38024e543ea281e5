"""Checks of what kernels are given: every message says what was wrong and what was expected."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from reprlib import repr as shortened
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from coopgym.typing import BoolArray, FloatArray, IntArray

Shape: TypeAlias = tuple[int | None, ...]
"""Sizes of an array; None stands for any size."""


def floats(name: str, values: npt.ArrayLike) -> FloatArray:
    """Return values as a float64 array of any shape, finite or not."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: expected numbers in rows of equal length, got {shortened(values)}") from error


def array(
    name: str, values: npt.ArrayLike, shape: Shape = (None,), low: float = -math.inf, high: float = math.inf
) -> FloatArray:
    """Return finite numbers in ``[low, high]`` as a float64 array of the given shape."""
    numbers = floats(name, values)
    if numbers.shape == (0,) and len(shape) == 2 and not shape[0]:
        numbers = numbers.reshape(0, shape[1] or 0)  # a table without rows says nothing of its columns
    check_shape(name, numbers.shape, shape)
    check_range(name, numbers, low, high)
    return numbers


def number(name: str, value: Any, low: float = -math.inf, high: float = math.inf) -> float:
    """Return a finite number in ``[low, high]``."""
    return float(array(name, value, (), low, high))


def whole_numbers(name: str, values: npt.ArrayLike, length: int | None = None, low: int = 0) -> IntArray:
    """Return whole numbers, at least ``low``, as integers."""
    numbers = array(name, values, (length,), low)
    if (numbers != np.rint(numbers)).any():
        raise ValueError(f"{name}: expected whole numbers, got {shortened(numbers.tolist())}")
    return numbers.astype(np.intp)


def whole_number(name: str, value: Any, low: int = 0, high: float = math.inf) -> int:
    """Return a whole number in ``[low, high]``."""
    whole = number(name, value, low, high)
    if not whole.is_integer():
        raise ValueError(f"{name}={value!r}: expected a whole number")
    return int(whole)


def flags(name: str, values: npt.ArrayLike, shape: Shape = (None,)) -> BoolArray:
    """Return booleans, given as such or as zeros and ones."""
    numbers = array(name, values, shape)
    if not np.isin(numbers, (0.0, 1.0)).all():
        raise ValueError(f"{name}: expected booleans or zeros and ones, got {shortened(numbers.tolist())}")
    return numbers.astype(np.bool_)


def optional(
    name: str,
    values: Sequence[Any] | npt.NDArray[Any],
    length: int | None = None,
    low: float = -math.inf,
    high: float = math.inf,
) -> tuple[FloatArray, BoolArray]:
    """Return finite numbers in ``[low, high]`` of which some are absent (None).

    Returns:
        The numbers with zero in place of what is absent, and where there is one; both ``(N,)``.
    """
    entries = list(values)
    check_shape(name, (len(entries),), (length,))
    present = np.array([entry is not None for entry in entries], dtype=np.bool_)
    numbers = np.zeros(len(entries))
    numbers[present] = array(name, [entry for entry in entries if entry is not None], (None,), low, high)
    return numbers, present


def labels(name: str, values: Sequence[Any] | npt.NDArray[Any], length: int | None = None) -> list[Hashable]:
    """Return identities (of groups, answers, calls): anything hashable that equals itself; None is one of them."""
    entries = values.tolist() if isinstance(values, np.ndarray) else list(values)
    check_shape(name, (len(entries),), (length,))
    for entry in entries:
        if not isinstance(entry, Hashable) or entry != entry:  # only NaN differs from itself
            raise ValueError(f"{name}: expected hashable values other than NaN, got {shortened(entry)}")
    return entries


def choice(name: str, value: Any, options: Sequence[str]) -> None:
    """Raise unless a value is one of the options."""
    if value not in options:
        raise ValueError(f"{name}={value!r}: expected {' or '.join(map(repr, options))}")


def check_shape(name: str, actual: tuple[int, ...], expected: Shape) -> None:
    """Raise unless a shape is the expected one."""
    if len(actual) != len(expected) or any(
        size not in (None, found) for size, found in zip(expected, actual, strict=True)
    ):
        sizes = ", ".join("any" if size is None else str(size) for size in expected)
        raise ValueError(f"{name}: expected shape ({sizes}), got {actual}")


def check_range(name: str, numbers: FloatArray, low: float, high: float) -> None:
    """Raise unless all numbers are finite and in ``[low, high]``."""
    if not np.isfinite(numbers).all():
        raise ValueError(f"{name}: expected finite numbers, got {shortened(numbers.tolist())}")
    outside = (numbers < low) | (numbers > high)
    if outside.any():
        raise ValueError(f"{name}: expected numbers in [{low:g}, {high:g}], got {numbers[outside].flat[0]:g}")
