"""Learners for the games of `coopgym`. Importing this package does not import torch; using a learner does."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from algorithms.marl.learner import Trainable

_LEARNERS = {
    "IPPO": "algorithms.marl.ippo",
    "MADDPG": "algorithms.marl.maddpg",
    "Mixed": "algorithms.marl.mixed",
    "SB3A2C": "algorithms.marl.sb3",
    "SB3PPO": "algorithms.marl.sb3",
    "SB3SAC": "algorithms.marl.sb3",
}
"""Modules of learners by the name of the class."""


def learners() -> dict[str, type[Trainable]]:
    """Return every learner by the name that studies and records use."""
    return {name: getattr(importlib.import_module(module), name) for name, module in _LEARNERS.items()}
