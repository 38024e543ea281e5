"""Which games are dilemmas, from kept certificates.

``python -m coopgym.benchmarks.documentation.certificates`` computes them again, in minutes.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from coopgym.benchmarks.documentation.sources import RESULTS
from coopgym.benchmarks.documentation.wording import between, paragraph
from coopgym.games.registry import games
from coopgym.oracles import certificate_record, certify

KEPT = RESULTS / "certificates.json"
FACTS = ("qualifies", "poa", "nash", "W_nash", "optimum", "W_optimum")
"""What is kept of a certificate's record: the stage game at reset."""


def certificate_facts(game: str) -> dict[str, Any]:
    """Compute a game's certificate and return what is kept of it."""
    record = certificate_record(certify(game))
    return {fact: record[fact] for fact in FACTS}


@cache
def kept_certificates() -> dict[str, dict[str, Any]]:
    """Return the kept facts by game."""
    found: dict[str, dict[str, Any]] = json.loads(KEPT.read_text(encoding="utf-8"))
    return found


def dilemmas() -> str:
    """Count the dilemmas of both editions."""
    formal, released = ([kept_certificates()[game] for game in games(edition)] for edition in ("formal", "released"))
    return paragraph(f"""
        Of the {len(formal)} formal games {_qualifying(formal)} qualify as dilemmas (price of anarchy
        {between((facts["poa"] for facts in formal), 2)}), of the {len(released)} of the released edition
        {_qualifying(released)} ({between((facts["poa"] for facts in released), 3)}).
    """)


def _qualifying(found: list[dict[str, Any]]) -> str:
    count = sum(facts["qualifies"] for facts in found)
    return {0: "none", len(found): "all"}.get(count, str(count))


if __name__ == "__main__":
    computed = {game: certificate_facts(game) for game in games()}
    KEPT.write_text(json.dumps(computed, indent=1) + "\n", encoding="utf-8")
