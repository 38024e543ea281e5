"""Exploitability of a run as columns of ``runs``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from coopgym.benchmarks.plan import ALIKE, RunSpec
from coopgym.games.registry import make_game
from coopgym.oracles.dynamic.deviation import Deviation
from coopgym.oracles.dynamic.deviation_search import EffortName
from coopgym.oracles.dynamic.exploitability import exploitability
from coopgym.oracles.dynamic.frozen import Agents


def searched(
    spec: RunSpec, agents: Agents, effort: EffortName, report: Callable[[float], None] = lambda fraction: None
) -> dict[str, Any]:
    """Search what the seats of a run could gain by deviating, in its own game, view and reward mode.

    Args:
        spec: the run.
        agents: makes the agents that played it.
        effort: ``"quick"`` or ``"full"``.
        report: told the finished fraction now and then.
    """
    found = exploitability(
        make_game(spec.game, **spec.parameters),
        agents,
        spec.reward,
        alike=spec.kind in ALIKE,
        view=spec.view,
        seed=spec.evaluation_seed,
        effort=effort,
        report=report,
    )
    return {
        "exploitability": found.nash_conv,
        "exploitability_error": found.standard_error,
        "seat_exploitability": found.gains.tolist(),
        "seat_deviations": [in_words(deviation) for deviation in found.deviations],
        "exploitability_effort": effort,
    }


def in_words(deviation: Deviation) -> str:
    """Say how a seat deviates, in shares of its endowment: for a plan the first, the last and the mean one."""
    first, mean, last = deviation.shares[0], deviation.shares.mean(), deviation.shares[-1]
    match deviation.kind:
        case "none":
            return "stays"
        case "constant":
            return f"always {mean:.0%}"
        case "plan":
            return f"{first:.0%} → {last:.0%}, mean {mean:.0%}"
        case "feedback":
            return f"reacts, mean {mean:.0%}"
