"""SPAE: potentials from probed confidence and correctness; outcome credit fades once solved (arXiv 2601.03823)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.algorithms.llm.kernels.groups import Groups, zscore
from coopgym.algorithms.llm.kernels.ragged import Ragged, Rows
from coopgym.algorithms.llm.kernels.validation import array, labels, number
from coopgym.typing import FloatArray


def potential(acc: npt.ArrayLike, conf: npt.ArrayLike) -> FloatArray:
    """Return ``Φ = 1.5 Acc Conf + 0.5 Acc - Conf`` of each step, in [-1, 1].

    Args:
        acc: ``(K,)`` mean probability of the gold answer's tokens after each step, in [0, 1].
        conf: ``(K,)`` confidence of the probes, in [0, 1].

    >>> potential(acc=[0.0, 0.0, 1.0], conf=[0.0, 1.0, 1.0])  # being sure of a wrong answer is worst
    array([ 0., -1.,  1.])
    """
    accuracy = array("acc", acc, low=0.0, high=1.0)
    confidence = array("conf", conf, accuracy.shape, 0.0, 1.0)
    return 1.5 * accuracy * confidence + 0.5 * accuracy - confidence


def advantages(
    phi: Rows,
    reward: npt.ArrayLike,
    group: Sequence[Any],
    step_tokens: Rows,
    answer_tokens: npt.ArrayLike,
    alpha: float = 0.5,
    xi: float = 0.5,
    eps_sat: float = 0.9,
    eps: float = 1e-8,
) -> dict[str, Any]:
    """Return ``A_k = (r - group mean) f_k + ξ g_k``, whitened over all tokens of the batch.

    ::

        f_k = 1 - α (1 - e^{-C_k}),  C_k = #{t < k : Φ_t > ε_sat}
        g_k = e^{Δ̃_k} - mean over steps of e^{Δ̃},  Δ̃ = min-max of ΔΦ over all steps of the batch,  ΔΦ_1 = 0

    Answer tokens have f = 1 and g = 0; min-max and centring run over steps, whitening over tokens with the population
    variance [ours].

    Args:
        phi: N rows ``(K,)``, potential after each step.
        reward: ``(N,)`` outcome rewards.
        group: ``(N,)`` id of each rollout's group.
        step_tokens: N rows ``(K,)``, tokens of each step.
        answer_tokens: ``(N,)`` tokens of the answer.
        alpha: share α of outcome credit that can fade.
        xi: weight ξ of potential gains.
        eps_sat: potential ε_sat above which a problem counts as solved.
        eps: added to the standard deviation.

    Returns:
        ``steps``, N rows ``(K,)``, and ``answer`` ``(N,)``.
    """
    potentials = Ragged.of("phi", phi)
    tokens = Ragged.of("step_tokens", step_tokens, low=0.0)
    potentials.check_like("phi", tokens, "step_tokens")
    rewards = array("reward", reward, (potentials.lengths.size,))
    in_answer = array("answer_tokens", answer_tokens, rewards.shape, 0.0)
    outcome = Groups.by(labels("group", group, rewards.size)).centred(rewards)

    faded = 1.0 - number("alpha", alpha, 0.0, 1.0) * -np.expm1(-_solved_before(potentials, number("eps_sat", eps_sat)))
    step = outcome[potentials.rows] * faded + number("xi", xi) * _gains(potentials)
    whitened = zscore(
        np.concatenate([step, outcome]),
        Groups.whole(step.size + outcome.size),
        ddof=0,
        eps=number("eps", eps, 0.0),
        weight=np.concatenate([tokens.values, in_answer]),
    )
    return {"steps": potentials.with_values(whitened[: step.size]).split(), "answer": whitened[step.size :]}


def _solved_before(potentials: Ragged, threshold: float) -> FloatArray:
    solved = potentials.with_values((potentials.values > threshold).astype(np.float64))
    to_come = solved.returns(1.0)
    return solved.sums()[solved.rows] - to_come


def _gains(potentials: Ragged) -> FloatArray:
    if not potentials.values.size:
        return np.zeros(0)
    rise = np.where(potentials.columns > 0, np.diff(potentials.values, prepend=0.0), 0.0)
    span = np.ptp(rise)
    if span == 0.0:
        return np.zeros_like(rise)
    growth = np.exp((rise - rise.min()) / span)
    return growth - growth.mean()
