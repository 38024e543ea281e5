"""Where the numbers come from."""

from __future__ import annotations

import json

from coopgym.benchmarks.report.content.blocks import Block, Code, Facts, Fold, Section
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.score.estimates import STUDENT

VERSIONS = ("package_version", "git_revision", "python", "numpy", "torch", "device")


def provenance(report_data: ReportData) -> Section:
    """Name versions, dates and the study."""
    found = {name.replace("_", " "): ", ".join(values) for name, values in report_data.corpus.metadata.items()}
    for name in VERSIONS:
        values = sorted(value for value in report_data.runs.column(name).unique().to_pylist() if value)
        if values:
            found[name.replace("_", " ")] = ", ".join(values)
    started = [row["started_at"] for row in report_data.rows if row["started_at"]]
    if started:
        found["computed"] = f"{min(started):%Y-%m-%d %H:%M} to {max(started):%Y-%m-%d %H:%M} UTC"
    found["seeds"] = ", ".join(map(str, sorted({row["seed"] for row in report_data.rows})))
    found["intervals"] = STUDENT
    blocks: list[Block] = [Facts(found)]
    if report_data.corpus.study:
        definition = json.dumps(report_data.corpus.study, indent=2, ensure_ascii=False)
        blocks.append(Fold("The study as it was run", [Code(definition)]))
    return Section(
        id="provenance",
        title="Provenance",
        how="What computed the numbers of this page. The same corpus gives the same page, byte by byte.",
        blocks=blocks,
    )
