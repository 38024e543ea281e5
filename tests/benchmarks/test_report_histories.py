"""The section about histories: who plays most like what is coded, and that it is there only where somebody might."""

from __future__ import annotations

from pathlib import Path

import pytest

from coopgym.benchmarks.case_studies.replay import replay
from coopgym.benchmarks.report.content.blocks import Table
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.report.sections.case_histories import case_histories
from tests.benchmarks.report_corpora import learned, written


def corpus(folder: Path, game: str, **shared: object) -> ReportData:
    played = {"near": (0.4, 0.3), "far": (0.9, 1.0), "Constant_42": (0.42, 0.34)}
    rows = [
        row
        | {"environment": game, "env_parameters": "{}", "cooperation_rate": share, "mean_trust_final": trust}
        | {"algorithm_kind": "constant" if name.startswith("Constant") else "learner"}
        | shared
        for name, (share, trust) in played.items()
        for row in learned(name, 20.0)
    ]
    return ReportData(written(folder, {"runs": rows}))


def test_the_nearest_is_named_beside_what_is_coded(tmp_path: Path) -> None:
    section = case_histories(corpus(tmp_path, "SLCD-v1"))
    assert section is not None
    (table,) = section.blocks
    assert isinstance(table, Table)
    history = replay("slcd")
    for row in table.rows:
        assert [cell.text for cell in (row[0], row[1], row[5])] == ["S-LCD", "SLCD-v1", "near"]
        assert [row[column].order for column in (2, 3, 6, 7)] == pytest.approx(
            [history.mean_share.mean(), history.mean_trust[-1], 0.4, 0.3]
        )


def test_other_games_and_changed_ones_have_no_history(tmp_path: Path) -> None:
    assert case_histories(corpus(tmp_path / "other", "TrustDilemma-v1")) is None
    assert case_histories(corpus(tmp_path / "changed", "SLCD-v1", env_parameters='{"max_steps":4}')) is None
