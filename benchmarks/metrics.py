"""What a run's episodes say: welfare, its distribution, cooperation and trust."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.agents.play import Episodes

FloatArray = npt.NDArray[np.float64]


def evaluation_metrics(episodes: Episodes, reward: str) -> dict[str, Any]:
    """Return the evaluation columns of ``runs`` for a run in one reward mode.

    Every number is a mean over episodes; sums are over seats. Payoffs tell what was earned, returns what the reward
    mode made of it.
    """
    seat_payoffs = episodes.payoffs.mean(0)
    seat_returns = episodes.returns[reward].mean(0)
    return {
        "welfare": float(seat_payoffs.sum()),
        "return_private": float(episodes.returns["private"].sum(1).mean()),
        "return_integrated": float(episodes.returns["integrated"].sum(1).mean()),
        "return_cooperative": float(episodes.returns["cooperative"].sum(1).mean()),
        "return_mode": float(seat_returns.sum()),
        "seat_payoffs": seat_payoffs.tolist(),
        "seat_returns": seat_returns.tolist(),
        "episode_length": float(episodes.lengths.mean()),
        "terminated_share": float(episodes.terminated.mean()),
        "mean_trust_final": float(episodes.final["mean_trust"].mean()),
        "mean_effective_trust": float(episodes.final["mean_effective_trust"].mean()),
        "mean_reputation_damage": float(episodes.final["mean_reputation_damage"].mean()),
        "cooperation_rate": float(episodes.cooperation.mean()),
        "seat_cooperation": episodes.cooperation.mean(0).tolist(),
        "gini_payoff": gini(seat_payoffs),
    }


def gini(values: FloatArray) -> float | None:
    """Return the Gini coefficient Σ_ij |x_i - x_j| / (2 n Σx) of ``(n,)`` amounts: 0 equal, towards 1 all with one.

    None when an amount is negative, for which the coefficient is not defined; 0 when all are zero.
    """
    if (values < 0).any():
        return None
    total = values.sum()
    if total == 0:
        return 0.0
    return float(np.abs(values[:, None] - values[None, :]).sum() / (2 * len(values) * total))


def normalised_score(value: float, random: float, best_constant: float) -> float | None:
    """Place a return between two anchors: 0 is Random, 1 the best constant of the study in the same game and mode.

    None when the anchors coincide or stand the wrong way round, for then the scale has no meaning.
    """
    span = best_constant - random
    return (value - random) / span if span > 1e-9 * max(1.0, abs(random)) else None
