"""What one seat gains by playing another level than everybody else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from coopgym.benchmarks.audits.records import MATERIAL
from coopgym.benchmarks.drawing.formatting import slug
from coopgym.benchmarks.drawing.plots.dots import Dot, Row, dots
from coopgym.benchmarks.drawing.plots.maps import Field, bands_in_words, gain_map
from coopgym.benchmarks.drawing.theme import mode_colour
from coopgym.benchmarks.report.content import interval_cells
from coopgym.benchmarks.report.content.blocks import Block, Cell, Chart, Column, Fold, Section, Table
from coopgym.benchmarks.report.content.legends import mode_legend
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.report.sections.audits.common import (
    AuditRun,
    audit_runs,
    by_class,
    details,
    modes_of,
    numbers,
    payoff_scale,
)
from coopgym.typing import FloatArray

PROTOCOL = "unilateral"


@dataclass(frozen=True, eq=False)
class Deviations:
    """Gains per step of one seat, in mean endowments, over base levels ``(B,)`` and deviations ``(D,)``."""

    seat: int
    base: FloatArray
    level: FloatArray
    gains: FloatArray
    """``(D, B)``."""


def audit_unilateral(report_data: ReportData) -> Section | None:
    """Map the gains of deviating, and draw where in the range of common levels somebody is exploitable."""
    runs = audit_runs(report_data, PROTOCOL)
    if not runs:
        return None
    maps = list(_maps(report_data, runs))
    caption = (
        "Blue: the seat gains by playing the level on the vertical axis while all others play that on the horizontal "
        "one; orange: it loses. The diagonal is playing along, the other line the best answer; where the two meet, "
        f"nobody leaves. Gain per step in mean endowments; {bands_in_words()} of it. The seat that gains most stands "
        "for all."
    )
    blocks: list[Block] = [
        mode_legend(modes_of(runs)),
        _interval_chart(runs),
        Fold("Numbers for every kind of seat", [_table(runs)]),
        *by_class(maps, caption, columns=min(4, len(modes_of(runs)))),
    ]
    calm = [run for run in runs if run.numbers.get("stable_gain", 1.0) < MATERIAL]
    return Section(
        id="unilateral",
        title="Leaving the common level alone",
        how=(
            "Everybody holds a level and one seat holds another one throughout. First, where in the range of common "
            "levels some seat gains while the others lose (bars), and the level that seats gain least by leaving "
            "(marks). Then, game by game, the whole map of gains."
        ),
        blocks=blocks,
        finding=(
            f"In {len(calm)} of {len(runs)} cases (game, reward mode) there is a common level that nobody gains by "
            "leaving."
        ),
    )


def _maps(report_data: ReportData, runs: Sequence[AuditRun]) -> Iterator[tuple[AuditRun, Chart]]:
    for run, table in details(report_data.corpus.audit_unilateral.arrow, runs):
        scale = payoff_scale(run)
        seats, base, level, gain = (numbers(table, name) for name in ("seat", "base_level", "level", "gain"))
        found = [
            _deviations(int(seat), *(each[seats == seat] for each in (base, level, gain / scale)))
            for seat in np.unique(seats).tolist()
        ]
        greatest = max(found, key=lambda each: float(each.gains.max()))
        mode = run.setting.reward_mode
        yield (
            run,
            Chart(
                name=f"unilateral-{slug(run.title)}-{slug(mode)}",
                label=f"Gains of leaving a common level in {run.title}, {mode}",
                draw=partial(_map_figure, run.title, mode, greatest),
            ),
        )


def _deviations(seat: int, base: FloatArray, level: FloatArray, gain: FloatArray) -> Deviations:
    bases, levels = np.unique(base), np.unique(level)
    gains = np.zeros((len(levels), len(bases)))
    gains[np.searchsorted(levels, level), np.searchsorted(bases, base)] = gain
    return Deviations(seat, bases, levels, gains)


def _map_figure(title: str, mode: str, found: Deviations) -> Figure:
    ridge = found.level[found.gains.argmax(axis=0)]
    field = Field(found.base, found.level, found.gains, ridge)
    return gain_map(field, "all others play, %", f"seat {found.seat} plays, %", f"{title}\n{mode} reward")


def _interval_chart(runs: Sequence[AuditRun]) -> Chart:
    return Chart(
        name="exploitable-levels",
        label="Exploitable common levels by game",
        draw=partial(_interval_figure, runs),
        caption=(
            "Bars: from the first to the last common level at which the most exploitable seat gains a thousandth of "
            "its return or more while the others lose. Marks: the level that seats gain least by leaving; full where "
            "nobody gains a thousandth there. One line per reward mode. No chance is involved."
        ),
    )


def _interval_figure(runs: Sequence[AuditRun]) -> Figure:
    rows: dict[str, list[Dot]] = {}
    for run in runs:
        rows.setdefault(run.title, []).append(_interval(run))
    return dots(
        [Row(*row) for row in rows.items()], "common level, share of endowment", anchors=(0.0, 1.0), as_percent=True
    )


def _interval(run: AuditRun) -> Dot:
    ends = [_of_seats(run, f"exploitable_{end}") for end in ("from", "to")]
    low, high = (min(ends[0], default=None), max(ends[1], default=None))
    calm = run.numbers.get("stable_gain", 1.0) < MATERIAL
    level = run.numbers.get("stable_level", 0.0)
    return Dot(level, mode_colour(run.setting.reward_mode), low, high, full=calm)


def _of_seats(run: AuditRun, name: str) -> list[float]:
    return [value for key, value in run.numbers.items() if key.startswith(f"{name}_seat")]


def _table(runs: Sequence[AuditRun]) -> Table:
    columns = [
        Column("game"),
        Column("reward"),
        Column("seat", "first seat of its kind"),
        Column("best gain", "over all base levels, as a share of the seat’s return there"),
        Column("calm level", "base level that the seat gains least by leaving"),
        Column("gain there"),
        Column("exploitable", "part of base levels at which it gains while the others lose"),
    ]
    rows = []
    for run in runs:
        seats = sorted(
            int(key.removeprefix("best_gain_seat")) for key in run.numbers if key.startswith("best_gain_seat")
        )
        for seat in seats:
            values = [
                run.numbers.get(f"{name}_seat{seat}")
                for name in ("best_gain", "calm_level", "calm_gain", "exploitable_share")
            ]
            rows.append(
                [
                    Cell(run.title),
                    Cell(run.setting.reward_mode),
                    interval_cells.number(float(seat), 0),
                    *(interval_cells.share(value, digits) for value, digits in zip(values, (1, 0, 1, 0), strict=True)),
                ]
            )
    return Table(columns, rows)
