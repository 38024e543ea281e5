"""Which games are dilemmas, from kept certificates.

``python -m coopgym.benchmarks.documentation.certificates`` computes them again, in minutes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from coopgym.benchmarks.documentation.kept import CERTIFICATES, kept_certificates
from coopgym.benchmarks.documentation.wording import between, paragraph
from coopgym.games.registry import games
from coopgym.oracles import certificate_record, certify

FACTS = (
    "qualifies",
    "poa",
    "nash",
    "W_nash",
    "coopetitive_T0",
    "W_coopetitive",
    "coopetitive_T1",
    "optimum",
    "W_optimum",
    "greed",
    "fear",
)
"""What is kept of a certificate's record: the stage game at reset, and at full trust (``T1``)."""
OFF = {"nash_off": "stage_private", "coopetitive_off": "stage_integrated", "coopetitive_T1_off": "stage_integrated_T1"}
"""The stage game without the named mechanism, where it can be off, by the names in the record's part about it."""


def certificate_facts(game: str) -> dict[str, Any]:
    """Compute a game's certificate and return what is kept of it."""
    return kept_of(certificate_record(certify(game)))


def kept_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of a certificate's record; equilibria of commitment play stand one after the other."""
    kept = {fact: record[fact] for fact in FACTS}
    if record["mechanism"] is not None:
        off = record["mechanism"]["off"]
        kept |= {fact: off[name] for fact, name in OFF.items()}
        for reward in ("private", "integrated"):
            kept[f"committed_{reward}_off"] = [share for found in off[f"constant_{reward}"] for share in found["at"]]
    return kept


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
    CERTIFICATES.write_text(json.dumps(computed, indent=1) + "\n", encoding="utf-8")
