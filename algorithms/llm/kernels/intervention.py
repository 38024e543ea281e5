"""InT: fine-tuning on a rollout's own prefix and a correction of its first wrong step (arXiv 2601.14209)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.algorithms.llm.kernels.validation import array, flags, whole_number, whole_numbers
from coopgym.typing import IntArray


def sft_mask(step_lens: npt.ArrayLike, first_error: int, intervention_len: int) -> dict[str, Any]:
    """Lay out the example that remains of a failed rollout: the steps before the error, then the correction.

    The faulty step is dropped with everything after it: one digest's prefix ends with the faulty step, which would
    train it [ours].

    Args:
        step_lens: ``(m,)`` tokens of each step.
        first_error: index of the faulty step.
        intervention_len: tokens of the correction.

    Returns:
        ``prefix_tokens``, ``length``, ``dropped_tokens``, and ``loss_mask`` ``(length,)``, ones.

    >>> sft_mask(step_lens=[3, 2, 4], first_error=1, intervention_len=2)
    {'prefix_tokens': 3, 'length': 5, 'dropped_tokens': 6, 'loss_mask': array([1, 1, 1, 1, 1])}
    """
    lengths = whole_numbers("step_lens", step_lens)
    error = whole_number("first_error", first_error, 0, lengths.size - 1)
    correction = whole_number("intervention_len", intervention_len)
    prefix = int(lengths[:error].sum())
    return {
        "prefix_tokens": prefix,
        "length": prefix + correction,
        "dropped_tokens": int(lengths[error:].sum()),
        "loss_mask": np.ones(prefix + correction, dtype=np.intp),
    }


def keep(leaks_answer: npt.ArrayLike, successes: npt.ArrayLike, min_successes: int = 1) -> IntArray:
    """Return which corrections stay: they do not tell the answer, and some continuation from them succeeded.

    Args:
        leaks_answer: ``(N,)`` whether the correction contains the final answer.
        successes: ``(N,)`` correct continuations.
        min_successes: continuations that must be correct.

    Returns:
        Indices, in order.
    """
    leaks = flags("leaks_answer", leaks_answer)
    enough = whole_numbers("successes", successes, leaks.size) >= whole_number("min_successes", min_successes)
    return np.flatnonzero(~leaks & enough)


def sft_loss(logp: npt.ArrayLike, mask: npt.ArrayLike) -> float:
    """Return ``-mean log π`` over the tokens in the mask; both ``(L,)``."""
    values = array("logp", logp)
    tokens = flags("mask", mask, values.shape)
    if not tokens.any():
        raise ValueError("mask: expected at least one token, got none")
    return float(-values[tokens].mean())
