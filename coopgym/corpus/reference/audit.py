"""Audit records of the published study as rows: response surfaces, halved actions, temporal deviations.

Blocks are found by the fields that only they have, whatever they are called in the record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from coopgym.corpus.reference.fields import (
    check_audit,
    early,
    full_fields,
    halving,
    late,
    level_fields,
    play_fields,
    ramp_fields,
)
from coopgym.corpus.reference.run import UNKNOWN, UNTIMED, ReferenceRecord, Source, identity, released_spec
from coopgym.games.registry import make_game
from coopgym.record_fields import Check, FieldError, fields, whole

DEFAULT_MODE = "integrated"
DEFAULT_LABEL = "Actions"
"""Audits in time carry no label."""
BASE_LEVEL = 0.5
"""Temporal audits start from half the endowment."""
_counted = fields({"n_episodes": whole(1)})
_SWITCHES = ("switchpoint", "defect_until_step", "ramp_start_step")
DEVIATION = 0.5
"""Surface audits let seat 0 halve its action."""


def is_surface(record: ReferenceRecord) -> bool:
    """Whether a record audits a response surface."""
    return any(True for _ in _located(record, "coop_fraction"))


def is_temporal(record: ReferenceRecord) -> bool:
    """Whether a record audits deviations in time."""
    return any(True for _ in _located(record, "switchpoint"))


def audit_row(record: ReferenceRecord, source: Source, protocol: str) -> dict[str, Any]:
    """Return the row of ``runs`` of an audit: nobody in particular plays actions fixed in advance.

    Raises:
        RecordError: the game is unknown.
        FieldError: a field is missing, or not what it must be.
    """
    check_audit(record)
    label, mode = record.get("algorithm", DEFAULT_LABEL), source.reward_mode or DEFAULT_MODE
    columns = identity(label, released_spec(record["environment"]), mode, record["seed"], source, {"audit": protocol})
    return columns | {
        "algorithm_kind": "label",
        "protocol": protocol,
        "episodes": max((block["n_episodes"] for block in _blocks(record, "n_episodes", _counted)), default=1),
        "device": UNKNOWN,
        "started_at": UNTIMED,
        "status": "completed",
    }


def surface_rows(record: ReferenceRecord, run: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a row for each level and seat."""
    endowments = make_game(run["environment"]).spec.endowments
    for block in _blocks(record, "coop_fraction", level_fields(len(endowments))):
        for seat, (value, spread) in enumerate(zip(block["per_agent_mean"], block["per_agent_std"], strict=True)):
            yield {
                "run_id": run["run_id"],
                "level": block["coop_fraction"],
                "seat": seat,
                "action": min(float(block["coop_action"]), float(endowments[seat])),
                "episode_return": float(value),
                "return_std": float(spread),
            }


def unilateral_rows(record: ReferenceRecord, run: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a row for each test of seat 0 halving its action."""
    for block in _blocks(record, "coop_level", halving):
        yield {
            "run_id": run["run_id"],
            "seat": 0,
            "base_level": block["coop_level"],
            "level": DEVIATION * block["coop_level"],
            "gain": block["agent0_gain"],
            "others_change": block["others_loss"],
        }


def temporal_rows(record: ReferenceRecord, run: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the baseline and every deviation of seat 0 from it."""
    if "episode_length" not in record:
        raise FieldError("the field 'episode_length' is missing")
    seats, length = run["n_agents"], record["episode_length"]
    baseline, full = _constant_blocks(record, seats)
    base = [float(value) for value in baseline["per_agent_mean"]]
    fixed = {"run_id": run["run_id"], "seat": 0, "base_level": BASE_LEVEL, "level": 0.0}

    def row(strategy: str, first: int, last: int, fraction: float, **measured: Any) -> dict[str, Any]:
        span = {"first_step": first, "last_step": last, "fraction": fraction}
        return {**fixed, "strategy": strategy, **span, **measured}

    yield {
        **fixed,
        "strategy": "baseline",
        "level": BASE_LEVEL,
        **_from_seats(base, base),
        "exploitative": False,
    }
    yield row(
        "full", 0, length - 1, 0.0, **_from_seats(full["per_agent_mean"], base), exploitative=full["exploitative"]
    )
    for block in _blocks(record, "switchpoint", late):
        first = block["switchpoint"]
        measured = _from_sides(block, seats)
        yield row("late", first, length - 1, block["switchpoint_fraction"], **measured)
    for block in _blocks(record, "defect_until_step", early):
        until = block["defect_until_step"]
        yield row("early", 0, until - 1, block["defect_fraction"], **_from_sides(block, seats))
    for block in _blocks(record, "ramp_start_step", ramp_fields(seats)):
        first = block["ramp_start_step"]
        measured = _from_seats(block["per_agent_mean"], base)
        ramp = row(
            "ramp", first, length - 1, block["ramp_start_fraction"], **measured, exploitative=block["exploitative"]
        )
        yield ramp | {"level": BASE_LEVEL / max(1, length - first)}  # the ramp ends one step before zero


def _from_seats(returns: Sequence[float], base: Sequence[float]) -> dict[str, Any]:
    """Return the measures of a play of which every seat's return is known."""
    others, before = _mean(returns[1:]), _mean(base[1:])
    return {
        "mean_return": _mean(returns),
        "seat_returns": [float(value) for value in returns],
        "gain": float(returns[0]) - base[0],
        "others_change": others - before,
    }


def _from_sides(block: ReferenceRecord, seats: int) -> dict[str, Any]:
    """Return the measures of a play of which seat 0 and the mean of the others are known."""
    own, others = float(block["agent0_return"]), float(block["others_mean_return"])
    return {
        "mean_return": (own + (seats - 1) * others) / seats,
        "seat_returns": [own, others] if seats == 2 else None,
        "gain": float(block["agent0_gain_vs_baseline"]),
        "others_change": float(block["others_loss_vs_baseline"]),
        "exploitative": block["exploitative"],
    }


def _constant_blocks(record: ReferenceRecord, seats: int) -> tuple[ReferenceRecord, ReferenceRecord]:
    """Return the plays without switches: the baseline, and seat 0 defecting throughout."""
    plays = [
        (path, block)
        for path, block in _located(record, "per_agent_mean")
        if not any(field in block for field in _SWITCHES)
    ]
    baseline = [play for play in plays if "agent0_gain" not in play[1]]
    full = [play for play in plays if "agent0_gain" in play[1]]
    if len(baseline) != 1 or len(full) != 1:
        raise ValueError(f"{len(baseline)} baselines and {len(full)} full defections; expected one of each")
    for check, (path, block) in ((play_fields(seats), baseline[0]), (full_fields(seats), full[0])):
        check(block, path)
    return baseline[0][1], full[0][1]


def _blocks(record: ReferenceRecord, field: str, check: Check) -> Iterator[ReferenceRecord]:
    """Yield every object of a record that has a field, in order, once it passed a check."""
    for path, block in _located(record, field):
        check(block, path)
        yield block


def _located(value: Any, field: str, path: str = "") -> Iterator[tuple[str, ReferenceRecord]]:
    """Yield every object below a value that has a field, in order, with its path."""
    if isinstance(value, dict):
        if field in value:
            yield path, value
        for name, below in value.items():
            yield from _located(below, field, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for place, below in enumerate(value):
            yield from _located(below, field, f"{path}[{place}]")


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
