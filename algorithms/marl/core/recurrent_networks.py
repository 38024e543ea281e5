"""Networks of the seats that remember their episode, and what they remember of the episodes in progress.

Shapes: R replicas, n seats, E members of an ensemble, T steps of M or of all B environment copies, H units.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from coopgym.algorithms.common.gated_recurrence import (
    initialise_recurrent,
    recurrent,
    recurrent_shapes,
    recurrent_step,
)
from coopgym.algorithms.marl.core.agent_learner import Context, SeatNetworks


class RecurrentNetworks(SeatNetworks):
    """Perceptrons whose last hidden layer is a gated recurrent unit; the arguments are those of `SeatNetworks`."""

    shapes = staticmethod(recurrent_shapes)

    def initialise(self, context: Context, output_gain: float) -> None:
        """Draw orthogonal weights with zero biases, each replica from its own stream."""
        initialise_recurrent(self.parameters, self.layers, context.streams.initial, output_gain)

    def __call__(
        self,
        inputs: Tensor,
        hidden: Tensor,
        ended: Tensor | None = None,
        parameters: Mapping[str, Tensor] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return outputs ``(R, [E,] n, T, M, out)`` of sequences, and the units ``(R, [E,] n, T, M, H)``.

        Args:
            inputs: ``(R, [E,] n, T, M, in)``.
            hidden: what is remembered before the first step, ``(R, [E,] n, M, H)``.
            ended: whether an episode ended with a step; broadcasts to ``(R, [E,] n, T, M)``. None is nowhere.
            parameters: those to compute with instead of the own.
        """
        chosen = self.parameters.named() if parameters is None else parameters
        return recurrent(self.per_seat(chosen), self.layers, inputs, hidden, ended, self.activation)

    def step(self, inputs: Tensor, hidden: Tensor, parameters: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return outputs ``(R, n, M, out)`` and units ``(R, n, M, H)`` of one step of a member's parameters.

        Args:
            inputs: ``(R, n, M, in)``.
            hidden: what is remembered, ``(R, n, M, H)``.
            parameters: of one network per seat, or of the shared one.
        """
        return recurrent_step(self.per_seat(parameters), self.layers, inputs, hidden, self.activation)


class HiddenStates:
    """What recurrent networks remember of the episodes in progress, from block to block.

    Args:
        lead: ``(R, [E,] n)``.
        units: H.
        context: the training.
    """

    def __init__(self, lead: tuple[int, ...], units: int, context: Context) -> None:
        self.now = torch.zeros(*lead, context.copies, units, device=context.device)
        """``(R, [E,] n, B, H)``."""
        self.start = self.now.clone()
        """The same when the block began."""

    def begin(self) -> None:
        """Begin a block."""
        self.start.copy_(self.now)

    def forget(self, ended: Tensor) -> None:
        """Forget the episodes that ended, ``(R, B)``."""
        replicas, copies = ended.shape
        self.now.masked_fill_(ended.view(replicas, *(1,) * (self.now.dim() - 3), copies, 1), 0.0)

    def state(self) -> dict[str, Tensor]:
        """Return everything a resumed run needs."""
        return {"now": self.now}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a state that `state` returned."""
        self.now.copy_(state["now"])
