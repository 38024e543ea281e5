"""Whether the draws of a world are dilemmas: the opening stage of each, between private interest and common good."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coopgym.backend import Array
from coopgym.games.game import AnyGame
from coopgym.games.state import State
from coopgym.oracles.dynamic.ascent import ascend, torch_gradient
from coopgym.oracles.dynamic.informed_private import alike_in_draws
from coopgym.oracles.dynamic.planning import double_precision, moved_to
from coopgym.oracles.games.equilibria_by_row import RowEquilibria, row_equilibria
from coopgym.oracles.games.normal_form import StageGameByRow
from coopgym.typing import FloatArray

STARTS = (0.1, 0.5, 1.0)
"""Shares that the search for the optimum starts from."""
ITERATIONS = 200


@dataclass(frozen=True, eq=False)
class OpeningDilemmas:
    """The opening stage in each of B draws."""

    nash: RowEquilibria
    """The private equilibrium with the lowest welfare, by the convention of the price of anarchy."""
    optimum: FloatArray
    """``(B,)`` largest welfare."""

    def at_price(self, price: float) -> FloatArray:
        """Return ``(B,)`` whether optimal welfare is at least so many times that of the private equilibrium.

        It is not where welfare is not positive in the equilibrium, nor where none was found: there is no price then.
        """
        welfare, found = self.nash.utilities.sum(-1), self.nash.settled
        dilemmas: FloatArray = found & (welfare > 0.0) & (self.optimum >= price * welfare)
        return dilemmas


def opening_dilemmas(game: AnyGame, states: State) -> OpeningDilemmas:
    """Solve the opening stage of every draw for the private equilibrium and for the optimum of welfare.

    Args:
        game: on the NumPy backend.
        states: ``(B,)`` opening states of the draws.

    Raises:
        ImportError: torch is not installed.

    >>> from coopgym.oracles.dynamic.informed import drawn_states
    >>> game = coopgym.make_game("TrustDilemma-v1", world="common")
    >>> opening_dilemmas(game, drawn_states(game, range(8))).at_price(1.05).all()
    np.True_
    """
    form = StageGameByRow(game, "private", states)
    return OpeningDilemmas(row_equilibria(form, alike_in_draws(game), worst=True), _optimal_welfare(form))


def _optimal_welfare(form: StageGameByRow) -> FloatArray:
    count, n = len(form.state.t), form.n_agents
    copies = form.rows(np.tile(np.arange(count), len(STARTS)))
    backend = double_precision()
    with backend.lasting():
        game, states = form.game.to(backend), moved_to(backend, copies.state)

    def welfare(shares: Array) -> Array:
        actions = shares * game.endowments
        return game.stage(game.at_steady_state(states, actions), actions).payoffs.sum(-1) / form.scale

    starts = np.repeat(np.repeat(STARTS, count)[:, None], n, axis=1)
    found = ascend(torch_gradient(welfare, (n,)), starts, ITERATIONS)
    best: FloatArray = form.scale * found.values.reshape(len(STARTS), count).max(0)
    return best
