"""Herds in games: agents who one by one decide whether to cooperate with partners of unknown type.

A stream of agents each plays one step of a game in the same seat. All its partners are of one type: they reciprocate,
playing the level that the agent plays (G), or they defect and play the low level whatever it does (B). The high level
is that of the welfare optimum, the low one that of the private equilibrium. The right action is to play high with
partners who reciprocate and low with those who defect, and the wrong one costs what the game says it does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from coopgym.games.game import AnyGame
from coopgym.games.state import State
from coopgym.oracles.games.equilibrium import find_equilibria
from coopgym.oracles.games.normal_form import StageGame
from coopgym.oracles.games.optimum import welfare_optimum
from coopgym.oracles.mechanism_design.herd import Herd
from coopgym.typing import FloatArray


@dataclass(frozen=True, eq=False)
class HerdGame:
    """A herd whose losses are those of a game."""

    game: str
    seat: int
    low: float
    """Share of endowment that an agent plays as action B."""
    high: float
    """Likewise as action G."""
    mutual: float
    """Payoff of an agent that plays high with partners who reciprocate."""
    alone: float
    """Payoff of playing low, which all partners answer by playing low."""
    exploited: float
    """Payoff of playing high with partners who defect."""
    herd: Herd
    """With losses whose mean is 1."""

    @property
    def unit(self) -> float:
        """Payoff that one unit of loss, of cost and of stake stands for."""
        return 0.5 * (self.mutual - self.exploited)

    @property
    def costs_of_error(self) -> tuple[float, float]:
        """Payoff lost by playing low with partners who reciprocate, and high with those who defect."""
        return self.mutual - self.alone, self.alone - self.exploited


def herd_in(
    game: AnyGame,
    herd: Herd | None = None,
    *,
    seat: int = 0,
    levels: tuple[float, float] | None = None,
    partners: int | None = None,
    state: State | None = None,
) -> HerdGame:
    """Return the herd of a game: its losses are payoff differences of the stage game.

    Args:
        game: on the NumPy backend.
        herd: all else about planner and agents; its losses are replaced. None is a biased planner with a baseline of
            0.7 and a cost of 0.3.
        seat: of the agents.
        levels: shares of endowment of the low and the high action; None for those of the private equilibrium and of the
            welfare optimum in that seat.
        partners: how many of the others, the next in order, are of the unknown type, while the rest plays low; None is
            all of them.
        state: to play in; None is the initial one.

    Raises:
        ValueError: no such seat or number of partners, no private equilibrium, or levels at which there is no right and
            wrong: mutual cooperation pays no more than mutual defection, or cooperating alone costs nothing.

    >>> found = herd_in(coopgym.make_game("ReputationMarket-v1"))
    >>> round(found.low, 2), round(found.high, 2), tuple(round(each, 3) for each in found.costs_of_error)
    (0.1, 0.85, (0.328, 0.356))
    """
    stage, others = StageGame(game, "private", state), game.n_agents - 1
    if not 0 <= seat < game.n_agents:
        raise ValueError(f"seat={seat!r}: {game.id} has seats 0 to {others}")
    count = others if partners is None else partners
    if not 1 <= count <= others:
        raise ValueError(f"partners={partners!r}: expected 1 to {others} of the other seats of {game.id}")
    low, high = _levels(stage) if levels is None else (np.full(game.n_agents, each) for each in levels)
    profiles = _profiles(seat, count, low, high)
    mutual, alone, exploited = stage.payoffs(profiles)[:, seat].tolist()
    if not mutual > alone > exploited:
        raise ValueError(
            f"{game.id}, levels {low[seat]:.3g} and {high[seat]:.3g}, {count} partners: mutual cooperation pays "
            f"{mutual:.4g}, mutual defection {alone:.4g}, cooperating alone {exploited:.4g}; expected them in this "
            "order, so that there is a right action with either type"
        )
    unit = 0.5 * (mutual - exploited)
    losses = ((mutual - alone) / unit, (alone - exploited) / unit)
    chosen = Herd("biased", baseline=0.7, cost=0.3) if herd is None else herd
    return HerdGame(
        game.id, seat, float(low[seat]), float(high[seat]), mutual, alone, exploited, replace(chosen, losses=losses)
    )


def _levels(stage: StageGame) -> tuple[FloatArray, FloatArray]:
    """Return the shares ``(N,)`` of the private equilibrium of least welfare, and of the optimum."""
    found = find_equilibria(stage).found
    if not found:
        raise ValueError(f"{stage.game.id}: no private equilibrium was found; give the levels")
    low = min(found, key=lambda equilibrium: equilibrium.welfare).profile
    return np.asarray(low), np.asarray(welfare_optimum(stage).profile)


def _profiles(seat: int, count: int, low: FloatArray, high: FloatArray) -> npt.NDArray[np.float64]:
    """Return the profiles ``(3, N)`` of mutual cooperation, mutual defection and cooperation alone."""
    typed = (seat + 1 + np.arange(count)) % len(low)
    mutual, exploited = low.copy(), low.copy()
    mutual[[seat, *typed]], exploited[seat] = high[[seat, *typed]], high[seat]
    return np.stack([mutual, low, exploited])
