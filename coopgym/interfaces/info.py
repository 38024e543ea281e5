"""``info`` dictionaries of one environment or a batch: the same keys from the reset to the last step."""

from __future__ import annotations

from typing import Any

import numpy as np

from coopgym.backend import Array
from coopgym.games.game import AnyGame, Transition
from coopgym.games.state import State
from coopgym.interfaces.tally import Tally
from coopgym.play import NOMINAL, expected_step
from coopgym.play.unroll import opened

Info = dict[str, Any]

_LASTING = frozenset({np.bool_, np.int64, np.float32, np.float64, np.str_})
"""Types of numbers and texts that nobody can change, so that they need no copy."""


class InfoSchema:
    """Writes infos: what the game tells of itself, payoffs and rewards, what was played, sums over the episode.

    Every value is a NumPy array or number with the batch's leading dimensions, or a NumPy text, and its reader's own.
    What only a step can tell is zero, false or empty at a reset.
    """

    def __init__(self, game: AnyGame, batch: tuple[int, ...] = ()) -> None:
        self.game = game
        self.batch = batch
        self._before_any_step: Info = {}

    def of_reset(self, state: State) -> Info:
        """Describe the first state of episodes."""
        told = {"step": state.t, **self.game.diagnostics(state)}
        return self._owned({**self._nothing_played(), **told})

    def of_step(self, before: State, levels: Array, transition: Transition, rewards: Array, tally: Tally) -> Info:
        """Describe a step with which episodes reached a tally."""
        told: Info = self.game.step_diagnostics(before, levels, transition)
        told["step"], told["payoffs"], told["rewards"] = transition.state.t, transition.payoffs, rewards
        told["units"], told["shares"] = levels, levels / self.game.spec.endowments
        told["cumulative_rewards"], told["reward_variance"] = tally.rewards, tally.variance()
        return self._owned(told)

    def _nothing_played(self) -> Info:
        """Zeros in the place of all that a step tells, from a step that is played for its shapes alone."""
        if not self._before_any_step:
            game, nothing = self.game, np.zeros(self.game.n_agents)
            before = opened(game, NOMINAL)
            transition = expected_step(game, before, nothing)
            one = InfoSchema(game)
            told = one.of_step(before, nothing, transition, nothing, Tally.blank((game.n_agents,)).add(nothing))
            self._before_any_step = {
                name: np.zeros((*self.batch, *value.shape), value.dtype) for name, value in told.items()
            }
        return self._before_any_step

    def _owned(self, told: Info) -> Info:
        """Put copies in the place of what is told, so that readers may keep and change what they are given."""
        if self.batch:
            blank = self._nothing_played()
            return {name: np.array(np.broadcast_to(value, blank[name].shape)) for name, value in told.items()}
        for name, value in told.items():
            kind = type(value)
            if kind is np.ndarray and value.ndim:
                told[name] = value.copy()
            elif kind not in _LASTING:
                told[name] = np.asarray(value)[()]
        return told
