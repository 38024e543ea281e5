"""PPR: principle process rewards shifted by the outcome, so that wrong rollouts never earn (arXiv 2509.25598)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from coopgym.algorithms.llm.kernels.returns import discounted
from coopgym.algorithms.llm.kernels.validation import array, number, optional
from coopgym.typing import FloatArray


def renorm(process: Sequence[float | None], outcome: float) -> FloatArray:
    """Return ``r_t = r^p_t + r^o - 1``; an unscored turn (None), the answer's, earns ``2 r^o - 1`` [ours].

    The shift adds ½ per turn to a right rollout and takes ½ per turn from a wrong one: returns grow with turns.

    Args:
        process: ``(T,)`` scores of turns in [0, 1].
        outcome: outcome reward in [0, 1].

    Returns:
        ``(T,)``.
    """
    score, scored = optional("process", process, low=0.0, high=1.0)
    result = number("outcome", outcome, 0.0, 1.0)
    return np.where(scored, score, result) + result - 1.0


def gae(rewards: npt.ArrayLike, values: npt.ArrayLike, gamma: float = 1.0, lam: float = 1.0) -> dict[str, FloatArray]:
    """Return generalised advantages (arXiv 1506.02438) of a rollout that ends after its last token.

    ``δ_t = r_t + γ V_{t+1} - V_t``, ``A_t = δ_t + γλ A_{t+1}``, returns ``A + V``.

    Args:
        rewards: ``(L,)``.
        values: ``(L,)``.
        gamma: discount factor γ.
        lam: exponential weight λ.

    Returns:
        ``adv`` and ``returns``, each ``(L,)``.

    >>> gae(rewards=[0.0, 1.0], values=[0.5, 0.5], lam=0.5)
    {'adv': array([0.25, 0.5 ]), 'returns': array([0.75, 1.  ])}
    """
    reward = array("rewards", rewards)
    value = array("values", values, reward.shape)
    discount = number("gamma", gamma, 0.0, 1.0)
    error = reward + discount * np.append(value[1:], np.zeros(min(1, value.size))) - value
    adv = discounted(error, discount * number("lam", lam, 0.0, 1.0))
    return {"adv": adv, "returns": adv + value}
