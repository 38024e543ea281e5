"""Public scores of conduct and the tiers they open (released edition), in the type of the arrays they are given.

Scores are slow accumulators that land on thresholds exactly under scripted play: keep them in float32.
"""

from __future__ import annotations

from coopgym.backend import Array, Namespace, namespace_of

TIER_THRESHOLDS = (0.25, 0.50, 0.80)
"""Least scores of probation, standard and premium; what falls short of the first is excluded."""
TIER_FACTORS = (0.40, 0.70, 1.00, 1.30)
"""Reward factors from excluded to premium."""


def averaged_score(score: Array, share: Array) -> Array:
    """Exponential average of cooperation, 0.9 ρ + 0.1 c, ``(..., N)``."""
    return 0.9 * score + 0.1 * share


def drifting_score(score: Array, share: Array, xp: Namespace | None = None) -> Array:
    """Score that rises with shares above one half and falls below, clip(ρ + 0.1 (c - 0.5), 0, 1), ``(..., N)``."""
    xp = xp or namespace_of(score)
    return xp.minimum(xp.maximum(score + 0.1 * (share - 0.5), 0.0), 1.0)


def tier_of(score: Array, thresholds: Array) -> Array:
    """Tier ``(..., N)`` as the number of thresholds ``(3,)`` a score has reached."""
    return (score[..., None] >= thresholds).sum(-1)
