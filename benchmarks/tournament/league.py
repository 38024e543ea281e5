"""Tournaments of the same agents in several games, each game on a scale of its own and all with the same weight."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from coopgym.benchmarks.progress import part_of
from coopgym.benchmarks.tournament.meta_game import MetaGame
from coopgym.benchmarks.tournament.participants import CLASSICS, Participants
from coopgym.benchmarks.tournament.record import Tournament, tournament
from coopgym.oracles.meta.payoffs import payoff_range
from coopgym.typing import FloatArray


@dataclass(frozen=True, eq=False)
class League(MetaGame):
    """The same agents in several games. Made by `league`."""

    tournaments: tuple[Tournament, ...]

    @property
    def agents(self) -> tuple[str, ...]:
        return self.tournaments[0].agents

    @property
    def games(self) -> tuple[str, ...]:
        """Ids of the G games."""
        return tuple(played.game for played in self.tournaments)

    @property
    def normalised(self) -> FloatArray:
        """Payoffs of every game between its own worst pairing, 0, and its best, 1, ``(G, K, K)``."""
        tables = [played.payoffs for played in self.tournaments]
        return np.stack([(table - table.min()) / payoff_range(table) for table in tables])

    @property
    def payoffs(self) -> FloatArray:
        """Normalised payoffs, mean over games, ``(K, K)``: what row earns alone among copies of column."""
        return self.normalised.mean(0)

    def rows(self) -> Iterator[dict[str, Any]]:
        return (row for played in self.tournaments for row in played.rows())


def league(tournaments: Sequence[Tournament]) -> League:
    """Put tournaments of the same agents together.

    Raises:
        ValueError: no tournament, different agents, or different reward modes.
    """
    if not tournaments:
        raise ValueError("tournaments: expected at least one")
    first = tournaments[0]
    for other in tournaments[1:]:
        if other.agents != first.agents:
            raise ValueError(
                f"{other.game} was played by {', '.join(other.agents)} and {first.game} by {', '.join(first.agents)}; "
                "play all games with the same agents in the same order"
            )
        if other.reward != first.reward:
            raise ValueError(
                f"{other.game} was played under {other.reward!r} reward and {first.game} under {first.reward!r}; "
                "choose one reward mode"
            )
    return League(tuple(tournaments))


def compete(
    games: Sequence[str],
    agents: Participants = CLASSICS,
    reward: str = "private",
    seeds: Iterable[int] = (0, 1, 2),
    episodes: int = 1,
    parameters: Mapping[str, Any] | None = None,
    report: Callable[[float], None] = lambda fraction: None,
    runs: Path | None = None,
) -> Tournament | League:
    """Play a tournament of one game, or a league of several.

    Args:
        games: ids.
        agents, reward, seeds, episodes, parameters: as in `tournament`, the same in every game.
        report: told the finished fraction now and then.
        runs: folder of a corpus that keeps the matches, as in `tournament`.

    Raises:
        ValueError: no game, or as in `tournament`.
        TypeError, FailedMatchesError: as in `tournament`.
    """
    replicates = tuple(seeds)
    played = [
        tournament(
            game, agents, reward, replicates, episodes, parameters, report=part_of(report, done, len(games)), runs=runs
        )
        for done, game in enumerate(games)
    ]
    return played[0] if len(played) == 1 else league(played)
