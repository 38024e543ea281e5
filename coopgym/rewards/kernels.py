"""The arithmetic of rewards as pure functions, for worked examples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.rewards.clip_delta import clip, clip_delta, delta
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


def clip_and_delta(process: npt.ArrayLike, eta: float, alpha: float, success: float) -> dict[str, Any]:
    """Process rewards under each mechanism, and what an episode is paid under both, from each step on."""
    scores = np.asarray(process, dtype=np.float64)
    made = {"clip": clip(scores, eta), "delta": delta(scores), "clip_delta": clip_delta(scores, eta)}
    paid = alpha * made["clip_delta"]
    paid[-1] += success
    return {
        **{name: values.tolist() for name, values in made.items()},
        **{f"sum_{name}": float(values.sum()) for name, values in {"raw": scores, **made}.items()},
        "step_rewards": paid.tolist(),
        "return_to_go": np.cumsum(paid[::-1])[::-1].tolist(),
    }


def repeat_attack(process: npt.ArrayLike, eta: float, filler: float, repeats: Iterable[int]) -> dict[str, Any]:
    """Sums raw, clipped, of differences and of both, of an episode padded with steps that look good."""
    scores = np.asarray(process, dtype=np.float64)
    sums = {}
    for times in repeats:
        padded = np.insert(scores, len(scores) - 1, np.full(times, filler))
        made = (padded, clip(padded, eta), delta(padded), clip_delta(padded, eta))
        sums[str(times)] = [float(values.sum()) for values in made]
    return {"sums": sums}


KERNELS: Mapping[str, Callable[..., Any]] = {
    "clip-delta": clip_and_delta,
    "pbrs": pbrs,
    "repeat-attack": repeat_attack,
    "starc": starc,
}
"""Functions of named inputs by the ids of their worked examples."""
