"""Public reputation: scores, tiers and image (formal edition §3.4, §3.10, §3.18)."""

from __future__ import annotations

from coopgym.backend import Array, Namespace, namespace_of

TIER_THRESHOLDS = (0.25, 0.50, 0.80)
TIER_SOFTNESS = 0.04
TIER_FLOOR = 0.6
TIER_STEP = 0.2
IMAGE_SOFTNESS = 0.10


def logistic(x: Array, xp: Namespace | None = None) -> Array:
    """The logistic function σ(x), written so that it never overflows."""
    xp = xp or namespace_of(x)
    return 0.5 + 0.5 * xp.tanh(0.5 * x)


def update_score(score: Array, cooperation: Array, rate: float) -> Array:
    """Move a public score towards conduct, ρ + r (c - ρ), ``(..., N)``."""
    return score + rate * (cooperation - score)


def tier_weight(score: Array, xp: Namespace | None = None) -> Array:
    """Customers drawn by a score: 0.6 + 0.2 Σ σ((ρ - threshold)/0.04), smooth tiers from 0.6 to 1.2."""
    xp = xp or namespace_of(score)
    return TIER_FLOOR + TIER_STEP * sum(
        logistic((score - threshold) / TIER_SOFTNESS, xp) for threshold in TIER_THRESHOLDS
    )


def tier(score: Array) -> Array:
    """Index of the tier reached: how many thresholds the score has passed, ``(..., N)``."""
    return sum((score >= threshold) * 1 for threshold in TIER_THRESHOLDS)


def image_gate(image: Array, norm: Array, dependence_on_image: float, xp: Namespace | None = None) -> Array:
    """Part of the help that an image lets through, 1 - χ + χ σ((I - b)/0.10), ``(..., N)``."""
    return 1.0 - dependence_on_image * (1.0 - logistic((image - norm) / IMAGE_SOFTNESS, xp))
