"""What each field of a published record must be. Other fields may be there: learners measured what they liked."""

from __future__ import annotations

import re
from typing import Any

from coopgym.record_fields import (
    Check,
    FieldError,
    each,
    fields,
    found,
    integral,
    named,
    nullable,
    number,
    one_of,
    real,
    row,
    text,
    truth,
    whole,
)
from coopgym.rewards import MODES

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?(nan|inf|infinity)", re.IGNORECASE)


def _measure(value: Any, path: str) -> None:
    """Check for what a class of games measures: anything but a number in quotes."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        raise FieldError(f"{path}: found {found(value)}, expected a number, not one in quotes")


def _words(value: Any, path: str) -> None:
    if not isinstance(value, str):
        raise FieldError(f"{path}: found {found(value)}, expected a text")


_MEASURED = nullable(number)
"""Null, NaN and infinities stand where training diverged."""
_EPISODE = fields(
    {"steps": whole()}, {"return": _MEASURED, "final_trust": _MEASURED, "cooperation_rate": _MEASURED, "seed": whole()}
)
_KNOWN_METRICS = {
    "std_return": _MEASURED,
    "mean_final_trust": _MEASURED,
    "std_final_trust": _MEASURED,
    "mean_cooperation_rate": _MEASURED,
    "std_cooperation_rate": _MEASURED,
    "mean_episode_length": _MEASURED,
    "episodes_evaluated": whole(),
    "per_episode": nullable(each(_EPISODE)),
    "tr_metrics": nullable(named(_measure)),
    "training_returns": nullable(each(_MEASURED)),
    "training_timesteps": nullable(each(integral)),
    "training_metrics": nullable(named(each(row(integral, _MEASURED)))),
}
_KNOWN_TRAINING = {
    "algorithm": text,
    "environment": text,
    "training_seed": whole(),
    "status": one_of("success", "failed"),
    "timestamp": text,
}
_OTHER_TRAINING = {
    "error_message": nullable(_words),
    "training_time_seconds": nullable(real(0.0)),
    "evaluation_time_seconds": nullable(real(0.0)),
    "gpu_id": whole(-1),
    "reward_type": nullable(one_of(*MODES)),
    "net_arch": each(whole(1)),
    "net_arch_tag": text,
}
_metrics = fields({"mean_return": _MEASURED}, _KNOWN_METRICS)
_some_metrics = fields({}, {"mean_return": _MEASURED, **_KNOWN_METRICS})
_finished = fields({**_KNOWN_TRAINING, "metrics": _metrics}, _OTHER_TRAINING)
_failed = fields(_KNOWN_TRAINING, {**_OTHER_TRAINING, "metrics": nullable(_some_metrics)})
_audit = fields(
    {"environment": text, "seed": whole()},
    {"algorithm": text, "n_agents": whole(1), "endowment": real(0.0), "episode_length": whole(1)},
)


def check_training(record: Any) -> None:
    """Make sure that a training record is one.

    Raises:
        FieldError: names the field that is not what it must be.
    """
    (_failed if record.get("status") == "failed" else _finished)(record, "")
    for name, value in (record.get("metrics") or {}).items():
        _measure(value, f"metrics.{name}")


def check_audit(record: Any) -> None:
    """Make sure that what all audit records tell is there.

    Raises:
        FieldError: names the field that is not what it must be.
    """
    _audit(record, "")


def level_fields(seats: int) -> Check:
    """Return the check of a level of a response surface."""
    per_seat = each(real(), length=seats)
    return fields(
        {
            "coop_fraction": real(0.0, 1.0),
            "coop_action": real(0.0),
            "per_agent_mean": per_seat,
            "per_agent_std": each(real(0.0), length=seats),
        },
        {"n_episodes": whole(1)},
    )


halving = fields({"coop_level": real(0.0, 1.0), "agent0_gain": real(), "others_loss": real()})
"""A test of seat 0 playing half of a level."""


def play_fields(seats: int, **others: Check) -> Check:
    """Return the check of a temporal play of which every seat's return is known, and perhaps more."""
    return fields({"per_agent_mean": each(real(), length=seats), **others})


def full_fields(seats: int) -> Check:
    """Return the check of seat 0 defecting throughout."""
    return play_fields(seats, agent0_gain=real(), exploitative=truth)


def ramp_fields(seats: int) -> Check:
    """Return the check of seat 0 defecting by and by."""
    return play_fields(seats, ramp_start_step=whole(), ramp_start_fraction=real(0.0, 1.0), exploitative=truth)


def sides_fields(step: str, fraction: str) -> Check:
    """Return the check of a temporal play of which the returns of seat 0 and of the others are known.

    Args:
        step: name of the field that tells when seat 0 switches.
        fraction: name of the field that tells so in shares of an episode.
    """
    measured = ("agent0_return", "agent0_gain_vs_baseline", "others_mean_return", "others_loss_vs_baseline")
    return fields(
        {step: whole(), fraction: real(0.0, 1.0), "exploitative": truth, **{name: real() for name in measured}}
    )


late = sides_fields("switchpoint", "switchpoint_fraction")
early = sides_fields("defect_until_step", "defect_fraction")
