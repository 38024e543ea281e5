"""What a little exploitability costs in preferences.

``python -m coopgym.benchmarks.experiments.preferences.solver_queries`` measures it and keeps the results.

A query evaluates the preferences of all options against a policy: Nash mirror prox makes two in an iteration, Hedge
against itself one in a round. Both are set up for their target by theory: β such that regularisation costs half of it
(`NashMirrorProx.for_exploitability`), and as many rounds as Hedge's bound needs, with the rate that is best for them.
Counted are queries to the first answer, the last policy of mirror prox or the mean of Hedge's, whose exploitability
max_y P(y, π) - 1/2 is at most the target.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from coopgym.benchmarks.experiments.rewards.kept import RESULTS, Kept, keep
from coopgym.benchmarks.score.estimates import Estimate, mean_estimate
from coopgym.oracles.preferences.nash_mirror_prox import NashMirrorProx, mirror_prox_step
from coopgym.oracles.preferences.self_play import SPO
from coopgym.typing import FloatArray, IntArray

COMMAND = "python -m coopgym.benchmarks.experiments.preferences.solver_queries"
KEPT = RESULTS / "preference-queries.json"
TARGETS = (0.1, 0.03, 0.01)
SETTINGS: dict[str, Any] = {"games": 100, "options": 10, "seed": 0, "contraction_betas": [0.02, 0.1, 0.5]}
STEPS = 40
"""Iterations whose contraction is measured, as far as the divergence is more than rounding."""
ROUNDING = 1e-10


def random_preferences(rng: np.random.Generator, games: int, options: int) -> FloatArray:
    """Draw matrices of preferences ``(games, K, K)``, each pair's probability uniform."""
    upper = np.triu(rng.random((games, options, options)), 1)
    return upper + np.tril(1.0 - np.swapaxes(upper, 1, 2), -1) + 0.5 * np.eye(options)


def measured(part: str, settings: Kept = SETTINGS) -> dict[str, Any]:
    """Return queries per game to a target, or how much of the allowed divergence is left after an iteration."""
    games = random_preferences(np.random.default_rng(settings["seed"]), settings["games"], settings["options"])
    kind, number = part.split("/")
    if kind == "contraction":
        return {"ratio": [round(value, 6) for value in contraction(games, float(number))]}
    target, options = float(number), games.shape[-1]
    solver = NashMirrorProx.for_exploitability(target, options)
    rounds = math.ceil(math.log(options) / (2.0 * target**2))
    return {
        "beta": solver.beta,
        "rounds": rounds,
        "nash_mp": queries(games, target, _mirror_prox(games, solver)).tolist(),
        "spo": queries(games, target, _means(SPO(rounds), games)).tolist(),
    }


def contraction(games: FloatArray, beta: float) -> list[float]:
    """Return per game the largest of KL(π*‖π_k+1) / KL(π*‖π_k), in units of the bound 1 / (1 + 2β)."""
    reference = np.full(games.shape[:2], -math.log(games.shape[-1]))
    equilibrium = reference
    for _ in range(math.ceil(20.0 / beta)):
        equilibrium = mirror_prox_step(games, equilibrium, reference, beta)
    policy, worst = reference, np.zeros(len(games))
    before = (np.exp(equilibrium) * (equilibrium - policy)).sum(-1)
    for _ in range(STEPS):
        policy = mirror_prox_step(games, policy, reference, beta)
        after = (np.exp(equilibrium) * (equilibrium - policy)).sum(-1)
        ratio = np.divide(after, before, out=np.zeros_like(after), where=before > ROUNDING)
        worst, before = np.maximum(worst, ratio), after
    return (worst * (1.0 + 2.0 * beta)).tolist()


def queries(games: FloatArray, target: float, answers: Iterator[tuple[int, FloatArray]]) -> IntArray:
    """Return at how many queries each game's answer first has an exploitability of at most a target.

    Args:
        games: ``(G, K, K)``.
        target: of max_y P(y, π) - 1/2.
        answers: after some queries, policies ``(G, K)``.

    Raises:
        RuntimeError: some answer never has, which theory rules out.
    """
    found = np.full(len(games), -1)
    for asked, policies in answers:
        exploited = (games @ policies[..., None])[..., 0].max(-1) - 0.5
        found = np.where((found < 0) & (exploited <= target), asked, found)
        if (found >= 0).all():
            return found
    raise RuntimeError(f"target={target}: not reached in {(found < 0).sum()} games")


def _mirror_prox(games: FloatArray, solver: NashMirrorProx) -> Iterator[tuple[int, FloatArray]]:
    reference = np.full(games.shape[:2], -math.log(games.shape[-1]))
    policy = reference
    yield 0, np.exp(policy)
    for iteration in range(1, solver.iterations + 1):
        policy = mirror_prox_step(games, policy, reference, solver.beta)
        yield 2 * iteration, np.exp(policy)


def _means(spo: SPO, games: FloatArray) -> Iterator[tuple[int, FloatArray]]:
    total = np.zeros(games.shape[:2])
    for asked, policy in enumerate(spo.policies(games)):  # the first is played before anything is asked
        total += policy
        yield asked, total / (asked + 1)


def ratio(kept: Kept, target: float) -> Estimate | None:
    """Return the geometric mean over games of Hedge's queries per query of mirror prox, with its interval.

    Games where the uniform policy will do ask nothing of either and do not count.
    """
    found = kept["parts"][f"queries/{target}"]
    mirror_prox, hedge = (np.array(found[each], dtype=np.float64) for each in ("nash_mp", "spo"))
    asked = (mirror_prox > 0) & (hedge > 0)
    logs = mean_estimate(np.log(hedge[asked] / mirror_prox[asked]))
    if logs is None or logs.low is None or logs.high is None:
        return logs
    return Estimate(math.exp(logs.value), math.exp(logs.low), math.exp(logs.high), logs.n)


def parts(settings: Kept = SETTINGS) -> list[str]:
    """Name what is measured."""
    return [
        *(f"contraction/{beta}" for beta in settings["contraction_betas"]),
        *(f"queries/{target}" for target in TARGETS),
    ]


if __name__ == "__main__":
    keep(KEPT, COMMAND, SETTINGS, parts(), measured)
