"""Whether deviating still pays among partners that answer it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coopgym.benchmarks.drawing.formatting import mode_title, signed, slug
from coopgym.benchmarks.drawing.plots.maps import Matrix
from coopgym.benchmarks.report.content.blocks import Block, Heading, Heatmap, Section
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.report.sections.audits.common import AuditRun, audit_runs, modes_of

HELD, LATE = "held_gain@", "late_gain@"
FULL = 0.2
"""Gain, as a share of the return, that has the fullest shade."""


def audit_reactive(report_data: ReportData) -> Section | None:
    """Show the best gain of a seat among copies of each reactive partner."""
    runs = audit_runs(report_data, "reactive")
    if not runs:
        return None
    blocks: list[Block] = []
    for mode in modes_of(runs):
        own = [run for run in runs if run.setting.reward_mode == mode]
        title = mode_title(mode)
        blocks += [Heading(title[0].upper() + title[1:]), _heatmap(own, mode, HELD), _heatmap(own, mode, LATE)]
    gains = [value for run in runs for name, value in run.numbers.items() if name.startswith(HELD)]
    return Section(
        id="reactive",
        title="Among partners that react",
        how=(
            "One seat sits among copies of a partner that answers what it sees. Numbers are the best gain over playing "
            "as the partner itself would, in per cent of that return: by holding one level throughout, and by leaving "
            "the partner’s ways late. No shade means that the partner cannot be exploited in this way."
        ),
        blocks=blocks,
        finding=(
            f"Among reactive partners some held level still gains 1 % or more in {sum(gain >= 0.01 for gain in gains)} "
            f"of {len(gains)} cases."
        ),
    )


def _heatmap(runs: Sequence[AuditRun], mode: str, kind: str) -> Heatmap:
    partners = sorted({name.removeprefix(kind) for run in runs for name in run.numbers if name.startswith(kind)})
    values = np.array([[run.numbers.get(f"{kind}{partner}", np.nan) for partner in partners] for run in runs])
    held = kind == HELD
    return Heatmap(
        name=f"reactive-{'held' if held else 'late'}-{slug(mode)}",
        label=f"Best gain among reactive partners, {'level held' if held else 'leaving late'}, {mode}",
        matrix=Matrix(
            [run.title for run in runs],
            partners,
            values,
            [[signed(100 * value, 1) if np.isfinite(value) else "" for value in row] for row in values],
            np.clip(values / FULL, -1, 1),
        ),
        rows_are="game",
        columns_are="among copies of",
        caption=(
            "Best level held throughout, gain in % of the return."
            if held
            else "Best of eleven levels taken up at the best later moment, gain in % of the return."
        ),
    )
