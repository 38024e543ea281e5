"""Runs that did not end as planned."""

from __future__ import annotations

from collections import Counter

from coopgym.benchmarks.drawing.formatting import counted, game_title
from coopgym.benchmarks.report.content.blocks import Block, Cell, Code, Column, Fold, Section, Table
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.score.settings import Setting

MOST_TRACEBACKS = 20
"""Different errors whose traceback is shown."""


def failures(report_data: ReportData) -> Section | None:
    """Count runs that diverged or failed, and show what the failed ones said."""
    lost = [row for row in report_data.rows if row["status"] != "completed"]
    if not lost:
        return Section("failures", "Failures", "None: every run completed.", [])
    places = Counter((row["status"], _game(row), row["algorithm"], row["reward_mode"]) for row in lost)
    seeds: dict[tuple[str, str, str, str], list[str]] = {}
    for row in lost:
        place = (row["status"], _game(row), row["algorithm"], row["reward_mode"])
        seeds.setdefault(place, []).append(_seed(row))
    columns = [Column("algorithm"), Column("game"), Column("reward"), Column("ended"), Column("runs"), Column("seeds")]
    rows = [
        [
            Cell(algorithm),
            Cell(game_title(game)),
            Cell(mode),
            Cell(status),
            Cell(str(number), number),
            Cell(", ".join(seeds[status, game, algorithm, mode])),
        ]
        for (status, game, algorithm, mode), number in sorted(places.items())
    ]
    errors: dict[str, int] = Counter((row["error"] or "").strip() for row in lost if row["error"])
    tracebacks: list[Block] = [
        Fold(error.splitlines()[-1], [Code(error)], counted(number, "run"))
        for error, number in list(errors.items())[:MOST_TRACEBACKS]
    ]
    statuses = Counter(row["status"] for row in lost)
    said = " and ".join(f"{counted(number, 'run')} {status}" for status, number in sorted(statuses.items()))
    return Section(
        id="failures",
        title="Failures",
        how=(
            "Runs whose numbers stopped being finite (diverged; the step stands behind the seed) or that raised an "
            "exception (failed). Failed runs are tried again when the study runs again."
        ),
        blocks=[Table(columns, rows), *tracebacks],
        finding=f"Of {len(report_data.rows):,} runs {said}.",
    )


def _game(row: dict[str, object]) -> str:
    return Setting(str(row["environment"]), str(row["env_parameters"]), str(row["reward_mode"])).game


def _seed(row: dict[str, object]) -> str:
    step = row["diverged_at_step"]
    return str(row["seed"]) if step is None else f"{row['seed']} (at {step:,})"
