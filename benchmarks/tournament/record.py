"""A tournament of one game: every agent among copies of every other one, with all numbers per seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from coopgym.benchmarks.study import canonical_json
from coopgym.benchmarks.tournament.kept import measures_of
from coopgym.benchmarks.tournament.matches import Measures, Venue
from coopgym.benchmarks.tournament.meta_game import MetaGame
from coopgym.benchmarks.tournament.participants import Participants, players_of
from coopgym.games.spec import View
from coopgym.typing import FloatArray


@dataclass(frozen=True, eq=False)
class Matches:
    """What K agents got alone among copies of each of P others, in one game.

    Every measure of `MatchOutcome` is an array ``(S, K, P)`` under its name in `measures`, seed by seed.
    """

    game: str
    parameters: Mapping[str, Any]
    """What differs from the game's defaults."""
    reward: str
    view: View
    names: tuple[str, ...]
    """Of the focal agents."""
    seeds: tuple[int, ...]
    episodes: int
    """Per match, seat and seed."""
    measures: Measures

    @property
    def among(self) -> tuple[str, ...]:
        """Names of those who fill the other seats."""
        return self.names

    def mean(self, measure: str) -> FloatArray:
        """Return a measure's mean over seeds, ``(K, P)``.

        Raises:
            ValueError: no such measure.
        """
        return self._values(measure).mean(0)

    def standard_error(self, measure: str = "focal_return") -> FloatArray | None:
        """Return the standard error of a measure's mean over seeds, ``(K, P)``; None from a single seed.

        Raises:
            ValueError: no such measure.
        """
        values = self._values(measure)
        if len(self.seeds) < 2:
            return None
        # Equal values have no error, whatever rounding does to their mean.
        return np.where(np.ptp(values, axis=0) == 0.0, 0.0, values.std(0, ddof=1) / np.sqrt(len(self.seeds)))

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield one tidy row per seed and pair of agents."""
        for (s, seed), (i, focal), (j, background) in product(*map(enumerate, (self.seeds, self.names, self.among))):
            place = {"game": self.game, "parameters": canonical_json(dict(self.parameters)), "reward": self.reward}
            pair = {"focal": focal, "background": background, "seed": seed, "episodes": self.episodes}
            yield place | pair | {name: float(values[s, i, j]) for name, values in self.measures.items()}

    def _values(self, measure: str) -> FloatArray:
        if measure not in self.measures:
            raise ValueError(f"measure={measure!r}: expected one of {', '.join(self.measures)}")
        return self.measures[measure]


@dataclass(frozen=True, eq=False)
class Tournament(Matches, MetaGame):
    """What K agents got from each other in one game; row is the focal agent, column fills all other seats."""

    @property
    def agents(self) -> tuple[str, ...]:
        return self.names

    @property
    def payoffs(self) -> FloatArray:
        """Focal return, mean over seeds, ``(K, K)``: what row earns alone among copies of column."""
        return self.mean("focal_return")


def tournament(
    game: str,
    agents: Participants,
    reward: str = "private",
    seeds: Iterable[int] = (0, 1, 2),
    episodes: int = 1,
    parameters: Mapping[str, Any] | None = None,
    view: View | None = None,
    report: Callable[[float], None] = lambda fraction: None,
    runs: Path | None = None,
) -> Tournament:
    """Let every agent play alone among copies of every other one, in every seat in turn, and among its own copies.

    The same seed gives the same bytes. Seeds of plays derive from the game, its parameters and the seed only: all
    matches meet the same chance, and neither the order of agents nor who else takes part matters.

    Args:
        game: id of a game.
        agents: names, or a mapping from names to names, functions that make agents, or trained policies for all seats.
        reward: mode in which payoffs become what agents earn.
        seeds: one replicate each.
        episodes: played side by side per match, seat and seed; more than one matters where there is chance.
        parameters: game parameters that differ from the default.
        view: what agents see; None is the game's default view.
        report: told the finished fraction now and then.
        runs: folder of a corpus that keeps the matches; those that it holds are not played again.

    Raises:
        ValueError: unknown names, no agents or seeds, a seed twice, or fewer than one episode; with ``runs`` also
            agents that are no names.
        TypeError: an agent that is none, or an unknown parameter.
        FailedMatchesError: with ``runs``, an agent raised something.
    """
    venue = Venue.of(game, reward, seeds, episodes, parameters, view)
    players = players_of(venue.game, agents)
    everybody = list(players.values())
    return Tournament(
        **venue.facts, names=tuple(players), measures=measures_of(venue, everybody, everybody, report, runs)
    )
