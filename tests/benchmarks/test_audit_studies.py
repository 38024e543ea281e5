"""Audits as parts of studies."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from coopgym.benchmarks.execute.executors import InProcess
from coopgym.benchmarks.execute.runner import run_study
from coopgym.benchmarks.study import Study, expand, load_study
from coopgym.corpus import load_corpus
from tests.support.quiet import Silence


def test_the_published_audit_has_its_number_of_records() -> None:
    runs = expand(load_study("reference-audit"))
    assert Counter(run.protocol for run in runs) == {"reference_surface": 1056, "reference_temporal": 60}
    assert len({run.place for run in runs}) == len(runs)


def test_results_are_filed_under_every_label_and_computed_once(tmp_path: Path) -> None:
    audits = [
        {"protocol": "reference_surface", "games": ["SLCD-v0"], "labels": ["A", "B"], "parameters": {"max_steps": 4}},
        {"protocol": "unilateral", "games": ["SLCD-v1"], "options": {"grid_step": 0.5}, "parameters": {"max_steps": 4}},
    ]
    study = Study.model_validate({"name": "x", "rewards": ["private"], "seeds": [5, 6], "audits": audits})
    outcome = run_study(study, expand(study), tmp_path, InProcess(), Silence())
    assert (outcome.computed, outcome.failed) == (3, 0)
    corpus = load_corpus(tmp_path)
    rows = {row["algorithm"]: row for row in corpus.runs.to_pylist()}
    assert {name: row["protocol"] for name, row in rows.items()} == {
        "A": "reference_surface",
        "B": "reference_surface",
        "audit": "unilateral",
    }
    assert {row["algorithm_kind"] for row in rows.values()} == {"label"}
    surface: dict[str, list[float]] = {}
    for row in corpus.audit_surface.to_pylist():
        surface.setdefault(row["run_id"], []).append(row["episode_return"])
    assert surface[rows["A"]["run_id"]] == surface[rows["B"]["run_id"]]
    assert set(corpus.audit_unilateral.column("seat").to_pylist()) == {0, 1}  # they differ, so both are audited


@pytest.mark.parametrize(
    ("audit", "message"),
    [
        ({"protocol": "surfase"}, "unknown audit protocol 'surfase'; did you mean 'surface'"),
        ({"protocol": "surface", "options": {"surface_step": 0.3}}, "does not divide 1"),
        ({"protocol": "surface", "options": {"step": 0.1}}, "step"),
        ({"protocol": "surface", "parameters": {"gama": 1}}, "did you mean 'gamma'"),
    ],
)
def test_audits_that_cannot_run_are_refused(audit: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Study.model_validate({"name": "x", "audits": [{"games": ["SLCD-v1"]} | audit]})
