"""How well an agent does among strangers: 0 is the best single number, 1 a best response to everybody.

Of S scenarios with ceilings c_s, v_s(x) = (R_s(x) - R_s(Random)) / (c_s - R_s(Random)) and V(x) is the mean of v_s. The
floor is V of the constant level that maximises it, and score(x) = (V(x) - V(floor)) / (1 - V(floor)).
"""

from __future__ import annotations

import numpy as np

from coopgym.typing import FloatArray

INDISTINCT = 1e-9
"""Room between floor and ceiling, as a share of that between Random and the ceiling, in which nothing can be told."""


def normalised_returns(returns: FloatArray, random: FloatArray, ceilings: FloatArray) -> FloatArray:
    """Return v ``(..., S)``: what is earned in each scenario, between Random (0) and a best response (1).

    Args:
        returns: ``(..., S)``.
        random: ``(S,)`` returns of Random.
        ceilings: ``(S,)`` returns of best responses.

    Raises:
        ValueError: a ceiling that is not above what Random earns.

    >>> normalised_returns(np.array([150.0, 90.0]), random=np.array([100.0, 80.0]), ceilings=np.array([200.0, 90.0]))
    array([0.5, 1. ])
    """
    room = ceilings - random
    if not (room > 0.0).all():
        raise ValueError(f"scenario {int(np.argmin(room))}: its ceiling is not above what Random earns there")
    normalised: FloatArray = (returns - random) / room
    return normalised


def best_level(normalised: FloatArray) -> int:
    """Return which of L constant levels does best on average, the lowest of several.

    Args:
        normalised: ``(L, S)``, as `normalised_returns`.

    >>> best_level(np.array([[0.2, 0.9], [0.8, 0.7], [0.5, 0.5]]))
    1
    """
    return int(normalised.mean(axis=-1).argmax())


def strangers_scores(normalised: FloatArray, floor: FloatArray) -> FloatArray:
    """Return scores ``(...)``: the best single number scores 0, a best response to everybody 1.

    Args:
        normalised: v of agents ``(..., S)``, as `normalised_returns`; of all scenarios, or of some.
        floor: v of the best single number ``(S,)`` in the same scenarios.

    Returns:
        NaN where that number is itself a best response to everybody, so that there is nothing to tell.

    >>> strangers_scores(np.array([[0.9, 0.8], [0.8, 0.6], [1.0, 1.0]]), floor=np.array([0.8, 0.6]))
    array([0.5, 0. , 1. ])
    """
    lowest = floor.mean()
    gained = normalised.mean(axis=-1) - lowest
    scores: FloatArray = gained / (1.0 - lowest) if 1.0 - lowest > INDISTINCT else np.full_like(gained, np.nan)
    return scores
