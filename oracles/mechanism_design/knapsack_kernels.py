"""The arithmetic of bandits with knapsacks as pure functions, for worked examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.oracles.mechanism_design.knapsack_programme import (
    KnapsackInstance,
    KnapsackProgramme,
    best_fixed_arm,
    best_mixes,
    lagrange_matrix,
    lagrange_value,
    with_null,
)
from coopgym.oracles.mechanism_design.knapsacks import LagrangeBwK, confidence, play_within, radii
from coopgym.typing import FloatArray, IntArray


def knapsack_programme(rewards: npt.ArrayLike, consumption: npt.ArrayLike, T: int, B: float) -> dict[str, Any]:
    """The best mix within a budget, and the Lagrange game."""
    instance = KnapsackInstance.of(rewards, consumption, horizon=T, budget=B)
    plan = KnapsackProgramme().solve(instance)
    return {
        "lp_per_round": plan.value,
        "opt_lp": T * plan.value,
        "mix": plan.mix.tolist(),
        "lagrange_matrix": lagrange_matrix(instance).tolist(),
        "lagrange_value": lagrange_value(instance),
        "best_fixed_arm_per_round": best_fixed_arm(instance),
    }


def ucb_step(
    mean_reward: npt.ArrayLike,
    mean_consumption: npt.ArrayLike,
    counts: Sequence[int],
    T: int,
    B: float,
    c: float,
    shrink: float,
) -> dict[str, Any]:
    """Bounds of one step, and what the best mix would earn if they were met."""
    earned, used = np.asarray(mean_reward, dtype=np.float64), np.asarray(mean_consumption, dtype=np.float64)
    pulls = np.asarray(counts, dtype=np.float64)
    _, high = confidence(earned, pulls, T, c)
    low, _ = confidence(used, np.broadcast_to(pulls[:, None], used.shape), T, c)
    rewards, consumption = with_null(high, low)
    mix = best_mixes(rewards[None], consumption[None], (1.0 - shrink) * B / T)[0]
    return {
        "reward_radius": radii(earned, pulls, T, c).tolist(),
        "reward_ucb": high.tolist(),
        "consumption_lcb": low.tolist(),
        "optimistic_value": float(mix @ rewards),
    }


def lagrange_play(
    rewards: npt.ArrayLike,
    consumption: npt.ArrayLike,
    T: int,
    B: float,
    eta_primal: float,
    eta_dual: float,
    u: Sequence[float],
) -> dict[str, Any]:
    """A play of LagrangeBwK with arms that earn and use their means, until one does not fit."""
    instance = KnapsackInstance.of(rewards, consumption, horizon=T, budget=B)
    earned, used = with_null(instance.rewards, instance.consumption)

    def arms(t: int, chosen: IntArray) -> tuple[FloatArray, FloatArray]:
        return earned[chosen], used[chosen]

    learner = LagrangeBwK(B, used.shape[1], eta_primal, eta_dual)
    play = play_within(learner, arms, len(earned), T, np.asarray(u)[:, None, None])
    return {
        "arms": play.arms[: play.rounds[0], 0].tolist(),
        "total_reward": float(play.rewards[0]),
        "left": play.left[0].tolist(),
        "primal": learner.probabilities()[0].tolist(),
        "dual": learner.prices[0].tolist(),
    }


KERNELS: Mapping[str, Callable[..., Any]] = {
    "bwk-lp": knapsack_programme,
    "ucb-bwk": ucb_step,
    "lagrange-bwk": lagrange_play,
}
"""Functions of named inputs by the ids of their worked examples."""
