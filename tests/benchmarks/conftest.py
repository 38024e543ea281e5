"""Small studies and quiet progress for the harness tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coopgym.benchmarks.execute.executors import Executor, InProcess
from coopgym.benchmarks.execute.runner import StudyOutcome, run_study
from coopgym.benchmarks.report import page
from coopgym.benchmarks.report.content.blocks import Section
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.study import Study, expand
from tests.support.quiet import Silence

SMALL: dict[str, Any] = {
    "name": "small",
    "seeds": [7, 8],
    "episodes": 2,
    "blocks": [
        {
            "games": ["TrustDilemma-v1", "SynergySearch-v1"],
            "agents": ["Random", "TitForTat"],
            "constants": {"step": 50},
            "parameters": {"max_steps": 12},
        }
    ],
}


Run = Callable[..., StudyOutcome]
Only = Callable[..., None]


@pytest.fixture
def small() -> Study:
    return Study.model_validate(SMALL)


@pytest.fixture(scope="session")
def finished_small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the small study leaves; tests change copies."""
    folder, study = tmp_path_factory.mktemp("finished"), Study.model_validate(SMALL)
    run_study(study, expand(study), folder, InProcess(), Silence())
    return folder


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the sections of reports out, where tests run studies and read no page."""
    monkeypatch.setattr(page, "sections", lambda evidence: [])


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Only:
    """Take some sections into reports, and leave the others out."""

    def take(*builders: Callable[[ReportData], Section | None]) -> None:
        def chosen(report_data: ReportData) -> list[Section]:
            return [section for build in builders if (section := build(report_data)) is not None]

        monkeypatch.setattr(page, "sections", chosen)

    return take


@pytest.fixture
def run() -> Run:
    def run_into(study: Study, folder: Path, executor: Executor | None = None) -> StudyOutcome:
        return run_study(study, expand(study), folder, executor or InProcess(), Silence())

    return run_into
