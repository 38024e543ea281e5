"""Which games are admitted to studies in which worlds: where there is something to find out, and it pays to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from coopgym.games.registry import make_game
from coopgym.worlds import WORLDS

KEPT = Path(__file__).resolve().parents[1] / "results" / "worlds.json"
MOST_OF_INFORMED = 0.95
"""Part of the informed plans' welfare that the best uninformed level may earn at most."""
LEAST_SCORE = 0.5
"""Welfare score that an agent must earn which reads what it is shown, as `Inferring` does."""
LEAST_DILEMMAS = 0.6
"""Part of the draws that must be dilemmas in their opening stage."""
PRICE_OF_ANARCHY = 1.05
"""From which the opening stage of a draw counts as a dilemma."""


@dataclass(frozen=True)
class Admission:
    """What is kept of a game in a world, against the three criteria."""

    of_informed: float
    """Part of the informed plans' welfare that the best uninformed level earns."""
    inferring: float
    """Welfare score of `Inferring`."""
    dilemmas: float
    """Part of the test draws that are dilemmas of the opening stage."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """Say which criteria fail, and by how much; nothing where the game is admitted."""
        criteria = {
            f"the best uninformed level earns {self.of_informed:.3f} of the informed plans, more than "
            f"{MOST_OF_INFORMED:g}": self.of_informed <= MOST_OF_INFORMED,
            f"Inferring scores {self.inferring:.2f}, less than {LEAST_SCORE:g}": self.inferring >= LEAST_SCORE,
            f"{self.dilemmas:.2f} of the draws are dilemmas, less than {LEAST_DILEMMAS:g}": self.dilemmas
            >= LEAST_DILEMMAS,
        }
        return tuple(failure for failure, holds in criteria.items() if not holds)

    @property
    def admitted(self) -> bool:
        """Whether all three hold."""
        return not self.remarks


@cache
def kept_worlds() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """Return what is kept: game → world → numbers."""
    found: Mapping[str, Mapping[str, Mapping[str, Any]]] = json.loads(KEPT.read_text(encoding="utf-8"))["games"]
    return found


def admission(game_id: str, world: str) -> Admission:
    """Return how a game with its own parameters stands in a world, by the computations that are kept.

    Raises:
        ValueError: nothing is kept of it, or it was computed with another spread than the game has now.

    >>> admission("PublicGoods-v1", "common").admitted
    True
    """
    kept = kept_worlds().get(game_id, {}).get(world)
    if kept is None:
        raise ValueError(f"{game_id} in {world!r}: nothing of it has been computed and kept")
    told = make_game(game_id, world=world).traits().world
    if told is None or told.spread != kept["spread"]:
        raise ValueError(f"{game_id} in {world!r}: what is kept was computed with world_spread={kept['spread']:g}")
    return Admission(kept["of_informed"], kept["Inferring"], kept["dilemmas"])


def admitted_worlds(game_id: str) -> tuple[str, ...]:
    """Return the worlds in which a game is admitted to studies.

    Raises:
        ValueError: as `admission`.

    >>> admitted_worlds("PublicGoods-v1")
    ('common', 'private', 'shifting')
    """
    return tuple(world for world in WORLDS if admission(game_id, world).admitted)
