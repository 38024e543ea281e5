"""The formal edition's certificates as computed by an independent implementation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from coopgym.games.game import AnyGame
from coopgym.games.registry import make_game

CERTIFICATES: dict[str, Any] = json.loads((Path(__file__).parents[1] / "data" / "formal_certificates.json").read_text())
PROFILE = 0.003
COMMITMENT = 0.015
PAYOFF = 0.002
CERTIFIED: list[tuple[str, str | None]] = [(game, None) for game in CERTIFICATES] + [
    (game, phase) for game, facts in CERTIFICATES.items() for phase in facts.get("phases", ())
]


def certified(game: str, phase: str | None) -> tuple[AnyGame, dict[str, Any]]:
    """The game, in a historical phase if named, and its certificate."""
    facts = CERTIFICATES[game]
    return (make_game(game), facts) if phase is None else (make_game(game, phase=phase), facts["phases"][phase])
