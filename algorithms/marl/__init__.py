"""Multi-agent learners that train R replicas (seeds × reward modes) at once as one tensor dimension."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from coopgym.extras import require

if TYPE_CHECKING:
    from coopgym.algorithms.marl.agents import TrainedAgent, load_agents
    from coopgym.algorithms.marl.ippo import IPPO
    from coopgym.algorithms.marl.learner import Learner
    from coopgym.algorithms.marl.result import TrainingResult

require(__name__, "torch", "safetensors")

_HOMES = {
    "IPPO": "ippo",
    "Learner": "learner",
    "TrainedAgent": "agents",
    "TrainingResult": "result",
    "load_agents": "agents",
}

__all__ = ["IPPO", "Learner", "TrainedAgent", "TrainingResult", "load_agents"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
