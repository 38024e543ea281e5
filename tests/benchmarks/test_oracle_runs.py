"""Oracles in studies: seated by name, counted once where nothing is left to chance, recorded as what they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from coopgym.benchmarks.study import Study, expand
from coopgym.corpus import load_corpus

STUDY: dict[str, Any] = {
    "name": "oracles",
    "seeds": [1, 2],
    "episodes": 4,
    "rewards": ["private"],
    "blocks": [
        {
            "games": ["SLCD-v1"],
            "agents": ["Oracle_Nash", "Oracle_TrustAware", "Oracle_Loyalty", "TitForTat"],
            "parameters": {"max_steps": 5},
        }
    ],
}


def test_oracles_are_planned_once_and_as_oracles() -> None:
    specs = {spec.algorithm: spec for spec in expand(Study.model_validate(STUDY))}
    assert {name: (spec.kind, spec.episodes) for name, spec in specs.items()} == {
        "Oracle_Nash": ("oracle", 1),
        "Oracle_TrustAware": ("oracle", 1),
        "Oracle_Loyalty": ("oracle", 1),
        "TitForTat": ("heuristic", 1),
    }


def test_a_study_with_oracles_records_their_kind_and_what_they_refuse(run: Any, tmp_path: Path) -> None:
    run(Study.model_validate(STUDY), tmp_path)
    rows = {row["algorithm"]: row for row in load_corpus(tmp_path).runs.to_pylist()}
    assert {name: row["algorithm_kind"] for name, row in rows.items() if name != "TitForTat"} == {
        "Oracle_Nash": "oracle",
        "Oracle_TrustAware": "oracle",
        "Oracle_Loyalty": "oracle",
    }
    assert rows["Oracle_Nash"]["status"] == rows["Oracle_TrustAware"]["status"] == "completed"
    assert rows["Oracle_Loyalty"]["status"] == "failed"
    assert "does not apply to SLCD-v1" in rows["Oracle_Loyalty"]["error"]
    assert rows["Oracle_Nash"]["cooperation_rate"] == pytest.approx(0.1377, abs=1e-3)
