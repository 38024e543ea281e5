"""Kernels of all packages by the ids of their worked examples, and the examples.

A package that holds arithmetic of publications maps ids to functions of named inputs in a ``KERNELS``; an example is
named like its kernel, with a number at the end: ``minimax-p1``, ``core.group_zscore/2``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from coopgym.algorithms.llm import kernels as language_models
from coopgym.algorithms.reward_models import kernels as reward_models
from coopgym.algorithms.reward_models import return_decomposition
from coopgym.oracles.bandits import adversarial_kernels as adversarial_bandits
from coopgym.oracles.bandits import kernels as bandits
from coopgym.oracles.finite import kernels as finite_games
from coopgym.oracles.mechanism_design import kernels as mechanism_design
from coopgym.oracles.mechanism_design import knapsack_kernels as knapsacks
from coopgym.oracles.preferences import kernels as preference_games
from coopgym.oracles.tabular import kernels as reward_design
from coopgym.rewards import kernels as rewards
from tests.support.recordings import DATA

PACKAGES = (
    adversarial_bandits,
    bandits,
    finite_games,
    knapsacks,
    language_models,
    mechanism_design,
    preference_games,
    reward_design,
    reward_models,
    return_decomposition,
    rewards,
)
FILES = ("methods_examples.json", "llm_methods_examples.json")

KERNELS: Mapping[str, Callable[..., Any]] = {
    id: kernel for package in PACKAGES for id, kernel in package.KERNELS.items()
}


@dataclass(frozen=True)
class Example:
    """Inputs of a kernel and what it makes of them."""

    id: str
    inputs: Mapping[str, Any]
    expected: Any
    rtol: float
    atol: float

    @property
    def kernel(self) -> str:
        """The id of its kernel."""
        return re.sub(r"(-p|/)\d+$", "", self.id)


def _examples(file: str) -> list[Example]:
    told = json.loads((DATA / file).read_text(encoding="utf-8"))
    return [Example(case["id"], case["inputs"], case["expected"], told["rtol"], told["atol"]) for case in told["cases"]]


EXAMPLES: Mapping[str, Example] = {example.id: example for file in FILES for example in _examples(file)}
