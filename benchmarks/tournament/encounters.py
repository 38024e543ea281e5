"""Agents among partners that somebody names: a population of strangers, members of one, or any agents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from coopgym.benchmarks.tournament.kept import measures_of
from coopgym.benchmarks.tournament.matches import Venue
from coopgym.benchmarks.tournament.participants import Participants, player_named, players_of
from coopgym.benchmarks.tournament.record import Matches
from coopgym.games.spec import View
from coopgym.strangers import KINDS, populations_of
from coopgym.typing import FloatArray


@dataclass(frozen=True)
class Counterpart:
    """Somebody whose copies are met."""

    name: str
    kind: str
    """One of `coopgym.strangers.KINDS`, or ``named`` for agents of no population."""
    agent: str
    """What `coopgym.agents.make_agent` makes it of."""


@dataclass(frozen=True, eq=False)
class Encounters(Matches):
    """What K agents and P partners got from each other in one game; the agent alone among copies of the partner."""

    partners: tuple[Counterpart, ...]
    """Kind by kind."""
    untrained: tuple[str, ...]
    """Partners who are missing, because nobody has trained them in this game."""

    @property
    def among(self) -> tuple[str, ...]:
        return tuple(partner.name for partner in self.partners)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of partners that were met, in their order."""
        return tuple(dict.fromkeys(partner.kind for partner in self.partners))

    def by_kind(self, measure: str) -> FloatArray:
        """Return a measure's mean over the partners of each kind, ``(K, kinds)``.

        Raises:
            ValueError: no such measure.
        """
        of_kind = np.array([[partner.kind == kind for kind in self.kinds] for partner in self.partners], dtype=float)
        return self.mean(measure) @ (of_kind / of_kind.sum(0))

    def rows(self) -> Iterator[dict[str, Any]]:
        kinds = {partner.name: partner.kind for partner in self.partners}
        for row in super().rows():
            yield row | {"kind": kinds[row["background"]]}


def encounters(
    game: str,
    agents: Participants,
    against: Sequence[str] = ("strangers:test",),
    reward: str = "private",
    seeds: Iterable[int] = (0, 1, 2),
    episodes: int = 1,
    parameters: Mapping[str, Any] | None = None,
    view: View | None = None,
    report: Callable[[float], None] = lambda fraction: None,
    runs: Path | None = None,
) -> Encounters:
    """Let agents sit alone among copies of each of some partners, in every seat in turn.

    Matches are those of `coopgym.benchmarks.tournament.tournament`, of the same chance.

    Args:
        game: id of a game.
        agents, reward, seeds, episodes, parameters, view, report, runs: as there.
        against: names of partners, as `coopgym.strangers.populations_of` reads them.

    Raises:
        ValueError, TypeError, FailedMatchesError: as `tournament`; also where nobody is met.

    >>> met = encounters("TrustDilemma-v1", ["TitForTat"], ["strangers:test/grim-0.6", "strangers:test/constant-0.9"])
    >>> met.among, met.mean("focal_payoff").round(), met.mean("background_payoff").round()
    (('constant-0.9', 'grim-0.6'), array([[208., 203.]]), array([[207., 203.]]))
    """
    venue = Venue.of(game, reward, seeds, episodes, parameters, view)
    partners, untrained = _counterparts(venue.game.id, against)
    players = players_of(venue.game, agents)
    # An agent that is its own partner is the same player, so that it is focal in all seats at once.
    known = {player.text: player for player in players.values()}
    background = [known.get(partner.agent) or player_named(partner.agent) for partner in partners]
    return Encounters(
        **venue.facts,
        names=tuple(players),
        measures=measures_of(venue, list(players.values()), background, report, runs),
        partners=partners,
        untrained=untrained,
    )


def _counterparts(game: str, against: Sequence[str]) -> tuple[tuple[Counterpart, ...], tuple[str, ...]]:
    """Return who is met, kind by kind, and who is missing; where two share a name all are called by their addresses."""
    populations = populations_of(game, against)
    met = [(population.address(partner), partner) for population in populations for partner in population.partners]
    untrained = tuple(name for population in populations for name in population.untrained)
    if not met:
        raise ValueError(f"{game}: nobody to meet; {', '.join(untrained) or 'no partner'} is not trained in this game")
    unique = max(Counter(partner.name for _, partner in met).values()) == 1
    kinds = [*KINDS, *(partner.kind for _, partner in met)]
    ordered = sorted(met, key=lambda each: kinds.index(each[1].kind))
    return tuple(
        Counterpart(partner.name if unique else address, partner.kind, address) for address, partner in ordered
    ), untrained
