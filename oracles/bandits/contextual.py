"""Learners that look before they choose: one bandit per context, linear payoffs, classes of policies."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from coopgym.oracles.bandits.learner import DeterministicLearner, OnlineLearner
from coopgym.oracles.bandits.upper_confidence import UCB1
from coopgym.typing import BoolArray, FloatArray, IntArray


def context_width(horizon: int, lipschitz: float, arms: int) -> float:
    """Return (K ln T / (T L²))^(1/3), the best width of cells for contexts in [0, 1] of Lipschitz rewards.

    >>> round(context_width(5000, 1.0, arms=4), 6)
    0.189581
    """
    return (arms * math.log(horizon) / (horizon * lipschitz**2)) ** (1.0 / 3.0)


def context_cells(horizon: int, lipschitz: float, arms: int) -> int:
    """Return how many cells of that width cover [0, 1].

    >>> context_cells(5000, 1.0, arms=4)
    6
    """
    width = context_width(horizon, lipschitz, arms)
    return math.ceil(1.0 / width) if width > 0.0 else 1


def cell_of(contexts: FloatArray, cells: int | IntArray) -> IntArray:
    """Return the cells ``(...)`` that contexts in [0, 1] fall into; 1 belongs to the last.

    >>> cell_of(np.array([0.0, 0.333, 0.5, 1.0]), 6)
    array([0, 1, 3, 5])
    """
    return np.minimum(np.floor(contexts * cells), cells - 1).astype(np.int64)


@dataclass
class PerContext(OnlineLearner):
    """A learner of its own for every cell of the context, which is one or several numbers in [0, 1], ``(R, ...)``.

    With T / L² large and one number, `context_cells` says how many cells are best.

    Attributes:
        cells: per number of the context, into how many cells [0, 1] is cut.
        make: makes the learner of the cells; one that has no context itself.

    >>> learner = PerContext(cells=(2,), make=UCB1)
    >>> learner.reset(arms=2, horizon=200)
    >>> for t in range(200):  # in the lower half arm 0 is right, in the upper half arm 1
    ...     context = np.array([[t % 2]])
    ...     learner.update(arm := learner.act(np.zeros((1, 1)), context), (arm == t % 2).astype(float))
    >>> learner.inner.counts.astype(int)  # a row per cell
    array([[94,  6],
           [ 6, 94]])
    """

    contextual = True
    citation = "Slivkins, A. (2014). Contextual bandits with similarity information. JMLR 15, 2533-2568."

    cells: tuple[int, ...] = (4,)
    make: Callable[[], OnlineLearner] = field(default=UCB1)

    def __post_init__(self) -> None:
        if not self.cells or min(self.cells) < 1:
            raise ValueError(f"cells={self.cells!r}: expected whole numbers of at least 1, one per number of a context")
        self.inner = self.make()
        if self.inner.contextual or self.inner.full_feedback:
            raise ValueError(f"{type(self.inner).__name__}: expected a learner without context that sees what it chose")

    @property
    def draws(self) -> int:
        return self.inner.draws

    def prepare(self) -> None:
        self.count = math.prod(self.cells)
        """Cells together."""
        self.inner.reset(self.arms, self.horizon, self.replicas * self.count)
        self._row = np.zeros(self.replicas, dtype=np.int64)

    def rows_of(self, context: FloatArray | None) -> IntArray:
        """Return the rows of `inner` that contexts stand for, ``(R,)``.

        Raises:
            ValueError: no context, one of another size, or numbers outside [0, 1].
        """
        expected = self.replicas, len(self.cells)
        if context is None or context.reshape(len(context), -1).shape != expected:
            got = None if context is None else context.shape
            raise ValueError(f"context of shape {got}: expected (replicas, numbers) = {expected}")
        if not ((context >= 0.0) & (context <= 1.0)).all():
            raise ValueError("context: expected numbers in [0, 1]")
        places = cell_of(context.reshape(expected), np.array(self.cells))
        return self.rows * self.count + np.ravel_multi_index(tuple(places.T), self.cells)

    def probabilities(self, context: FloatArray | None = None) -> FloatArray:
        return self.inner.probabilities()[self.rows_of(context)]

    def act(self, uniforms: FloatArray, context: FloatArray | None = None) -> IntArray:
        self._row = self.rows_of(context)
        everywhere = np.zeros((self.inner.replicas, uniforms.shape[1]))
        everywhere[self._row] = uniforms
        return self.inner.act(everywhere)[self._row]

    def learn(self, arms: IntArray, rewards: FloatArray, feedback: FloatArray | None) -> None:
        visited = np.zeros(self.inner.replicas, dtype=bool)
        visited[self._row] = True
        chosen, brought = np.zeros(len(visited), dtype=np.int64), np.zeros(len(visited))
        chosen[self._row], brought[self._row] = arms, rewards
        self.inner.update_where(visited, chosen, brought)

    def _take_over(self, other: OnlineLearner, rows: BoolArray) -> None:
        super()._take_over(other, rows)
        assert isinstance(other, PerContext)
        self.inner._take_over(other.inner, np.repeat(rows, self.count))


@dataclass
class LinUCB(DeterministicLearner):
    """Optimism about rewards that are linear in features, with parameters of its own for every arm.

    Plays the arm of largest θ·x + α sqrt(xᵀ A⁻¹ x), with A = λ I + Σ x xᵀ and θ = A⁻¹ Σ r x. The context is
    ``(R, d)``, the same for all arms, or ``(R, K, d)``.

    Attributes:
        features: d; None takes what the first context has, and a feature that is always 1 beside it.
        alpha: α.
        regularisation: λ.

    >>> learner = LinUCB()
    >>> learner.reset(arms=2, horizon=100)
    >>> for t in range(100):
    ...     x = np.array([[t % 2]])
    ...     learner.update(arm := learner.choose(x), np.where(arm == 0, 0.5, x[:, 0]))  # arm 1 brings what x says
    >>> learner.choose(np.array([[0.0]])), learner.choose(np.array([[1.0]]))
    (array([0]), array([1]))
    """

    contextual = True
    citation = (
        "Li, L., Chu, W., Langford, J. & Schapire, R. E. (2010). A contextual-bandit approach to personalized news "
        "article recommendation. WWW, 661-670."
    )

    features: int | None = None
    alpha: float = 1.0
    regularisation: float = 1.0

    def __post_init__(self) -> None:
        if self.features is not None and self.features < 1:
            raise ValueError(f"features={self.features!r}: expected a whole number of at least 1, or None")
        if not self.alpha >= 0.0:
            raise ValueError(f"alpha={self.alpha!r}: expected a number of at least 0")
        if not self.regularisation > 0.0:
            raise ValueError(f"regularisation={self.regularisation!r}: expected a positive number")

        self._count = self.features

    def prepare(self) -> None:
        # How many features there are is known from the first context on, and in later plays from the beginning.
        count = self._count or 0
        shape = self.replicas, self.arms, count
        self.inverse = np.tile(np.eye(count) / self.regularisation, (*shape[:2], 1, 1))
        """``(R, K, d, d)`` A⁻¹."""
        self.sums = np.zeros(shape)
        """``(R, K, d)`` Σ r x."""
        self._seen = np.zeros(shape)

    @property
    def theta(self) -> FloatArray:
        """``(R, K, d)`` estimated parameters."""
        return np.einsum("rkij,rkj->rki", self.inverse, self.sums)

    def index(self, context: FloatArray | None) -> FloatArray:
        """Return upper confidence bounds, ``(R, K)``.

        Raises:
            ValueError: no context, or one of another shape.
        """
        x = self._features(context)
        spread = np.einsum("rki,rkij,rkj->rk", x, self.inverse, x)
        bounds: FloatArray = (self.theta * x).sum(-1) + self.alpha * np.sqrt(np.maximum(spread, 0.0))
        return bounds

    def choose(self, context: FloatArray | None = None) -> IntArray:
        self._seen = self._features(context)
        return self.index(context).argmax(1)

    def learn(self, arms: IntArray, rewards: FloatArray, feedback: FloatArray | None) -> None:
        place = self.rows, arms
        x, inverse = self._seen[place], self.inverse[place]
        # Sherman and Morrison: (A + x xᵀ)⁻¹ from A⁻¹, as one matrix per replica is new.
        moved = np.einsum("rij,rj->ri", inverse, x)
        scale = 1.0 + (x * moved).sum(-1)
        self.inverse[place] = inverse - moved[:, :, None] * moved[:, None, :] / scale[:, None, None]
        self.sums[place] += rewards[:, None] * x

    def _features(self, context: FloatArray | None) -> FloatArray:
        if self.features is None and context is not None:
            context = np.concatenate([context, np.ones((*context.shape[:-1], 1))], axis=-1)
            # A play of something else may begin with another context.
            if self._count is None or (context.shape[-1] != self._count and not self.round.any()):
                self._count = context.shape[-1]
                self.prepare()
        shape = self.replicas, self.arms, self._count or 0
        if context is not None and context.shape == shape[::2]:
            return np.broadcast_to(context[:, None], shape)
        if context is None or context.shape != shape:
            got = None if context is None else context.shape
            raise ValueError(f"context of shape {got}: expected {shape}, or {shape[::2]} for all arms")
        return context


@dataclass
class PolicyClass(OnlineLearner):
    """Explores uniformly, then follows the policy of a class that importance-weighted rewards say was best.

    The class is what the optimisation oracle searches: here a finite one, all of whose policies are evaluated.

    Attributes:
        policies: takes contexts ``(R, ...)`` and returns what each of P policies would choose, ``(R, P)``.
        count: P.
        exploration: rounds that explore; None is T^(2/3) (K ln(T P))^(1/3), at most T.

    >>> rules = lambda x: np.stack([(x[:, 0] > 0.5), (x[:, 0] <= 0.5), np.zeros(len(x))], 1).astype(int)
    >>> learner = PolicyClass(rules, count=3, exploration=60)
    >>> learner.reset(arms=2, horizon=100)
    >>> rng = np.random.default_rng(0)
    >>> for t in range(100):
    ...     x = rng.random((1, 1))
    ...     learner.update(arm := learner.act(rng.random((1, 1)), x), (arm == (x[:, 0] > 0.5)).astype(float))
    >>> learner.best()
    array([0])
    """

    contextual = True
    citation = (
        "Langford, J. & Zhang, T. (2007). The epoch-greedy algorithm for contextual multi-armed bandits. NeurIPS 20."
    )

    policies: Callable[[FloatArray], IntArray]
    count: int
    exploration: int | None = None

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"count={self.count!r}: expected a whole number of at least 1")
        if self.exploration is not None and self.exploration < 0:
            raise ValueError(f"exploration={self.exploration!r}: expected a whole number of at least 0, or None")

    @property
    def explored(self) -> int:
        """Rounds of a play of `horizon` that explore."""
        if self.exploration is not None:
            return min(self.exploration, self.horizon)
        advised = self.horizon ** (2.0 / 3.0) * (self.arms * math.log(self.horizon * self.count)) ** (1.0 / 3.0)
        return min(self.horizon, math.ceil(advised))

    def prepare(self) -> None:
        self.worth = np.zeros((self.replicas, self.count))
        """``(R, P)`` importance-weighted rewards of the policies, from rounds that explored."""
        self._advice = np.zeros((self.replicas, self.count), dtype=np.int64)

    def best(self) -> IntArray:
        """Return the policy that looks best, ``(R,)``."""
        return self.worth.argmax(1)

    def probabilities(self, context: FloatArray | None = None) -> FloatArray:
        """Return how likely each arm is, ``(R, K)``.

        Raises:
            ValueError: no context, or policies that choose what is no arm.
        """
        if context is None:
            raise ValueError("context=None: policies choose by what they see")
        self._advice = self.policies(context)
        expected = self.replicas, self.count
        if self._advice.shape != expected or not ((self._advice >= 0) & (self._advice < self.arms)).all():
            raise ValueError(f"policies: expected arms 0 to {self.arms - 1} of shape (replicas, policies) = {expected}")
        followed = self._advice[self.rows, self.best()][:, None] == np.arange(self.arms)
        exploring = (self.round < self.explored)[:, None]
        return np.where(exploring, 1.0 / self.arms, followed.astype(np.float64))

    def learn(self, arms: IntArray, rewards: FloatArray, feedback: FloatArray | None) -> None:
        exploring = (self.round < self.explored)[:, None]
        self.worth += np.where(exploring & (self._advice == arms[:, None]), self.arms * rewards[:, None], 0.0)
