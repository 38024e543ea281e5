"""Oracles that follow the state of the game and answer to it."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Hashable
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from coopgym.agents import Classifier
from coopgym.games.game import AnyGame
from coopgym.games.state import state_arrays
from coopgym.oracles.agents import reference_profiles, solutions
from coopgym.oracles.agents.base import PublishedEquilibrium, PublishedOracle
from coopgym.oracles.agents.solutions import Solution
from coopgym.oracles.agents.tracking import StateTracker, joint_cooperation
from coopgym.oracles.games.rollout import initial_state
from coopgym.typing import FloatArray

_LATEST: dict[Hashable, tuple[bytes, FloatArray]] = {}
"""The last answer in each game: the seats of a table ask one after another about the same state."""


class TrackingOracle(PublishedOracle):
    """Base of oracles that answer to the state, which they follow by `StateTracker`, unless they play as published."""

    classifier = Classifier(memory_depth=math.inf)

    def prepare(self) -> None:
        super().prepare()
        self._tracker = StateTracker(self.game, self.episodes)
        self._shares = np.repeat(self.solution.shares[:1], self.episodes, axis=0)

    def forget(self, rows: npt.NDArray[np.bool_]) -> None:
        self._tracker.restart(rows)
        self._shares = np.where(rows[:, None], self.solution.shares[0], self._shares)

    def cooperate(self, observation: FloatArray) -> FloatArray:
        if self.solution.definition == "reference":
            return super().cooperate(observation)
        going_on = self.round > 0
        if going_on.any():
            self._tracker.advance(joint_cooperation(self.seat, observation), going_on)
        self._shares = self.answer(self._shares)
        return self._shares[:, self.seat.index]

    @abstractmethod
    def answer(self, shares: FloatArray) -> FloatArray:
        """Return what all seats should play now, ``(episodes, N)``.

        Args:
            shares: what they should have played in the step before; in the first step, what the oracle starts from.
        """


class TrustAware(TrackingOracle, PublishedEquilibrium):
    """Coopetitive equilibrium of one step in the state as it stands, so that cooperation moves with trust.

    It begins with an equilibrium at reset and then follows it from step to step.
    """

    version: ClassVar[int] = 2
    citation = "TR-1 Eq. 13, TR-2 Eq. 6-9 (trust-gated weights); oracle of Coopetition-Gym v1.0 (arXiv:2605.02063)."
    published_for = "coopetition"

    def reference(self, game: Any) -> FloatArray:
        return reference_profiles.trust_aware(game)

    def compute(self, game: AnyGame) -> Solution:
        return solutions.coopetitive_equilibrium(game, self.select, initial_state(game))

    def answer(self, shares: FloatArray) -> FloatArray:
        state, spec = self._tracker.state, self.seat.game
        asked = b"".join(array.tobytes() for array in (shares, *state_arrays(state).values()))
        key = (spec.id, spec.parameters)
        if key not in _LATEST or _LATEST[key][0] != asked:
            _LATEST[key] = (asked, solutions.following_equilibria(self.game, state, shares))
        return _LATEST[key][1]


class BoundedReciprocity(TrackingOracle):
    """Moves with the reciprocity it receives and back to the norm: a ← a + 0.12 e Σ_j E_ij tanh(..) - 0.05 (a - b).

    The effects are the game's own, graded ones of the last step. It starts from b + 0.4 (e - b).
    """

    citation = "TR-4 Eq. 44 (reciprocal adjustment); oracle of Coopetition-Gym v1.0 (arXiv:2605.02063)."
    published_for = "reciprocity"
    needs = "reciprocity"

    def reference(self, game: Any) -> FloatArray:
        return reference_profiles.bounded_reciprocity(game)

    def compute(self, game: AnyGame) -> Solution:
        norm = game.spec.baselines / game.spec.endowments
        start = norm + reference_profiles.HEAD_START * (1.0 - norm)
        return Solution(start[None], "computed", None, None, "starts here and moves with reciprocity")

    def answer(self, shares: FloatArray) -> FloatArray:
        spec, tracker = self.game.spec, self._tracker
        effects = self.game.effects(tracker.before, tracker.state.last_action).sum(-1)  # type: ignore[attr-defined]  # reciprocal games have them
        back = shares - spec.baselines / spec.endowments
        moved = shares + reference_profiles.PULL * effects - reference_profiles.RETURN * back
        return np.clip(moved, 0.0, 1.0)
