"""Trees of turns as arrays of parents."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from coopgym.algorithms.llm.kernels.validation import whole_numbers
from coopgym.typing import IntArray


def checked_parents(parent: npt.ArrayLike) -> IntArray:
    """Return the node above each node, ``(nodes,)``.

    Raises:
        ValueError: node 0 is not the root (-1), or a node does not come after its parent.
    """
    above = whole_numbers("parent", parent, low=-1)
    if not above.size or above[0] != -1 or (above[1:] < 0).any() or (above >= np.arange(above.size)).any():
        raise ValueError(
            f"parent: expected -1 for the root at index 0 and then, for each node, one before it, got {above.tolist()}"
        )
    return above


def depths(above: IntArray) -> IntArray:
    """Return how far below the root each node is, ``(nodes,)``."""
    depth = np.zeros_like(above)
    for node in range(1, above.size):
        depth[node] = depth[above[node]] + 1
    return depth
