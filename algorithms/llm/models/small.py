"""The built-in language model: bytes in, bytes out, small enough to train from scratch on a CPU."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from coopgym.algorithms.common.settings import Settings, hyperparameter
from coopgym.algorithms.common.torch_defaults import torch_defaults
from coopgym.algorithms.llm.models.language_model import LanguageModel, padded
from coopgym.algorithms.llm.models.storage import copy_into, write_model
from coopgym.algorithms.llm.models.tokenizer import ByteTokenizer
from coopgym.algorithms.llm.models.transformer import (
    Attend,
    KeyValueCache,
    causal_attention,
    hidden_states,
    initial_weights,
    rotations,
)
from coopgym.typing import IntArray


@dataclass(frozen=True, kw_only=True)
class SmallSettings(Settings):
    """Size of a `SmallModel`.

    Raises:
        ValueError: a number out of range, or heads that do not share the width in even parts.
    """

    layers: int = hyperparameter(2, 1, 64)
    width: int = hyperparameter(96, 2, 4096)
    heads: int = hyperparameter(4, 1, 256)
    context: int = hyperparameter(512, 2, 65_536)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width % (2 * self.heads):
            raise ValueError(f"width={self.width}: expected a multiple of twice the {self.heads} heads")


class SmallModel(LanguageModel):
    """A byte-level transformer in single precision.

    Args:
        settings: size.
        seed: of the initial weights.
        device: where it lives.
    """

    @torch_defaults()
    def __init__(
        self, settings: SmallSettings | None = None, *, seed: int = 0, device: str | torch.device = "cpu"
    ) -> None:
        self.settings = settings or SmallSettings()
        self.tokenizer = ByteTokenizer()
        self.context = self.settings.context
        self.width = self.settings.width
        self.device = torch.device(device)
        drawn = initial_weights(
            self.settings.layers, self.settings.width, self.tokenizer.size, np.random.default_rng(seed)
        )
        self._weights = {name: weight.to(self.device).requires_grad_() for name, weight in drawn.items()}
        self._turns = rotations(self.context, self.width // self.settings.heads, self.device)

    def parameters(self) -> list[Tensor]:
        return list(self._weights.values())

    def state(self) -> dict[str, Tensor]:
        return {name: weight.detach() for name, weight in self._weights.items()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        copy_into(self.state(), state)

    def frozen_copy(self) -> SmallModel:
        copy = SmallModel(self.settings, device=self.device)
        copy.restore(self.state())
        for weight in copy.parameters():
            weight.requires_grad_(False)
        return copy

    def save(self, folder: str | Path) -> None:
        write_model(Path(folder), "small", dataclasses.asdict(self.settings), self.state())

    def _read(self, ids: Tensor, inside: Tensor, where: Tensor, hidden: bool) -> tuple[Tensor, Tensor | None]:
        states = self._states(ids, self._turns[: ids.shape[1]], causal_attention)
        return self._logits(states[where]), states if hidden else None

    def _writer(self) -> _Writer:
        return _Writer(self)

    def _states(self, ids: Tensor, turns: Tensor, attend: Attend) -> Tensor:
        return hidden_states(self._weights, self.settings.layers, self.settings.heads, ids, turns, attend)

    def _logits(self, states: Tensor) -> Tensor:
        return states @ self._weights["embedding"].T


class _Writer:
    """Writes a batch with a key-value cache."""

    def __init__(self, model: SmallModel) -> None:
        self._model = model

    def begin(self, contexts: Sequence[IntArray], room: int) -> Tensor:
        model = self._model
        ids, inside = padded(contexts, model.device)
        self._cache = KeyValueCache(min(ids.shape[1] + room, model.context))
        self._lengths = inside.sum(1)
        states = model._states(ids, model._turns[: ids.shape[1]], self._cache.fill)
        return model._logits(states[torch.arange(len(ids), device=model.device), self._lengths - 1])

    def keep(self, rows: Tensor) -> None:
        self._lengths = self._lengths[rows]
        self._cache.keep(rows)

    def write(self, tokens: Tensor) -> Tensor:
        model = self._model
        self._cache.grow(self._lengths)
        turns = model._turns[self._lengths][:, None, None]
        self._lengths = self._lengths + 1
        return model._logits(model._states(tokens.unsqueeze(-1), turns, self._cache.extend).squeeze(1))
