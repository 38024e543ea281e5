"""GTAlign: the geometric mean of both parties' welfare as reward, and payoff matrices to act on (arXiv 2510.08872)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from coopgym.algorithms.llm.kernels.validation import array, number
from coopgym.typing import FloatArray

PARTIES = ("user", "LLM")
"""Whose payoffs a cell of a matrix holds."""

NOTICEABLE = 0.1
"""Part of the larger payoff by which two must differ to tell the parties apart."""


def welfare(utilities: npt.ArrayLike, eps: float = 1e-4) -> float:
    """Return ``W = (Π_i (ε + max(u_i, 0)))^(1/n)``; ``utilities`` is ``(n,)``.

    >>> round(welfare([0.9, 0.4]), 3), round(welfare([1.0, 0.0]), 3)  # one may not make up for the other
    (0.6, 0.01)
    """
    floored = np.maximum(array("utilities", utilities), 0.0) + number("eps", eps, 0.0)
    if not floored.size:
        raise ValueError("utilities: expected at least one party, got none")
    return float(floored.prod() ** (1.0 / floored.size))


def game_welfare(
    payoff: npt.ArrayLike, disagreement: npt.ArrayLike, ideal: npt.ArrayLike, eps: float = 1e-4
) -> dict[str, Any]:
    """Return utilities ``u_i = clip((π_i - d_i) / (m_i - d_i), 0, 1)`` and their welfare, the Nash product [ours].

    Args:
        payoff: ``(n,)`` payoffs π.
        disagreement: ``(n,)`` payoffs d without agreement.
        ideal: ``(n,)`` best payoffs m; a party whose ideal is no better than disagreement has utility 0.
        eps: added to utilities.

    Returns:
        ``utility`` ``(n,)`` and ``welfare``.
    """
    reached = array("payoff", payoff)
    floor = array("disagreement", disagreement, reached.shape)
    span = array("ideal", ideal, reached.shape) - floor
    share = np.divide(reached - floor, span, out=np.zeros_like(span), where=span > 0.0)
    utility = np.clip(share, 0.0, 1.0)
    return {"utility": utility, "welfare": welfare(utility, eps)}


def length_band(words: float, lo: float, hi: float, k: float = 0.005) -> float:
    """Return ``B(w; lo, hi) = σ(k (w - lo)) σ(k (hi - w))``: how far a length is inside a band, in (0, 1)."""
    length, slope = number("words", words, 0.0), number("k", k, 0.0)
    return float(expit(slope * (length - number("lo", lo))) * expit(slope * (number("hi", hi) - length)))


def payoff_quality(matrix: Mapping[Any, Mapping[str, float]]) -> float:
    """Return half the share of cells whose payoffs differ and half the share where they do by more than 10 %.

    Args:
        matrix: cells by name, each with the payoffs of ``"user"`` and ``"LLM"``. Differences are relative to the larger
            payoff in size [ours].

    Returns:
        In [0, 1].
    """
    payoffs = _cells(matrix)
    difference = np.abs(payoffs[:, 0] - payoffs[:, 1])
    noticeable = difference > NOTICEABLE * np.abs(payoffs).max(-1)
    return float(0.5 * (difference > 0.0).mean() + 0.5 * noticeable.mean())


def scores(
    answer: float,
    format_ok: bool,
    payoff_quality: float,
    response_words: int,
    total_words: int,
    reasoning_chars: int,
    eps: float = 1e-4,
) -> dict[str, float]:
    """Return the published utilities of user and model and their geometric mean.

    ::

        U = ε + 0.5 a + 0.2 B(words of the reply; 20, 500) + 0.3 exp(-chars of reasoning / 500)
        L = ε + 0.2 f + 0.2 Q + 0.4 a + 0.2 B(all words; 500, 1000)
        W = sqrt(U L), 0 for malformed output

    Args:
        answer: quality a of the answer, in [0, 1].
        format_ok: whether the format f is kept.
        payoff_quality: quality Q of the matrix, in [0, 1].
        response_words: words of the reply.
        total_words: words of the whole output.
        reasoning_chars: characters of reasoning.
        eps: added to both utilities.

    Returns:
        ``user``, ``llm`` and ``score``; malformed output keeps its utilities and scores 0 [ours].
    """
    quality, floor = number("answer", answer, 0.0, 1.0), number("eps", eps, 0.0)
    brevity = float(np.exp(-number("reasoning_chars", reasoning_chars, 0.0) / 500.0))
    user = floor + 0.5 * quality + 0.2 * length_band(response_words, 20, 500) + 0.3 * brevity
    kept = 0.2 * bool(format_ok) + 0.2 * number("payoff_quality", payoff_quality, 0.0, 1.0)
    llm = floor + kept + 0.4 * quality + 0.2 * length_band(total_words, 500, 1000)
    return {"user": user, "llm": llm, "score": float(np.sqrt(user * llm)) if format_ok else 0.0}


def nash_choice(matrix: Mapping[Any, Mapping[str, float]]) -> Any:
    """Return the name of the cell with the largest product of payoffs, the first of equals.

    Negative payoffs count as 0, as in `welfare`: two losses do not multiply to a gain [ours].
    """
    return list(matrix)[int(np.maximum(_cells(matrix), 0.0).prod(-1).argmax())]


def payoff_calibration(estimate: npt.ArrayLike, truth: npt.ArrayLike) -> float:
    """Return ``1 - mean|estimate - truth| / range`` of payoffs, at least 0 [ours].

    Args:
        estimate: ``(n,)`` payoffs the model wrote down.
        truth: ``(n,)`` payoffs the game pays. If all are equal, only exact estimates score, 1.

    Returns:
        In [0, 1].
    """
    payoffs = array("truth", truth)
    error = np.abs(array("estimate", estimate, payoffs.shape) - payoffs)
    if not payoffs.size:
        raise ValueError("truth: expected at least one payoff, got none")
    span = float(np.ptp(payoffs))
    if span == 0.0:
        return float(not error.any())
    return max(0.0, 1.0 - float(error.mean()) / span)


def _cells(matrix: Mapping[Any, Mapping[str, float]]) -> FloatArray:
    if not matrix:
        raise ValueError("matrix: expected at least one cell, got none")
    for name, cell in matrix.items():
        if set(cell) != set(PARTIES):
            raise ValueError(f"matrix[{name!r}]: expected payoffs of {' and '.join(PARTIES)}, got {sorted(cell)}")
    return array("matrix", [[cell[party] for party in PARTIES] for cell in matrix.values()], (None, 2))
