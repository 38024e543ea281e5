"""Multi-agent learners that train R replicas (seeds × reward modes) at once as one tensor dimension."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from coopgym.algorithms import LEARNERS
from coopgym.extras import require

if TYPE_CHECKING:
    from coopgym.algorithms.marl.core.trained_agents import TrainedAgent, TrainingResult, load_agents
    from coopgym.algorithms.marl.core.trainer import ReplicaLearner

require(__name__, "torch", "safetensors")

_HOMES = {
    **{name: module for name, module in LEARNERS.items() if module.startswith(f"{__name__}.")},
    "ReplicaLearner": f"{__name__}.core.trainer",
    "TrainedAgent": f"{__name__}.core.trained_agents",
    "TrainingResult": f"{__name__}.core.trained_agents",
    "load_agents": f"{__name__}.core.trained_agents",
}

__all__ = ["ReplicaLearner", "TrainedAgent", "TrainingResult", "load_agents"]
__all__ += sorted(_HOMES.keys() - set(__all__))


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
