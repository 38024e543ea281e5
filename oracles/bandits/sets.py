"""Choosing sets: partners, members of a coalition. Costs add up over the atoms of the set that is chosen.

Follow the perturbed leader sees what every atom costs; a semi-bandit sees only the atoms that it chose.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from coopgym.oracles.bandits.learner import selected
from coopgym.oracles.games.exponential_weights import exponential_weights
from coopgym.typing import BoolArray, FloatArray, IntArray

MOST_SETS = 5000
"""Sets that are listed; of more, `SampledSemiBandit` chooses."""


def sets_of(atoms: int, size: int) -> FloatArray:
    """Return all sets of so many of d atoms as rows of zeros and ones, ``(A, d)``, in lexical order of their members.

    Raises:
        ValueError: more sets than are listed, or a size that is impossible.

    >>> sets_of(3, 2)
    array([[1., 1., 0.],
           [1., 0., 1.],
           [0., 1., 1.]])
    """
    if not 1 <= size <= atoms:
        raise ValueError(f"size={size!r}: expected a whole number from 1 to {atoms}")
    count = math.comb(atoms, size)
    if count > MOST_SETS:
        raise ValueError(f"{count:,} sets of {size} of {atoms}: more than {MOST_SETS:,}; SampledSemiBandit lists none")
    listed = np.zeros((count, atoms))
    for row, members in enumerate(combinations(range(atoms), size)):
        listed[row, list(members)] = 1.0
    return listed


class SetLearner(ABC):
    """Chooses a set of d atoms every round, in R replicas, and learns what atoms cost, in [0, 1]."""

    full_feedback: bool = False
    """Whether it sees the costs of atoms that it did not choose."""

    atoms: int
    """d."""
    horizon: int
    """T."""
    replicas: int
    """R."""

    @property
    @abstractmethod
    def draws(self) -> int:
        """Uniform numbers that a choice takes in each replica."""

    def reset(self, horizon: int, replicas: int = 1) -> None:
        """Forget everything and prepare to play.

        Raises:
            ValueError: no round or replica.
        """
        for name, value in (("horizon", horizon), ("replicas", replicas)):
            if value < 1:
                raise ValueError(f"{name}={value!r}: expected a whole number of at least 1")
        self.horizon, self.replicas = horizon, replicas
        self.costs = np.zeros((replicas, self.atoms))
        """``(R, d)`` of every atom so far, seen or estimated."""
        self.chosen: BoolArray = np.zeros((replicas, self.atoms), dtype=bool)
        """``(R, d)`` the sets of the last choice."""

    def act(self, uniforms: FloatArray) -> BoolArray:
        """Choose sets, ``(R, d)``, from uniform numbers ``(R, draws)`` in [0, 1)."""
        self.chosen = self.choose(uniforms)
        return self.chosen

    def update(self, costs: FloatArray) -> None:
        """Take in what atoms cost, ``(R, d)``; those that a learner must not see are NaN.

        Raises:
            ValueError: a cost outside [0, 1], missing, or of an atom that it must not see.
        """
        seen = np.ones_like(self.chosen) if self.full_feedback else self.chosen
        if costs.shape != seen.shape or (np.isnan(costs) == seen).any():
            raise ValueError(
                f"costs of shape {costs.shape}: expected {seen.shape}, "
                + ("of all atoms" if self.full_feedback else "of the atoms of the chosen set, NaN elsewhere")
            )
        if ((costs < 0.0) | (costs > 1.0)).any():
            raise ValueError("costs: expected numbers in [0, 1]")
        self.learn(np.nan_to_num(costs))

    @abstractmethod
    def choose(self, uniforms: FloatArray) -> BoolArray:
        """Return sets, ``(R, d)``."""

    @abstractmethod
    def learn(self, costs: FloatArray) -> None:
        """Take in costs ``(R, d)``, zero where unseen."""


class FollowPerturbedLeader(SetLearner):
    """Plays the set that would have cost least, had a perturbation that is drawn once come before the first round.

    The perturbation is uniform on [-1/ε, 1/ε] in every atom.

    >>> learner = FollowPerturbedLeader(sets_of(3, 2), epsilon=1.0)
    >>> learner.reset(horizon=10)
    >>> learner.act(np.array([[0.9, 0.1, 0.4]])).astype(int)  # perturbed by 0.8, -0.8, -0.2
    array([[0, 1, 1]])
    """

    full_feedback = True
    citation = (
        "Kalai, A. & Vempala, S. (2005). Efficient algorithms for online decision problems. Journal of Computer and "
        "System Sciences 71, 291-307."
    )

    def __init__(self, sets: npt.ArrayLike, epsilon: float | None = None) -> None:
        """List the sets ``(A, d)`` of zeros and ones; ε is sqrt(1 / T) if None.

        Raises:
            ValueError: what are no sets, or ε not positive.
        """
        self.sets = checked_sets(sets)
        if epsilon is not None and not epsilon > 0.0:
            raise ValueError(f"epsilon={epsilon!r}: expected a positive number, or None")
        self.atoms, self._epsilon = self.sets.shape[1], epsilon

    @property
    def draws(self) -> int:
        """One per atom, of which only those of the first round are used."""
        return self.atoms

    def reset(self, horizon: int, replicas: int = 1) -> None:
        super().reset(horizon, replicas)
        self._perturbation: FloatArray | None = None

    def perturb(self, perturbation: FloatArray) -> None:
        """Set the perturbation, ``(R, d)``, before the first round."""
        self._perturbation = perturbation

    def choose(self, uniforms: FloatArray) -> BoolArray:
        if self._perturbation is None:
            scale = math.sqrt(self.horizon) if self._epsilon is None else 1.0 / self._epsilon
            self.perturb(scale * (2.0 * uniforms - 1.0))
        assert self._perturbation is not None
        return self.sets[((self._perturbation + self.costs) @ self.sets.T).argmin(1)].astype(bool)

    def learn(self, costs: FloatArray) -> None:
        self.costs += costs


class SemiBandit(SetLearner):
    """Exponential weights over listed sets, with an importance-weighted estimate of every atom.

    Atom i of the chosen set adds c_i / q_i to its estimate, q_i the probability of all sets that hold it.

    >>> learner = SemiBandit(sets_of(3, 2), eta=0.5)
    >>> learner.reset(horizon=10)
    >>> learner.act(np.array([[0.0]])).astype(int)
    array([[1, 1, 0]])
    >>> learner.update(np.array([[1.0, 0.0, np.nan]]))
    >>> learner.costs, learner.probabilities().round(3)  # sets without atom 0 gain
    (array([[1.5, 0. , 0. ]]), array([[0.243, 0.243, 0.514]]))
    """

    citation = (
        "György, A., Linder, T., Lugosi, G. & Ottucsák, G. (2007). The on-line shortest path problem under partial "
        "monitoring. JMLR 8, 2369-2403."
    )

    def __init__(self, sets: npt.ArrayLike, eta: float | None = None) -> None:
        """List the sets ``(A, d)`` of zeros and ones; η is sqrt(2 ln A / (T d)) if None.

        Raises:
            ValueError: what are no sets, or η not positive.
        """
        self.sets = checked_sets(sets)
        if eta is not None and not eta > 0.0:
            raise ValueError(f"eta={eta!r}: expected a positive number, or None")
        self.atoms, self._eta = self.sets.shape[1], eta

    @property
    def draws(self) -> int:
        return 1

    @property
    def rate(self) -> float:
        """η of a play of `horizon` rounds."""
        count = len(self.sets)
        return math.sqrt(2.0 * math.log(count) / (self.horizon * self.atoms)) if self._eta is None else self._eta

    def probabilities(self) -> FloatArray:
        """Return how likely each set is chosen next, ``(R, A)``."""
        return exponential_weights(-self.rate * self.costs @ self.sets.T)

    def choose(self, uniforms: FloatArray) -> BoolArray:
        likely = self.probabilities()
        self._held = likely @ self.sets
        return self.sets[selected(likely, uniforms[:, 0])].astype(bool)

    def learn(self, costs: FloatArray) -> None:
        self.costs += np.where(self.chosen, costs / np.where(self.chosen, self._held, 1.0), 0.0)


@dataclass
class SampledSemiBandit(SetLearner):
    """A semi-bandit on all sets of m of d atoms, however many: perturbed leader with geometric resampling.

    The m atoms of least estimate, less an exponential perturbation over η, are chosen. How likely an atom was to be
    chosen is not known in closed form; its inverse is estimated by how many fresh perturbations it takes until the
    atom is chosen again, at most M of them.

    Attributes:
        atoms: d.
        size: m.
        eta: η; None is sqrt((ln(d / m) + 1) / (T d)).
        resamples: M.

    >>> learner = SampledSemiBandit(atoms=40, size=20)
    >>> learner.reset(horizon=10, replicas=2)
    >>> learner.act(np.random.default_rng(0).random((2, learner.draws))).sum(1)
    array([20, 20])
    """

    citation = (
        "Neu, G. & Bartók, G. (2013). An efficient algorithm for learning with semi-bandit feedback. Algorithmic "
        "Learning Theory, 234-248."
    )

    atoms: int
    size: int
    eta: float | None = None
    resamples: int = 32

    def __post_init__(self) -> None:
        if not 1 <= self.size <= self.atoms:
            raise ValueError(f"size={self.size!r}: expected a whole number from 1 to {self.atoms}")
        if self.eta is not None and not self.eta > 0.0:
            raise ValueError(f"eta={self.eta!r}: expected a positive number, or None")
        if self.resamples < 1:
            raise ValueError(f"resamples={self.resamples!r}: expected a whole number of at least 1")

    @property
    def draws(self) -> int:
        """One per atom for the choice and for every fresh perturbation."""
        return (1 + self.resamples) * self.atoms

    @property
    def rate(self) -> float:
        """η of a play of `horizon` rounds."""
        if self.eta is not None:
            return self.eta
        return math.sqrt((math.log(self.atoms / self.size) + 1.0) / (self.horizon * self.atoms))

    def choose(self, uniforms: FloatArray) -> BoolArray:
        numbers = uniforms.reshape(self.replicas, 1 + self.resamples, self.atoms)
        perturbed = self.rate * self.costs[:, None] + np.log1p(-numbers)
        order = perturbed.argsort(axis=-1, kind="stable")
        within = np.zeros(order.shape, dtype=bool)
        np.put_along_axis(within, order[..., : self.size], True, axis=-1)
        again = within[:, 1:]
        self._waits: IntArray = np.where(again.any(1), again.argmax(1) + 1, self.resamples)
        return within[:, 0]

    def learn(self, costs: FloatArray) -> None:
        self.costs += np.where(self.chosen, costs * self._waits, 0.0)


def play_sets(
    learner: SetLearner, costs: FloatArray, replicas: int = 1, rng: np.random.Generator | int = 0
) -> FloatArray:
    """Play a table of costs ``(T, d)`` and return what the chosen sets cost in every round, ``(T, R)``.

    A learner sees the atoms that it did not choose only if it declares ``full_feedback``.

    Raises:
        ValueError: costs outside [0, 1], or of another number of atoms.

    >>> costs = np.tile([0.9, 0.1, 0.2], (500, 1))
    >>> paid = play_sets(SemiBandit(sets_of(3, 2)), costs, replicas=20)
    >>> bool(paid[-100:].mean() < 0.4)  # the best set costs 0.3
    True
    """
    table = np.asarray(costs, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != learner.atoms:
        raise ValueError(f"costs of shape {table.shape}: expected (T, d) with d = {learner.atoms} atoms")
    chance = np.random.default_rng(rng)
    learner.reset(len(table), replicas)
    paid = np.zeros((len(table), replicas))
    for t, row in enumerate(table):
        chosen = learner.act(chance.random((replicas, learner.draws)))
        paid[t] = np.where(chosen, row, 0.0).sum(1)
        learner.update(np.broadcast_to(row, chosen.shape) if learner.full_feedback else np.where(chosen, row, np.nan))
    return paid


def checked_sets(sets: npt.ArrayLike) -> FloatArray:
    """Return listed sets as numbers, ``(A, d)``.

    Raises:
        ValueError: another shape, too many, other entries than zeros and ones, or an empty set.
    """
    listed = np.asarray(sets, dtype=np.float64)
    if listed.ndim != 2 or not listed.size or not np.isin(listed, (0.0, 1.0)).all() or not listed.any(1).all():
        raise ValueError(f"sets of shape {listed.shape}: expected (A, d) zeros and ones with a one in every row")
    if len(listed) > MOST_SETS:
        raise ValueError(f"{len(listed):,} sets: more than {MOST_SETS:,}; SampledSemiBandit lists none")
    return listed
