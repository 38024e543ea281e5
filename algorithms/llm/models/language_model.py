"""What every trainable language model can do: write, score what was written, learn, be copied and be kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from coopgym.algorithms.llm.models.sampling import Generation, Writer, sample
from coopgym.algorithms.llm.models.tokenizer import Tokenizer
from coopgym.typing import BoolArray, IntArray


@dataclass(frozen=True, eq=False)
class Scores:
    """What a model thinks of B sequences of at most L tokens. Shorter ones are padded on the right.

    Attributes:
        logp: log-probability of every token given those before it, ``(B, L)``; 0 at the first position, at positions
            that were not asked for, and in the padding.
        entropy: of the distribution that the token comes from, in nats, ``(B, L)``; 0 where ``logp`` is.
        hidden: state after reading each token, ``(B, L, width)``, or None: token t is written from state t - 1.
    """

    logp: Tensor
    entropy: Tensor
    hidden: Tensor | None


class LanguageModel(ABC):
    """A causal language model on the level of tokens.

    Attributes:
        tokenizer: turns text into tokens and back.
        context: length of the longest sequence that it can read, in tokens.
        width: entries of a hidden state.
        device: where it computes.
    """

    tokenizer: Tokenizer
    context: int
    width: int
    device: torch.device

    def generate(
        self,
        contexts: Sequence[IntArray],
        *,
        max_tokens: int | Sequence[int],
        temperature: float = 1.0,
        uniforms: Sequence[np.random.Generator] | None = None,
    ) -> list[Generation]:
        """Continue every context until an end token, or until ``max_tokens`` or the model's context are used up.

        A continuation comes from its own generator by the inverse distribution function: it does not depend on the
        randomness of the sequences beside it. Its generator gives ``max_tokens`` numbers, however many are needed.

        Args:
            contexts: tokens to continue, at least one in each.
            max_tokens: longest continuation, of all or of each.
            temperature: divides the logits; 0 takes the likeliest token and needs no generators.
            uniforms: one generator per context.

        Raises:
            ValueError: an empty or overlong context, an unknown token, a bad temperature or ``max_tokens``, or not as
                many of something as there are contexts.
            FloatingPointError: the model's weights have diverged.
        """
        self._check(contexts)
        if not (np.isfinite(temperature) and temperature >= 0.0):
            raise ValueError(f"temperature={temperature!r}: expected a finite number of at least 0")
        budgets = [max_tokens] * len(contexts) if isinstance(max_tokens, int) else list(max_tokens)
        if len(budgets) != len(contexts) or min(budgets, default=0) < 0:
            raise ValueError(
                f"max_tokens={max_tokens!r}: expected numbers of at least 0, one or {len(contexts)} of them"
            )
        draws = np.zeros((len(contexts), max(budgets, default=0)))
        if temperature > 0.0:
            if uniforms is None or len(uniforms) != len(contexts):
                given = "none" if uniforms is None else len(uniforms)
                raise ValueError(f"uniforms: {given} given, expected a generator for each of {len(contexts)} contexts")
            for row, budget, generator in zip(draws, budgets, uniforms, strict=True):
                row[:budget] = generator.random(budget)
        room = [self.context - len(context) for context in contexts]
        limits = np.minimum(budgets, room).astype(np.int64)
        with torch.inference_mode():
            return sample(self._writer(), contexts, self.tokenizer.ends, limits, temperature, draws)

    def score(
        self,
        sequences: Sequence[IntArray],
        *,
        where: Sequence[BoolArray] | None = None,
        hidden: bool = False,
        temperature: float = 1.0,
    ) -> Scores:
        """Read sequences and return log-probabilities and entropies, differentiable in the parameters.

        Args:
            sequences: tokens, at least one in each.
            where: per sequence, the positions that are wanted; all by default. The rest costs no vocabulary-wide work.
            hidden: return hidden states as well.
            temperature: divides the logits: what was sampled is scored by the distribution that it was sampled from.

        Raises:
            ValueError: an empty or overlong sequence, an unknown token, a mask of another length, or a bad temperature.
        """
        self._check(sequences)
        if not (np.isfinite(temperature) and temperature > 0.0):
            raise ValueError(f"temperature={temperature!r}: expected a finite number above 0")
        ids, inside = padded(sequences, self.device)
        wanted = inside.clone() if where is None else padded_like(where, sequences, self.device)
        wanted[:, 0] = False
        logits, states = self._read(ids, inside, wanted.roll(-1, dims=1), hidden)
        distribution = (logits.float() / temperature).log_softmax(-1)
        logp = distribution.gather(-1, ids[wanted].unsqueeze(-1)).squeeze(-1)
        entropy = -(distribution.exp() * distribution).sum(-1)
        blank = logp.new_zeros(ids.shape)
        return Scores(blank.masked_scatter(wanted, logp), blank.masked_scatter(wanted, entropy), states)

    @abstractmethod
    def parameters(self) -> list[Tensor]:
        """Return the tensors that training changes."""

    @abstractmethod
    def state(self) -> dict[str, Tensor]:
        """Return what training changes by name: enough to continue with `restore` on a model made alike.

        The tensors are the model's own, cut off from differentiation: whoever keeps them copies them.
        """

    @abstractmethod
    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a state that `state` returned; the tensors of `parameters` stay the same objects.

        Raises:
            ValueError: names or shapes of another model.
        """

    @abstractmethod
    def frozen_copy(self) -> LanguageModel:
        """Return an independent copy that needs no gradients: a reference policy."""

    @abstractmethod
    def save(self, folder: str | Path) -> None:
        """Write the model to a folder that `coopgym.algorithms.llm.models.loading.load_model` reads."""

    @abstractmethod
    def _read(self, ids: Tensor, inside: Tensor, where: Tensor, hidden: bool) -> tuple[Tensor, Tensor | None]:
        """Return logits of what follows the M positions ``where`` is True, ``(M, size)``, and hidden states if asked.

        ``ids`` ``(B, L)`` are padded on the right, where ``inside`` is False.
        """

    @abstractmethod
    def _writer(self) -> Writer:
        """Return a new writer for one batch."""

    def _check(self, sequences: Sequence[IntArray]) -> None:
        for index, sequence in enumerate(sequences):
            if not 1 <= len(sequence) <= self.context:
                raise ValueError(
                    f"sequence {index} has {len(sequence)} tokens: the model reads between 1 and {self.context}; "
                    "shorten it or use a model with a longer context"
                )
            if np.min(sequence) < 0 or np.max(sequence) >= self.tokenizer.size:
                raise ValueError(f"sequence {index}: expected tokens from 0 to {self.tokenizer.size - 1}")


def padded(sequences: Sequence[IntArray], device: torch.device) -> tuple[Tensor, Tensor]:
    """Return ``(ids, inside)``, both ``(B, L)``: sequences padded on the right, and True where a token stands."""
    lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
    inside = np.arange(lengths.max(initial=1)) < lengths[:, None]
    ids = np.zeros(inside.shape, dtype=np.int64)
    if len(sequences):
        ids[inside] = np.concatenate(sequences)
    return torch.as_tensor(ids, device=device), torch.as_tensor(inside, device=device)


def padded_like(masks: Sequence[BoolArray], sequences: Sequence[IntArray], device: torch.device) -> Tensor:
    """Return masks ``(B, L)`` padded on the right with False.

    Raises:
        ValueError: a mask is not as long as its sequence.
    """
    lengths = [len(mask) for mask in masks], [len(sequence) for sequence in sequences]
    if lengths[0] != lengths[1]:
        raise ValueError(f"where: masks of lengths {lengths[0]}, expected those of the sequences, {lengths[1]}")
    values, _ = padded([np.asarray(mask, dtype=np.int64) for mask in masks], device)
    return values.bool()
