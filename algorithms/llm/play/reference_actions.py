"""Gold actions: what the oracle of a reward mode plays, and how near an answer comes to it."""

from __future__ import annotations

import json
from functools import lru_cache

import numpy as np

from coopgym.agents import Seat
from coopgym.games.registry import make_game
from coopgym.oracles.agents import ORACLES, Oracle
from coopgym.oracles.games.rollout import initial_state, plan_returns
from coopgym.rewards import MODES, objective
from coopgym.typing import FloatArray

ORACLE_OF = {"private": "Oracle_Nash", "integrated": "Oracle_Equilibrium", "cooperative": "Oracle_SocialOptimum"}
"""The oracle whose action is right under a reward mode."""
SCALE = ("Oracle_Nash", "Oracle_SocialOptimum")
"""The oracles between whose returns outcomes of the kinds ``payoff`` and ``welfare`` are measured."""
DELTA = 0.05
"""Distance, in shares of endowment, up to which an answer is correct; also the width of answer bins."""
REACH = 0.25
"""Distance at which the graded outcome falls to zero."""
GRID = np.round(np.linspace(0.0, 1.0, 101), 2)
"""Levels that can be answered."""


def oracle_for(reward: str, oracle: str | None = None) -> str:
    """Return the name of the oracle that says what is right under a reward mode.

    Args:
        reward: canonical name of the reward; its mode counts.
        oracle: another oracle to ask, by name; None is the mode's own.

    Raises:
        ValueError: an unknown oracle, or a mode without one of its own.
    """
    known, mode = [kind.title() for kind in ORACLES], objective(reward).name
    if oracle is None and mode not in ORACLE_OF:
        raise ValueError(f"reward {mode!r} has no oracle of its own; name one with oracle=: {', '.join(known)}")
    name = ORACLE_OF[mode] if oracle is None else oracle
    if name not in known:
        raise ValueError(f"unknown oracle {name!r}; known: {', '.join(known)}")
    return name


@lru_cache(maxsize=256)
def oracle_shares(game: str, parameters: str, reward: str, oracle: str) -> FloatArray:
    """Return what an oracle plays, ``(steps, N)`` shares of endowment; the last row holds until the end.

    Args:
        game: registered id.
        parameters: overridden game parameters as JSON.
        reward: canonical name of the reward; its mode counts.
        oracle: name of the oracle.

    Raises:
        ValueError: the oracle does not apply to the game.
    """
    made = make_game(game, **json.loads(parameters))
    (kind,) = (each for each in ORACLES if each.title() == oracle)
    agent: Oracle = kind()
    agent.begin(Seat.of(made, 0, made.spec.default_view, reward), 1, np.random.default_rng(0))
    return agent.solution.shares


@lru_cache(maxsize=256)
def oracle_returns(game: str, parameters: str, reward: str, oracle: str) -> tuple[FloatArray, FloatArray]:
    """Return payoffs and rewards ``(N,)`` per step, when an oracle plays all seats from the opening to the horizon.

    A single step does not do: where cooperation is an investment, the optimum earns less than others at first.

    Args and errors are those of `oracle_shares`.
    """
    made = make_game(game, **json.loads(parameters))
    shares = oracle_shares(game, parameters, reward, oracle)
    plan = shares[np.minimum(np.arange(made.spec.horizon), len(shares) - 1)]
    layers = [MODES["private"], objective(reward)]
    payoffs, rewards = (total / len(plan) for total in plan_returns(made, initial_state(made), plan, layers))
    return payoffs, rewards


def graded(level: float, gold: float) -> float:
    """Return 1 at the gold level, falling to 0 at a distance of `REACH`."""
    return max(0.0, 1.0 - abs(level - gold) / REACH)


def correct(level: float, gold: float) -> bool:
    """Whether a level is right, up to `DELTA`."""
    return abs(level - gold) <= DELTA + 1e-9


def soft_gold(gold: float) -> tuple[FloatArray, FloatArray]:
    """Return the grid levels within 2δ of the gold level, and their Gaussian weights, which sum to one.

    A single gold string is brittle: the probability of ``0.60`` says little about mass on ``0.59``.
    """
    near = GRID[np.abs(GRID - gold) <= 2 * DELTA + 1e-9]
    weights = np.exp(-((near - gold) ** 2) / (2 * DELTA**2))
    return near, weights / weights.sum()


def bin_of(level: float | None) -> int | None:
    """Return the δ-bin of a level, the unit in which answers are compared and counted; None for no answer."""
    return None if level is None else int(min(level / DELTA + 1e-9, 1.0 / DELTA - 1))
