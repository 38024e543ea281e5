"""What makes a stage game a dilemma: price of anarchy, greed, fear, the Schelling diagram, the path of mutuality."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coopgym.games.game import AnyGame
from coopgym.games.state import State
from coopgym.oracles.games.best_response import best_response
from coopgym.oracles.games.equilibrium import Equilibria, Equilibrium, find_equilibria
from coopgym.oracles.games.normal_form import StageGame
from coopgym.oracles.games.optimum import Optimum, welfare_optimum
from coopgym.oracles.games.rollout import initial_state
from coopgym.typing import FloatArray

MUTUALITIES = (0.25, 0.5, 0.75)
"""Points on the way from private to cooperative reward."""
ALL_SUBSETS = 12
"""Up to this many seats the Schelling diagram averages over all sets of cooperators."""


@dataclass(frozen=True, eq=False)
class Dilemma:
    """The stage game in one state, between private interest and common good."""

    nash: Equilibria
    coopetitive: Equilibria
    """Equilibria in the integrated reward."""
    optimum: Optimum
    """Largest sum of payoffs."""

    @property
    def reported_nash(self) -> Equilibrium | None:
        """The private equilibrium with the lowest welfare, by the convention of the price of anarchy; None if none."""
        return worst(self.nash)

    @property
    def price_of_anarchy(self) -> float | None:
        """Welfare at the optimum over welfare at the worst private equilibrium; None without one or at welfare ≤ 0."""
        nash = self.reported_nash
        return self.optimum.welfare / nash.welfare if nash is not None and nash.welfare > 0.0 else None

    @property
    def gap_closed(self) -> float | None:
        """Part of the welfare gap between private equilibrium and optimum that the integrated reward closes."""
        nash, coopetitive = self.reported_nash, worst(self.coopetitive)
        if nash is None or coopetitive is None or self.optimum.welfare <= nash.welfare:
            return None
        return (coopetitive.welfare - nash.welfare) / (self.optimum.welfare - nash.welfare)


@dataclass(frozen=True, eq=False)
class Schelling:
    """Mean payoff of a chooser when k of the others play the optimum and the rest the private equilibrium."""

    cooperate: FloatArray
    """``(N,)`` for k = 0 .. N - 1, when the chooser plays the optimum too."""
    defect: FloatArray
    """``(N,)`` when it plays the equilibrium."""


def worst(equilibria: Equilibria) -> Equilibrium | None:
    """The equilibrium with the lowest welfare, None if there is none."""
    return min(equilibria.found, key=lambda found: found.welfare, default=None)


def dilemma(game: AnyGame, state: State | None = None) -> Dilemma:
    """Solve the stage game of a state, by default the initial one, for private and integrated reward and welfare."""
    start = initial_state(game) if state is None else state
    private = StageGame(game, "private", start)
    return Dilemma(
        nash=find_equilibria(private),
        coopetitive=find_equilibria(StageGame(game, "integrated", start)),
        optimum=welfare_optimum(private),
    )


def greed(form: StageGame, optimum: FloatArray) -> FloatArray:
    """Return what each seat gains by leaving the optimum alone, ``(N,)``."""
    return np.array([float(best_response(form, optimum[None], seat).gain[0]) for seat in range(form.n_agents)])


def fear(form: StageGame, nash: FloatArray, optimum: FloatArray) -> FloatArray:
    """Return what each seat loses at the private equilibrium by playing the optimum alone, ``(N,)``."""
    alone = np.where(np.eye(form.n_agents, dtype=bool), optimum, nash)
    return form.utilities(nash) - np.diagonal(form.utilities(alone))


def schelling(form: StageGame, nash: FloatArray, optimum: FloatArray) -> Schelling:
    """Draw the diagram: means over choosers and over the sets of k cooperators among the others (Schelling 1973).

    With more than 12 seats the cooperators are the k seats after the chooser, which is the same where seats are
    exchangeable.
    """
    n = form.n_agents
    lines = np.zeros((2, n))
    for chooser in range(n):
        others = [(chooser + distance) % n for distance in range(1, n)]
        for k in range(n):
            sets = _sets_of(others, k, n)
            profiles = np.where(sets, optimum, nash)
            for line, own in enumerate((optimum[chooser], nash[chooser])):
                profiles[:, chooser] = own
                lines[line, k] += form.utilities(profiles)[:, chooser].mean() / n
    return Schelling(cooperate=lines[0], defect=lines[1])


def _sets_of(others: list[int], k: int, n: int) -> npt.NDArray[np.bool_]:
    chosen = list(itertools.combinations(others, k)) if n <= ALL_SUBSETS else [tuple(others[:k])]
    sets = np.zeros((len(chosen), n), dtype=bool)
    for row, members in enumerate(chosen):
        sets[row, list(members)] = True
    return sets


def mutuality_path(game: AnyGame, state: State | None = None) -> dict[float, Equilibria]:
    """Return the equilibria on the way from private reward (λ = 0) to the mean payoff for everyone (λ = 1)."""
    return {degree: find_equilibria(StageGame(game, f"mutuality={degree}", state)) for degree in MUTUALITIES}
