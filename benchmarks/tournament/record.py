"""A tournament of one game: every agent among copies of every other one, with all numbers per seed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from itertools import product
from typing import Any

import numpy as np

from coopgym.benchmarks.study import canonical_json, seed_from
from coopgym.benchmarks.tournament.matches import MEASURES, MatchOutcome, Venue
from coopgym.benchmarks.tournament.meta_game import MetaGame
from coopgym.benchmarks.tournament.participants import Participants, players_of
from coopgym.games.game import checked_view
from coopgym.games.registry import make_game
from coopgym.games.spec import View
from coopgym.rewards import reward_layer
from coopgym.typing import FloatArray


@dataclass(frozen=True, eq=False)
class Tournament(MetaGame):
    """What K agents got from each other in one game; row is the focal agent, column fills all other seats.

    Every measure of `MatchOutcome` is an array ``(S, K, K)`` under its name in `measures`, seed by seed.
    """

    game: str
    parameters: Mapping[str, Any]
    """What differs from the game's defaults."""
    reward: str
    view: View
    names: tuple[str, ...]
    seeds: tuple[int, ...]
    episodes: int
    """Per match, seat and seed."""
    measures: Mapping[str, FloatArray]

    @property
    def agents(self) -> tuple[str, ...]:
        return self.names

    @property
    def payoffs(self) -> FloatArray:
        """Focal return, mean over seeds, ``(K, K)``: what row earns alone among copies of column."""
        return self.mean("focal_return")

    def mean(self, measure: str) -> FloatArray:
        """Return a measure's mean over seeds, ``(K, K)``.

        Raises:
            ValueError: no such measure.
        """
        return self._values(measure).mean(0)

    def standard_error(self, measure: str = "focal_return") -> FloatArray | None:
        """Return the standard error of a measure's mean over seeds, ``(K, K)``; None from a single seed.

        Raises:
            ValueError: no such measure.
        """
        values = self._values(measure)
        if len(self.seeds) < 2:
            return None
        # Equal values have no error, whatever rounding does to their mean.
        return np.where(np.ptp(values, axis=0) == 0.0, 0.0, values.std(0, ddof=1) / np.sqrt(len(self.seeds)))

    def rows(self) -> Iterator[dict[str, Any]]:
        for (s, seed), (i, focal), (j, background) in product(*map(enumerate, (self.seeds, self.names, self.names))):
            place = {"game": self.game, "parameters": canonical_json(dict(self.parameters)), "reward": self.reward}
            pair = {"focal": focal, "background": background, "seed": seed, "episodes": self.episodes}
            yield place | pair | {name: float(values[s, i, j]) for name, values in self.measures.items()}

    def _values(self, measure: str) -> FloatArray:
        if measure not in self.measures:
            raise ValueError(f"measure={measure!r}: expected one of {', '.join(self.measures)}")
        return self.measures[measure]


def tournament(
    game: str,
    agents: Participants,
    reward: str = "private",
    seeds: Iterable[int] = (0, 1, 2),
    episodes: int = 1,
    parameters: Mapping[str, Any] | None = None,
    view: View | None = None,
    report: Callable[[float], None] = lambda fraction: None,
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

    Raises:
        ValueError: unknown names, no agents or seeds, a seed twice, or fewer than one episode.
        TypeError: an agent that is none, or an unknown parameter.
    """
    place, layer = make_game(game, **(parameters or {})), reward_layer(reward).evaluated
    layer.check(place)
    players, replicates = players_of(place, agents), tuple(seeds)
    if not replicates or len(set(replicates)) != len(replicates):
        raise ValueError(f"seeds={replicates}: expected at least one seed, each once")
    facts = canonical_json(place.overridden())
    venue = Venue(place, layer, checked_view(place, view), episodes)
    chances = [seed_from("tournament", place.id, facts, seed) for seed in replicates]
    pairs = list(product(players.values(), repeat=2))
    cells = []
    for focal, background in pairs:
        # Without chance all seeds are copies of one.
        copies = 1 if place.stochastic or not (focal.deterministic and background.deterministic) else len(chances)
        cells.append([venue.match(focal, background, chance) for chance in chances[::copies]] * copies)
        report(len(cells) / len(pairs))
    return Tournament(
        game=place.id,
        parameters=json.loads(facts),
        reward=layer.name,
        view=checked_view(place, view),
        names=tuple(players),
        seeds=replicates,
        episodes=episodes,
        measures=_measures(cells, len(players)),
    )


def _measures(cells: list[list[MatchOutcome]], count: int) -> dict[str, FloatArray]:
    """Turn outcomes, one list over seeds per pair, into arrays ``(S, K, K)`` by name."""
    values = np.array([[astuple(outcome) for outcome in outcomes] for outcomes in cells])
    tables = np.moveaxis(values, 0, -1).swapaxes(0, 1).reshape(len(MEASURES), -1, count, count)
    return dict(zip(MEASURES, tables, strict=True))
