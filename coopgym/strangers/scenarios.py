"""The scenarios of a game: where the focal agent sits, and which strangers fill the other seats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Literal

from coopgym.games.registry import make_game
from coopgym.play.scenario import Scenario
from coopgym.strangers.partners import Partner
from coopgym.strangers.populations import Population

Company = Literal["visitor", "mix", "resident"]
"""The focal agent alone among copies of one partner, alone among several kinds, or half and half with one."""
MIXES = 2


@dataclass(frozen=True)
class StrangersScenario(Scenario):
    """A scenario whose background comes from a population. Everybody is told the private reward and sees its own view.

    Focal seats of one scenario are exchangeable, so that one plan can serve them all.
    """

    company: Company = "visitor"
    partners: tuple[str, ...] = ()
    """Their names in the population, as in ``background``."""
    kind: str = ""
    """Of its partner; ``mix`` where there are several."""


def scenarios(population: Population) -> tuple[StrangersScenario, ...]:
    """Return all scenarios of a population.

    For each group of exchangeable seats, its first seat among copies of every partner; in games of more than two seats
    also among two mixes, where the partners that play by rule take the other seats in their order, and, where a group
    has more than two seats, every other seat of it with each partner in all that are left.

    >>> from coopgym.strangers import population
    >>> met = scenarios(population("PlatformEcosystem-v1"))
    >>> met[0].name, {each.company: each.focal_seats for each in met}
    ('visitor/0/constant-0.35', {'visitor': (1,), 'mix': (1,), 'resident': (1, 3)})
    """
    return tuple(_all(population))


def _all(population: Population) -> Iterator[StrangersScenario]:
    game = make_game(population.game)
    for group in game.traits().exchangeable:
        for partner in population.partners:
            yield _scenario(population, "visitor", group[:1], [partner])
        if game.n_agents > 2:
            ruled = [partner for partner in population.partners if partner.training is None]
            for mix in range(MIXES):
                dealt = islice(cycle(ruled), mix * len(ruled) // MIXES, None)
                yield _scenario(population, "mix", group[:1], list(islice(dealt, game.n_agents - 1)), str(mix + 1))
        if game.n_agents > 2 and len(group) > 2:
            for partner in population.partners:
                yield _scenario(population, "resident", group[::2], [partner])


def _scenario(
    population: Population, company: Company, focal: tuple[int, ...], partners: Sequence[Partner], title: str = ""
) -> StrangersScenario:
    return StrangersScenario(
        name=f"{company}/{focal[0]}/{title or partners[0].name}",
        game=population.game,
        focal_seats=focal,
        background=tuple(partner.agent for partner in partners),
        reward="private",
        company=company,
        partners=tuple(partner.name for partner in partners),
        kind="mix" if company == "mix" else partners[0].kind,
    )
