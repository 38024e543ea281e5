"""Commitment play: what is an equilibrium when every seat fixes one share for a whole episode."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coopgym.games.game import AnyGame
from coopgym.oracles.games.basin_search import find_basins
from coopgym.oracles.games.basins import Basins
from coopgym.oracles.games.equilibrium import Equilibria, find_equilibria
from coopgym.oracles.games.normal_form import CommitmentGame
from coopgym.oracles.games.optimum import Optimum, welfare_optimum
from coopgym.rewards import MODES
from coopgym.typing import FloatArray

COMMON_LEVELS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True, eq=False)
class ResponseCurve:
    """Mean reward per seat and step when everybody plays the same share for a whole episode."""

    levels: FloatArray
    """``(101,)`` shares."""
    rewards: FloatArray
    """``(101,)`` in the curve's reward mode."""

    @property
    def best_level(self) -> float:
        """The common share with the highest reward."""
        return float(self.levels[self.rewards.argmax()])

    @property
    def best_reward(self) -> float:
        """What it earns."""
        return float(self.rewards.max())


@dataclass(frozen=True, eq=False)
class Commitment:
    """The commitment game of a whole episode."""

    equilibria: dict[str, Equilibria]
    """Under private and integrated reward: where searches from single starts ended."""
    basins: dict[str, Basins]
    """Under the same: all equilibria, continua, and where their basins meet; empty where that was not asked for."""
    curves: dict[str, ResponseCurve]
    """Best common constants, by reward mode."""
    optimum: Optimum
    """The constants with the largest sum of payoffs."""

    @property
    def prices_of_anarchy(self) -> tuple[float, float] | None:
        """Optimal welfare over that of the worst and of the best private equilibrium; None without a positive one."""
        welfare = self._private_welfare
        if welfare is None or welfare[0] <= 0.0:
            return None
        return self.optimum.welfare / welfare[0], self.optimum.welfare / welfare[1]

    @property
    def _private_welfare(self) -> tuple[float, float] | None:
        """Mean payoff per seat in the worst and in the best private equilibrium; None without one."""
        payoffs = [found.welfare for found in self.equilibria["private"].found]
        if "private" in self.basins:
            payoffs += [float(payoff) for rest in self.basins["private"].rests for payoff in rest.payoffs]
        return (min(payoffs), max(payoffs)) if payoffs else None


def commitment(game: AnyGame, stage_optimum: FloatArray, follow: bool = True) -> Commitment:
    """Solve the commitment game from the initial state.

    Args:
        game: on the NumPy backend.
        stage_optimum: ``(N,)`` optimum of the stage game, from which the search for the optimum starts too.
        follow: also follow best responses along all that seats can commit to, for continua and basins.
    """
    forms = {mode: CommitmentGame(game, mode) for mode in ("private", "integrated")}
    equilibria = {mode: find_equilibria(form) for mode, form in forms.items()}
    return Commitment(
        equilibria=equilibria,
        basins=find_basins(forms, equilibria) if follow else {},
        curves=response_curves(game),
        optimum=welfare_optimum(forms["private"], [0.0, forms["private"].norm, stage_optimum, 1.0]),
    )


def response_curves(game: AnyGame) -> dict[str, ResponseCurve]:
    """Return the response curve of every named reward mode, all read from the same play."""
    form = CommitmentGame(game)
    common = np.repeat(COMMON_LEVELS[:, None], game.n_agents, axis=1)
    tables = form.read(common, list(MODES.values()))
    return {mode: ResponseCurve(COMMON_LEVELS, table.mean(-1)) for mode, table in zip(MODES, tables, strict=True)}
