"""STARC distances from episodes, for games whose states and actions are numbers.

The norm is over the steps of a sample, so that every distance belongs to a coverage. Values of the sampled policy are
fitted by least-squares temporal differences (Bradtke & Barto 1996), linearly in features of the state: then shaping by
a potential in their span moves rewards, fitted values and what is left of them together, and its distance is 0 up to
rounding whatever the sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coopgym.typing import BoolArray, FloatArray

SAME = 1e-5
"""What rounding may make of a distance of 0: squares of small differences between inner products of values, which are a
hundred times as large as rewards, and which the released edition computes in single precision."""
STEPS_PER_FEATURE = 2
"""With as many features as steps, values explain whatever was paid."""
SPAN = 1e-12
"""Part of the largest variance below which a direction of the features counts as constant."""


@dataclass(frozen=True, eq=False)
class Sample:
    """What E episodes of at most T steps met, and what K rewards say of it."""

    features: FloatArray
    """``(T, E, F)`` of the state before each step, the time among them where values depend on it."""
    following: FloatArray
    """``(T, E, F)`` of the state after it, 0 where the episode ends."""
    rewards: FloatArray
    """``(T, E, K)``."""
    alive: BoolArray
    """``(T, E)`` steps that belong to their episode."""


@dataclass(frozen=True, eq=False)
class EpisodeMoments:
    """Sums over the steps of each of E episodes, from which the distances of any resample of them follow.

    A canonical reward is linear in what stands here: c = r + (γ x' - x) θ, and its inner products are quadratic.
    """

    system: FloatArray
    """``(E, F, F)`` Σ x (x - γ x')ᵀ of features x of the state and x' of the next."""
    paid: FloatArray
    """``(E, F, K)`` Σ x r of K rewards."""
    products: FloatArray
    """``(E, K + F, K + F)`` Σ z zᵀ of z = (r, γ x' - x)."""

    @classmethod
    def of(cls, sample: Sample, gamma: float) -> EpisodeMoments:
        """Sum up episodes.

        Args:
            sample: the episodes.
            gamma: discount.

        Raises:
            ValueError: too few steps to fit values to their features.

        >>> x, alive = np.ones((2, 1, 1)), np.ones((2, 1), dtype=bool)
        >>> moments = EpisodeMoments.of(Sample(x, x * [[[1.0]], [[0.0]]], 3.0 * x, alive), gamma=0.5)
        >>> float(moments.products[0, 0, 0]), moments.system.shape  # Σ r²; one feature
        (18.0, (1, 1, 1))
        """
        going_on = sample.alive[..., None]
        arrays = (sample.rewards, sample.features, sample.following)
        paid, here, there = (np.where(going_on, each, 0.0).swapaxes(0, 1) for each in arrays)
        basis, steps = _basis(here), int(sample.alive.sum())
        if steps < STEPS_PER_FEATURE * basis.shape[1]:
            raise ValueError(
                f"{steps} steps are too few to fit values to {basis.shape[1]} features; play more episodes"
            )
        here, there = here @ basis, there @ basis
        ahead = gamma * there - here
        told, seen = np.concatenate([paid, ahead], axis=-1), here.swapaxes(1, 2)
        return cls(-(seen @ ahead), seen @ paid, told.swapaxes(1, 2) @ told)

    def distances(self, counts: npt.ArrayLike) -> FloatArray:
        """Return STARC distances ``(B, K, K)``, every episode counting as often as ``counts`` ``(B, E)`` say.

        >>> rng = np.random.default_rng(0)
        >>> x, own = np.ones((1, 500, 1)), rng.normal(size=(1, 500, 2))
        >>> rewards = np.stack([own[..., 0], 3.0 * own[..., 0], own.sum(-1)], axis=-1)
        >>> moments = EpisodeMoments.of(Sample(x, 0.0 * x, rewards, np.ones((1, 500), dtype=bool)), gamma=0.9)
        >>> moments.distances(np.ones((1, 500)))[0].round(2)  # the sum of two payoffs correlates by √½ with one
        array([[0.  , 0.  , 0.75],
               [0.  , 0.  , 0.75],
               [0.75, 0.75, 0.  ]])
        """
        weights = np.asarray(counts, dtype=np.float64)
        fitted = self._values(weights)
        kinds = fitted.shape[-1]
        parts = np.concatenate([np.broadcast_to(np.eye(kinds), (len(weights), kinds, kinds)), fitted], axis=-2)
        weighted = np.tensordot(weights, self.products, axes=1)
        products = parts.swapaxes(-2, -1) @ weighted @ parts
        lengths = np.sqrt(np.maximum(np.diagonal(products, axis1=-2, axis2=-1), 0.0))
        paid = np.sqrt(np.diagonal(weighted, axis1=-2, axis2=-1)[..., :kinds])
        asks = lengths > SAME * paid
        scale = np.where(asks, lengths, 1.0)
        cosines = products / (scale[..., :, None] * scale[..., None, :])
        squares = (
            asks[..., :, None] + 0.0 + asks[..., None, :] - 2.0 * cosines * asks[..., :, None] * asks[..., None, :]
        )
        distances = np.sqrt(np.maximum(squares, 0.0))
        return np.where(distances < SAME, 0.0, distances)

    def _values(self, weights: FloatArray) -> FloatArray:
        """Weights of features ``(B, F, K)`` whose sum are the values."""
        system, paid = (np.tensordot(weights, each, axes=1) for each in (self.system, self.paid))
        # A resample may lack the few episodes in which a feature moves.
        ridge = SPAN * weights.sum(-1)[:, None, None] * np.eye(system.shape[-1])
        return np.asarray(np.linalg.solve(system + ridge, paid))


def _basis(features: FloatArray) -> FloatArray:
    """Directions ``(F, D)`` in which features vary, of equal length: the same span in well-conditioned numbers."""
    variances, directions = np.linalg.eigh(np.tensordot(features, features, axes=((0, 1), (0, 1))))
    vary = variances > SPAN * variances[-1]
    return np.asarray(directions[:, vary] * np.sqrt(len(features) / variances[vary]))
