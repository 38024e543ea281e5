"""ExpAdaRD: rewards that a teacher adapts to what the learner plays at the moment (Devidze 2024).

The only design here that needs the learner's policy: runs that claim a fixed reward must not use it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from coopgym.oracles.tabular.expert_design import TOLERANCES, Expert, Invariance, signed
from coopgym.typing import FloatArray

REFRESH = 50
"""Updates of the learner after which the reward is designed anew."""


@dataclass(frozen=True)
class AdaptiveScore:
    """How much a reward would move a learner where teacher and learner both go, in the teacher's direction.

    Attributes:
        expert: the teacher.
        learner: ``(S, A)`` probabilities.
        start: ``(S,)`` distribution of first states.
        terminal: absorbing states, which do not count.
    """

    expert: Expert
    learner: FloatArray
    start: FloatArray
    terminal: Sequence[int] = ()

    @cached_property
    def teacher_visits(self) -> FloatArray:
        """Discounted share of time ``(S,)`` of the teacher in each state that is not terminal."""
        return self._visits(self.expert.mdp.plan(self.expert.policy))

    @cached_property
    def learner_visits(self) -> FloatArray:
        """The same of the learner."""
        return self._visits(self.learner)

    def _visits(self, policy: FloatArray) -> FloatArray:
        visits = self.expert.mdp.occupancy(policy, self.start)
        visits[list(self.terminal)] = 0.0
        return visits / visits.sum()

    @cached_property
    def advantage(self) -> FloatArray:
        """A(s, a) ``(S, A)`` of the teacher's policy under the original reward."""
        values = self.expert.values
        return values - values.max(-1, keepdims=True)

    @cached_property
    def gradient(self) -> FloatArray:
        """∂ score / ∂ R ``(S, A)``, the same at every R: w c - π_L Σ_a w c, w = μ_T μ_L π_L², c = A - A(s, π_L).

        The learner's policy stands in it twice, as in the authors' program.
        """
        centred = self.advantage - (self.learner * self.advantage).sum(-1, keepdims=True)
        weighted = (self.teacher_visits * self.learner_visits)[:, None] * self.learner**2 * centred
        return weighted - self.learner * weighted.sum(-1, keepdims=True)

    def __call__(self, reward: FloatArray) -> float:
        """Return the score Σ w c (R - R(s, π_L)) of a reward ``(S, A)``."""
        return float((self.gradient * reward).sum())

    def best_reward(
        self, *, bound: float = 10.0, states: Sequence[int] | None = None, begin: FloatArray | None = None
    ) -> FloatArray:
        """Return the reward ``(S, A)`` of the highest score that keeps the teacher's policy optimal.

        Args:
            bound: the largest change of a reward.
            states: where it may change; None is everywhere.
            begin: what is changed; None is nothing, as published.

        Raises:
            SolverError: no reward on the states keeps the optimum.
        """
        first = np.zeros_like(self.gradient) if begin is None else begin
        places = range(len(first)) if states is None else states
        invariance = Invariance(self.expert, first)
        cells = invariance.cells(places)
        matrix, limits = invariance.rows(cells)
        slope = self.gradient.reshape(-1)[cells]
        answer = linprog(
            -np.concatenate([slope, -slope]) / max(float(np.abs(slope).max(initial=0.0)), np.finfo(np.float64).tiny),
            A_ub=sparse.csr_array(signed(matrix)),
            b_ub=limits,
            bounds=(0.0, bound),
            method="highs",
            options=TOLERANCES,
        )
        return first + invariance.change(answer, places, "an adapted reward that keeps the optimum")
