"""The corpus standard as code: which tables there are, their columns, types, units and nullability."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import pyarrow as pa
import pyarrow.compute as pc

from coopgym.strict_json import parse_json
from coopgym.worlds import FIXED, WORLDS

SCHEMA_VERSION = "1.8"
"""Major.minor: readers accept any minor version and refuse other major versions.

A minor version adds columns that may be null, tables, and words of a vocabulary. Types and meanings stay.
"""

TableName = Literal["runs", "curves", "steps", "turns", "audit_surface", "audit_unilateral", "audit_temporal"]
TABLES: tuple[TableName, ...] = get_args(TableName)
DETAILS: tuple[TableName, ...] = TABLES[1:]
"""Tables that belong to runs: written before them, worth nothing without them."""
TABLE_SINCE: Mapping[TableName, int] = {"turns": 2, "audit_surface": 2, "audit_unilateral": 2, "audit_temporal": 2}
"""Minor versions that brought tables; the others are as old as the schema."""

TABLE_KEY = b"coopgym.table"
SCHEMA_VERSION_KEY = b"coopgym.schema_version"
PACKAGE_VERSION_KEY = b"coopgym.package_version"
STUDY_HASH_KEY = b"coopgym.study_hash"

STATUSES = ("completed", "diverged", "failed")
"""How a run can end: as planned, with non-finite numbers, or with an exception."""
KINDS = ("constant", "heuristic", "oracle", "plugin", "learner", "label")
"""What can fill the seats: a constant action, a built-in strategy, an oracle, a user's agent, a trained policy, or in
audits nobody at all: a label under which actions fixed in advance are filed."""
PROTOCOLS = (
    "self_play",
    "scenario",
    "strangers",
    "surface",
    "unilateral",
    "temporal",
    "reactive",
    "reference_surface",
    "reference_temporal",
)
"""What a run did: copies of one agent in all seats, a focal agent among others, one among all partners of a
population, or one of the audits."""
WORLD_NAMES = (FIXED, *WORLDS)
"""Whether costs and synergy are drawn, and how."""
PHASES = ("training", "evaluation")
"""When a language model said something."""


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
_MEASURES = pa.map_(pa.string(), pa.field("value", pa.float64(), nullable=False))
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
    Column("protocol", pa.string(), f"one of {', '.join(PROTOCOLS)}; null before 1.2: self_play", "", True, 2),
    Column(
        "scenario",
        pa.string(),
        "name of the scenario, or population, for runs among other agents",
        nullable=True,
        since=2,
    ),
    Column("background", _TEXTS, "agents in the seats that are not focal, in order of seats", nullable=True, since=2),
    Column("objective", pa.string(), "whose reward a learner maximised: individual or team", nullable=True, since=2),
    Column(
        "mutuality",
        pa.float64(),
        "λ of a mutuality mode: 0 private, 1 the mean payoff for all",
        "1",
        True,
        2,
    ),
    Column("identity", pa.string(), "what `run_id` is the SHA-256 of, JSON", nullable=True, since=3),
    Column(
        "reward_transform",
        pa.string(),
        "what the reward of a learner went through, such as shaping(trust); null for none, before 1.8 see `identity`",
        nullable=True,
        since=8,
    ),
    Column(
        "world", pa.string(), f"one of {', '.join(WORLD_NAMES)}; null before 1.6: see `env_parameters`", "", True, 6
    ),
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

_BREAKDOWN = (
    Column("termination_cause", pa.string(), "horizon, dissolution, or mixed over episodes", nullable=True, since=2),
    Column("class_metrics", _MEASURES, "what the game tells of its last state, episode mean", nullable=True, since=2),
    Column("focal_return", pa.float64(), "mean return of focal seats in the run's reward mode", "reward", True, 2),
    Column("focal_payoff", pa.float64(), "mean payoff of focal seats", "payoff", True, 2),
    Column("focal_cooperation", pa.float64(), "mean share of endowment focal seats played", "1", True, 2),
    Column("background_return", pa.float64(), "mean return of the other seats", "reward", True, 2),
    Column("background_payoff", pa.float64(), "mean payoff of the other seats", "payoff", True, 2),
    Column("background_cooperation", pa.float64(), "mean share of endowment the other seats played", "1", True, 2),
)

_STOCHASTIC = (
    Column("sto_episodes", pa.int32(), "episodes of the stochastic evaluation of a learner", "episodes", True, 2),
    Column("sto_welfare", pa.float64(), "welfare when actions are drawn from the policies", "payoff", True, 2),
    Column("sto_return_private", pa.float64(), "return_private of that play", "reward", True, 2),
    Column("sto_return_integrated", pa.float64(), "return_integrated of that play", "reward", True, 2),
    Column("sto_return_cooperative", pa.float64(), "return_cooperative of that play", "reward", True, 2),
    Column("sto_return_mode", pa.float64(), "return_mode of that play", "reward", True, 2),
    Column("sto_cooperation_rate", pa.float64(), "cooperation_rate of that play", "1", True, 2),
    Column("sto_seat_payoffs", _NUMBERS, "seat_payoffs of that play", "payoff", True, 2),
)

_WORLDS = (
    Column(
        "step_welfare", _SHORT_NUMBERS, "payoffs of all seats step by step; null in fixed worlds", "payoff", True, 6
    ),
    Column(
        "welfare_after_change",
        pa.float64(),
        "welfare of the ten steps from every change of a shifting world on, or up to the next change",
        "payoff",
        True,
        6,
    ),
)

_EXPLOITABILITY = (
    Column("exploitability", pa.float64(), "NashConv: sum of seats' best unilateral gains found", "reward", True, 1),
    Column("exploitability_error", pa.float64(), "its standard error; null where nothing is random", "reward", True, 1),
    Column("seat_exploitability", _NUMBERS, "best unilateral gain found for each seat", "reward", True, 1),
    Column("seat_deviations", _TEXTS, "how each seat would deviate, in words", nullable=True, since=1),
    Column("exploitability_effort", pa.string(), "how thoroughly deviations were searched", nullable=True, since=1),
)

_STRANGERS = (
    Column("stranger_scenarios", _TEXTS, "scenarios with partners of a population, in order", "", True, 7),
    Column("stranger_kinds", _TEXTS, "kind of the partners in each", "", True, 7),
    Column("stranger_returns", _NUMBERS, "mean private return of focal seats in each", "reward", True, 7),
    Column("stranger_partner_returns", _NUMBERS, "mean private return of the other seats", "reward", True, 7),
    Column("stranger_random", _NUMBERS, "what Random earned in the focal seats", "reward", True, 7),
    Column("stranger_floors", _NUMBERS, "what the best single number earned there", "reward", True, 7),
    Column("stranger_ceilings", _NUMBERS, "what the best response earned that was found", "reward", True, 7),
)

_RUNS = (
    *_IDENTITY,
    *_PROVENANCE,
    *_OUTCOME,
    *_EVALUATION,
    *_BREAKDOWN,
    *_STOCHASTIC,
    *_EXPLOITABILITY,
    *_WORLDS,
    *_STRANGERS,
)

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
    Column("share", pa.float64(), "the action as a share of the seat's endowment", "1", True, 4),
    Column("behaviour", pa.string(), "who chose the action: an agent's name, or the run that trained it", "", True, 5),
    Column(
        "action_logprob",
        pa.float64(),
        "log-density of `share` for who chose it, or log-probability where it has one; null where nothing was drawn",
        "nats",
        True,
        5,
    ),
    Column("final_observation", _SHORT_NUMBERS, "what the seat saw after an episode's last step", "", True, 5),
)

_TURNS = (
    Column("run_id", pa.string(), "the run in `runs`"),
    Column("episode", pa.int32(), "episode of the run, from 0"),
    Column("seat", pa.int16(), "seat that converses, from 0"),
    Column("turn", pa.int32(), "message of this seat's conversation, from 0"),
    Column("t", pa.int32(), "step of the game that the message belongs to, from 0"),
    Column("role", pa.string(), "system, user, assistant or tool"),
    Column("content", pa.string(), "the message as it was sent or received"),
    Column("tool", pa.string(), "tool that was called or answers", nullable=True),
    Column("valid", pa.bool_(), "whether an assistant message could be read; null for other roles", nullable=True),
    Column("action", pa.float64(), "cooperation level that the message led to", "endowment units", True),
    Column("prompt_tokens", pa.int32(), "tokens the model read for this message", "tokens", True),
    Column("completion_tokens", pa.int32(), "tokens the model wrote", "tokens", True),
    Column("paid_tokens", pa.int64(), "of these, tokens that a server was asked for now", "tokens", True, 3),
    Column("cached_tokens", pa.int64(), "of these, tokens answered before, which cost nothing", "tokens", True, 3),
    Column("cost", pa.float64(), "price of the paid tokens", "currency of the prices given", True, 3),
    Column("requests", pa.int32(), "requests sent for the message, failed ones included", nullable=True, since=3),
    Column("finish", pa.string(), "how it ended: stop, length, content_filter or error", nullable=True, since=3),
    Column("note", pa.string(), "what was unusual about the message or its requests", nullable=True, since=3),
    Column("share", pa.float64(), "the action as a share of the seat's endowment", "1", True, 4),
    Column("phase", pa.string(), f"one of {', '.join(PHASES)}; null before 1.5: evaluation", "", True, 5),
    Column("training_step", pa.int32(), "step of the training that the rollout was sampled for, from 0", "", True, 5),
    Column("logprob", pa.float64(), "log-probability of the tokens written, if they were drawn", "nats", True, 5),
    Column("outcome", pa.float64(), "what the rollout was worth to the training, on its last row", "", True, 5),
)

_AUDIT_SURFACE = (
    Column("run_id", pa.string(), "the run in `runs`"),
    Column("level", pa.float32(), "share of endowment that every seat plays", "1"),
    Column("seat", pa.int16(), "seat, from 0"),
    Column("action", pa.float64(), "cooperation level of the seat", "endowment units"),
    Column("episode_return", pa.float64(), "return of the seat, mean over episodes", "reward"),
    Column("return_std", pa.float64(), "standard deviation of its return over episodes, divided by n", "reward"),
    Column("payoff", pa.float64(), "payoff of the seat, mean over episodes", "payoff", True),
    Column("mean_trust_final", pa.float64(), "mean trust between different seats at the end", "1", True),
    Column("episode_length", pa.float64(), "mean steps played", "steps", True),
)

_AUDIT_UNILATERAL = (
    Column("run_id", pa.string(), "the run in `runs`"),
    Column("seat", pa.int16(), "seat that deviates, from 0"),
    Column("base_level", pa.float32(), "share of endowment that the others play; reacting partners: in the end", "1"),
    Column("level", pa.float32(), "share of endowment that the seat plays", "1"),
    Column("gain", pa.float32(), "change of the seat's return against conforming to the others", "reward"),
    Column("others_change", pa.float32(), "change of the other seats' mean return", "reward"),
    Column("partner", pa.string(), "agent in the other seats, which may react; null: the base level", nullable=True),
)

_AUDIT_TEMPORAL = (
    Column("run_id", pa.string(), "the run in `runs`"),
    Column("seat", pa.int16(), "seat that deviates, from 0"),
    Column("strategy", pa.string(), "baseline, full, late, early, ramp, pulse, or best: the best plan found"),
    Column("first_step", pa.int32(), "first step of the deviation", "steps", True),
    Column("last_step", pa.int32(), "last step of the deviation", "steps", True),
    Column("fraction", pa.float64(), "where in the episode it begins; for early ones, ends", "1", True),
    Column("base_level", pa.float64(), "share of endowment that everybody plays otherwise", "1"),
    Column("level", pa.float64(), "share that the seat deviates to; of a ramp, its end", "1"),
    Column("mean_return", pa.float64(), "return, mean over seats", "reward"),
    Column("seat_returns", _NUMBERS, "return of each seat", "reward", True),
    Column("gain", pa.float64(), "change of the seat's return against the baseline", "reward"),
    Column("others_change", pa.float64(), "change of the other seats' mean return", "reward"),
    Column("exploitative", pa.bool_(), "the seat gains and the others lose"),
)

COLUMNS: Mapping[TableName, tuple[Column, ...]] = {
    "runs": _RUNS,
    "curves": _CURVES,
    "steps": _STEPS,
    "turns": _TURNS,
    "audit_surface": _AUDIT_SURFACE,
    "audit_unilateral": _AUDIT_UNILATERAL,
    "audit_temporal": _AUDIT_TEMPORAL,
}
SCHEMAS: Mapping[TableName, pa.Schema] = {
    name: pa.schema([column.field() for column in columns]) for name, columns in COLUMNS.items()
}

PROVENANCE_COLUMNS = tuple(column.name for column in _PROVENANCE)
"""Columns that may differ between two executions of the same study; all others repeat exactly."""
REPEATABLE_COLUMNS = tuple(column.name for column in _RUNS if column.name not in PROVENANCE_COLUMNS)


def is_self_play(row: Mapping[str, Any]) -> bool:
    """Whether a row of ``runs`` is self-play; before schema 1.2 all were."""
    return row["protocol"] in (None, "self_play")


def world_of(row: Mapping[str, Any]) -> str:
    """Return the world of a row of ``runs``; before schema 1.6 it stood among the parameters of the game alone.

    >>> world_of({"world": None, "env_parameters": '{"world":"common"}'})
    'common'
    """
    return str(row["world"] or _world_among(row["env_parameters"]))


def worlds_of(runs: pa.Table) -> pa.ChunkedArray:
    """Return the worlds of all rows of ``runs``, likewise."""
    parameters = runs.column("env_parameters")
    told = {text: _world_among(text) for text in parameters.unique().to_pylist()}
    earlier = pa.array([told[text] for text in parameters.to_pylist()], pa.string())
    return pc.coalesce(runs.column("world").cast(pa.string()), earlier)


def _world_among(parameters: str) -> str:
    """The world that parameters in JSON name; what is no JSON names none."""
    try:
        told = parse_json(parameters)
    except ValueError:
        return FIXED
    return str(told.get("world", FIXED)) if isinstance(told, dict) else FIXED


def is_newer(version: str) -> bool:
    """Whether a version of this major number may hold columns, tables and words that are unknown here."""
    return minor(version) > minor(SCHEMA_VERSION)


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
