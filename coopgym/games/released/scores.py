"""Released games with a public score of conduct, shown in the joint observation one step late."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from coopgym.backend import Array
from coopgym.games.game import ResetOptions
from coopgym.games.parameters import Parameters
from coopgym.games.released.base import ReleasedGame, Shared
from coopgym.games.state import State
from coopgym.typing import FloatArray

ParametersT = TypeVar("ParametersT", bound=Parameters)


@dataclass(frozen=True)
class ScoreState(State):
    """State of a game with public scores."""

    public_scores: Array
    """``(..., N)`` scores ρ in [0, 1], float32."""
    shown_scores: Array
    """``(..., N)`` scores in the joint observation, those before the last update."""


class ScoreGame(ReleasedGame[ScoreState, ParametersT], Generic[ParametersT]):
    """A game that keeps a public score ρ_i of each agent's cooperation shares."""

    state_class = ScoreState
    initial_score: float

    @abstractmethod
    def updated_scores(self, scores: Array, share: Array) -> Array:
        """Scores after a step, ``(..., N)``, from cooperation shares ``(..., N)``, both float32."""

    def visible(self, scores: Array, normals: Array | None) -> Array:
        """What the joint observation shows of scores, ``(..., N)``."""
        return scores

    def initial_stocks(self, batch: tuple[int, ...], options: ResetOptions, uniforms: Array | None) -> dict[str, Array]:
        scores = self.full((*batch, self.n_agents), self.initial_score, self.xp.float32)
        return {"public_scores": scores, "shown_scores": scores}

    def shown(self, state: ScoreState, normals: Array | None) -> ScoreState:
        return dataclasses.replace(state, shown_scores=self.visible(state.public_scores, normals))

    def advance(self, before: ScoreState, shared: Shared, payoffs: Array, normals: Array | None) -> dict[str, Array]:
        return {
            "public_scores": self.updated_scores(before.public_scores, self.cooperation(shared)),
            "shown_scores": self.visible(before.public_scores, normals),
        }

    def ranking(self, state: ScoreState) -> Array:
        """Agents by descending score, ties in index order, ``(..., N)``."""
        return self.xp.argsort(-state.public_scores, axis=-1, stable=True)

    def tail(self, state: ScoreState) -> Array:
        return self.xp.astype(state.shown_scores, self.backend.dtype)

    def tail_bounds(self) -> tuple[FloatArray, FloatArray]:
        return np.zeros(self.n_agents), np.ones(self.n_agents)

    def stocks(self, state: ScoreState) -> list[Array]:
        return [state.public_scores]
