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
    """What E episodes of at most T steps met, and what K rewards say of it.

    Where one agent's A actions have been tried at every step against the same actions of the others, arrays of what
    came of them have an axis of actions before the last.
    """

    features: FloatArray
    """``(T, E, F)`` of the state before each step, the time among them where values depend on it."""
    following: FloatArray
    """``(T, E, F)`` or ``(T, E, A, F)`` of the state after it, 0 where the episode ends."""
    rewards: FloatArray
    """``(T, E, K)`` or ``(T, E, A, K)``."""
    alive: BoolArray
    """``(T, E)`` steps that belong to their episode."""


@dataclass(frozen=True, eq=False)
class EpisodeMoments:
    """Sums over the steps of each of E episodes, from which the distances of any resample of them follow.

    A canonical reward is linear in what stands here: c = r + (γ x' - x) θ, and its inner products are quadratic. Where
    actions of one agent are tried, it is taken less its mean over them: what the others bring on their own drops out.
    """

    system: FloatArray
    """``(E, F, F)`` Σ x (x - γ x')ᵀ of features x of the state and x' of the next, on average over tried actions."""
    paid: FloatArray
    """``(E, F, K)`` Σ x r of K rewards, likewise."""
    products: FloatArray
    """``(E, K + F, K + F)`` Σ z zᵀ of z = (r, γ x' - x), less its mean over tried actions."""

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
        arrays, tried = (sample.rewards, sample.features, sample.following), sample.rewards.ndim > sample.alive.ndim + 1
        paid, here, there = (
            np.where(sample.alive.reshape(sample.alive.shape + (1,) * (each.ndim - 2)), each, 0.0).swapaxes(0, 1)
            for each in arrays
        )
        basis, steps = _basis(here), int(sample.alive.sum())
        if steps < STEPS_PER_FEATURE * basis.shape[1]:
            raise ValueError(
                f"{steps} steps are too few to fit values to {basis.shape[1]} features; play more episodes"
            )
        here, there = here @ basis, there @ basis
        ahead = gamma * there - (here[..., None, :] if tried else here)
        told, seen, kinds = np.concatenate([paid, ahead], axis=-1), here.swapaxes(1, 2), paid.shape[-1]
        if tried:
            expected = told.mean(-2)
            told = (told - expected[..., None, :]).reshape(len(told), -1, told.shape[-1])
        else:
            expected = told
        return cls(-(seen @ expected[..., kinds:]), seen @ expected[..., :kinds], told.swapaxes(1, 2) @ told)

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
        scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > SAME * paid)
        cosines = products * scale[..., :, None] * scale[..., None, :]
        sizes = np.diagonal(cosines, axis1=-2, axis2=-1)
        squares = sizes[..., :, None] + sizes[..., None, :] - 2.0 * cosines
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
