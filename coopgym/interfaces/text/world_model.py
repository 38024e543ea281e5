"""A world model: the game as one seat can imagine it: its rules, played along what the seat has seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from coopgym.games.game import AnyGame, Transition
from coopgym.games.state import State
from coopgym.games.step import Step
from coopgym.play import NOMINAL, open_loop, state_after, unroll
from coopgym.play.unroll import opened
from coopgym.rewards import Rewards
from coopgym.typing import FloatArray


class WorldModel:
    """A state that follows from the rules and the shares seen so far, and what could come of it.

    Chance stands at its nominal draws: hidden uniforms at their medians, noise at zero. In a game without chance whose
    shares are all seen, the imagined state is the true one.
    """

    def __init__(self, game: AnyGame, layer: Rewards) -> None:
        self.game = game
        self.layer = layer
        self._state: State | None = None
        self._seen: list[FloatArray] = []

    def note(self, shares: FloatArray) -> None:
        """Take in what everybody played, ``(N,)`` shares of endowment."""
        self._seen.append(shares)

    @property
    def state(self) -> State:
        """The state in which the next choice is made; worked out when somebody asks."""
        now = opened(self.game, NOMINAL) if self._state is None else self._state
        self._state, self._seen = state_after(self.game, self._seen, now), []
        return self._state

    def stage(self, shares: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return rewards and payoffs, both ``(..., N)``, of shares ``(..., N)`` in this step.

        Stocks that merely follow choices, such as a posted wage, stand where the shares keep them.
        """
        actions = shares * self.game.spec.endowments
        state = self.game.at_steady_state(self.state, actions)
        step = Step(self.game, int(state.t), state, actions, self.game.stage(state, actions))
        return np.asarray(self.layer(step)), np.asarray(step.transition.payoffs)

    def continued(self, path: Sequence[FloatArray]) -> Iterator[tuple[FloatArray, Transition]]:
        """Play shares ``(N,)`` step by step from the imagined state, until they or the game end.

        Yields:
            Rewards ``(N,)`` and the transition of every step.
        """
        planned, now = open_loop(self.game, path), self.state
        for step in unroll(self.game, planned, start=now, draws=NOMINAL, rewards=self.layer, horizon=len(path)):
            yield np.asarray(step.rewards), step.transition
