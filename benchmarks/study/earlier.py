"""Ids of runs that were made before schema 1.3, when an id told what a study said instead of what that came to."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coopgym.benchmarks.study.agent_info import agent_info, fresh
from coopgym.benchmarks.study.hashing import content_hash

if TYPE_CHECKING:
    from coopgym.benchmarks.study.run_spec import Player, RunSpec


def earlier_id(spec: RunSpec, parameters: Mapping[str, Any]) -> str:
    """Return the id that a run had before schema 1.3.

    Args:
        spec: the run.
        parameters: overridden game parameters as they were asked for then, in the form that ``env_parameters`` has.
    """
    meeting, training = spec.meeting, spec.training
    facts: dict[str, Any] = {
        "schema": 1,
        "game": spec.game,
        "parameters": dict(parameters),
        "algorithm": spec.algorithm,
        "kind": spec.kind,
        "reward": spec.reward,
        "view": spec.view,
        "seed": spec.seed,
        "episodes": spec.episodes,
        "record_steps": spec.record_steps,
        "source": _file_hash(meeting.focal.name if meeting else spec.algorithm) if spec.kind == "plugin" else "",
        "training": training
        and {
            "learner": training.learner,
            "env_steps": training.env_steps,
            "hyperparameters": training.made.recorded(training.hyperparameters),
        },
    }
    younger: dict[str, Any] = {
        "exploitability": spec.exploitability,
        "stochastic_episodes": spec.stochastic_episodes,
        "protocol": None if spec.protocol == "self_play" else spec.protocol,
        "audit": spec.audit and {"options": dict(spec.audit.options)},
        "meeting": meeting
        and [
            _facts(meeting.focal, parameters),
            [_facts(player, parameters) for player in meeting.background],
            meeting.focal_seats,
        ],
    }
    return content_hash(facts | {name: value for name, value in younger.items() if value})


def _facts(player: Player, parameters: Mapping[str, Any]) -> tuple[str, str, str]:
    if player.trained_by:
        return (player.name, "", earlier_id(player.trained_by, parameters))
    return (player.name, _file_hash(player.name) if agent_info(player.name).kind == "plugin" else "", "")


def _file_hash(name: str) -> str:
    """Hash of the file that defines the class of a user's agent; empty where there is none."""
    try:
        file = inspect.getsourcefile(type(fresh(name)))
    except TypeError:
        file = None
    return hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else ""
