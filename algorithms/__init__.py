"""Learners for the games of `coopgym`. Importing this package does not import torch; using a learner does."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from coopgym.extras import require

if TYPE_CHECKING:
    from coopgym.algorithms.common.learner_contract import Learner

LEARNERS = {
    "COMA": "coopgym.algorithms.marl.on_policy.coma",
    "FCP": "coopgym.algorithms.marl.populations.fcp",
    "IA2C": "coopgym.algorithms.marl.on_policy.ia2c",
    "IPPO": "coopgym.algorithms.marl.on_policy.ippo",
    "IQL": "coopgym.algorithms.marl.value_based.iql",
    "IndependentREINFORCE": "coopgym.algorithms.marl.on_policy.reinforce",
    "ISAC": "coopgym.algorithms.marl.off_policy.isac",
    "JointPPO": "coopgym.algorithms.marl.on_policy.joint_ppo",
    "LLM": "coopgym.algorithms.llm.training.learner",
    "LOLA": "coopgym.algorithms.marl.opponent_shaping.lola",
    "M3DDPG": "coopgym.algorithms.marl.off_policy.m3ddpg",
    "MADDPG": "coopgym.algorithms.marl.off_policy.maddpg",
    "MAPPO": "coopgym.algorithms.marl.on_policy.mappo",
    "MASAC": "coopgym.algorithms.marl.off_policy.masac",
    "MATD3": "coopgym.algorithms.marl.off_policy.matd3",
    "MeanFieldAC": "coopgym.algorithms.marl.on_policy.mean_field_ac",
    "Mixed": "coopgym.algorithms.marl.populations.mixed",
    "QMIX": "coopgym.algorithms.marl.value_based.qmix",
    "SB3A2C": "coopgym.algorithms.marl.external.sb3_learner",
    "SB3PPO": "coopgym.algorithms.marl.external.sb3_learner",
    "SB3SAC": "coopgym.algorithms.marl.external.sb3_learner",
    "SelfPlayPPO": "coopgym.algorithms.marl.populations.self_play_ppo",
    "VDN": "coopgym.algorithms.marl.value_based.vdn",
}
"""Modules of learners by the name of the class."""

__all__ = ["LEARNERS", "learners"]
__all__ += LEARNERS


class _Learners(Mapping[str, "type[Learner]"]):
    """Classes by name, each imported when it is asked for."""

    def __getitem__(self, name: str) -> type[Learner]:
        module = LEARNERS[name]
        require(name, "torch", "safetensors")
        return getattr(importlib.import_module(module), name)

    def __iter__(self) -> Iterator[str]:
        return iter(LEARNERS)

    def __len__(self) -> int:
        return len(LEARNERS)

    def __contains__(self, name: object) -> bool:
        return name in LEARNERS


def learners() -> Mapping[str, type[Learner]]:
    """Return every learner by the name that studies and records use; only what is taken out is imported.

    Taking one out raises `MissingExtraError` where torch or safetensors is not installed.

    >>> "IPPO" in learners(), learners()["IPPO"](gamma=0.95).gamma
    (True, 0.95)
    """
    return _Learners()


def __getattr__(name: str) -> Any:
    if name in LEARNERS:
        return _Learners()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
