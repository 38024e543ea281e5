"""The critic: one linear layer on the policy's last hidden state."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn


class ValueHead(nn.Module):
    """Values of token positions, zero at first.

    Args:
        width: size H of the hidden state.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, 1)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return values ``(B, L)`` for hidden states ``(B, L, H)``; the policy's trunk is not moved by them."""
        value: Tensor = self.linear(hidden.detach()).squeeze(-1)
        return value

    def state(self) -> dict[str, Tensor]:
        """Return the parameters."""
        return {name: tensor.detach().clone() for name, tensor in self.state_dict().items()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from what `state` returned."""
        self.load_state_dict(dict(state))
