"""The arithmetic of rewards as pure functions, for worked examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.rewards.distances import canonical_reward, starc_distance
from coopgym.rewards.shaping import shaping_term


def starc(P: npt.ArrayLike, gamma: float, rewards: npt.ArrayLike) -> dict[str, Any]:
    """STARC distances between all pairs of rewards, and the first one's canonical form."""
    transition, tables = np.asarray(P, dtype=np.float64), np.asarray(rewards, dtype=np.float64)
    return {
        "distance": starc_distance(tables[:, None], tables, transition, gamma).tolist(),
        "canonical_first": canonical_reward(tables[0], transition, gamma).tolist(),
    }


def pbrs(rewards: npt.ArrayLike, potentials: npt.ArrayLike, gamma: float) -> dict[str, Any]:
    """What shaping adds to the steps of an episode, and what it comes to in the return."""
    paid, potential = np.asarray(rewards, dtype=np.float64), np.asarray(potentials, dtype=np.float64)
    shaping = shaping_term(potential[:-1], potential[1:], gamma)
    discounts = gamma ** np.arange(len(paid))
    plain, shaped = float(discounts @ paid), float(discounts @ (paid + shaping))
    return {
        "shaping": shaping.tolist(),
        "shaped": (paid + shaping).tolist(),
        "ret": plain,
        "shaped_ret": shaped,
        "difference": shaped - plain,
        "telescoped": float(gamma ** len(paid) * potential[-1] - potential[0]),
    }


KERNELS: Mapping[str, Callable[..., Any]] = {"pbrs": pbrs, "starc": starc}
"""Functions of named inputs by the ids of their worked examples."""
