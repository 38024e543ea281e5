"""ExpRD: rewards that an expert designs to be informative, in few states, without moving the optimum (Devidze 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import OptimizeResult, linprog

from coopgym.oracles.finite.linear_programme import FEASIBILITY, SolverError
from coopgym.oracles.tabular.decision_process import TabularMDP
from coopgym.typing import BoolArray, FloatArray

HORIZONS = (1, 4, 8, 16, 32)
"""Steps within which the optimal action ought to look better."""
SLACK = 1e-5
"""Share by which a designed gap may fall short of the original one."""
TIE = 1e-9
"""Values closer than this, in units of the largest, are equal."""
INVARIANCE = 1e-7
"""Violation of invariance, in units of the largest value, that the audit takes for rounding."""


@dataclass(frozen=True)
class Expert:
    """Who knows the optimal policy of a decision process, and how much each decision matters in it.

    >>> stay_or_go = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]])
    >>> expert = Expert(TabularMDP(stay_or_go, np.array([[0.0, 1.0], [0.0, 0.0]]), gamma=0.9))
    >>> expert.policy, expert.margin.round(2)
    (array([1, 0]), array([0.1, 0. ]))
    """

    mdp: TabularMDP

    @cached_property
    def values(self) -> FloatArray:
        """Q* ``(S, A)``."""
        return self.mdp.optimal_values()

    @cached_property
    def optimal(self) -> BoolArray:
        """Which actions ``(S, A)`` are optimal."""
        return self.values >= self.values.max(-1, keepdims=True) - TIE * max(1.0, float(np.abs(self.values).max()))

    @cached_property
    def policy(self) -> npt.NDArray[np.int64]:
        """The lowest optimal action ``(S,)``."""
        return self.optimal.argmax(-1)

    @cached_property
    def margin(self) -> FloatArray:
        """δ(s) ``(S,)``: what the best action is worth above the best of the others; 0 where all are optimal."""
        second = np.where(self.optimal, -np.inf, self.values).max(-1)
        return np.where(np.isfinite(second), self.values.max(-1) - second, 0.0)

    def gap_map(self, horizon: int | None) -> FloatArray:
        """Return the linear map ``(S, A, S, A)`` from rewards to gaps A_H(s, a) = Q_H(s, π*(s)) - Q_H(s, a).

        Q_H sums the rewards of steps 0 to H, the first of an action and the others of π*; None is without end.
        """
        states, actions = self.mdp.reward.shape
        here, gamma = np.arange(states), self.mdp.gamma
        moves = self.mdp.transition[here, self.policy]
        if horizon is None:
            visits = np.linalg.inv(np.eye(states) - gamma * moves)
        else:
            visits = np.zeros((states, states))
            for _ in range(horizon):
                visits = np.eye(states) + gamma * moves @ visits
        worth = np.eye(states * actions).reshape(states, actions, states, actions)
        worth[:, :, here, self.policy] += gamma * self.mdp.transition @ visits
        return worth[here, self.policy][:, None] - worth

    def gaps(self, reward: FloatArray, horizon: int | None) -> FloatArray:
        """Return A_H ``(S, A)`` of a reward ``(S, A)``."""
        return np.tensordot(self.gap_map(horizon), reward, 2)

    @cached_property
    def required(self) -> FloatArray:
        """Gaps without end ``(S, A)`` that keep the expert's policy optimal, and the others as bad as they were.

        The lowest of actions that are as good as equal may be a rounding worse than another; it need not become better.
        """
        above = self.values[np.arange(len(self.values)), self.policy][:, None] - self.values
        return np.where(self.optimal, np.minimum(0.0, above), self.margin[:, None] / (1.0 + SLACK))

    def informativeness(self, reward: FloatArray, horizons: Sequence[int] = HORIZONS) -> float:
        """Return I(R) <= 0: how much, on average, gaps within the horizons fall short of δ, negative.

        Args:
            reward: ``(S, A)``.
            horizons: over which it is averaged.
        """
        short = [
            np.where(self.optimal, 0.0, np.maximum(0.0, self.margin[:, None] - self.gaps(reward, horizon))).max(-1)
            for horizon in horizons
        ]
        return -float(np.mean(short))

    def violation(self, reward: FloatArray) -> float:
        """Return by how much the worst gap of a reward ``(S, A)`` falls short of what is required; 0 is none."""
        return max(0.0, float((self.required - self.gaps(reward, None)).max()))

    def keeps_optimum(self, reward: FloatArray) -> bool:
        """Whether under a reward ``(S, A)``, solved anew, the expert's policy is optimal and no other than before is.

        This is the audit: it shares nothing with the constraints of the programme.
        """
        told = Expert(self.mdp.rewarded(reward))
        chosen = told.optimal[np.arange(len(reward)), self.policy]
        return bool(chosen.all() and not (told.optimal & ~self.optimal).any())


@dataclass(frozen=True)
class Design:
    """A designed reward.

    Attributes:
        reward: ``(S, A)``.
        states: those in which it may differ from what it began with, ascending.
        informativeness: I of it.
    """

    reward: FloatArray
    states: tuple[int, ...]
    informativeness: float


def design_rewards(
    expert: Expert,
    budget: int,
    *,
    horizons: Sequence[int] = HORIZONS,
    bound: float = 10.0,
    goals: Sequence[int] = (),
    begin: FloatArray | None = None,
) -> list[Design]:
    """Return the most informative rewards on growing sets of states, each the one before and the best state beside it.

    Args:
        expert: of the original process.
        budget: states to add to the goals.
        horizons: of the informativeness.
        bound: the largest change of a reward.
        goals: states to begin with.
        begin: the reward ``(S, A)`` off the chosen states; None is zero, as published. Where every decision matters a
            sparse reward alone cannot keep the optimum; begin with the original one, and the design adds to it.

    Raises:
        ValueError: a budget that is not between 0 and the number of other states, or a goal that is no state.
        SolverError: no reward on the states keeps the optimum.
    """
    states = len(expert.mdp.reward)
    if not set(goals) <= set(range(states)):
        raise ValueError(f"goals={list(goals)}: expected states 0 to {states - 1}")
    if not 0 <= budget <= states - len(set(goals)):
        raise ValueError(f"budget={budget}: expected 0 to {states - len(set(goals))}, as many as there are states")
    programme = _Programme(expert, horizons, bound, np.zeros_like(expert.mdp.reward) if begin is None else begin)
    chosen = tuple(sorted(set(goals)))
    path = [programme.design(chosen)]
    for _ in range(budget):
        others = [state for state in range(states) if state not in chosen]
        values = [programme.best_value((*chosen, state)) for state in others]
        best = others[int(np.argmax(np.round(np.array(values) / TIE)))]
        chosen = tuple(sorted((*chosen, best)))
        path.append(programme.design(chosen))
    return path


class _Programme:
    """Maximise I(B + D) over D on a few states, |D| <= bound, subject to invariance: variables D+, D- and hinges u."""

    def __init__(self, expert: Expert, horizons: Sequence[int], bound: float, begin: FloatArray) -> None:
        self.expert, self.horizons, self.bound, self.begin = expert, horizons, bound, begin
        states, actions = begin.shape
        self.others = ~expert.optimal.reshape(-1)
        maps = [expert.gap_map(horizon).reshape(states * actions, -1) for horizon in horizons]
        short = np.repeat(expert.margin, actions)
        self._hinged = np.concatenate([each[self.others] for each in maps])
        self._missing = np.concatenate([(short - each @ begin.reshape(-1))[self.others] for each in maps])
        of = np.repeat(np.arange(states), actions)[self.others]
        columns = np.concatenate([of + k * states for k in range(len(horizons))])
        self._hinges = sparse.csr_array(
            (np.ones(len(columns)), (np.arange(len(columns)), columns)), (len(columns), states * len(horizons))
        )
        self.invariance = Invariance(expert, begin)

    def best_value(self, states: Sequence[int]) -> float:
        """Return the largest I on a set of states; minus infinity where none keeps the optimum."""
        answer = self._solved(states)
        return -float(answer.fun) if answer.status == 0 else -np.inf

    def design(self, states: tuple[int, ...]) -> Design:
        """Return, of the most informative rewards on a set of states, the one that changes least."""
        best = self._solved(states)
        if best.status == 0:
            best = self._solved(states, at_most=float(best.fun) + FEASIBILITY)
        change = self.invariance.change(best, states, f"a reward on the states {list(states)} that keeps the optimum")
        reward = self.begin + change
        return Design(reward, states, self.expert.informativeness(reward, self.horizons))

    def _solved(self, states: Sequence[int], at_most: float | None = None) -> OptimizeResult:
        """Minimise -I; or, at most so high, the sum of all changes."""
        hinges = self._hinges.shape[1]
        cells = self.invariance.cells(states)
        changes = np.concatenate([np.zeros(2 * len(cells)), np.full(hinges, 1.0 / hinges)])
        kept, missing = self.invariance.rows(cells)
        upper = sparse.block_array([
            [sparse.csr_array(signed(-self._hinged[:, cells])), -self._hinges],
            [sparse.csr_array(signed(kept)), sparse.csr_array((len(kept), hinges))],
        ])  # fmt: skip
        limits, costs = np.concatenate([-self._missing, missing]), changes
        if at_most is not None:
            upper, limits = sparse.vstack([upper, sparse.csr_array(changes[None])]), np.append(limits, at_most)
            costs = np.concatenate([np.ones(2 * len(cells)), np.zeros(hinges)])
        bounds = [(0.0, self.bound)] * (2 * len(cells)) + [(0.0, None)] * hinges
        return linprog(costs, A_ub=upper.tocsr(), b_ub=limits, bounds=bounds, method="highs", options=TOLERANCES)


TOLERANCES = {"primal_feasibility_tolerance": FEASIBILITY, "dual_feasibility_tolerance": FEASIBILITY}


def signed(matrix: FloatArray) -> FloatArray:
    """Return the columns of D+ and D- for those of D = D+ - D-."""
    return np.concatenate([matrix, -matrix], axis=1)


class Invariance:
    """The constraints of changes D of a reward that keep the expert's policy optimal: gaps without end of B + D."""

    def __init__(self, expert: Expert, begin: FloatArray) -> None:
        self._shape = begin.shape
        self._map = expert.gap_map(None).reshape(begin.size, begin.size)
        self._missing = (self._map @ begin.reshape(-1)).reshape(begin.shape) - expert.required
        self._trivial = expert.policy + np.arange(len(begin)) * begin.shape[1]

    def cells(self, states: Sequence[int]) -> npt.NDArray[np.int64]:
        """Return the flat pairs of state and action that may change."""
        actions = self._shape[1]
        return (np.asarray(sorted(states), dtype=np.int64)[:, None] * actions + np.arange(actions)).reshape(-1)

    def rows(self, cells: npt.NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
        """Return the matrix and limits of ``matrix @ D <= limits``, of changes in some cells."""
        limits = np.delete(self._missing.reshape(-1), self._trivial)
        return -np.delete(self._map, self._trivial, axis=0)[:, cells], limits

    def change(self, answer: OptimizeResult, states: Sequence[int], what: str) -> FloatArray:
        """Return the change ``(S, A)`` that a solver found.

        Raises:
            SolverError: it found none.
        """
        if answer.status != 0:
            raise SolverError(f"{what}: no optimum, HiGHS status {answer.status} ({answer.message})")
        cells, change = self.cells(states), np.zeros(self._shape)
        plus, minus = np.asarray(answer.x)[: 2 * len(cells)].reshape(2, -1)
        change.reshape(-1)[cells] = plus - minus
        return change
