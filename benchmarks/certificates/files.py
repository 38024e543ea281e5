"""Files of solved games: records that say what they are worth, figures, and the summary table."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coopgym.benchmarks.certificates.record_store import Record, keep, kept, place_of, require_ours
from coopgym.benchmarks.certificates.record_text import lasting
from coopgym.corpus.export import inert
from coopgym.corpus.writer import write_atomically
from coopgym.games.game import AnyGame

SUMMARY_FILE = "summary.csv"
SUMMARY_BEGINNING = "game,groups,baseline,"
"""How our summary begins, and nobody else's."""
SUMMARY_KEYS = (
    "poa",
    "poa_T1",
    "gap_closed",
    "gap_closed_T1",
    "W_nash",
    "W_coopetitive",
    "W_optimum",
)
GROUP_KEYS = ("baseline", "nash", "coopetitive_T0", "coopetitive_T1", "optimum", "optimum_T1", "greed", "fear")
"""Numbers of a record with one entry per group of exchangeable seats."""


@dataclass(frozen=True)
class Solved:
    """What is kept of a solved game."""

    record: Record
    svg: str


def write_solved(folder: Path, solved: Solved) -> Path:
    """Write ``ID.svg`` and then ``ID.json``, which counts only with its figure; return the latter's place.

    Raises:
        ForeignFileError: a file that is no record of ours stands there.
        OSError: a file cannot be written.
    """
    place, figure = place_of(folder, solved.record["game"], solved.record["parameters"], ".json"), solved.svg.encode()
    require_ours(place)
    write_atomically(place.with_suffix(".svg"), figure)
    keep(place, {"figure_sha256": hashlib.sha256(figure).hexdigest(), **solved.record})
    return place


def read_solved(folder: Path, game: AnyGame) -> Solved | None:
    """Return what a folder holds of a game; None unless this version wrote it for these very parameters."""
    place = place_of(folder, game.spec.id, game.parameter_dict(), ".json")
    record = kept(place, game)
    try:
        svg = place.with_suffix(".svg").read_bytes()
    except OSError:
        return None
    if record is None or record.pop("figure_sha256", None) != hashlib.sha256(svg).hexdigest():
        return None
    return Solved(record, svg.decode())


def summary_csv(records: Sequence[Record]) -> str:
    """Return one row per game; numbers per group of exchangeable seats are separated by blanks."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("game", "groups", *GROUP_KEYS, *SUMMARY_KEYS, *_COMMITMENT, "qualifies", "remarks"))
    for record in records:
        constant = record["constant"]
        table.writerow(
            (
                inert(record["game"]),
                _joined(record["groups"]),
                *(_joined(record[name]) for name in GROUP_KEYS),
                *(record[name] for name in SUMMARY_KEYS),
                *(cell for mode in ("private", "integrated") for cell in _settled(constant["basins"][mode])),
                _joined(constant["optimum"]),
                constant["poa_worst"],
                constant["poa_best"],
                record["qualifies"],
                inert("; ".join(record["remarks"])),
            )
        )
    return text.getvalue()


_COMMITMENT = (
    "commitment_private",
    "commitment_private_boundaries",
    "commitment_integrated",
    "commitment_integrated_boundaries",
    "commitment_optimum",
    "commitment_poa_worst",
    "commitment_poa_best",
)


def _joined(values: Sequence[float] | None) -> str:
    return "" if values is None else " ".join(f"{value:g}" for value in values)


def _settled(basins: Record) -> tuple[str, str]:
    """Equilibria and continua, and the shares at which basins meet."""
    rests = (
        _joined(rest["at"]) if "at" in rest else f"{_joined(rest['low'])} to {_joined(rest['high'])}"
        for rest in lasting(basins)
    )
    return " | ".join(rests), " | ".join(f"{boundary['share']:g}" for boundary in basins["boundaries"])
