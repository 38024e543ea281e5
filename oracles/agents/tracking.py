"""Follow the state of a game from what a seat sees of everybody's actions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from coopgym.agents import Seat
from coopgym.games.game import AnyGame
from coopgym.games.state import select
from coopgym.oracles.games.rollout import initial_state, repeated
from coopgym.play import expected_step
from coopgym.typing import FloatArray


class StateTracker:
    """The state of parallel episodes, simulated from their initial state with the actions that were played.

    Exact where the game draws nothing that its state depends on. An approximation where it does: hidden draws stand at
    their medians (the synergy weight of SynergySearch, and with it the payoffs it remembers), noise at its mean. Resets
    with options of their own (another trust at reset, say) are not seen: it starts from the game's own initial state.
    """

    def __init__(self, game: AnyGame, episodes: int) -> None:
        """Start ``episodes`` episodes of a game on the NumPy backend."""
        self.game = game
        self._initial_state = repeated(game, initial_state(game), (episodes,))
        self.state = self._initial_state
        """State in which the agents choose next, with leading dimension ``(episodes,)``."""
        self.before = self._initial_state
        """State in which they chose last; the initial state where nobody has."""

    def restart(self, rows: npt.NDArray[np.bool_]) -> None:
        """Start new episodes in the rows ``(episodes,)`` where the mask holds."""
        self.state, self.before = (select(np, rows, self._initial_state, old) for old in (self.state, self.before))

    def advance(self, cooperation: FloatArray, rows: npt.NDArray[np.bool_]) -> None:
        """Play joint shares ``(episodes, N)`` in the rows where the mask holds."""
        after = expected_step(self.game, self.state, cooperation * self.game.spec.endowments).state
        self.before = select(np, rows, self.state, self.before)
        self.state = select(np, rows, after, self.state)


def joint_cooperation(seat: Seat, observation: FloatArray) -> FloatArray:
    """Return everybody's last shares of endowment ``(episodes, N)`` from what one seat sees.

    Raises:
        ValueError: the view hides the partners' actions.
    """
    return np.insert(seat.partners_cooperation(observation), seat.index, seat.own_cooperation(observation), axis=1)
