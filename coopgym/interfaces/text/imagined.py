"""The game as one seat can imagine it: its rules, played along what the seat has seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from coopgym.agents.base import FloatArray
from coopgym.games.game import AnyGame, Transition
from coopgym.games.state import State
from coopgym.rewards import Rewards


class ImaginedGame:
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
        if self._state is None:
            game = self.game
            self._state = game.initial_state((), None, np.full(game.reset_uniforms, 0.5), np.zeros(game.reset_normals))
        for shares in self._seen:
            self._state = self._step(self._state, shares).state
        self._seen = []
        return self._state

    def stage(self, shares: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return rewards and payoffs, both ``(..., N)``, of shares ``(..., N)`` in this step.

        Stocks that merely follow choices, such as a posted wage, stand where the shares keep them.
        """
        actions = shares * self.game.spec.endowments
        transition = self.game.stage(self.game.settled(self.state, actions), actions)
        return np.asarray(self.layer(self.game, transition)), np.asarray(transition.payoffs)

    def continued(self, path: Sequence[FloatArray]) -> Iterator[tuple[FloatArray, Transition]]:
        """Play shares ``(N,)`` step by step from the imagined state, until they or the game end.

        Yields:
            Rewards ``(N,)`` and the transition of every step.
        """
        state = self.state
        for shares in path:
            transition = self._step(state, shares)
            yield np.asarray(self.layer(self.game, transition)), transition
            if transition.terminated or transition.truncated:
                return
            state = transition.state

    def _step(self, state: State, shares: FloatArray) -> Transition:
        normals = np.zeros(self.game.step_normals) if self.game.step_normals else None
        return self.game.step(state, shares * self.game.spec.endowments, normals)
