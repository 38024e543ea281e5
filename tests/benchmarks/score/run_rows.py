"""Small corpora for the tests of the statistics: rows of ``runs`` with only what a test is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from coopgym.corpus import table_from_rows

GAME = "TrustDilemma-v1"
OTHER = "PublicGoods-v1"


def row(algorithm: str, seed: int = 99, **facts: Any) -> dict[str, Any]:
    """One completed run; the kind follows from the name unless it is given."""
    given = {
        "algorithm": algorithm,
        "algorithm_kind": kind(algorithm),
        "environment": GAME,
        "edition": "formal",
        "mechanism_class": "TR-2" if facts.get("environment", GAME) == GAME else "TR-3",
        "n_agents": 2,
        "horizon": 100,
        "env_parameters": "{}",
        "reward_mode": "private",
        "seed": seed,
        "status": "completed",
        "protocol": "self_play",
        "started_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    given |= facts
    identity = ("algorithm", "environment", "env_parameters", "reward_mode", "seed", "protocol", "scenario")
    return {"run_id": "/".join(str(given.get(name)) for name in identity)} | given


def kind(algorithm: str) -> str:
    """Guess the kind of an agent from its name."""
    if algorithm.startswith("Constant_"):
        return "constant"
    if algorithm.startswith("Oracle_"):
        return "oracle"
    return "heuristic" if algorithm in ("Random", "TitForTat") else "learner"


def seeded(algorithm: str, column: str, values: Iterable[float | None], **facts: Any) -> list[dict[str, Any]]:
    """One run per value, under the seeds 99, 100, …."""
    return [row(algorithm, seed, **{column: value}, **facts) for seed, value in enumerate(values, start=99)]


def table(*rows: Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> pa.Table:
    """Build the ``runs`` table of rows and lists of rows."""
    flat = [each for part in rows for each in ([part] if isinstance(part, Mapping) else part)]
    return table_from_rows("runs", flat)


def anchored(column: str = "return_mode", **facts: Any) -> list[dict[str, Any]]:
    """Random at 10 and the best of two constants at 20, so that a value of 15 scores one half."""
    return [
        *seeded("Random", column, (8.0, 12.0), **facts),
        row("Constant_00", **{column: 5.0}, **facts),
        row("Constant_60", **{column: 20.0}, **facts),
    ]


def stranger_columns(returns: Mapping[str, float]) -> dict[str, Any]:
    """What an agent returned with each partner, of at most 10 and of 0 by Random; what a name begins with is its kind.

    The best single number returns 8 with everybody, and partners return 5.
    """
    count = len(returns)
    lists: dict[str, Any] = {
        "scenarios": [f"visitor/0/{name}" for name in returns],
        "kinds": [name.split("-")[0] for name in returns],
        "returns": list(returns.values()),
        "partner_returns": [5.0] * count,
        "random": [0.0] * count,
        "floors": [8.0] * count,
        "ceilings": [10.0] * count,
    }
    return {f"stranger_{name}": values for name, values in lists.items()}


def among_strangers(algorithm: str, returns: Mapping[str, float], seed: int = 99, **facts: Any) -> dict[str, Any]:
    """One run among the test strangers."""
    return row(algorithm, seed, **{"protocol": "strangers", "scenario": "test"} | stranger_columns(returns) | facts)
