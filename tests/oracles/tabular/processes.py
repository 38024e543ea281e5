"""Random decision processes."""

from __future__ import annotations

import numpy as np

from coopgym.oracles.tabular import TabularMDP
from coopgym.typing import FloatArray


def random_process(seed: int, states: int = 5, actions: int = 3, gamma: float = 0.9) -> TabularMDP:
    rng = np.random.default_rng(seed)
    transition = rng.dirichlet(np.ones(states), size=(states, actions))
    return TabularMDP(transition, rng.normal(size=(states, actions)), gamma)


def random_policy(seed: int, states: int = 5, actions: int = 3) -> FloatArray:
    return np.random.default_rng(seed).dirichlet(np.ones(actions), size=states)
