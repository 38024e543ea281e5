"""A language model that writes what it is told to, and a way to write rollouts by hand, in the compact dialect."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from coopgym.algorithms.llm.method.training_services import Services
from coopgym.algorithms.llm.models import ByteTokenizer, LanguageModel
from coopgym.algorithms.llm.play.conversation import Decoding, Rollout
from coopgym.algorithms.llm.play.scripted_play import say
from coopgym.algorithms.llm.play.tasks import Task, TaskSettings
from coopgym.algorithms.llm.play.trajectories import Batch, Group, Trajectory
from coopgym.typing import IntArray


class Parrot(LanguageModel):
    """Writes one message after each text.

    Args:
        message: the message, given all that stands before it.
        strength: advantage in logits of each of its tokens over all others; 0 writes anything.
        context: longest sequence.
    """

    def __init__(
        self,
        message: Callable[[str], str] = lambda text: "submit .10",
        strength: Callable[[str], float] = lambda text: 20.0,
        context: int = 2000,
    ) -> None:
        self.message, self.strength, self.context = message, strength, context
        self.tokenizer, self.width, self.device = ByteTokenizer(), 1, torch.device("cpu")

    def logits(self, ids: Sequence[int]) -> Tensor:
        text = bytes(token for token in ids if token != self.tokenizer.end)
        start = max(text.rfind(b"\n"), text.rfind(b">")) + 1
        standing, begun = text[:start].decode(errors="replace"), text[start:]
        message = [*self.message(standing).encode(), self.tokenizer.end]
        table = torch.zeros(self.tokenizer.size)
        if bytes(message[:-1]).startswith(begun):
            table[message[len(begun)]] = self.strength(standing)
        return table

    def _read(self, ids: Tensor, inside: Tensor, where: Tensor, hidden: bool) -> tuple[Tensor, Tensor | None]:
        rows = [self.logits(ids[row, : place + 1].tolist()) for row, place in where.nonzero().tolist()]
        return torch.stack([*rows, torch.zeros(self.tokenizer.size)])[: len(rows)], None

    def _writer(self) -> _Writer:
        return _Writer(self)

    def parameters(self) -> list[Tensor]:
        return []

    def state(self) -> dict[str, Tensor]:
        return {}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        return

    def frozen_copy(self) -> Parrot:
        return self

    def save(self, folder: str | Path) -> None:
        raise NotImplementedError


class _Writer:
    def __init__(self, model: Parrot) -> None:
        self.model = model

    def begin(self, contexts: Sequence[IntArray], room: int) -> Tensor:
        self.written = [context.tolist() for context in contexts]
        return self._logits()

    def keep(self, rows: Tensor) -> None:
        self.written = [list(self.written[row]) for row in rows.tolist()]

    def write(self, tokens: Tensor) -> Tensor:
        for ids, token in zip(self.written, tokens.tolist(), strict=True):
            ids.append(token)
        return self._logits()

    def _logits(self) -> Tensor:
        return torch.stack([self.model.logits(ids) for ids in self.written])


GOLD = 0.50
"""The oracle's level in `task`, on the grid."""


def task(**settings: object) -> Task:
    """Return a task in which a partner always plays a quarter."""
    return Task(TaskSettings("TrustDilemma-v1", partners=("Constant_25",), **settings), 0, "Constant_25", 3, 11)


def services(model: LanguageModel | None = None) -> Services:
    return Services(model or Parrot(), Decoding(max_tokens=24), "compact", seed=0)


def played(where: Task, *messages: str, model: LanguageModel | None = None) -> Trajectory:
    """Return a rollout made of these messages."""
    rollout = Rollout.of_task(where, model or Parrot(), np.random.default_rng(0))
    for message in messages:
        assert say(rollout, message)
    return rollout.trajectory(where)


def batch(*groups: Group, step: int = 0) -> Batch:
    return Batch(list(groups), step)


def group(where: Task, *dialogues: Sequence[str]) -> Group:
    """Return a group with one member per list of messages."""
    return Group(where, [played(where, *messages) for messages in dialogues])
