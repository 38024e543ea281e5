"""Many short endings of the same contexts: no beginning that they share is read twice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from coopgym.algorithms.llm.models.language_model import LanguageModel
from coopgym.algorithms.llm.models.sampling import Writer
from coopgym.typing import FloatArray, IntArray

CELLS = 65_536
"""Tokens remembered side by side, over all endings; more only where one context alone takes them."""


def endings_logp(
    model: LanguageModel, contexts: Sequence[IntArray], endings: Sequence[Sequence[IntArray]]
) -> tuple[list[FloatArray], int]:
    """Return the log-probability of every ending after its context, without gradients, and how many tokens were read.

    Args:
        model: who reads.
        contexts: C token sequences; equal ones are read once.
        endings: for each of them, some continuations of at least one token.

    Returns:
        For each context, one number per ending; NaN where both together are longer than the model can read. Tokens read
        are those of different contexts, and of different beginnings of endings after each.
    """
    read = 0
    found = [np.full(len(own), np.nan) for own in endings]
    alike: dict[bytes, list[int]] = {}
    for place in sorted(range(len(contexts)), key=lambda place: len(contexts[place])):
        alike.setdefault(contexts[place].tobytes(), []).append(place)
    longest = max((len(context) for context in contexts), default=0)
    most = max((len(own) for own in endings), default=0)
    count = max(1, CELLS // max(1, longest * most))
    groups = list(alike.values())
    for start in range(0, len(groups), count):
        part = groups[start : start + count]
        pairs = [
            (row, place, number)
            for row, places in enumerate(part)
            for place in places
            for number, ending in enumerate(endings[place])
            if len(contexts[place]) + len(ending) <= model.context
        ]
        if not pairs:
            continue
        rows = np.array([row for row, _, _ in pairs], dtype=np.int64)
        wanted = [endings[place][number] for _, place, number in pairs]
        with torch.inference_mode():
            sums, tokens = _sums(model._writer(), [contexts[places[0]] for places in part], rows, wanted)
        read += tokens
        for (_, place, number), value in zip(pairs, sums, strict=True):
            found[place][number] = value
    return found, read


def _sums(
    writer: Writer, contexts: Sequence[IntArray], rows: IntArray, endings: Sequence[IntArray]
) -> tuple[list[float], int]:
    """Return the log-probability of each ending after the context in its row, and the number of tokens read.

    After every token the writer holds one sequence for each distinct beginning.
    """
    lengths = np.array([len(ending) for ending in endings])
    tokens = np.zeros((len(endings), lengths.max()), dtype=np.int64)
    for line, ending in zip(tokens, endings, strict=True):
        line[: len(ending)] = ending
    totals = np.zeros(len(endings))
    going = np.arange(len(endings))
    read = sum(len(context) for context in contexts)
    logits = writer.begin(contexts, tokens.shape[1])
    for step in range(tokens.shape[1]):
        logp = logits.double().log_softmax(-1)
        totals[going] += logp[rows, tokens[going, step]].numpy(force=True)
        goes_on = lengths[going] > step + 1
        going, rows = going[goes_on], rows[goes_on]
        if not len(going):
            break
        (sources, written), rows = _distinct(np.stack([rows, tokens[going, step]], axis=1))
        if not np.array_equal(sources, np.arange(len(logits))):
            writer.keep(torch.as_tensor(sources, device=logits.device))
        logits = writer.write(torch.as_tensor(written, device=logits.device))
        read += len(written)
    return totals.tolist(), read


def _distinct(pairs: IntArray) -> tuple[IntArray, IntArray]:
    """Return the distinct rows of ``(P, 2)``, transposed, and which of them each row is."""
    distinct, which = np.unique(pairs, axis=0, return_inverse=True)
    return distinct.T.copy(), which.reshape(-1)
