"""Who the strangers are, and in which games they have been valued."""

from __future__ import annotations

from coopgym.benchmarks.documentation.wording import table
from coopgym.games.registry import games
from coopgym.strangers import KINDS, POPULATIONS, population, read_anchors, scenarios, strangers_folder
from coopgym.strangers.partners import partner_cards


def partners_table() -> str:
    """Return the partners of both populations, one row per kind."""
    cards = partner_cards(strangers_folder())
    return table(
        ("kind", "in training", "in tests"),
        (
            (kind, *(", ".join(f"`{card.name}`" for card in cards[name] if card.kind == kind) for name in POPULATIONS))
            for kind in KINDS
        ),
    )


def valued_table() -> str:
    """Return how much of each game's test population is there, one row per game."""
    return table(("game", "partners", "not trained", "scenarios", "valued"), map(_row, games("formal")))


def _row(game: str) -> tuple[str, ...]:
    strangers = population(game)
    met, held = scenarios(strangers), read_anchors(strangers)
    return (
        game.removesuffix("-v1"),
        str(len(strangers.partners)),
        str(len(strangers.untrained)),
        str(len(met)),
        str(sum(each.name in held for each in met)),
    )
