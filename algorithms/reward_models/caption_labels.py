"""Which captions have been seen and labelled: a table beside a queue whose newest entries are labelled first."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

NEVER = -1
UNKNOWN, NO, YES = -1, 0, 1
NOTHING = 2
"""An answer that holds no label."""
ATTEMPTS = 3
"""Times that a caption is handed to an annotator that gives no answer."""


class CaptionLabels:
    """Labels of C captions, for K agents that know nothing of one another.

    A caption waits from when it is first seen until it is handed to the annotator: last in, first out.

    Args:
        agents: K.
        captions: C.
        device: where it lives.
    """

    def __init__(self, agents: int, captions: int, device: torch.device) -> None:
        self.label = torch.full((agents, captions), UNKNOWN, dtype=torch.int64, device=device)
        self._since = torch.full((agents, captions), NEVER, dtype=torch.int64, device=device)
        self._attempts = torch.zeros(agents, captions, dtype=torch.int64, device=device)
        self._asked = torch.zeros(agents, captions, dtype=torch.bool, device=device)
        self._time = torch.zeros((), dtype=torch.int64, device=device)
        self._answer = torch.full((captions,), NEVER, dtype=torch.int64, device=device)
        self._due = torch.zeros(captions, dtype=torch.int64, device=device)

    @property
    def waiting(self) -> Tensor:
        """``(K, C)`` which captions wait to be labelled."""
        unanswered = (self.label == UNKNOWN) & (self._attempts < ATTEMPTS)
        return (self._since != NEVER) & unanswered & ~self._asked

    @property
    def unreadable(self) -> Tensor:
        """``(K,)`` captions for which the annotator gave no answer however often it was asked."""
        return ((self.label == UNKNOWN) & (self._attempts >= ATTEMPTS)).sum(-1)

    def see(self, captions: Tensor) -> None:
        """Take note of captions ``(T, K, B)`` that have been seen in the last T steps, the oldest first."""
        steps, agents, rows = captions.shape
        times = torch.arange(steps, 0, -1, device=captions.device).view(1, -1, 1).expand(agents, -1, rows)
        ago = torch.zeros_like(self._since)
        ago.scatter_reduce_(1, captions.transpose(0, 1).flatten(1), times.flatten(1), "amax")
        self._time += steps
        anew = (ago > 0) & (self._since == NEVER)
        self._since = torch.where(anew, self._time + 1 - ago, self._since)

    def ask(self, count: int) -> Tensor:
        """Take those that came last from the queue, and return which are under way to the annotator, ``(K, C)``.

        Of captions that came together the last in the list goes first.
        """
        captions = self._since.shape[-1]
        order = self._since * captions + torch.arange(captions, device=self._since.device)
        order = torch.where(self.waiting, order, NEVER)
        least = order.topk(min(count, captions), dim=-1).values[:, -1:]
        self._asked |= self.waiting & (order >= least)
        return self._asked

    def write(self, answers: Mapping[int, bool | None], delay: int = 0) -> None:
        """Write answers by caption, for the agents that asked for them.

        Args:
            answers: they are with whoever asked ``delay`` steps later, when `deliver` is called.
            delay: in steps.
        """
        for caption, answer in answers.items():
            self._answer[caption] = NOTHING if answer is None else int(answer)
            self._due[caption] = self._time + delay
        self.deliver()

    def deliver(self) -> None:
        """Hand out the answers whose time has come."""
        for caption in ((self._answer != NEVER) & (self._due <= self._time)).nonzero().flatten().tolist():
            asking, answer = self._asked[:, caption].clone(), self._answer[caption]
            self._attempts[:, caption] += asking & (answer == NOTHING)
            self.label[:, caption] = torch.where(asking & (answer != NOTHING), answer, self.label[:, caption])
            self._asked[:, caption] = False
            self._answer[caption] = NEVER

    @property
    def held(self) -> set[int]:
        """Captions whose answers are there and not yet due."""
        return set((self._answer != NEVER).nonzero().flatten().tolist())

    def state(self) -> dict[str, Tensor]:
        """Return everything a resumed run needs. Without an answer, what is under way will be asked for again."""
        return {
            "label": self.label,
            "since": self._since,
            "attempts": self._attempts,
            "asked": self._asked,
            "answer": self._answer,
            "due": self._due,
            "time": self._time,
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a state that `state` returned."""
        for name, tensor in self.state().items():
            tensor.copy_(state[name])
        self._asked &= self._answer != NEVER
