"""What is coded of historical relations, beside what agents play in the same games."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

from coopgym.benchmarks.case_studies.case_file import case_names, load_case
from coopgym.benchmarks.case_studies.replay import Replay, replay
from coopgym.benchmarks.drawing.formatting import mode_title
from coopgym.benchmarks.report.content.blocks import Cell, Column, Section, Table
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.score.estimates import score_text

Played = Mapping[str, Mapping[str, tuple[float, float]]]
"""Mean share of endowment and trust at the end, by reward mode and algorithm."""


def case_histories(report_data: ReportData) -> Section | None:
    """Tell whose play comes nearest to what is coded of a history, game by game."""
    rows = [list(cells) for name in case_names() for cells in _compared(name, report_data)]
    if not rows:
        return None
    return Section(
        id="histories",
        title="Histories",
        how=(
            "Some of these games have a historical relation as their story, whose actors' moves are coded from dated "
            "evidence. Replayed in the game, the code leads to the trust that is given here; beside it stands who "
            "among those that play with copies of themselves comes nearest. To be near a history is no "
            "merit: actors had rewards and surroundings that games have not. `coopgym case replay` shows histories "
            "phase by phase with their sources, and `coopgym case score` what models of them are worth beside chance."
        ),
        blocks=[
            Table(
                [
                    Column("history"),
                    Column("game"),
                    Column("put in", "mean share of endowment over the coded path"),
                    Column("trust", "mean between different seats at its end"),
                    Column("reward", "of those who play"),
                    Column("nearest", "who differs least in both, as a distance; constants are left out"),
                    Column("puts in", "mean share of endowment over steps, seats, and runs"),
                    Column("its trust", "mean between different seats at the end"),
                ],
                rows,
            )
        ],
    )


def _compared(name: str, report_data: ReportData) -> Iterator[Sequence[Cell]]:
    """Rows of a case, one per edition of its game and reward mode in which somebody played."""
    case = load_case(name)
    for edition in ("v1", "v0"):
        played = _played(report_data.rows, f"{case.game}-{edition}")
        if not played:
            continue
        history = replay(name, edition)
        for mode in (mode for mode in report_data.modes if mode in played):
            yield _row(case.title, history, mode, played[mode])


def _row(title: str, history: Replay, mode: str, played: Mapping[str, tuple[float, float]]) -> Sequence[Cell]:
    coded = float(history.mean_share.mean()), float(history.mean_trust[-1])
    nearest = min(sorted(played), key=lambda algorithm: math.dist(played[algorithm], coded))
    numbers = [*coded, *played[nearest]]
    put_in, trusted, puts_in, its_trust = (Cell(score_text(number), number) for number in numbers)
    return (
        Cell(title),
        Cell(history.game),
        put_in,
        trusted,
        Cell(mode_title(mode)),
        Cell(nearest),
        puts_in,
        its_trust,
    )


def _played(rows: Sequence[Mapping[str, Any]], game: str) -> Played:
    """What agents that are no constants play with copies of themselves in a game as it is."""
    found: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        alone = row["protocol"] in (None, "self_play") and row["status"] == "completed"
        as_it_is = row["environment"] == game and row["env_parameters"] == "{}"
        if alone and as_it_is and row["algorithm_kind"] not in ("constant", "label"):
            found[row["reward_mode"]][row["algorithm"]].append((row["cooperation_rate"], row["mean_trust_final"]))
    return {
        mode: {
            name: (fmean(share for share, _ in runs), fmean(trust for _, trust in runs)) for name, runs in by.items()
        }
        for mode, by in found.items()
    }
