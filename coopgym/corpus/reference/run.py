"""One record of the published study as one row of ``runs``, and its learning curves."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from coopgym.corpus.reference.fields import check_training
from coopgym.games.registry import make_game
from coopgym.games.spec import GameSpec

CorpusRows = list[dict[str, Any]]
ReferenceRecord = Mapping[str, Any]

UNKNOWN = "unknown"
UNTIMED = datetime(1970, 1, 1, tzinfo=UTC)
"""Start of runs whose record does not tell: audits have no time."""
RETURN_CURVE = "training_return"
RETURN_BY_EPISODE = "training_return_by_episode"
RAW_COOPERATION = "cooperation_raw"
APPROXIMATE = "cooperation_rate_is_approximate"
ROUNDING = 1e-6
"""Actions were sent in single precision."""
_HEURISTICS = ("Random", "TitForTat")
_STATUS = {"success": "completed", "failed": "failed"}
_MAPPED = (
    "mean_return",
    "mean_final_trust",
    "mean_cooperation_rate",
    "mean_episode_length",
    "episodes_evaluated",
)
"""Metrics that have a column of their own; all other numbers go to ``class_metrics``."""


class RecordError(ValueError):
    """A record cannot be imported."""


@dataclass(frozen=True)
class Source:
    """Where a record was found."""

    root: Path
    file: Path
    line: int
    reward_mode: str | None

    @property
    def collection(self) -> str:
        """Name of the folder of records, such as ``baseline_integrated``: the study of its runs."""
        return self.file.parent.name if self.file.parent != self.root else self.root.name

    @property
    def reference(self) -> str:
        """File and line below the imported folder."""
        return f"{self.file.relative_to(self.root)}:{self.line}"


def training_row(record: ReferenceRecord, source: Source) -> dict[str, Any]:
    """Return the row of ``runs`` of a training record.

    Raises:
        RecordError: reward mode or game are unknown.
        FieldError: a field is missing, or not what it must be.
    """
    check_training(record)
    status = _STATUS[record["status"]]
    metrics: ReferenceRecord = record.get("metrics") or {}
    if status == "completed" and _number(metrics["mean_return"]) is None:
        status = "diverged"
    mode = record.get("reward_type") or source.reward_mode
    if mode is None:
        raise RecordError(
            "no reward mode: the record has no `reward_type` and no folder above ends in private, integrated or "
            "cooperative; put it into one that does, or name the mode"
        )
    spec = released_spec(record["environment"])
    net = {name: record[name] for name in ("net_arch", "net_arch_tag") if name in record}
    row = identity(record["algorithm"], spec, mode, record["training_seed"], source, net)
    mean_return = _number(metrics.get("mean_return"))
    return row | {
        "algorithm_kind": _kind(record["algorithm"]),
        "protocol": "self_play",
        "episodes": metrics.get("episodes_evaluated", 0),
        "device": "cpu" if record.get("gpu_id", -1) < 0 else f"cuda:{record['gpu_id']}",
        "started_at": _moment(record["timestamp"]),
        "wall_seconds_train": _number(record.get("training_time_seconds")),
        "wall_seconds_eval": _number(record.get("evaluation_time_seconds")),
        "status": status,
        "error": record.get("error_message") or None,
        f"return_{mode}": mean_return,
        "return_mode": mean_return,
        "episode_length": _number(metrics.get("mean_episode_length")),
        "terminated_share": _terminated_share(metrics, spec),
        "mean_trust_final": _number(metrics.get("mean_final_trust")),
        **_cooperation(metrics, spec),
    }


def curve_rows(record: ReferenceRecord, run: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the learning curves of a training record: returns of finished episodes, and what the learner logged."""
    metrics: ReferenceRecord = record.get("metrics") or {}
    returns, steps = metrics.get("training_returns") or [], metrics.get("training_timesteps") or []
    dated = len(steps) == len(returns)
    name = RETURN_CURVE if dated else RETURN_BY_EPISODE
    for step, value in zip(steps if dated else range(1, len(returns) + 1), returns, strict=True):
        yield {"run_id": run["run_id"], "step": int(step), "metric": name, "value": _number(value)}
    for metric, entries in (metrics.get("training_metrics") or {}).items():
        end = max((int(step) for step in (*steps[-1:], *(step for step, _ in entries))), default=0)
        for step, value in entries:
            # A last, incomplete interval was logged as step −1: it ends where training does.
            when = int(step) if step >= 0 else end
            yield {"run_id": run["run_id"], "step": when, "metric": metric, "value": _number(value)}


def identity(
    algorithm: str, spec: GameSpec, mode: str, seed: int, source: Source, facts: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the columns that say which run it is, and what nobody recorded but no row can do without.

    Args:
        algorithm: who played, or the label of an audit.
        spec: the game.
        mode: the reward mode.
        seed: the seed of the study.
        source: where the record was found.
        facts: what else tells the run from others.
    """
    hyperparameters = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    identity = [source.collection, algorithm, spec.id, mode, seed, hyperparameters]
    return {
        "run_id": hashlib.sha256(json.dumps(["reference", *identity]).encode()).hexdigest(),
        "study": source.collection,
        "algorithm": algorithm,
        **spec.columns(),
        "env_parameters": "{}",
        "reward_mode": mode,
        "view": spec.default_view,
        "seed": seed,
        "hyperparameters": hyperparameters,
        "package_version": UNKNOWN,
        "python": UNKNOWN,
        "numpy": UNKNOWN,
        "replica_group": source.reference,
    }


def released_spec(environment: str) -> GameSpec:
    """Return what a game of the study is, named with or without its version.

    Raises:
        RecordError: there is no such game.
    """
    name = environment if environment.endswith("-v0") else f"{environment}-v0"
    try:
        return make_game(name).spec
    except ValueError as error:
        raise RecordError(str(error)) from error


def _kind(algorithm: str) -> str:
    if algorithm.startswith("Constant_"):
        return "constant"
    if algorithm.startswith("Oracle_"):
        return "oracle"
    return "heuristic" if algorithm in _HEURISTICS else "learner"


def _cooperation(metrics: ReferenceRecord, spec: GameSpec) -> dict[str, Any]:
    """Return the share of endowment played, and every number of the record that has no column.

    The study recorded the mean action as submitted, in raw units. Divided by the mean endowment it is the share only
    where endowments are equal and nothing was clipped; beyond one it is no share at all and stays raw.
    """
    measures = {**metrics, **(metrics.get("tr_metrics") or {})}
    others = {name: value for name, each in measures.items() if (value := _number(each)) is not None}
    raw = _number(metrics.get("mean_cooperation_rate"))
    share = None if raw is None else raw / float(np.mean(spec.endowments))
    if share is not None:
        share = min(share, 1.0) if 0.0 <= share <= 1.0 + ROUNDING else None
    own = {} if raw is None else {RAW_COOPERATION: raw, APPROXIMATE: 1.0}
    class_metrics = {name: value for name, value in others.items() if name not in _MAPPED} | own
    return {
        "cooperation_rate": share,
        "class_metrics": class_metrics or None,
    }


def _terminated_share(metrics: ReferenceRecord, spec: GameSpec) -> float | None:
    lengths = [episode["steps"] for episode in metrics.get("per_episode") or []]
    return sum(length < spec.horizon for length in lengths) / len(lengths) if lengths else None


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise RecordError(f"timestamp {text!r}; expected ISO 8601, like 2030-01-31T12:00:00") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _number(value: Any) -> float | None:
    """Return a finite number as float; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
