"""The corpus standard as code: which tables there are, their columns, types, units and nullability."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

SCHEMA_VERSION = "1.1"
"""Major.minor: readers accept any minor version and refuse other major versions."""

TableName = Literal["runs", "curves", "steps"]
TABLES: tuple[TableName, ...] = ("runs", "curves", "steps")

TABLE_KEY = b"coopgym.table"
SCHEMA_VERSION_KEY = b"coopgym.schema_version"
PACKAGE_VERSION_KEY = b"coopgym.package_version"
STUDY_HASH_KEY = b"coopgym.study_hash"

STATUSES = ("completed", "diverged", "failed")
"""How a run can end: as planned, with non-finite numbers, or with an exception."""
KINDS = ("constant", "heuristic", "oracle", "plugin", "learner")
"""What can fill the seats: a constant action, a built-in strategy, an oracle, a user's agent, a trained policy."""


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    type: pa.DataType
    meaning: str
    unit: str = ""
    nullable: bool = False
    since: int = 0
    """Minor version that brought the column; in older files it is absent and reads as null."""

    def field(self) -> pa.Field:
        """Return the Arrow field; meaning and unit travel as field metadata."""
        return pa.field(self.name, self.type, self.nullable, {"meaning": self.meaning, "unit": self.unit})


_NUMBERS = pa.list_(pa.field("item", pa.float64(), nullable=False))
_SHORT_NUMBERS = pa.list_(pa.field("item", pa.float32(), nullable=False))
_TEXTS = pa.list_(pa.field("item", pa.string(), nullable=False))


_IDENTITY = (
    Column("run_id", pa.string(), "hash of everything that determines the numbers"),
    Column("study", pa.string(), "name of the study"),
    Column("algorithm", pa.string(), "name under which results are compared"),
    Column("algorithm_kind", pa.string(), f"one of {', '.join(KINDS)}"),
    Column("environment", pa.string(), "game id with its version"),
    Column("edition", pa.string(), "released or formal"),
    Column("mechanism_class", pa.string(), "theory the game is built on"),
    Column("n_agents", pa.int16(), "seats in the game"),
    Column("horizon", pa.int32(), "longest episode", "steps"),
    Column("env_parameters", pa.string(), "overridden game parameters, JSON"),
    Column("reward_mode", pa.string(), "reward the agents were trained with or told"),
    Column("view", pa.string(), "what each seat observes"),
    Column("seed", pa.int64(), "replicate number from the study"),
    Column("episodes", pa.int32(), "evaluation episodes", "episodes"),
    Column("hyperparameters", pa.string(), "effective hyper-parameters of a learner, JSON"),
)

_PROVENANCE = (
    Column("package_version", pa.string(), "version of coopgym"),
    Column("git_revision", pa.string(), "commit of the checkout, when there is one", nullable=True),
    Column("python", pa.string(), "version of Python"),
    Column("numpy", pa.string(), "version of NumPy"),
    Column("torch", pa.string(), "version of torch, for learners", nullable=True),
    Column("device", pa.string(), "device that trained"),
    Column("replica_group", pa.string(), "job that computed this run together with others"),
    Column("started_at", pa.timestamp("us", "UTC"), "when the job began"),
    Column("wall_seconds_train", pa.float64(), "training time of the job, divided by its replicas", "s", nullable=True),
    Column("wall_seconds_eval", pa.float64(), "evaluation time of the run", "s", nullable=True),
    Column("env_steps", pa.int64(), "environment steps trained", "steps", nullable=True),
    Column("gradient_updates", pa.int64(), "optimiser steps", "updates", nullable=True),
)

_OUTCOME = (
    Column("status", pa.string(), f"one of {', '.join(STATUSES)}"),
    Column("diverged_at_step", pa.int64(), "environment step at which numbers stopped being finite", "steps", True),
    Column("error", pa.string(), "traceback of a failed run", nullable=True),
)

