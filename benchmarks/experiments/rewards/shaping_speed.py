"""``python -m coopgym.benchmarks.experiments.rewards.shaping_speed``: how many episodes shaping by trust saves, if any.

RecoveryRace under cooperative reward is a long climb: trust must be rebuilt before it pays. IPPO is trained with the
mode alone and with shaping by each agent's own trust, from equal seeds, and evaluated on the mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from coopgym.algorithms import IPPO
from coopgym.benchmarks.experiments.rewards.kept import RESULTS, Kept, keep
from coopgym.benchmarks.score.estimates import Estimate, mean_estimate
from coopgym.games.registry import make_game
from coopgym.typing import FloatArray

COMMAND = "python -m coopgym.benchmarks.experiments.rewards.shaping_speed"
KEPT = RESULTS / "shaping-speed.json"
GAME, MODE = "RecoveryRace-v1", "cooperative"
SHAPED = ("cooperative + shaping(trust)", "cooperative + shaping(trust, weight=10)")
CURVE = "eval_return_cooperative"
SETTINGS: dict[str, Any] = {"learner": "IPPO", "game": GAME, "env_steps": 200_000, "seeds": 8, "curve": CURVE}
LEVELS = (0.8, 0.9, 0.95)
"""Of the way from where learning begins to where the unshaped learner ends."""


def trained(reward: str, settings: Kept = SETTINGS) -> dict[str, Any]:
    """Return the learning curves of all seeds under a reward, the steps and what is evaluated then."""
    result = IPPO().train(settings["game"], [reward], range(settings["seeds"]), settings["env_steps"])
    curves = [
        {step: value for step, name, value in result.curves((reward, seed)) if name == settings["curve"]}
        for seed in range(settings["seeds"])
    ]
    return {"steps": list(curves[0]), "values": [[round(value, 4) for value in curve.values()] for curve in curves]}


def episodes_to(level: float, steps: FloatArray, values: FloatArray) -> float:
    """Return at which of the steps a curve first reaches a level, between two points on a line; NaN if it never does.

    >>> episodes_to(1.5, np.array([10.0, 20.0, 30.0]), np.array([0.0, 1.0, 2.0]))
    25.0
    """
    reached = np.flatnonzero(values >= level)
    if not len(reached):
        return float("nan")
    first = int(reached[0])
    if first == 0:
        return float(steps[0])
    return float(np.interp(level, values[first - 1 : first + 1], steps[first - 1 : first + 1]))


def saved(kept: Kept, shaped: str, level: float) -> tuple[Estimate | None, Estimate | None]:
    """Return the episodes that the unshaped learner takes to a level, and how many fewer shaping takes, seed by seed.

    Args:
        kept: what was measured.
        shaped: a reward of it.
        level: one of `LEVELS`.
    """
    plain, other = (_episodes(kept, reward, _threshold(kept, level)) for reward in (MODE, shaped))
    return mean_estimate(plain), mean_estimate(np.subtract(plain, other))


def _threshold(kept: Kept, level: float) -> float:
    values = np.array(kept["parts"][MODE]["values"]).mean(0)
    return float(values[0] + level * (values[-1] - values[0]))


def _episodes(kept: Kept, reward: str, threshold: float) -> Sequence[float]:
    found = kept["parts"][reward]
    episodes = np.array(found["steps"]) / make_game(kept["settings"]["game"]).spec.horizon
    return [*map(partial(episodes_to, threshold, episodes), np.array(found["values"]))]


if __name__ == "__main__":
    keep(KEPT, COMMAND, SETTINGS, (MODE, *SHAPED), trained)
