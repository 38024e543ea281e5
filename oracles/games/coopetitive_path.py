"""Coopetitive equilibrium with evolving trust: in every step the stage equilibrium of the state reached."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coopgym.games.game import AnyGame
from coopgym.games.state import State
from coopgym.mechanisms.trust import effective_trust, mean_over_pairs
from coopgym.oracles.games.adjustment import TOLERANCE, movers, solve_smoothly
from coopgym.oracles.games.dilemma import worst
from coopgym.oracles.games.equilibrium import find_equilibria
from coopgym.oracles.games.normal_form import StageGame
from coopgym.oracles.games.rollout import initial_state
from coopgym.play import NOMINAL, unroll
from coopgym.rewards import RewardLayer
from coopgym.typing import FloatArray


class NoStageEquilibriumError(ValueError):
    """A state on the way has no stage equilibrium that the search can find."""


@dataclass(frozen=True, eq=False)
class CoopetitivePath:
    """What seats play that choose a stage equilibrium of the present state in every step, looking no further."""

    shares: FloatArray
    """``(steps, N)`` of endowment."""
    payoffs: FloatArray
    """``(steps, N)`` material payoffs."""
    trust: FloatArray
    """``(steps + 1,)`` mean trust net of reputation damage, before each step and at the end."""
    residuals: FloatArray
    """``(steps,)`` distance of each step's shares to the best responses."""


def coopetitive_path(
    game: AnyGame, reward: str | RewardLayer = "integrated", state: State | None = None
) -> CoopetitivePath:
    """Follow stage equilibria to the horizon, or to where the game ends.

    The path begins with the equilibrium of lowest welfare and stays on the branch it is on for as long as there is one.

    Args:
        game: on the NumPy backend.
        reward: what the seats care about.
        state: a single state to begin in; None is the initial state with hidden draws at their medians.

    Raises:
        NoStageEquilibriumError: some state on the way has no stage equilibrium that the search can find.
    """
    start = initial_state(game) if state is None else state
    shares: list[FloatArray] = []
    residuals: list[float] = []

    def equilibrium(t: int, now: State) -> FloatArray:
        played, residual = _equilibrium_near(StageGame(game, reward, now), shares[-1] if shares else None)
        shares.append(played)
        residuals.append(residual)
        return played * game.endowments

    path = [step.transition for step in unroll(game, equilibrium, start=start, draws=NOMINAL)]
    trust = [_mutual(start), *(_mutual(transition.state) for transition in path)]
    payoffs = np.stack([transition.payoffs for transition in path])
    return CoopetitivePath(np.stack(shares), payoffs, np.array(trust), np.array(residuals))


def _equilibrium_near(form: StageGame, played: FloatArray | None) -> tuple[FloatArray, float]:
    """The stage equilibrium that Newton's method reaches from what was played, else the worst one."""
    if played is not None:
        ends, residuals = solve_smoothly(form, played[None], movers(form, symmetric=True), adjustments=0)
        if residuals[0] < TOLERANCE:
            return ends[0], float(residuals[0])
    equilibria = find_equilibria(form)
    found = worst(equilibria)
    if found is None:
        step = f"{form.game.id} at step {float(form.state.t):g}"
        raise NoStageEquilibriumError(
            f"{step}: no stage equilibrium under {form.layer.name} reward; {equilibria.describe()}"
        )
    return found.profile, found.residual


def _mutual(state: State) -> float:
    return float(mean_over_pairs(effective_trust(state.trust, state.damage)))
