"""Private play of who knows what a world has drawn: equilibria of commitments, and what answers them best.

These are behind the private score: 1 is what a seat's best reply earns among others who play their informed private
equilibrium. All draws are solved as one batch, as in `coopgym.oracles.dynamic.informed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coopgym.backend import Array
from coopgym.games.game import AnyGame
from coopgym.games.state import State
from coopgym.oracles.dynamic.ascent import ascend, torch_gradient
from coopgym.oracles.dynamic.informed import ITERATIONS, SolvedDraws, in_parts, solved_once
from coopgym.oracles.dynamic.planning import double_precision, moved_to
from coopgym.oracles.games.equilibria_by_row import RowEquilibria, row_equilibria
from coopgym.oracles.games.normal_form import CommitmentGameByRow
from coopgym.oracles.games.rollout import plan_returns
from coopgym.rewards import MODES
from coopgym.typing import FloatArray

_EQUILIBRIA: SolvedDraws = {}
_REPLIES: SolvedDraws = {}
"""What was found in this process, by game (and seat) and draw."""


@dataclass(frozen=True, eq=False)
class BestReplies:
    """The best plan found of one seat in each of B draws, against others who hold one share each."""

    shares: FloatArray
    """``(steps, B)``."""
    returns: FloatArray
    """``(B,)`` what the seat earns."""


def informed_equilibria(game: AnyGame, states: State) -> RowEquilibria:
    """Find for each draw the private equilibrium of commitments that pays best, its factors known to all seats.

    The notion is that of certificates and of `Oracle_CommitmentNash`; utilities are means per step. Exchangeable seats
    move together where all share one cost factor.

    Args:
        game: on the NumPy backend.
        states: ``(B,)`` opening states of the draws.

    >>> from coopgym.oracles.dynamic.informed import drawn_states
    >>> game = coopgym.make_game("SynergySearch-v1", world="common", max_steps=5)
    >>> found = informed_equilibria(game, drawn_states(game, [1, 2]))
    >>> found.profiles.round(2).tolist(), found.settled
    ([[0.02, 0.02], [0.57, 0.57]], array([ True,  True]))
    """
    return row_equilibria(CommitmentGameByRow(game, "private", states), alike_in_draws(game))


def alike_in_draws(game: AnyGame) -> Sequence[Sequence[int]]:
    """Return sets of seats that are alike in every draw: exchangeable ones, unless each has costs of its own."""
    traits = game.traits()
    if traits.world is not None and traits.world.kind.private:
        return [[seat] for seat in range(game.n_agents)]
    return traits.exchangeable


def known_equilibria(game: AnyGame, states: State) -> FloatArray:
    """Return the informed private equilibria ``(B, N)`` of B opening states; each draw is solved once in a process.

    Args:
        game: on the NumPy backend.
        states: ``(B,)`` opening states of the draws.
    """
    return solved_once(_EQUILIBRIA, game, states, lambda new: informed_equilibria(game, new).profiles)


def best_replies(game: AnyGame, states: State, shares: FloatArray, seat: int) -> BestReplies:
    """Find for each draw the plan of one seat that earns it most if the others hold their shares to the end.

    From the seat's own share the plan of all steps is climbed to by exact gradients; it is never worse.

    Args:
        game: on the NumPy backend.
        states: ``(B,)`` opening states of the draws.
        shares: ``(B, N)`` what everybody holds, such as an equilibrium.
        seat: who replies.

    Raises:
        ImportError: torch is not installed.
    """
    parts = [_climbed(game, part, shares[rows], seat) for rows, part in in_parts(game, states)]
    return BestReplies(
        np.concatenate([part.shares for part in parts], axis=1), np.concatenate([part.returns for part in parts])
    )


def _climbed(game: AnyGame, states: State, shares: FloatArray, seat: int) -> BestReplies:
    backend = double_precision()
    with backend.lasting():
        on_torch, start = game.to(backend), moved_to(backend, states)
        others = backend.array(np.where(np.arange(game.n_agents) == seat, 0.0, shares))
        own = backend.array(np.eye(game.n_agents)[seat])
    steps, unit = game.spec.horizon, game.spec.payoff_scale

    def earned(plans: Array) -> Array:
        everybody = others + plans.swapaxes(0, 1)[..., None] * own
        return plan_returns(on_torch, start, everybody, [MODES["private"]])[0][..., seat] / unit

    climb = ascend(torch_gradient(earned, (steps,)), np.repeat(shares[:, seat, None], steps, axis=1), ITERATIONS)
    return BestReplies(climb.points.swapaxes(0, 1), climb.values * unit)


def known_replies(game: AnyGame, states: State, seat: int) -> FloatArray:
    """Return a seat's best replies ``(steps, B)`` to the informed private equilibria; each is found once in a process.

    Args:
        game: on the NumPy backend.
        states: ``(B,)`` opening states of the draws.
        seat: who replies.

    Raises:
        ImportError: torch is not installed.
    """

    def replies(new: State) -> FloatArray:
        return best_replies(game, new, known_equilibria(game, new), seat).shares.swapaxes(0, 1)

    return solved_once(_REPLIES, game, states, replies, seat).swapaxes(0, 1)
