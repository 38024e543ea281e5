"""Who may be met in a game: one population to train with, another, of which nobody is in the first, to be tested on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

from coopgym.games.registry import game_class, games
from coopgym.strangers.partners import KINDS, Partner, partner_cards, strangers_folder
from coopgym.strangers.policies import policies_of

PopulationName = Literal["training", "test"]
POPULATIONS: tuple[PopulationName, ...] = get_args(PopulationName)


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


def _is_ready(card: Partner, population: PopulationName, trained: Collection[str]) -> bool:
    return card.training is None or f"{population}/{card.name}" in trained
