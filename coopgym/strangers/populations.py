"""Who may be met in a game: one population to train with, another, of which nobody is in the first, to be tested on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from coopgym.agents.registry import make_agent
from coopgym.games.registry import game_class, games
from coopgym.strangers.partners import KINDS, SCHEME, Partner, partner_cards, strangers_folder
from coopgym.strangers.policies import policies_of

ReleasedName = Literal["training", "test"]
PopulationName = ReleasedName | Literal["named"]
POPULATIONS: tuple[ReleasedName, ...] = get_args(ReleasedName)
"""Those that are released."""
NAMED: PopulationName = "named"
"""The population, and the kind, of agents that somebody asks for by name."""


@dataclass(frozen=True)
class Population:
    """The partners of one game who can be met."""

    game: str
    name: PopulationName
    partners: tuple[Partner, ...]
    untrained: tuple[str, ...]
    """Names of partners whose policies have not been made in this game; they are met nowhere, and scores say so."""

    def __getitem__(self, name: str) -> Partner:
        """Return a partner by its name.

        Raises:
            KeyError: there is none of this name.
        """
        found = {partner.name: partner for partner in self.partners}
        if name not in found:
            raise KeyError(f"no partner {name!r} in the {self.name} population of {self.game}: {', '.join(found)}")
        return found[name]

    def address(self, partner: Partner) -> str:
        """Return the text that `coopgym.agents.make_agent` reads as a partner, in whatever game.

        >>> strangers = population("TrustDilemma-v1")
        >>> strangers.address(strangers["grim-0.6"])
        'strangers:test/grim-0.6'
        """
        return partner.agent if self.name == NAMED else f"{SCHEME}:{self.name}/{partner.name}"

    @property
    def missing_kinds(self) -> tuple[str, ...]:
        """Kinds of which nobody is here."""
        present = {partner.kind for partner in self.partners}
        return tuple(kind for kind in KINDS if kind not in present)


def population(game: str, name: str = "test") -> Population:
    """Return a population of a game of the formal edition.

    Args:
        game: its id.
        name: ``"training"`` or ``"test"``.

    Raises:
        ValueError: no such game or population, or a damaged table.
        FileNotFoundError: the populations are not there.

    >>> strangers = population("TrustDilemma-v1")
    >>> strangers["grim-0.6"].agent, strangers["noisy-tit-for-tat"].kind
    ('GrimTrigger(opening_level=0.6)', 'noisy')
    """
    id = game_class(game).id
    if id not in games("formal"):
        raise ValueError(f"{id}: strangers are met in the games of the formal edition: {', '.join(games('formal'))}")
    place = strangers_folder()
    cards = partner_cards(place)
    for known in POPULATIONS:
        if name == known:
            trained = policies_of(place, id)
            here = tuple(card for card in cards[known] if _is_ready(card, known, trained))
            return Population(id, known, here, tuple(card.name for card in cards[known] if card not in here))
    raise ValueError(f"population {name!r}: expected one of {', '.join(POPULATIONS)}")


def populations_of(game: str, names: Sequence[str]) -> tuple[Population, ...]:
    """Return who is meant by the names of partners, population by population, nobody twice.

    Args:
        game: its id.
        names: of whole populations, ``strangers:test``; of somebody there, ``strangers:test/grim-0.6``; or of any agent
            (`coopgym.agents.make_agent`), who then is of the population and kind `NAMED`.

    Raises:
        ValueError: no such game, population, partner or agent.
        FileNotFoundError: the populations are not there.

    >>> met = populations_of("TrustDilemma-v1", ["strangers:test/grim-0.6", "TitForTat", "strangers:test/turns-bad"])
    >>> [(each.name, [partner.name for partner in each.partners]) for each in met]
    [('test', ['grim-0.6', 'turns-bad']), ('named', ['TitForTat'])]
    """
    met: dict[PopulationName, list[Population]] = {}
    for name in names:
        found = _named(game_class(game).id, name)
        met.setdefault(found.name, []).append(found)
    return tuple(map(_joined, met.values()))


def is_whole(met: Population) -> bool:
    """Whether everybody of a released population is there who can be met in the game."""
    return met.name != NAMED and set(met.partners) == set(population(met.game, met.name).partners)


def _named(game: str, name: str) -> Population:
    scheme, _, address = name.partition(":")
    released, _, partner = address.partition("/")
    if scheme == SCHEME and released not in POPULATIONS:
        known = " or ".join(f"{SCHEME}:{each}" for each in POPULATIONS)
        raise ValueError(f"partners {name!r}: expected {known}, or one of them there, like {SCHEME}:test/grim-0.6")
    if scheme == SCHEME and not partner:
        return population(game, released)
    make_agent(name)  # which refuses those that are unknown
    if scheme != SCHEME:
        return Population(game, NAMED, (Partner(name, NAMED, name, made="asked for by name", licence=""),), ())
    whole = population(game, released)
    return replace(
        whole,
        partners=tuple(each for each in whole.partners if each.name == partner),
        untrained=tuple(each for each in whole.untrained if each == partner),
    )


def _joined(parts: Iterable[Population]) -> Population:
    first, *others = parts
    return replace(
        first,
        partners=tuple(dict.fromkeys(partner for part in (first, *others) for partner in part.partners)),
        untrained=tuple(dict.fromkeys(name for part in (first, *others) for name in part.untrained)),
    )


def _is_ready(card: Partner, population: PopulationName, trained: Collection[str]) -> bool:
    return card.training is None or f"{population}/{card.name}" in trained
