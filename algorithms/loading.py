"""Trained agents from disk, whatever was trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from coopgym.algorithms.common.learner_contract import PolicyAgent, ReplicaName
from coopgym.algorithms.common.training_record import LANGUAGE, read_record
from coopgym.algorithms.marl.core.trained_agents import load_agents as load_policies
from coopgym.digests import check_digests
from coopgym.record_fields import fields


def _any_record(record: Any) -> None:
    fields({})(record, "")


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
    if read_record(Path(path), _any_record).get("kind") == LANGUAGE:
        from coopgym.algorithms.llm.training.result import load_language_agents

        return load_language_agents(path, replica, stochastic=stochastic)
    return load_policies(path, replica, stochastic=stochastic, foreign=foreign)
