"""The documentation's table of commitment equilibria, from certificates.

``coopgym solve --all --edition formal -o certificates`` computes them; ``python -m benchmarks.commitment_table
certificates docs/oracles.md`` keeps what they say of commitment play in `RESULTS` and writes the table from it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.learner_table import with_table
from benchmarks.provenance import package_version
from benchmarks.solve.files import read_solved
from benchmarks.solve.solution import Record
from benchmarks.solve.words import meeting, number, percent, settled_and_paid
from coopgym.games.registry import games, make_game

KIND = "commitment equilibria"
KEPT = ("basins", "oracle", "optimum", "W_optimum", "poa_worst", "poa_best")
"""Parts of a certificate's record of commitment play that are kept."""
RESULTS = Path(__file__).parent / "results" / "commitment-v1.json"
HEADINGS = ("game", "reward", "equilibria and continua, % (payoff)", "basins meet, %", "from the norm, %")


@dataclass(frozen=True)
class CommitmentWelfare:
    """Mean payoffs per seat and step of a game's commitment equilibria under one reward; times N·T an episode's sum."""

    worst: float
    best: float
    from_norm: float | None
    """Where best responses lead from the norm; None where that is unknown."""
    oracle: float
    """What `Oracle_CommitmentNash` plays in self-play."""


def commitment_welfare(constant: Record, reward: str = "private") -> CommitmentWelfare:
    """Return what commitment play is worth.

    Args:
        constant: the part of a certificate's record that is about commitment play, as `kept_commitments` returns it.
        reward: private or integrated.
    """
    basins = constant["basins"][reward]
    oracle, norm = constant["oracle"][reward]["welfare"], basins["from_norm"]
    payoffs = [oracle, *(rest["welfare"] for rest in basins["equilibria"])]
    payoffs += [end for rest in basins["continua"] for end in rest["welfare"]]
    return CommitmentWelfare(
        worst=min(payoffs),
        best=max(payoffs),
        from_norm=None if norm is None else norm["welfare"],
        oracle=oracle,
    )


def kept_commitments() -> dict[str, Record]:
    """Return what is kept of commitment play in the formal edition, by game."""
    kept: dict[str, Record] = json.loads(RESULTS.read_text(encoding="utf-8"))["games"]
    return kept


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


def commitment_table(commitments: Mapping[str, Record]) -> str:
    """Return the table in Markdown, two rows per game."""
    rows = [HEADINGS, ("---",) * len(HEADINGS)]
    rows += [row for game, constant in commitments.items() for row in _rows(game, constant)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _rows(game: str, constant: Record) -> Iterator[tuple[str, ...]]:
    for reward, basins in constant["basins"].items():
        norm = basins["from_norm"]
        reached = "–" if norm is None else f"{percent(norm['at'], 1)} ({number(norm['welfare'])})"
        name = game.removesuffix("-v1") if reward == "private" else ""
        yield name, reward, settled_and_paid(basins), meeting(basins), reached


if __name__ == "__main__":
    found = certified_commitments(Path(sys.argv[1]))
    content = {"package_version": package_version(), "games": found}
    RESULTS.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    page = Path(sys.argv[2])
    page.write_text(with_table(page.read_text(), commitment_table(kept_commitments()), KIND))
