"""Learners for the games of `coopgym`. Importing this package does not import torch; using a learner does."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from algorithms.trainable import Trainable

_LEARNERS = {
    "COMA": "algorithms.marl.coma",
    "FCP": "algorithms.marl.fcp",
    "IA2C": "algorithms.marl.ia2c",
    "IPPO": "algorithms.marl.ippo",
    "IQL": "algorithms.marl.iql",
    "IndependentREINFORCE": "algorithms.marl.reinforce",
    "ISAC": "algorithms.marl.isac",
    "JointPPO": "algorithms.marl.joint_ppo",
    "LLM": "algorithms.llm.learner",
    "LOLA": "algorithms.marl.lola",
    "M3DDPG": "algorithms.marl.m3ddpg",
    "MADDPG": "algorithms.marl.maddpg",
    "MAPPO": "algorithms.marl.mappo",
    "MASAC": "algorithms.marl.masac",
    "MATD3": "algorithms.marl.matd3",
    "MeanFieldAC": "algorithms.marl.mean_field_ac",
    "Mixed": "algorithms.marl.mixed",
    "QMIX": "algorithms.marl.qmix",
    "SB3A2C": "algorithms.marl.sb3",
    "SB3PPO": "algorithms.marl.sb3",
    "SB3SAC": "algorithms.marl.sb3",
    "SelfPlayPPO": "algorithms.marl.self_play_ppo",
    "VDN": "algorithms.marl.vdn",
}
"""Modules of learners by the name of the class."""


def learner_names() -> frozenset[str]:
    """Return the names of all learners without importing them."""
    return frozenset(_LEARNERS)


def learners() -> dict[str, type[Trainable]]:
    """Return every learner by the name that studies and records use."""
    return {name: getattr(importlib.import_module(module), name) for name, module in _LEARNERS.items()}
