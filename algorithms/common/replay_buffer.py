"""Replay: the last transitions of all replicas in one ring on the device.

Shapes: R replicas, S transitions pushed at once, M transitions sampled, B environment copies.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

Fields = dict[str, Tensor]
"""Tensors ``(R, M, *shape)`` by name."""


class ReplayBuffer:
    """A ring buffer of transitions, in the order of time, B of them per step.

    What follows a transition stands B rows further, so nothing is stored twice; the newest steps have no successors yet
    and are not sampled. A transition is one row of numbers: one access to memory fetches all of it. Actions are kept as
    shares of endowment or levels in (-1, 1), never in units.

    Args:
        replicas: R.
        capacity: transitions per replica, rounded down to whole steps.
        copies: B.
        fields: shape of each named part of a transition.
        device: where the buffer lives.
        ahead: steps that must follow a transition before it is sampled.

    Raises:
        ValueError: the capacity holds no step together with those that must follow it.
    """

    def __init__(
        self,
        replicas: int,
        capacity: int,
        copies: int,
        fields: Mapping[str, tuple[int, ...]],
        device: torch.device,
        ahead: int = 1,
    ) -> None:
        if capacity < (ahead + 1) * copies:
            raise ValueError(f"buffer_size={capacity}: expected room for {ahead + 1} steps of {copies} copies each")
        self.copies, self.capacity, self.ahead = copies, capacity // copies * copies, ahead
        self.pushed = 0
        """Transitions pushed per replica so far."""
        self._columns: dict[str, tuple[slice, tuple[int, ...]]] = {}
        width = 0
        for name, shape in fields.items():
            self._columns[name] = slice(width, width := width + math.prod(shape)), shape
        self._rows = torch.zeros(replicas, self.capacity, width, device=device)

    @property
    def size(self) -> int:
        """Number of transitions that can be sampled."""
        return max(min(self.pushed, self.capacity) - self.ahead * self.copies, 0)

    def push(self, transitions: Mapping[str, Tensor]) -> None:
        """Append transitions, the oldest give way.

        Args:
            transitions: every field as ``(R, S, *shape)``, S a multiple of B in the order of time.
        """
        count = len(next(iter(transitions.values()))[0])
        done = max(count - self.capacity, 0)
        while done < count:
            row = (self.pushed + done) % self.capacity
            fits = min(count - done, self.capacity - row)
            for name, (columns, _) in self._columns.items():
                chosen = transitions[name][:, done : done + fits]
                self._rows[:, row : row + fits, columns] = chosen.reshape(*chosen.shape[:2], -1)
            done += fits
        self.pushed += count

    def fetch(self, index: Tensor, later: int | Tensor = 0, names: Iterable[str] | None = None) -> Fields:
        """Return transitions, or those some steps later in the same environment copies.

        Args:
            index: ``(R, M)`` in [0, size), oldest first.
            later: steps, in [0, ahead]; a number or one per transition.
            names: the fields wanted; None is all.
        """
        replicas, capacity, _ = self._rows.shape
        row = (max(self.pushed - capacity, 0) + index + self.copies * later) % capacity
        place = row + capacity * torch.arange(replicas, device=row.device).unsqueeze(1)
        rows = self._rows.flatten(0, 1)
        if names is None:
            columns = self._columns
            found = rows.index_select(0, place.flatten()).unflatten(0, row.shape)
            return {name: self._unfold(found[..., part], shape) for name, (part, shape) in columns.items()}
        chosen = {name: self._columns[name] for name in names}
        return {name: self._unfold(rows[:, part][place], shape) for name, (part, shape) in chosen.items()}

    def state(self) -> dict[str, Tensor]:
        """Return everything a resumed run needs."""
        filled = min(self.pushed, self.capacity)
        return {"rows": self._rows[:, :filled], "pushed": torch.tensor(self.pushed)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a state that `state` returned."""
        self.pushed = int(state["pushed"])
        self._rows[:, : state["rows"].shape[1]] = state["rows"].to(self._rows.device)

    @staticmethod
    def _unfold(found: Tensor, shape: tuple[int, ...]) -> Tensor:
        return found.unflatten(-1, shape or (1,)).view(*found.shape[:-1], *shape)
