"""Learners for the games of `coopgym`. Importing this package does not import torch; using a learner does."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from coopgym.extras import require

if TYPE_CHECKING:
    from coopgym.algorithms.common.learner_contract import Trainable

_LEARNERS = {
    "COMA": "coopgym.algorithms.marl.coma",
    "FCP": "coopgym.algorithms.marl.fcp",
    "IA2C": "coopgym.algorithms.marl.ia2c",
    "IPPO": "coopgym.algorithms.marl.ippo",
    "IQL": "coopgym.algorithms.marl.iql",
    "IndependentREINFORCE": "coopgym.algorithms.marl.reinforce",
    "ISAC": "coopgym.algorithms.marl.isac",
    "JointPPO": "coopgym.algorithms.marl.joint_ppo",
    "LLM": "coopgym.algorithms.llm.learner",
    "LOLA": "coopgym.algorithms.marl.lola",
    "M3DDPG": "coopgym.algorithms.marl.m3ddpg",
    "MADDPG": "coopgym.algorithms.marl.maddpg",
    "MAPPO": "coopgym.algorithms.marl.mappo",
    "MASAC": "coopgym.algorithms.marl.masac",
    "MATD3": "coopgym.algorithms.marl.matd3",
    "MeanFieldAC": "coopgym.algorithms.marl.mean_field_ac",
    "Mixed": "coopgym.algorithms.marl.mixed",
    "QMIX": "coopgym.algorithms.marl.qmix",
    "SB3A2C": "coopgym.algorithms.marl.sb3",
    "SB3PPO": "coopgym.algorithms.marl.sb3",
    "SB3SAC": "coopgym.algorithms.marl.sb3",
    "SelfPlayPPO": "coopgym.algorithms.marl.self_play_ppo",
    "VDN": "coopgym.algorithms.marl.vdn",
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
