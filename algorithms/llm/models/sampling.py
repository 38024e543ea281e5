"""Writing: many sequences continued side by side, each from its own random numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from coopgym.typing import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Generation:
    """What a model wrote after one context.

    Attributes:
        ids: the tokens, the one that ends the message included if it was written.
        logp: log-probability of each token in the distribution that it was drawn from; of the likeliest, at temperature
            0, in the model's own.
        stopped: the model ended the message itself; otherwise it ran out of tokens.
    """

    ids: IntArray
    logp: FloatArray
    stopped: bool


class Writer(Protocol):
    """A batch of B sequences under way, with whatever the model remembers of them."""

    def begin(self, contexts: Sequence[IntArray], room: int) -> Tensor:
        """Read B contexts, each of which at most ``room`` tokens will follow; return the next token's logits (B, V)."""

    def keep(self, rows: Tensor) -> None:
        """Go on with the sequences of these indices, which may repeat."""

    def write(self, tokens: Tensor) -> Tensor:
        """Append a token ``(B,)`` to every sequence; return the next token's logits ``(B, V)``."""


def sample(
    writer: Writer,
    contexts: Sequence[IntArray],
    ends: Sequence[int],
    limits: IntArray,
    temperature: float,
    uniforms: FloatArray,
) -> list[Generation]:
    """Continue contexts until they end. Equal contexts are read once; finished sequences leave the batch.

    Args:
        writer: a new writer.
        contexts: C sequences.
        ends: tokens that end a message.
        limits: longest continuation of each context, ``(C,)``.
        temperature: of the distribution that tokens are drawn from; 0 takes the likeliest.
        uniforms: random numbers in [0, 1), ``(C, limits.max())``.

    Raises:
        FloatingPointError: the model's probabilities are not numbers.
    """
    ids = np.zeros(uniforms.shape, dtype=np.int64)
    logp = np.zeros(uniforms.shape)
    lengths = np.zeros(len(contexts), dtype=np.int64)
    rows = np.flatnonzero(limits > 0)
    if len(rows):
        logits = _begin(writer, [contexts[row] for row in rows.tolist()], int(limits.max()))
    step = 0
    while len(rows):
        draws = torch.as_tensor(uniforms[rows, step], device=logits.device)
        tokens, chosen = draw(logits, temperature, draws)
        ids[rows, step], logp[rows, step] = tokens.numpy(force=True), chosen.numpy(force=True)
        step += 1
        lengths[rows] = step
        goes_on = ~np.isin(ids[rows, step - 1], ends) & (limits[rows] > step)
        if not goes_on.all():
            kept = torch.as_tensor(np.flatnonzero(goes_on), device=logits.device)
            rows, tokens = rows[goes_on], tokens[kept]
            writer.keep(kept)
        if len(rows):
            logits = writer.write(tokens)
    if not np.isfinite(logp).all():
        raise FloatingPointError("the model's probabilities are not finite: its weights have diverged")
    return [
        Generation(row[:length], row_logp[:length], bool(length and row[length - 1] in ends))
        for row, row_logp, length in zip(ids, logp, lengths, strict=True)
    ]


def draw(logits: Tensor, temperature: float, uniforms: Tensor) -> tuple[Tensor, Tensor]:
    """Draw a token per row by the inverse distribution function.

    Args:
        logits: ``(B, V)``.
        temperature: divides the logits; 0 takes the likeliest token.
        uniforms: ``(B,)`` in [0, 1), float64.

    Returns:
        Tokens ``(B,)`` and their log-probabilities ``(B,)`` in the distribution drawn from; at temperature 0, in the
        one of temperature 1.
    """
    exact = logits.double()
    exact = exact - exact.amax(-1, keepdim=True)
    if temperature == 0.0:
        tokens = exact.argmax(-1)
    else:
        exact = exact / temperature
        cumulative = exact.softmax(-1).cumsum(-1)
        target = uniforms.unsqueeze(-1) * cumulative[:, -1:]
        tokens = torch.searchsorted(cumulative, target, right=True).squeeze(-1).clamp(max=logits.shape[-1] - 1)
    return tokens, exact.log_softmax(-1).gather(-1, tokens.unsqueeze(-1)).squeeze(-1)


def _begin(writer: Writer, contexts: Sequence[IntArray], room: int) -> Tensor:
    places: dict[bytes, int] = {}
    copies = [places.setdefault(np.asarray(context, dtype=np.int64).tobytes(), len(places)) for context in contexts]
    logits = writer.begin([np.frombuffer(content, dtype=np.int64) for content in places], room)
    if len(places) == len(contexts):
        return logits
    rows = torch.as_tensor(copies, device=logits.device)
    writer.keep(rows)
    return logits[rows]
