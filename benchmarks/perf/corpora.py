"""Speed and size of the corpus: Parquet against the same runs as JSON lines."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from coopgym.benchmarks.perf.measure import Ratio, compare, rate, ratio_of
from coopgym.corpus import load_corpus, table_from_rows, write_table
from coopgym.corpus.compaction import RUN_ORDER
from coopgym.corpus.export import encode
from coopgym.games.registry import games, make_game
from coopgym.rewards import MODES

RUNS = 20_000
SUMMARY = ("environment", "algorithm", "reward_mode", "seed", "status", "welfare", "return_mode", "cooperation_rate")
"""What a table of results needs to know of each run."""


def c12(quick: bool = False) -> Ratio:
    """Run summaries of a 20,000-run corpus per second: from Parquet against JSON lines of the same rows."""
    with tempfile.TemporaryDirectory() as folder:
        corpus, lines = _write_both(Path(folder))

        def from_parquet() -> None:
            load_corpus(corpus).read("runs", SUMMARY)

        def from_lines() -> None:
            with lines.open(encoding="utf-8") as file:
                rows = [json.loads(line) for line in file]
            pa.table({name: [row[name] for row in rows] for name in SUMMARY})

        return compare(
            lambda: rate(from_parquet, 10, RUNS), lambda: rate(from_lines, 1, RUNS), quick,
            id="C12", title="summary of 20,000 runs: Parquet ÷ JSON lines", unit="runs/s", floor=20.0, aim=100.0,
        )  # fmt: skip


def c12_bytes(quick: bool = False) -> Ratio:
    """Bytes of the runs of a 20,000-run corpus: JSON lines against Parquet; nothing to repeat."""
    del quick
    with tempfile.TemporaryDirectory() as folder:
        corpus, lines = _write_both(Path(folder))
        ours, theirs = (corpus / "runs" / "all.parquet").stat().st_size, lines.stat().st_size
    return ratio_of(
        [(theirs, ours)],
        id="C12b", title="bytes of 20,000 runs: JSON lines ÷ Parquet", unit="bytes", floor=4.0, aim=10.0,
    )  # fmt: skip


def _write_both(folder: Path) -> tuple[Path, Path]:
    table = _runs(np.random.default_rng(0)).sort_by([(name, "ascending") for name in RUN_ORDER])
    write_table("runs", table, folder / "runs" / "all.parquet", study_hash="0" * 64, package_version="0")
    lines = folder / "runs.jsonl"
    lines.write_bytes(encode(table, "jsonl"))
    return folder, lines


def _runs(rng: np.random.Generator) -> pa.Table:
    """Return runs as a study of all games writes them: names repeat, numbers do not."""
    specs = [make_game(id).spec for id in games()]
    return table_from_rows("runs", (_run(index, specs[index % len(specs)], rng) for index in range(RUNS)))


def _run(index: int, spec: Any, rng: np.random.Generator) -> dict[str, Any]:
    seats, modes = spec.n_agents, list(MODES)
    returns = rng.random(4) * 1e4
    shares = rng.random(6)
    return {
        "run_id": rng.bytes(32).hex(),
        "study": "everything",
        "algorithm": f"Learner_{index % 16}",
        "algorithm_kind": "learner",
        **spec.columns(),
        "env_parameters": "{}",
        "reward_mode": modes[index % len(modes)],
        "view": spec.default_view,
        "seed": 99 + index % 10,
        "episodes": 1,
        "hyperparameters": json.dumps({"learning_rate": 3e-4, "gamma": 0.99, "width": 64, "layers": 2}),
        "protocol": "self_play",
        "package_version": "1.0.0",
        "git_revision": "0" * 40,
        "python": "3.11.7",
        "numpy": "2.1.0",
        "torch": "2.6.0",
        "device": "cuda",
        "replica_group": f"{index // 30:020x}",
        "started_at": datetime.fromtimestamp(1.9e9 + index // 30, tz=UTC),
        "wall_seconds_train": float(rng.random()),
        "wall_seconds_eval": float(rng.random()),
        "env_steps": 1_000_000,
        "gradient_updates": 10_000,
        "status": "completed",
        "welfare": float(returns[0]),
        **{f"return_{mode}": float(value) for mode, value in zip(modes, returns[1:], strict=True)},
        "return_mode": float(returns[1]),
        "seat_payoffs": rng.random(seats).tolist(),
        "seat_returns": rng.random(seats).tolist(),
        "episode_length": float(spec.horizon),
        "terminated_share": 0.0,
        "mean_trust_final": float(shares[0]),
        "mean_effective_trust": float(shares[1]),
        "mean_reputation_damage": float(shares[2]),
        "cooperation_rate": float(shares[3]),
        "seat_cooperation": rng.random(seats).tolist(),
        "gini_payoff": float(shares[4]),
        "termination_cause": "horizon",
        "class_metrics": {"mean_loyalty": float(shares[5])},
    }
