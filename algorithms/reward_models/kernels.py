"""The arithmetic of learned rewards as pure functions, for worked examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy.typing as npt

from coopgym.algorithms.reward_models.endogenous import endogenous_reward


def endogenous(logits: npt.ArrayLike, actions: npt.ArrayLike, alpha: float) -> dict[str, Any]:
    """The reward inside a policy's logits, and the two sides of its telescoping sum."""
    found = endogenous_reward(logits, actions, alpha)
    return {
        "reward": found.reward.tolist(),
        "log_prob": found.log_prob.tolist(),
        "value": found.value.tolist(),
        "ret": float(found.reward.sum()),
        "alpha_logp_plus_v0": float(alpha * found.log_prob.sum() + found.value[0]),
    }


KERNELS: Mapping[str, Callable[..., Any]] = {"endogenous": endogenous}
"""Functions of named inputs by the ids of their worked examples."""
