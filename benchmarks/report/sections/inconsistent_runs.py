"""Why runs cannot be compared, where they contradict one another."""

from __future__ import annotations

from coopgym.benchmarks.report.content.blocks import Section, Text
from coopgym.benchmarks.report.data.report_data import ReportData


def inconsistent_runs(report_data: ReportData) -> Section | None:
    """Say which runs claim the same place."""
    if not report_data.inconsistency:
        return None
    return Section(
        id="conflict",
        title="Runs that cannot be compared",
        how="Comparisons are left out of this report, because two runs claim the same place in them.",
        blocks=[Text(report_data.inconsistency)],
        finding="Two runs claim the same place, so nothing is ranked.",
    )
