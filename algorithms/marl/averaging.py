"""The mean of the parameters that training went through: what a learner ends with jitters less than where it is."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from coopgym.algorithms.marl.networks import ParameterStack


class IterateAverage:
    """The plain mean of a stack's parameters over the last part of training; until then, the parameters as they are.

    Sources: Ruppert 1988, "Efficient Estimations from a Slowly Convergent Robbins-Monro Process"; Polyak and Juditsky
    1992, "Acceleration of Stochastic Approximation by Averaging".

    Args:
        mean: a stack of the same shapes as the one averaged; it is overwritten.
        over: last share of training that is averaged over, in [0, 1].
    """

    def __init__(self, mean: ParameterStack, over: float) -> None:
        self.mean, self.over = mean, over
        self.count = torch.zeros((), dtype=torch.int64)
        """Iterates that the mean is of."""

    def update(self, iterate: ParameterStack, progress: float) -> None:
        """Take in the parameters at a share ``progress`` of training."""
        if progress < 1.0 - self.over:
            self.mean.follow(iterate)
        else:
            self.count += 1
            self.mean.follow(iterate, 1.0 / int(self.count))

    def state(self) -> dict[str, Tensor]:
        """Return everything a resumed run needs."""
        return {**self.mean.state(), "count": self.count}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a state that `state` returned."""
        self.mean.restore(state)
        self.count.copy_(state["count"])
