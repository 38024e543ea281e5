"""Learners for the games of `coopgym`. Importing this package does not import torch; using a learner does."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from coopgym.extras import require

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


class _Learners(Mapping[str, "type[Trainable]"]):
    """Classes by name, each imported when it is asked for."""

    def __getitem__(self, name: str) -> type[Trainable]:
        module = _LEARNERS[name]
        require(name, "torch", "safetensors")
        return getattr(importlib.import_module(module), name)

    def __iter__(self) -> Iterator[str]:
        return iter(_LEARNERS)

    def __len__(self) -> int:
        return len(_LEARNERS)

    def __contains__(self, name: object) -> bool:
        return name in _LEARNERS


def learners() -> Mapping[str, type[Trainable]]:
    """Return every learner by the name that studies and records use; only what is taken out is imported.

    Taking one out raises `MissingExtraError` where torch or safetensors is not installed.
    """
    return _Learners()
