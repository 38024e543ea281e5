"""Trained agents from disk, whatever was trained."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from algorithms.marl.agents import RECORD_FILE
from algorithms.marl.agents import load_agents as load_policies
from algorithms.trainable import PolicyAgent, ReplicaName
from coopgym.digests import check_digests

LANGUAGE = "language_model"
"""What the record of a language model calls itself."""


def load_agents(
    path: str | Path, replica: ReplicaName = 0, *, stochastic: bool = False, foreign: bool = False
) -> Sequence[PolicyAgent]:
    """Load the agents that a training left, one per seat.

    Args:
        path: folder that `Trained.save` wrote.
        replica: position, or ``(reward, seed)``.
        stochastic: draw actions instead of playing the best guess.
        foreign: let policies play games of other parameters than they were trained on, as language models always may.

    Raises:
        FileNotFoundError: the folder or one of its files is missing.
        ValueError: a file cannot be read or was altered, or there is no such replica.
    """
    check_digests(Path(path))  # before the record decides who reads the rest
    if _kind(Path(path) / RECORD_FILE) == LANGUAGE:
        from algorithms.llm.result import load_language_agents

        return load_language_agents(path, replica, stochastic=stochastic)
    return load_policies(path, replica, stochastic=stochastic, foreign=foreign)


def _kind(record: Path) -> str | None:
    if not record.is_file():
        return None  # the loader says what is missing
    try:
        found = json.loads(record.read_bytes())
    except ValueError as error:
        raise ValueError(f"{record} is not a readable training result: {error}; save it again") from error
    kind: str | None = found.get("kind") if isinstance(found, dict) else None
    return kind
