"""Deviations in time: when a seat leaves a common level, how far it goes and when it returns."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from coopgym.benchmarks.audits.action_plan import ActionPlans
from coopgym.benchmarks.audits.rollout import AuditOutcome
from coopgym.benchmarks.audits.tables import detail_table
from coopgym.typing import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class DeviationSchedule:
    """M deviations for each of K seats over L steps, in shares of endowment."""

    strategy: npt.NDArray[np.str_]
    """``(M,)``: baseline, full, late, early, ramp, pulse or best."""
    first_step: FloatArray
    """``(K, M)`` first step of the deviation; NaN for none."""
    last_step: FloatArray
    fraction: FloatArray
    """``(K, M)`` where in the episode it begins; for early ones, ends."""
    level: FloatArray
    """``(K, M)`` share that the seat deviates to; of a ramp, its end."""
    plans: FloatArray
    """``(L, K, M)``."""

    def __add__(self, more: DeviationSchedule) -> DeviationSchedule:
        return DeviationSchedule(
            **{
                field.name: np.concatenate([getattr(self, field.name), getattr(more, field.name)], axis=-1)
                for field in fields(self)
            }
        )


def window(
    strategy: str, length: int, base: float, level: FloatArray, first: npt.ArrayLike, last: npt.ArrayLike
) -> DeviationSchedule:
    """Leave a base level for another from the first to the last step.

    Args:
        strategy: its name.
        length: steps L of the episode.
        base: share of endowment that the seat plays otherwise.
        level: ``(K, M)`` share it deviates to.
        first: ``(M,)`` first step; NaN stays with the base.
        last: ``(M,)`` last step, included.
    """
    first_step, last_step = (np.broadcast_to(np.asarray(step, dtype=np.float64), level.shape) for step in (first, last))
    t = np.arange(length)[:, None, None]
    plans = np.where((t >= first_step) & (t <= last_step), level, base)
    turn = last_step + 1 if strategy == "early" else first_step
    return DeviationSchedule(np.full(level.shape[1], strategy), first_step, last_step, turn / length, level, plans)


def ramp(length: int, base: float, level: FloatArray, first: npt.ArrayLike) -> DeviationSchedule:
    """Move evenly from the base in step ``first`` ``(M,)`` to a level ``(K, M)`` in the last step."""
    first_step = np.broadcast_to(np.asarray(first, dtype=np.float64), level.shape)
    last_step = np.full(level.shape, length - 1.0)
    progress = (np.arange(length)[:, None, None] - first_step) / np.maximum(1.0, last_step - first_step)
    plans = base + (level - base) * np.clip(progress, 0.0, 1.0)
    return DeviationSchedule(np.full(level.shape[1], "ramp"), first_step, last_step, first_step / length, level, plans)


def planned(strategy: str, base: float, plans: FloatArray) -> DeviationSchedule:
    """Describe one plan ``(L, K)`` per seat: when it leaves the base, and its mean level until it returns."""
    away = ~np.isclose(plans, base, rtol=0.0, atol=1e-9)
    leaves = away.any(axis=0)
    first = np.where(leaves, away.argmax(axis=0), np.nan)
    last = np.where(leaves, len(plans) - 1 - away[::-1].argmax(axis=0), np.nan)
    t = np.arange(len(plans))[:, None]
    inside = ((t >= first) & (t <= last)) | ~leaves
    level = (plans * inside).sum(axis=0) / inside.sum(axis=0)
    first, last, level = (array[:, None] for array in (first, last, level))
    return DeviationSchedule(np.full(1, strategy), first, last, first / len(plans), level, plans[:, :, None])


def action_plans(schedule: DeviationSchedule, seats: IntArray, held: FloatArray, unit: FloatArray) -> ActionPlans:
    """Return the K·M ways to play of a schedule.

    Args:
        schedule: for K seats.
        seats: ``(K,)`` who deviates.
        held: ``(N,)`` actions of everybody else.
        unit: ``(K,)`` the endowments that shares are of.
    """
    return ActionPlans.deviating(held, seats, schedule.plans * unit[:, None])


def gains(found: AuditOutcome, seats: IntArray, baseline: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return each seat's gain ``(K, M)`` over its return in ``baseline`` ``(N,)``, and the others' mean change."""
    changes = (found.returns - baseline).reshape(len(seats), -1, len(baseline))
    own = np.take_along_axis(changes, seats[:, None, None], axis=2)[..., 0]
    return own, (changes.sum(axis=2) - own) / (changes.shape[2] - 1)


def temporal_table(
    schedule: DeviationSchedule,
    seats: IntArray,
    base: float,
    found: AuditOutcome,
    own: FloatArray,
    others: FloatArray,
    tie: float,
) -> pa.Table:
    """Return rows of ``audit_temporal`` for a schedule and what came of it.

    Args:
        schedule: M deviations for each of K seats.
        seats: ``(K,)`` who deviates.
        base: share of endowment that everybody plays otherwise.
        found: outcome of the K·M ways to play.
        own: ``(K, M)`` gains of the seat.
        others: ``(K, M)`` changes of the other seats' mean return.
        tie: changes up to this size are none.
    """
    return detail_table(
        "audit_temporal",
        {
            "seat": np.repeat(seats, len(schedule.strategy)),
            "strategy": np.tile(schedule.strategy, len(seats)),
            "first_step": schedule.first_step.ravel(),
            "last_step": schedule.last_step.ravel(),
            "fraction": schedule.fraction.ravel(),
            "base_level": np.full(own.size, base),
            "level": schedule.level.ravel(),
            "mean_return": found.means,
            "seat_returns": found.returns,
            "gain": own.ravel(),
            "others_change": others.ravel(),
            "exploitative": ((own > tie) & (others < -tie)).ravel(),
        },
    )
