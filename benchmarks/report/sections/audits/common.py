"""What the sections about audits share: the audits of a corpus, one protocol at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from coopgym.benchmarks.drawing.formatting import class_name, counted, game_title
from coopgym.benchmarks.report.content.blocks import Block, Chart, Fold, Gallery
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.score.settings import Setting, mode_order
from coopgym.games.registry import make_game
from coopgym.typing import FloatArray

UNFOLDED = 8
"""Games up to which figures lie open."""


@dataclass(frozen=True)
class AuditRun:
    """A completed audit."""

    run_id: str
    protocol: str
    label: str
    """Name under which it is filed."""
    setting: Setting
    mechanism_class: str
    seed: int
    horizon: int
    numbers: Mapping[str, float]
    """Summary numbers."""

    @property
    def title(self) -> str:
        """Its game, in words."""
        return game_title(self.setting.game)


def audit_runs(report_data: ReportData, *protocols: str) -> list[AuditRun]:
    """Return the completed audits of some protocols, in order of class, game and reward mode.

    Labels and seeds under which the same was computed again, because neither plays a part, count once.
    """
    found: dict[tuple[Any, ...], AuditRun] = {}
    for row in report_data.rows:
        if row["protocol"] in protocols and row["status"] == "completed":
            setting = Setting(row["environment"], row["env_parameters"], row["reward_mode"])
            numbers = dict(row["class_metrics"] or ())
            run = AuditRun(
                row["run_id"],
                row["protocol"],
                row["algorithm"],
                setting,
                row["mechanism_class"],
                row["seed"],
                row["horizon"],
                numbers,
            )
            same = (row["protocol"], setting, row["return_mode"], row["welfare"], tuple(numbers.items()))
            found.setdefault(same, run)
    return sorted(found.values(), key=_order)


def details(table: pa.Table, runs: Iterable[AuditRun]) -> Iterator[tuple[AuditRun, pa.Table]]:
    """Yield the detail rows of each run that has any."""
    runs = list(runs)
    chosen = table.filter(pc.is_in(table.column("run_id"), pa.array([run.run_id for run in runs], pa.string())))
    chosen = chosen.sort_by("run_id")
    ids = np.array(chosen.column("run_id").to_pylist(), dtype=np.str_)
    names, starts, counts = np.unique(ids, return_index=True, return_counts=True)
    places = {name: (int(start), int(count)) for name, start, count in zip(names, starts, counts, strict=True)}
    for run in runs:
        if run.run_id in places:
            yield run, chosen.slice(*places[run.run_id])


def numbers(table: pa.Table, column: str) -> FloatArray:
    """Return a column of numbers, nulls as NaN."""
    return np.array(table.column(column).to_pylist(), dtype=np.float64)


def payoff_scale(run: AuditRun) -> float:
    """Return what a seat has that earns one mean endowment per step until the horizon.

    Of a game that this version does not know, one unit per step.
    """
    try:
        game = make_game(run.setting.environment, **json.loads(run.setting.env_parameters))
    except (TypeError, ValueError):
        return float(run.horizon)
    return game.spec.payoff_scale * run.horizon


def by_class(charts: Sequence[tuple[AuditRun, Chart]], caption: str, columns: int = 0) -> list[Block]:
    """Arrange figures of games class by class, folded where there are many; ``columns`` of small ones make a row."""
    games = dict.fromkeys(run.setting.game for run, _ in charts)
    blocks: list[Block] = []
    for mechanism_class in sorted({run.mechanism_class for run, _ in charts}):
        own = [(run, chart) for run, chart in charts if run.mechanism_class == mechanism_class]
        gallery = Gallery([chart for _, chart in own], caption, columns)
        note = counted(len({run.setting.game for run, _ in own}), "game")
        blocks.append(Fold(class_name(mechanism_class), [gallery], note, open=not blocks or len(games) <= UNFOLDED))
    return blocks


def modes_of(runs: Iterable[AuditRun]) -> list[str]:
    """Return the reward modes of some audits in order."""
    return sorted({run.setting.reward_mode for run in runs}, key=mode_order)


def _order(run: AuditRun) -> tuple[Any, ...]:
    return run.mechanism_class, run.setting.game, mode_order(run.setting.reward_mode), run.protocol, run.seed, run.label
