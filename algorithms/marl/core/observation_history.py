"""What a learner with memory sees: the last observations of its seat, in training, in evaluation and when it plays.

Shapes: n observations that are seen at once, O entries of one of them; rows are episodes and seats, in any order.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from array_api_compat import array_namespace
from torch import Tensor

from coopgym.backend import Array


class ObservationHistory:
    """The last n observations of every row side by side, oldest first, as NumPy arrays or torch tensors.

    Where an episode starts, its first observation stands for those that are missing, so that none of the episode before
    is seen.

    Args:
        length: n.

    >>> history = ObservationHistory(3)
    >>> for observation in ([[1.0]], [[2.0]], [[3.0]], [[4.0]]):
    ...     print(history.push(np.array(observation)))
    [[1. 1. 1.]]
    [[1. 1. 2.]]
    [[1. 2. 3.]]
    [[2. 3. 4.]]
    """

    def __init__(self, length: int) -> None:
        self.length = length
        self.seen: Array = None
        """``(*rows, n·O)``; None before the first observation."""

    def push(self, observation: Array, started: Array | None = None) -> Array:
        """Add an observation and return what is seen with it; the arguments are those of `then`."""
        self.seen = self.then(observation, started)
        return self.seen

    def then(self, observation: Array, started: Array | None = None) -> Array:
        """Return what would be seen with one more observation, ``(*rows, n·O)``. Differentiable.

        Args:
            observation: ``(*rows, O)``.
            started: whether it is the first of an episode, ``(*rows, 1)`` or of fewer rows; None is nowhere.
        """
        if self.length == 1:
            return observation
        xp = array_namespace(observation)
        first = xp.concat([observation] * self.length, axis=-1)
        if self.seen is None:
            return first
        later = xp.concat([self.seen[..., observation.shape[-1] :], observation], axis=-1)
        return later if started is None else xp.where(started, first, later)

    def state(self) -> dict[str, Tensor]:
        """Return everything a resumed run needs; nothing where nothing is remembered."""
        return {} if self.length == 1 else {"history": self.seen}

    def restore(self, state: Mapping[str, Tensor], device: torch.device) -> None:
        """Continue from a state that `state` returned."""
        if self.length > 1:
            self.seen = state["history"].to(device)
