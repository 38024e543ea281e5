"""SCOPE: nearly right rollouts are continued by a stronger policy from their first bad step (arXiv 2602.24110).

Rules of selection and the loss, after LUFFY's policy shaping (arXiv 2504.14945), are [ours].
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from coopgym.algorithms.llm.kernels.surrogate import aggregate, clipped_loss
from coopgym.algorithms.llm.kernels.validation import array, flags, number, optional, whole_number, whole_numbers


def first_error(scores: npt.ArrayLike, tau: float = 0.5) -> int | None:
    """Return the first step that scores below τ, or None; ``scores`` is ``(m,)``."""
    wrong = np.flatnonzero(array("scores", scores) < number("tau", tau))
    return int(wrong[0]) if wrong.size else None


def select(
    first_error: Sequence[int | None],
    n_steps: npt.ArrayLike,
    correct: npt.ArrayLike,
    min_prefix: float = 0.5,
    max_fix: int = 1,
) -> list[int]:
    """Return which members of a group to repair: failures with a good prefix of some length, the best first.

    Args:
        first_error: ``(G,)`` index k of the first bad step; None if there is none.
        n_steps: ``(G,)`` steps m.
        correct: ``(G,)`` whether the member is right.
        min_prefix: smallest share k/m of good steps; the largest shares come first. Without any good step, k = 0,
            nothing can be repaired.
        max_fix: members to repair.

    Returns:
        Indices of members.

    >>> select(first_error=[3, 1, None], n_steps=[4, 4, 4], correct=[False, False, True])
    [0]
    """
    right = flags("correct", correct)
    steps = whole_numbers("n_steps", n_steps, right.size, low=1)
    good, faulty = optional("first_error", first_error, right.size, low=0.0)
    share = good / steps
    if (share >= 1.0).any():
        raise ValueError(f"first_error: expected indices below n_steps {steps.tolist()}, got {list(first_error)}")
    eligible = np.flatnonzero(~right & faulty & (good > 0) & (share >= number("min_prefix", min_prefix, 0.0, 1.0)))
    best_first = eligible[np.argsort(-share[eligible], kind="stable")]
    return best_first[: whole_number("max_fix", max_fix)].tolist()


def loss(
    logp: npt.ArrayLike,
    logp_old: npt.ArrayLike,
    adv: npt.ArrayLike,
    mask: npt.ArrayLike,
    off_policy: npt.ArrayLike,
    eps_low: float = 0.2,
    eps_high: float = 0.2,
    gamma: float = 0.1,
) -> float:
    """Return the mean over tokens of the clipped loss of own tokens and ``-f(π) A``, f(π) = π / (π + γ), of a helper's.

    Args:
        logp: ``(B, L)`` log-probabilities log π under the policy.
        logp_old: ``(B, L)`` under the policy that sampled; of no matter for helper-written tokens.
        adv: ``(B,)``.
        mask: ``(B, L)``, the tokens that count.
        off_policy: ``(B, L)``, tokens that a helper wrote.
        eps_low: clip range below.
        eps_high: clip range above.
        gamma: shaping γ; smaller is closer to imitation.
    """
    new = array("logp", logp, (None, None))
    tokens = flags("mask", mask, new.shape)
    borrowed = flags("off_policy", off_policy, new.shape)
    advantage = array("adv", adv, (len(new),))[:, None]
    log_ratio = np.where(tokens & ~borrowed, new - array("logp_old", logp_old, new.shape), 0.0)
    shaping = number("gamma", gamma, 0.0)
    if shaping == 0.0:
        raise ValueError("gamma=0: expected a positive shaping")
    imitation = -expit(new - np.log(shaping)) * advantage  # π / (π + γ) is the logistic function of log π - log γ
    own = clipped_loss(log_ratio, advantage, eps_low, eps_high)
    return aggregate(np.where(borrowed, imitation, own), tokens, "token_mean")
