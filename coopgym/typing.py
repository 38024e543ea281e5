"""Types of arrays that every package speaks of."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
Frame: TypeAlias = npt.NDArray[np.uint8]
"""A picture, ``(height, width, 3)`` in [0, 255]."""
