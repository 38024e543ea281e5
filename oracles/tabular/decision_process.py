"""A Markov decision process written down as tables, and its exact values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coopgym.typing import FloatArray


@dataclass(frozen=True)
class TabularMDP:
    """A decision process with S states and A actions.

    An absorbing state that pays nothing is where episodes end.

    Attributes:
        transition: ``(S, A, S)`` probabilities of the next state.
        reward: ``(S, A)`` expected reward of an action.
        gamma: discount, below 1.

    Raises:
        ValueError: shapes that do not fit, rows of ``transition`` that are no distribution, or a discount out of range.

    >>> walk = TabularMDP(np.array([[[0.0, 1.0]], [[0.0, 1.0]]]), np.array([[1.0], [0.0]]), gamma=0.9)
    >>> walk.optimal_values()
    array([[1.],
           [0.]])
    """

    transition: FloatArray
    reward: FloatArray
    gamma: float

    def __post_init__(self) -> None:
        shape = self.transition.shape
        if len(shape) != 3 or shape[0] != shape[2] or self.reward.shape != shape[:2]:
            raise ValueError(
                f"transition has shape {shape} and reward {self.reward.shape}: expected (S, A, S) and (S, A)"
            )
        if self.transition.min() < 0.0 or not np.allclose(self.transition.sum(-1), 1.0):
            raise ValueError("transition: expected probabilities of the next state that sum to 1, for all (s, a)")
        if not 0.0 <= self.gamma < 1.0:
            raise ValueError(f"gamma={self.gamma!r}: expected a number in [0, 1)")

    def plan(self, actions: npt.ArrayLike) -> FloatArray:
        """Return the policy ``(S, A)`` that plays one action ``(S,)`` in each state."""
        return np.eye(self.reward.shape[1])[np.asarray(actions)]

    def rewarded(self, reward: FloatArray) -> TabularMDP:
        """Return the same process under another reward ``(S, A)``."""
        return TabularMDP(self.transition, reward, self.gamma)

    def shaped(self, potential: FloatArray) -> TabularMDP:
        """Return the process with R(s, a) + γ E Φ(s') - Φ(s), of a potential ``(S,)`` (Ng, Harada & Russell 1999).

        Q* becomes Q* - Φ, so that every greedy policy stays.

        >>> walk = TabularMDP(np.array([[[0.0, 1.0]], [[0.0, 1.0]]]), np.array([[1.0], [0.0]]), gamma=0.9)
        >>> walk.shaped(np.array([0.25, 0.0])).optimal_values()
        array([[0.75],
               [0.  ]])
        """
        return self.rewarded(self.reward + self.gamma * self.transition @ potential - potential[:, None])

    def action_values(self, policy: FloatArray) -> FloatArray:
        """Return Q(s, a) ``(S, A)`` of a policy ``(S, A)`` of probabilities, by solving its linear equations."""
        moves = np.einsum("sa,sat->st", policy, self.transition)
        values = np.linalg.solve(np.eye(len(moves)) - self.gamma * moves, (policy * self.reward).sum(-1))
        return self.reward + self.gamma * self.transition @ values

    def optimal_values(self) -> FloatArray:
        """Return Q*(s, a) ``(S, A)``, by policy iteration; ties go to the lowest action."""
        values = self.reward
        while True:
            greedy = self.plan(values.argmax(-1))
            improved = self.action_values(greedy)
            gain = improved.max(-1) - (greedy * improved).sum(-1)
            values = improved
            if gain.max() <= _SAME * max(1.0, float(np.abs(improved).max())):
                return values

    def occupancy(self, policy: FloatArray, start: FloatArray) -> FloatArray:
        """Return the discounted share ``(S,)`` of time in each state, from a distribution ``(S,)`` of first states."""
        moves = np.einsum("sa,sat->st", policy, self.transition)
        return (1.0 - self.gamma) * np.linalg.solve(np.eye(len(moves)) - self.gamma * moves.T, start)


_SAME = 1e-12
"""Gains below it, in units of the values, are rounding."""
