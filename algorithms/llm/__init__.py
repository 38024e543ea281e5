"""Language-model agents: tool-use play, training, and published credit-assignment methods."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from coopgym.extras import extras_named

if TYPE_CHECKING:
    from coopgym.algorithms.llm.method.registry import make_method, methods
    from coopgym.algorithms.llm.play.agent import LanguageAgent, LanguagePolicy
    from coopgym.algorithms.llm.play.tasks import Task, TaskSettings
    from coopgym.algorithms.llm.training.learner import LLM
    from coopgym.algorithms.llm.training.trainer import Trainer, TrainerSettings

_HOMES = {
    "LLM": "training.learner",
    "LanguageAgent": "play.agent",
    "LanguagePolicy": "play.agent",
    "Task": "play.tasks",
    "TaskSettings": "play.tasks",
    "Trainer": "training.trainer",
    "TrainerSettings": "training.trainer",
    "make_method": "method.registry",
    "methods": "method.registry",
}

__all__ = [
    "LLM",
    "LanguageAgent",
    "LanguagePolicy",
    "Task",
    "TaskSettings",
    "Trainer",
    "TrainerSettings",
    "make_method",
    "methods",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        with extras_named(f"{__name__}.{name}"):
            return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
