"""What was said, as rows of the table ``turns``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from coopgym.algorithms.llm.play.trajectories import Trajectory, Usage
from coopgym.interfaces.text import Message


def turn_row(message: Message, usage: Usage, endowment: float) -> dict[str, Any]:
    """Return a message as a row, without its place.

    Args:
        message: what was said.
        usage: what it took.
        endowment: of the seat that converses, in units.
    """
    return {
        "t": message.t,
        "role": message.role,
        "content": message.content,
        "tool": message.tool,
        "valid": message.valid,
        "action": None if message.share is None else message.share * endowment,
        "share": message.share,
        **asdict(usage),
    }


def rollout_rows(rollout: Trajectory, number: int, step: int, endowment: float) -> list[dict[str, Any]]:
    """Return a rollout of a training as rows, as it was sampled.

    Args:
        rollout: what was sampled.
        number: of the rollout, among those that are kept.
        step: of the training.
        endowment: of its seat, in units.
    """
    place = {"episode": number, "seat": rollout.seat, "phase": "training", "training_step": step}
    rows = [
        {**place, "turn": turn, **turn_row(message, usage, endowment)}
        for turn, (message, usage) in enumerate(rollout.said)
    ]
    rows[-1]["outcome"] = rollout.outcome
    return rows
