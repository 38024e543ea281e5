"""Where commitment play ends, from kept certificates.

``coopgym solve --all --edition formal -o certificates`` computes them;
``python -m coopgym.benchmarks.documentation.commitments certificates`` keeps what they say of it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from coopgym.benchmarks.certificates.files import read_solved
from coopgym.benchmarks.certificates.record_store import Record
from coopgym.benchmarks.certificates.record_text import meeting, number, percent, settled_and_paid
from coopgym.benchmarks.documentation.kept import COMMITMENTS, kept_commitments
from coopgym.benchmarks.documentation.wording import table
from coopgym.benchmarks.provenance import package_version
from coopgym.games.registry import games, make_game

KEPT = ("basins", "oracle", "optimum", "W_optimum", "poa_worst", "poa_best")
"""Parts of a certificate's record of commitment play that are kept."""
HEADINGS = ("game", "reward", "equilibria and continua, % (payoff)", "basins meet, %", "from the norm, %")


def certified_commitments(folder: Path) -> dict[str, Record]:
    """Return what the certificates in a folder say of commitment play in the formal edition, by game.

    Raises:
        ValueError: a certificate is missing, or another version wrote it.
    """
    solved = {game: read_solved(folder, make_game(game)) for game in games("formal")}
    missing = [game for game, certificate in solved.items() if certificate is None]
    if missing:
        raise ValueError(
            f"{folder}: expected certificates by this version, none of {', '.join(missing)}; run coopgym solve --all "
            f"--edition formal -o {folder}"
        )
    return {
        game: {part: certificate.record["constant"][part] for part in KEPT}
        for game, certificate in solved.items()
        if certificate is not None
    }


def commitment_table() -> str:
    """Return the equilibria of commitment play and where their basins meet, two rows per game."""
    return table(HEADINGS, (row for game, constant in kept_commitments().items() for row in _rows(game, constant)))


def _rows(game: str, constant: Record) -> Iterator[tuple[str, ...]]:
    for reward, basins in constant["basins"].items():
        norm = basins["from_norm"]
        reached = "–" if norm is None else f"{percent(norm['at'], 1)} ({number(norm['welfare'])})"
        name = game.removesuffix("-v1") if reward == "private" else ""
        yield name, reward, settled_and_paid(basins), meeting(basins), reached


if __name__ == "__main__":
    content = {"package_version": package_version(), "games": certified_commitments(Path(sys.argv[1]))}
    COMMITMENTS.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
