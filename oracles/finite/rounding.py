"""What only rounding tells apart is equal: a table of ties must not be rated by its last digits."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from coopgym.typing import FloatArray

ROUNDING = 1e-12
"""Largest part of a number's size that sums of the same play in another order may differ by."""


def spread(values: npt.ArrayLike) -> float:
    """Return the largest of some numbers less the smallest; zero where they differ by rounding only."""
    numbers = np.asarray(values, dtype=np.float64)
    found = float(np.ptp(numbers))
    return found if found > ROUNDING * float(np.abs(numbers).max()) else 0.0


def without_rounding(values: npt.ArrayLike) -> FloatArray:
    """Return the numbers, all the same where they differ by rounding only."""
    numbers = np.asarray(values, dtype=np.float64)
    return numbers if spread(numbers) else np.full_like(numbers, numbers.flat[0])
