"""Arms on an interval whose means are Lipschitz: uniform discretisation and the zooming algorithm."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from coopgym.oracles.bandits.learner import DeterministicLearner, Instance, OnlineLearner
from coopgym.oracles.bandits.sample_means import SampleMeans, gap_free_bound
from coopgym.oracles.bandits.upper_confidence import UCB1
from coopgym.typing import FloatArray, IntArray

CANDIDATES = 512
"""Points of an interval among which arms are chosen, unless something else is asked for."""
LARGEST_METRIC = 4096
"""Candidates between which distances are tabulated, at most."""


def midpoints(count: int) -> FloatArray:
    """Return the middles of equal cells of [0, 1], ``(K,)``: what arms stand for where they are places.

    >>> midpoints(4)
    array([0.125, 0.375, 0.625, 0.875])
    """
    points: FloatArray = (np.arange(count) + 0.5) / count
    return points


def cell_width(horizon: int, lipschitz: float) -> float:
    """Return ε = (ln T / (T L^2))^(1/3), which balances discretisation with learning.

    >>> round(cell_width(10_000, lipschitz=1.0), 6)
    0.097295
    """
    return float(np.cbrt(math.log(horizon) / (horizon * lipschitz**2)))


def cells(horizon: int, lipschitz: float) -> int:
    """Return K = ceil(1 / ε), cells of uniform discretisation; one where T = 1 teaches nothing.

    >>> cells(10_000, lipschitz=1.0)
    11
    """
    width = cell_width(horizon, lipschitz)
    return max(1, math.ceil(1.0 / width)) if width > 0.0 else 1


@dataclass
class UniformDiscretisation(DeterministicLearner):
    """Plays UCB1 on the candidates that are nearest the middles of K equal cells.

    Its arms are candidates on [0, 1], arm k at (k + 1/2) / M.

    Attributes:
        lipschitz: L of the mean reward along [0, 1].
        constant: of the confidence radius, as in UCB1.

    >>> learner = UniformDiscretisation(lipschitz=1.0)
    >>> learner.reset(arms=512, horizon=10_000)
    >>> midpoints(512)[learner.centres].round(2)
    array([0.05, 0.14, 0.23, 0.32, 0.41, 0.5 , 0.59, 0.68, 0.77, 0.86, 0.95])
    """

    citation = (
        "Kleinberg, R. (2004). Nearly tight bounds for the continuum-armed bandit problem. NeurIPS 17; Slivkins, A. "
        "(2019). Introduction to multi-armed bandits, section 4.1."
    )

    lipschitz: float = 1.0
    constant: float = 2.0

    def __post_init__(self) -> None:
        _check_lipschitz(self.lipschitz)
        self._inside = UCB1(constant=self.constant)

    def prepare(self) -> None:
        count = min(cells(self.horizon, self.lipschitz), self.arms)
        self.centres = np.floor(midpoints(count) * self.arms).astype(np.int64)
        """``(K,)`` candidates that are played."""
        self._inside = UCB1(constant=self.constant)
        self._inside.reset(count, self.horizon, self.replicas)
        self._cell = np.full(self.arms, -1)
        self._cell[self.centres] = np.arange(count)

    @property
    def parts(self) -> tuple[OnlineLearner, ...]:
        return (self, self._inside)

    def choose(self, context: FloatArray | None = None) -> IntArray:
        chosen: IntArray = self.centres[self._inside.choose()]
        return chosen

    def learn(self, arms: IntArray, rewards: FloatArray, feedback: FloatArray | None) -> None:
        self._inside.update(self._cell[arms], rewards)

    def declared_bound(self, horizon: int, instance: Instance) -> float | None:
        """Return T L / (2 K) + 4 sqrt(2 K T ln T) + K + 2 / T, and T L / (2 M) for taking the nearest of M candidates.

        Nothing is declared where the instance has no Lipschitz constant or a larger one.
        """
        known = instance.lipschitz is not None and instance.lipschitz <= self.lipschitz
        if not instance.is_stochastic or not known or self.constant != 2.0:
            return None
        count = min(cells(horizon, self.lipschitz), instance.arms)
        nearest = 0.0 if count == instance.arms else horizon * self.lipschitz / (2.0 * instance.arms)
        return discretisation_bound(horizon, self.lipschitz, count) + nearest


def discretisation_bound(horizon: int, lipschitz: float, count: int) -> float:
    """Return T L / (2 K) + 4 sqrt(2 K T ln T) + K + 2 / T.

    >>> round(discretisation_bound(10_000, 1.0, 11), 2)
    6159.44
    """
    return horizon * lipschitz / (2.0 * count) + gap_free_bound(horizon, count)


@dataclass
class Zooming(SampleMeans, DeterministicLearner):
    """Activates candidates only where no ball of an active one covers them, so that it is fine where rewards are high.

    Its arms are candidates, the middles of equal cells of the unit interval or square. It is no better than uniform
    discretisation at short horizons: where the order of its regret shows, T is tens of thousands.

    Attributes:
        lipschitz: L; the distance of two candidates is L times the largest difference of their coordinates.
        constant: of the radius r(x) = sqrt(c ln T / (n(x) + 1)); 2 is the textbook's.
        dimensions: 1 or 2.

    >>> learner = Zooming()
    >>> learner.reset(arms=128, horizon=3000)
    >>> means = 0.9 - np.abs(midpoints(128) - 1 / 3)
    >>> for t in range(3000):
    ...     learner.update(arm := learner.choose(), means[arm])
    >>> midpoints(128)[learner.active[0]].round(3), int(learner.counts[0].argmax())  # candidate 34 stands at 0.27
    (array([0.004, 0.27 , 0.418, 0.559, 0.98 ]), 34)
    """

    citation = "Kleinberg, R., Slivkins, A. & Upfal, E. (2008). Multi-armed bandits in metric spaces. STOC, 681-690."

    lipschitz: float = 1.0
    constant: float = 2.0
    dimensions: int = 1

    def __post_init__(self) -> None:
        _check_lipschitz(self.lipschitz)
        if self.dimensions not in (1, 2):
            raise ValueError(f"dimensions={self.dimensions!r}: expected 1 or 2")

    def prepare(self) -> None:
        if self.arms > LARGEST_METRIC:
            raise ValueError(f"arms={self.arms!r}: zooming takes at most {LARGEST_METRIC} candidates")
        super().prepare()
        points = candidates(self.arms, self.dimensions)
        self._distances = self.lipschitz * np.abs(points[:, None] - points).max(-1)
        self.active = np.zeros((self.replicas, self.arms), dtype=bool)
        """``(R, K)`` candidates that may be played."""
        self._covering = np.zeros((self.replicas, self.arms), dtype=np.int32)
        self._index = np.full((self.replicas, self.arms), -np.inf)
        self._activate(self.rows)

    def choose(self, context: FloatArray | None = None) -> IntArray:
        return self._index.argmax(1)

    def radius(self, counts: FloatArray) -> FloatArray:
        """Return r(x) = sqrt(c ln T / (n(x) + 1)) of candidates that were played so often."""
        radius: FloatArray = np.sqrt(self.constant * math.log(self.horizon) / (counts + 1.0))
        return radius

    def learn(self, arms: IntArray, rewards: FloatArray, feedback: FloatArray | None) -> None:
        place = self.rows, arms
        before = self.radius(self.counts[place])
        super().learn(arms, rewards, feedback)
        counts = self.counts[place]
        radius = self.radius(counts)
        self._index[place] = self.sums[place] / counts + 2.0 * radius
        # The ball that was played has shrunk, and uncovers those between its old and its new edge.
        distances = self._distances[arms]
        self._covering -= (distances <= before[:, None]) & (distances > radius[:, None])
        self._activate(np.flatnonzero((self._covering == 0).any(1)))

    def _activate(self, rows: IntArray) -> None:
        """Activate the first uncovered candidate in some replicas that have one."""
        if not len(rows):
            return
        new = (self._covering[rows] == 0).argmax(1)
        widest = float(self.radius(np.zeros(1))[0])
        self.active[rows, new] = True
        self._index[rows, new] = 2.0 * widest
        self._covering[rows] += self._distances[new] <= widest


def candidates(count: int, dimensions: int) -> FloatArray:
    """Return the middles of equal cells of the unit interval or square, ``(K, dimensions)``, in row-major order.

    Raises:
        ValueError: a number of candidates that is no square, in two dimensions.
    """
    if dimensions == 1:
        return midpoints(count)[:, None]
    side = math.isqrt(count)
    if side * side != count:
        raise ValueError(f"arms={count!r}: in two dimensions expected a square number of candidates, such as 1024")
    return np.stack(np.meshgrid(midpoints(side), midpoints(side), indexing="ij"), axis=-1).reshape(-1, 2)


def _check_lipschitz(lipschitz: float) -> None:
    if not 0.0 < lipschitz < math.inf:
        raise ValueError(f"lipschitz={lipschitz!r}: expected a positive number")
