"""Mixed-motive multi-agent environments with closed-form payoffs and a configurable reward layer.

Four things to do::

    gymnasium.make("coopgym/TrustDilemma-v1")         # one environment
    coopgym.parallel_env("TrustDilemma-v1")           # or parallel, AEC, vectorised, torch, text
    coopgym.load_corpus("runs/quick")                 # recorded runs
    coopgym run quick --agent my_module:MyAgent       # (shell) a benchmark

Importing this package is cheap: what needs torch, PettingZoo or matplotlib is imported when it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from coopgym.registration import register_all

if TYPE_CHECKING:
    from coopgym.corpus import load_corpus
    from coopgym.games.registry import games, make_game, spec
    from coopgym.interfaces.pettingzoo import aec_env, parallel_env
    from coopgym.interfaces.text import text_env
    from coopgym.interfaces.torch import torch_env
    from coopgym.rewards import reward_layer

__version__ = "0.1.0"

_HOMES = {
    "aec_env": "coopgym.interfaces.pettingzoo",
    "load_corpus": "coopgym.corpus",
    "make_game": "coopgym.games.registry",
    "parallel_env": "coopgym.interfaces.pettingzoo",
    "reward_layer": "coopgym.rewards",
    "spec": "coopgym.games.registry",
    "text_env": "coopgym.interfaces.text",
    "torch_env": "coopgym.interfaces.torch",
}

__all__ = [
    "aec_env",
    "games",
    "load_corpus",
    "make_game",
    "parallel_env",
    "reward_layer",
    "spec",
    "text_env",
    "torch_env",
]

register_all()


def __getattr__(name: str) -> Any:
    if name == "games":
        return importlib.import_module("coopgym.games")  # a package that can be called
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'coopgym' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
