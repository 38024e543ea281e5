"""What the oracles play: profiles computed from the game that is actually played, each with its audit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from coopgym.games.game import AnyGame
from coopgym.games.state import State, map_arrays
from coopgym.oracles.agents.fixed_points import CLOSE, fixed_points, stage_responses
from coopgym.oracles.agents.reference_profiles import ASSUMED_TRUST, EXPECTED_TRUST_GAIN
from coopgym.oracles.agents.rest_points import rest_points
from coopgym.oracles.dynamic.informed import best_uninformed
from coopgym.oracles.games.best_response import regret
from coopgym.oracles.games.equilibrium import NASH_REGRET, Equilibria, find_equilibria
from coopgym.oracles.games.normal_form import CommitmentGame, NormalForm, StageGame
from coopgym.oracles.games.optimum import welfare_optimum
from coopgym.oracles.games.rollout import initial_state
from coopgym.play import NOMINAL, Draws
from coopgym.typing import FloatArray

Select = Literal["stable", "welfare", "only"]
"""Which of several equilibria to play: the one with the highest welfare among those that are not unstable, among all,
or none unless it is the only one."""
SELECTIONS: tuple[Select, ...] = get_args(Select)

LOYAL = 0.9
"""Loyalty of the loyalty oracle, as a part of its maximum."""


class NoSolutionError(ValueError):
    """An oracle has nothing that it may play."""


@dataclass(frozen=True, eq=False)
class Solution:
    """What an oracle plays, and how well it holds."""

    shares: FloatArray
    """``(steps, N)`` shares of endowment; the last row holds until the end, so a constant profile has one row."""
    definition: Literal["reference", "computed"]
    residual: float | None
    """Distance, in shares, to what the oracle's own rule answers; None where it has no such rule."""
    regret: float | None
    """Largest gain from deviating alone, in utility units of the game it solves; None where it is no equilibrium."""
    description: str
    """What was found and what was chosen, in one line."""

    def __post_init__(self) -> None:
        # All seats share one solution.
        self.shares.setflags(write=False)


def published(actions: FloatArray, game: AnyGame) -> Solution:
    """Wrap actions ``(N,)`` or ``(steps, N)`` in units that a published definition prescribes."""
    return Solution(np.atleast_2d(actions / game.spec.endowments), "reference", None, None, "as published")


def uninformed_level(game: AnyGame, openings: State, draws: Draws = NOMINAL) -> Solution:
    """Hold the level per group of exchangeable seats that earns most welfare on average over opening states ``(B,)``.

    Args:
        game: on the NumPy backend.
        openings: what resets may draw.
        draws: the chance of every step, which matters where worlds shift.
    """
    best = best_uninformed(game, openings, draws)
    text = f"best level on {len(openings.t)} draws: mean welfare {best.welfare.mean():.4f}"
    return Solution(best.levels[None], "computed", None, None, text)


def equilibrium(form: NormalForm, select: Select) -> Solution:
    """Return a Nash equilibrium of a normal-form game.

    Raises:
        NoSolutionError: none was found, or several when only one was asked for.
    """
    return chosen(find_equilibria(form), select)


def coopetitive_equilibrium(game: AnyGame, select: Select, state: State) -> Solution:
    """Return a stage equilibrium under integrated reward in a state."""
    return equilibrium(StageGame(game, "integrated", state), select)


def optimum(game: AnyGame, reward: str) -> Solution:
    """Return the constant profile with the largest sum of a reward over the whole episode.

    Raises:
        NoSolutionError: the search did not converge.
    """
    try:
        best = welfare_optimum(CommitmentGame(game, reward))
    except ValueError as error:
        raise NoSolutionError(str(error)) from error
    text = f"mean {reward} reward {best.value:.4f} per seat and step; {best.agreement:.0%} of the starts agree"
    return Solution(best.profile[None], "computed", best.residual, None, text)


def reciprocity_equilibrium(game: AnyGame, select: Select) -> Solution:
    """Return a coopetitive equilibrium at raised trust in which everybody remembers just what is played.

    Trust is min(0.95, T0 + 0.35) and there is no damage. Memory, and the public image where one takes its place, is
    full of the profile itself, so that nobody is surprised.

    Raises:
        NoSolutionError: as `equilibrium`.
    """
    trust = min(ASSUMED_TRUST, float(game.parameters.initial_trust) + EXPECTED_TRUST_GAIN)  # type: ignore[attr-defined]  # formal parameters have it
    start = initial_state(game, trust=trust, damage=0.0)
    return chosen(rest_points(game, start), select)


def chosen(equilibria: Equilibria, select: Select) -> Solution:
    """Choose one of the equilibria that were found.

    Raises:
        NoSolutionError: there is none to choose.
    """
    best = equilibria.best_paying(unstable=select != "stable")
    if best is None or (select == "only" and not equilibria.unique):
        raise NoSolutionError(
            f"{equilibria.game} under {equilibria.reward} reward: nothing to play with select={select!r}, "
            f"{equilibria.describe()}"
        )
    text = f"{equilibria.describe()}; select={select}: mean payoff {best.welfare:.4f}"
    return Solution(best.profile[None], "computed", best.residual, best.regret, text)


def following_equilibria(game: AnyGame, states: State, profiles: npt.NDArray[np.float64]) -> FloatArray:
    """Return coopetitive stage equilibria ``(B, N)`` in states ``(B,)``, near the profiles ``(B, N)`` to begin from.

    Raises:
        NoSolutionError: some state has no equilibrium that the search can find.
    """
    points, residuals = fixed_points(lambda guess: stage_responses(game, states, guess), profiles)
    for row in (residuals > CLOSE).nonzero()[0]:
        state = map_arrays(lambda array, row=row: array[row], states)
        points[row] = _nearest_equilibrium(StageGame(game, "integrated", state), points[row], float(residuals[row]))
    return points


def _nearest_equilibrium(form: StageGame, point: FloatArray, residual: float) -> FloatArray:
    """The point itself where nobody gains by leaving it, else the nearest equilibrium."""
    gain = regret(form, point)
    if gain <= NASH_REGRET * form.scale:
        return point
    equilibria = find_equilibria(form)
    if not equilibria.found:
        raise NoSolutionError(
            f"{form.game.id} at step {float(form.state.t):g}: no coopetitive equilibrium in the present state ("
            f"residual {residual:.2g} shares, regret {gain:.2g}); {equilibria.describe()}"
        )
    return min((one.profile for one in equilibria.found), key=lambda profile: float(np.abs(profile - point).max()))
