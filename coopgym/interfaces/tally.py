"""Running sums over the rewards of episodes, which every step replaces and nothing changes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from coopgym.backend import Array
from coopgym.small_arrays import total


class Tally(NamedTuple):
    """What episodes have paid so far."""

    steps: Array
    """``(...)`` steps since the reset."""
    rewards: Array
    """``(..., N)`` sums of rewards as they were paid, transforms included."""
    squares: Array
    """``(..., N)`` sums of squared rewards."""

    @classmethod
    def blank(cls, shape: tuple[int, ...]) -> Tally:
        """Return what there is before the first step, for rewards of a shape ``(..., N)``."""
        return cls(np.zeros(shape[:-1], dtype=np.int64)[()], np.zeros(shape), np.zeros(shape))

    def add(self, rewards: Array) -> Tally:
        """Return the sums after a step's rewards ``(..., N)``."""
        return Tally(self.steps + 1, self.rewards + rewards, self.squares + rewards * rewards)

    def renewed(self, rows: Array) -> Tally:
        """Return the sums with those of some rows ``(...)`` begun anew."""
        kept = ~rows
        return Tally(self.steps * kept, self.rewards * kept[..., None], self.squares * kept[..., None])

    def variance(self) -> Array:
        """Population variance over the rewards of all agents and steps so far ``(...)``; there is at least one step."""
        count = self.steps * self.rewards.shape[-1]
        mean = total(self.rewards) / count
        variance = total(self.squares) / count - mean * mean
        return 0.5 * (variance + abs(variance))  # rounding may leave a little less than nothing
