"""Small corpora made by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from coopgym.corpus import SCHEMAS, table_from_rows, write_table
from coopgym.corpus.schema import COLUMNS, TableName

LABELS = {"study_hash": "0" * 64, "package_version": "1.2.3"}


def run_row(run_id: str = "a", **changes: Any) -> dict[str, Any]:
    """A row of ``runs`` with every column filled."""
    filled = {
        pa.string(): "x",
        pa.int16(): 2,
        pa.int32(): 3,
        pa.int64(): 4,
        pa.float64(): 0.5,
        pa.timestamp("us", "UTC"): datetime(2030, 1, 2, tzinfo=UTC),
        SCHEMAS["runs"].field("seat_deviations").type: ["x", "y"],
        SCHEMAS["runs"].field("class_metrics").type: {"loyalty": 0.5},
    }
    row = {column.name: filled.get(column.type, [0.25, 0.75]) for column in COLUMNS["runs"]}
    fitting = {"status": "completed", "algorithm_kind": "heuristic", "protocol": "self_play", "world": "fixed"}
    return row | {"run_id": run_id} | fitting | changes


def sound_run(run_id: str = "a", **changes: Any) -> dict[str, Any]:
    """A row of ``runs`` in which columns also agree with each other."""
    agreeing = {
        "environment": "TrustDilemma-v1",
        "algorithm": "TitForTat",
        "reward_mode": "private",
        "env_parameters": "{}",
        "hyperparameters": "{}",
        "diverged_at_step": None,
        "error": None,
        "identity": None,
    }
    return run_row(run_id, **{**agreeing, **changes})


def write_rows(folder: Path, name: TableName, rows: list[dict[str, Any]], file: str = "one.parquet") -> Path:
    """Write a shard and return its path."""
    path = folder / name / file
    write_table(name, table_from_rows(name, rows), path, **LABELS)
    return path


def write_corpus(folder: Path) -> Path:
    """Two runs and one point of a learning curve."""
    write_rows(folder, "curves", [{"run_id": "a", "step": 10, "metric": "payoff", "value": 0.5}])
    write_rows(folder, "runs", [run_row("a"), run_row("b", welfare=None)])
    return folder


def write_sound_corpus(folder: Path) -> Path:
    """Three sound runs with a learning curve, in two shards."""
    curve = [{"run_id": "a", "step": step, "metric": "payoff", "value": 0.5} for step in (20, 10)]
    write_rows(folder, "curves", curve)
    write_rows(folder, "runs", [sound_run("b", algorithm="Random", seed=1), sound_run("a")])
    diverged = sound_run("c", algorithm="IPPO", algorithm_kind="learner", status="diverged", diverged_at_step=7)
    write_rows(folder, "runs", [diverged], "two.parquet")
    return folder
