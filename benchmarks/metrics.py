"""What a run's episodes say: welfare, its distribution, cooperation and trust."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from coopgym.games.state import State
from coopgym.games.step import Step
from coopgym.play import counted
from coopgym.play.episodes import Episodes
from coopgym.typing import BoolArray, FloatArray
from coopgym.worlds import WORLDS

AFTER_CHANGE = 10
"""Steps, from a change of a world on, that tell how fast it is found out anew."""
_OWN_COLUMNS = ("mean_trust", "mean_effective_trust", "mean_reputation_damage", "step", "cooperation_rate")
"""What a game tells of its last state that other columns say already."""
_STOCHASTIC = (
    "welfare",
    "return_private",
    "return_integrated",
    "return_cooperative",
    "return_mode",
    "cooperation_rate",
    "seat_payoffs",
)


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
        "termination_cause": termination_cause(episodes.terminated),
        "class_metrics": {
            name: float(values.mean())
            for name, values in episodes.final.items()
            if name not in _OWN_COLUMNS and np.isfinite(values).all()
        },
    }


def stochastic_metrics(episodes: Episodes, reward: str) -> dict[str, Any]:
    """Return the ``sto_`` columns for episodes in which actions were drawn from policies."""
    metrics = evaluation_metrics(episodes, reward)
    return {"sto_episodes": len(episodes.lengths)} | {f"sto_{name}": metrics[name] for name in _STOCHASTIC}


class WelfareInTime:
    """What all seats earn in each step of a world and in the steps from its changes on; is told the steps of a play."""

    def __init__(self, world: str) -> None:
        """Begin before the first step of episodes in a world."""
        self._shifts = WORLDS[world].shifts
        self._by_step: list[float] = []
        self._after_change = 0.0
        self._steps_since: FloatArray | float = np.inf
        self._last: State | None = None

    def __call__(self, step: Step) -> None:
        welfare = counted(step, step.transition.payoffs.sum(-1))
        self._by_step.append(float(welfare.mean()))
        if self._last is not None:
            self._steps_since = np.where(_differ(self._last, step.before), 0.0, self._steps_since + 1.0)
        self._after_change += float(np.where(self._steps_since < AFTER_CHANGE, welfare, 0.0).mean())
        self._last = step.before

    def columns(self) -> dict[str, Any]:
        """Return what goes into ``runs``, means over episodes."""
        return {
            "step_welfare": self._by_step,
            "welfare_after_change": self._after_change if self._shifts else None,
        }


def _differ(one: State, other: State) -> BoolArray:
    """``(E,)`` whether the factors of two states do."""
    costs: BoolArray = (one.cost_factor != other.cost_factor).any(-1)
    return costs | (one.synergy_factor != other.synergy_factor)


def focal_metrics(episodes: Episodes, reward: str, focal: Sequence[int]) -> dict[str, Any]:
    """Return means over focal seats and over the other ones, side by side."""
    others = [seat for seat in range(episodes.payoffs.shape[1]) if seat not in focal]
    sources = {"return": episodes.returns[reward], "payoff": episodes.payoffs, "cooperation": episodes.cooperation}
    return {
        f"{role}_{name}": float(values[:, seats].mean())
        for role, seats in (("focal", list(focal)), ("background", others))
        for name, values in sources.items()
    }


def averaged(rows: Sequence[Mapping[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
    """Return the weighted mean of several rows of metrics, number by number.

    A number that one row lacks is None; words are kept where all rows agree and are ``mixed`` elsewhere.
    """
    return {name: _average([row[name] for row in rows], weights) for name in rows[0]}


def termination_cause(terminated: FloatArray) -> str:
    """Say how episodes ended, given ``(E,)`` 1 where the relation broke: horizon, dissolution or mixed."""
    return "dissolution" if terminated.all() else "mixed" if terminated.any() else "horizon"


def gini(values: FloatArray) -> float | None:
    """Return the Gini coefficient Σ_ij |x_i - x_j| / (2 n Σx) of ``(n,)`` amounts: 0 equal, towards 1 all with one.

    None when an amount is negative, for which the coefficient is not defined; 0 when all are zero.

    >>> gini(np.array([1.0, 1.0])), gini(np.array([0.0, 0.0, 0.0, 1.0]))
    (0.0, 0.75)
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

    >>> normalised_score(150.0, random=100.0, best_constant=200.0)
    0.5
    """
    span = best_constant - random
    return (value - random) / span if span > 1e-9 * max(1.0, abs(random)) else None


def _average(values: Sequence[Any], weights: Sequence[float]) -> Any:
    if any(value is None for value in values):
        return None
    if isinstance(values[0], str):
        return values[0] if len(set(values)) == 1 else "mixed"
    if isinstance(values[0], Mapping):
        return averaged(values, weights)
    mean = np.average(np.asarray(values, dtype=np.float64), axis=0, weights=weights)
    return mean.tolist()
