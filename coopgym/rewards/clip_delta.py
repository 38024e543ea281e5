"""Clip and Delta: process rewards that cannot be farmed (Gao et al. 2024, arXiv:2410.15115).

The scores of a judge of single steps add up, so that a policy collects them by repeating what looks good. Clip takes
away what is above a threshold, Delta pays every step its score less that of the next. After both, what step k and all
that follow are paid comes to the clipped score of step k, however many follow.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from coopgym.typing import FloatArray


def clip(process: npt.ArrayLike, eta: float) -> FloatArray:
    """Return min(p_k - η, 0): no step earns more than nothing.

    Args:
        process: ``(..., K)`` scores of the steps of an episode.
        eta: threshold η; the mean score of the policy at first, where nothing else is known.

    >>> clip([0.7, 0.2, 0.4, 0.8], eta=0.5).round(2)
    array([ 0. , -0.3, -0.1,  0. ])
    """
    return np.minimum(np.asarray(process, dtype=np.float64) - eta, 0.0)


def delta(process: npt.ArrayLike, gamma: float = 1.0) -> FloatArray:
    """Return p_k - γ p_{k+1}; the last step but one keeps its score, the last has none.

    Args:
        process: ``(..., K)`` scores of the steps of an episode.
        gamma: discount; what is paid from step k on, discounted, comes to p_k.

    >>> delta([0.7, 0.2, 0.4, 0.8]).round(2)
    array([ 0.5, -0.2,  0.4,  0. ])
    """
    paid = np.array(process, dtype=np.float64)
    paid[..., -1:] = 0.0
    paid[..., :-1] -= gamma * paid[..., 1:]
    return paid


def clip_delta(process: npt.ArrayLike, eta: float, gamma: float = 1.0) -> FloatArray:
    """Return Delta of the clipped scores.

    >>> paid = clip_delta([0.7, 0.2, 0.4, 0.8], eta=0.5)
    >>> paid.round(2), np.cumsum(paid[::-1])[::-1].round(2) + 0.0  # from step k on, its clipped score
    (array([ 0.3, -0.2, -0.1,  0. ]), array([ 0. , -0.3, -0.1,  0. ]))
    """
    return delta(clip(process, eta), gamma)
