"""Words by version: the digest of what a language model reads of every game's page.

``tests/data/page_digests.json`` keeps, for each game, the version of its page and the digest of its summary and rules.
Where a word changes, the version has to be raised, because runs are known by what their players read; then ``python -m
tests.recorded_pages`` writes the file anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coopgym.games.page import GamePage, page_of
from coopgym.games.registry import games, make_game

FILE = Path(__file__).parent / "data" / "page_digests.json"


def entry(game: str) -> dict[str, Any]:
    """Return what is kept of a game's page."""
    made = make_game(game)
    page = page_of(made)
    return {"version": page.version, "digest": page.digest(made)}


def recorded() -> dict[str, dict[str, Any]]:
    """Return what was kept, by game."""
    found: dict[str, dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def mismatch(found: Mapping[str, Any], kept: Mapping[str, Any] | None) -> str | None:
    """Say what to do about a page that is not as it was recorded; None where it is."""
    again = "run: python -m tests.recorded_pages"
    if kept is None or kept["version"] != found["version"]:
        return f"version {found['version']} of the page has not been recorded; {again}"
    if kept["digest"] == found["digest"]:
        return None
    return (
        f"version {found['version']} of the page reads otherwise than it did. If it was meant to, raise the "
        f"{GamePage.__name__}'s `version`, so that stored runs are not taken for new ones; then {again}"
    )


if __name__ == "__main__":
    FILE.write_text(json.dumps({game: entry(game) for game in games()}, indent=1) + "\n", encoding="utf-8")