_EVALUATION = (
    Column("welfare", pa.float64(), "sum of all seats' payoffs, mean over episodes", "payoff", True),
    Column("return_private", pa.float64(), "sum of seats' returns of this play read privately", "reward", True),
    Column("return_integrated", pa.float64(), "the same play under the integrated reward", "reward", True),
    Column("return_cooperative", pa.float64(), "the same play under the cooperative reward", "reward", True),
    Column("return_mode", pa.float64(), "sum of seats' returns in this run's reward mode", "reward", True),
    Column("seat_payoffs", _NUMBERS, "payoff of each seat, mean over episodes", "payoff", True),
    Column("seat_returns", _NUMBERS, "return of each seat in this run's reward mode", "reward", True),
    Column("episode_length", pa.float64(), "mean steps played", "steps", True),
    Column("terminated_share", pa.float64(), "share of episodes that ended before the horizon", "1", True),
    Column("mean_trust_final", pa.float64(), "mean trust between different seats at the end", "1", True),
    Column("mean_effective_trust", pa.float64(), "mean trust net of reputation damage at the end", "1", True),
    Column("mean_reputation_damage", pa.float64(), "mean reputation damage at the end", "1", True),
    Column("cooperation_rate", pa.float64(), "mean share of endowment played, over steps and seats", "1", True),
    Column("seat_cooperation", _NUMBERS, "mean share of endowment each seat played", "1", True),
    Column("gini_payoff", pa.float64(), "Gini coefficient of seats' payoffs, null if one is negative", "1", True),
)

_EXPLOITABILITY = (
    Column("exploitability", pa.float64(), "NashConv: sum of seats' best unilateral gains found", "reward", True, 1),
    Column("exploitability_error", pa.float64(), "its standard error; null where nothing is random", "reward", True, 1),
    Column("seat_exploitability", _NUMBERS, "best unilateral gain found for each seat", "reward", True, 1),
    Column("seat_deviations", _TEXTS, "how each seat would deviate, in words", nullable=True, since=1),
    Column("exploitability_effort", pa.string(), "how thoroughly deviations were searched", nullable=True, since=1),
)

_RUNS = (*_IDENTITY, *_PROVENANCE, *_OUTCOME, *_EVALUATION, *_EXPLOITABILITY)

_CURVES = (
    Column("run_id", pa.string(), "the run in `runs`"),
    Column("step", pa.int64(), "environment steps trained so far", "steps"),
    Column("metric", pa.string(), "name of the metric"),
    Column("value", pa.float32(), "its value; null where it was not finite", nullable=True),
)

_STEPS = (
    Column("run_id", pa.string(), "the run in `runs`"),
    Column("episode", pa.int32(), "episode of the run, from 0"),
    Column("t", pa.int32(), "step of the episode, from 0"),
    Column("seat", pa.int16(), "seat, from 0"),
    Column("observation", _SHORT_NUMBERS, "what the seat saw before acting"),
    Column("action", pa.float64(), "cooperation level played", "endowment units"),
    Column("payoff", pa.float64(), "material payoff of the step", "payoff"),
    Column("reward", pa.float64(), "reward of the step in the run's mode", "reward"),
    Column("trust", _SHORT_NUMBERS, "this seat's trust in every seat after the step", "1"),
    Column("damage", _SHORT_NUMBERS, "reputation damage this seat holds against every seat", "1"),
    Column("terminated", pa.bool_(), "the relation ended at this step"),
    Column("truncated", pa.bool_(), "the horizon was reached at this step"),
)

COLUMNS: Mapping[TableName, tuple[Column, ...]] = {"runs": _RUNS, "curves": _CURVES, "steps": _STEPS}
SCHEMAS: Mapping[TableName, pa.Schema] = {
    name: pa.schema([column.field() for column in columns]) for name, columns in COLUMNS.items()
}

PROVENANCE_COLUMNS = tuple(column.name for column in _PROVENANCE)
"""Columns that may differ between two executions of the same study; all others repeat exactly."""
REPEATABLE_COLUMNS = tuple(column.name for column in _RUNS if column.name not in PROVENANCE_COLUMNS)


def major(version: str) -> int:
    """Return the major part of a schema version.

    Raises:
        ValueError: not of the form ``major.minor``.
    """
    return _numbers(version)[0]


def minor(version: str) -> int:
    """Return the minor part of a schema version.

    Raises:
        ValueError: not of the form ``major.minor``.
    """
    return _numbers(version)[1]


def _numbers(version: str) -> tuple[int, int]:
    head, _, tail = version.partition(".")
    if not (head.isdigit() and tail.isdigit()):
        raise ValueError(f"schema version {version!r}: expected major.minor, like {SCHEMA_VERSION!r}")
    return int(head), int(tail)
