"""Win rates or a reward model, where mixtures are exact.

``python -m coopgym.benchmarks.experiments.preferences.plan_preferences`` measures it and keeps the results.

As `trajectory_preferences` beside it, for a softmax policy over plans, one level for each half of an episode:
it can mix what a Gaussian policy cannot, and how far any policy is exploited is known without sampling.
Every round draws a batch of plans and compares each with the others and with a queue of recent ones.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import torch
from scipy.special import expit, softmax

from coopgym.algorithms.preferences.comparators import COMPARATORS
from coopgym.benchmarks.experiments.preferences.trajectory_preferences import CONDITIONS, planned
from coopgym.benchmarks.experiments.rewards.kept import RESULTS, Kept, keep
from coopgym.benchmarks.score.estimates import Estimate, mean_estimate
from coopgym.games.registry import make_game
from coopgym.play.draws import NOMINAL
from coopgym.play.unroll import open_loop, unroll
from coopgym.typing import FloatArray

COMMAND = "python -m coopgym.benchmarks.experiments.preferences.plan_preferences"
KEPT = RESULTS / "plan-preferences.json"
LEARNERS = ("win rates", "reward model")
SETTINGS: dict[str, Any] = {
    "game": "TrustDilemma-v1",
    "max_steps": 10,
    "levels": 6,
    "seeds": 5,
    "rounds": 2000,
    "batch": 8,
    "queue": 32,
    "rate": 0.3,
    "conditions": CONDITIONS,
}
REFIT, MEMORY, RIDGE, NEWTON = 25, 4096, 1e-3, 8
"""Rounds between fits of the reward model, comparisons that it is fit to, its penalty, and Newton steps of a fit."""


def measured(condition: str, settings: Kept = SETTINGS) -> dict[str, Any]:
    """Learn with either method under every seed and return how far last and mean policies are exploited."""
    game = make_game(settings["game"], max_steps=settings["max_steps"])
    grid = np.linspace(0.0, 1.0, settings["levels"])
    comparator, _, error = settings["conditions"][condition].partition(", error=")
    features = torch.from_numpy(planned(game, tuple(grid.tolist())))
    preferences = COMPARATORS[comparator](features[:, None], features[None]).numpy()
    sums = step_sums(settings["game"], settings["max_steps"], grid)
    found: dict[str, Any] = {}
    for learner in LEARNERS:
        policies = [learned(learner, preferences, sums, float(error or 0.0), seed, settings)
                    for seed in range(settings["seeds"])]  # fmt: skip
        for number, name in enumerate(("last", "mean")):
            found.setdefault(learner, {})[name] = [
                round(float((preferences @ each[number]).max()) - 0.5, 6) for each in policies
            ]
        found[learner]["queries"] = policies[0][2]
    return found


def learned(
    learner: str, preferences: FloatArray, sums: FloatArray, error: float, seed: int, settings: Kept
) -> tuple[FloatArray, FloatArray, int]:
    """Return the last policy ``(P,)``, the mean of all, and how many comparisons were asked for."""
    rng, count, size = np.random.default_rng(seed), len(preferences), settings["batch"]
    logits, mean, asked = np.zeros(count), np.zeros(count), 0
    recent: deque[int] = deque(maxlen=settings["queue"])
    compared: deque[tuple[FloatArray, FloatArray]] = deque(maxlen=max(1, MEMORY // size // settings["queue"]))
    weights = np.zeros(sums.shape[1])
    for number in range(settings["rounds"]):
        policy = softmax(logits)
        mean += policy / settings["rounds"]
        batch = np.asarray(rng.choice(count, size, p=policy), dtype=np.int64)
        others = np.concatenate([batch, np.array(recent, dtype=np.int64)])
        answers = preferences[np.ix_(batch, others)]
        if error:
            wrong = rng.random(answers.shape) < error
            wrong[:, :size] = np.triu(wrong[:, :size], 1) | np.triu(wrong[:, :size], 1).T  # one answer for both orders
            answers = np.where(wrong, 1.0 - answers, answers)
        known = np.ones(answers.shape, dtype=bool)
        known[:, :size] = ~np.eye(size, dtype=bool)
        asked += size * (size - 1) // 2 + size * len(recent)
        if learner == "reward model":
            apart = sums[batch][:, None] - sums[others]
            compared.append((apart[known], answers[known]))
            if number % REFIT == 0:
                weights = fitted(np.concatenate([each for each, _ in compared]),
                                 np.concatenate([each for _, each in compared]))  # fmt: skip
            answers = expit(apart @ weights)
        rates = np.where(known, answers, 0.0).sum(1) / known.sum(1)
        gains = (rates - rates.mean()) * size / (size - 1)
        step = -gains.mean() * policy
        np.add.at(step, batch, gains / size)
        logits += settings["rate"] * step
        recent.extend(batch.tolist())
    return softmax(logits), mean, asked


def fitted(apart: FloatArray, answers: FloatArray) -> FloatArray:
    """Return the weights ``(K,)`` of a logistic regression of answers ``(M,)`` on differences ``(M, K)``."""
    scale = np.sqrt((apart**2).mean(0))
    scale = np.where(scale > 1e-9, scale, np.inf)
    rows, weights = apart / scale, np.zeros(apart.shape[1])
    for _ in range(NEWTON):
        chance = expit(rows @ weights)
        slope = rows.T @ (chance - answers) / len(rows) + RIDGE * weights
        bend = (rows * (chance * (1.0 - chance))[:, None]).T @ rows / len(rows) + RIDGE * np.eye(len(weights))
        weights = weights - np.linalg.solve(bend, slope)
    return weights / scale


def step_sums(id: str, steps: int, grid: FloatArray) -> FloatArray:
    """Return sums over steps of what a step of every plan shows, ``(P, K)``: share, payoff and trust, not its time."""
    game = make_game(id, max_steps=steps)
    levels = np.stack(np.meshgrid(grid, grid, indexing="ij"), axis=-1).reshape(-1, 2)
    half = steps // 2
    shares = np.repeat(levels.T, [half, steps - half], axis=0)  # (T, P)
    plan = shares[..., None].repeat(game.n_agents, axis=-1)
    total = np.zeros((len(levels), 5))
    for step in unroll(game, open_loop(game, plan), batch=(len(levels),), draws=NOMINAL):
        own, trust = shares[step.t], np.asarray(step.transition.state.trust)
        payoff = np.asarray(step.transition.payoffs).mean(-1)
        total += np.stack([own, own**2, own**3, payoff, trust[:, 0, 1]], axis=-1)
    return total


def exploited(found: Kept, condition: str, learner: str, policy: str) -> Estimate | None:
    """Return max_y P(y, π) - 1/2, mean over seeds, of the last or the mean policy."""
    return mean_estimate(found["parts"][condition][learner][policy])


if __name__ == "__main__":
    keep(KEPT, COMMAND, SETTINGS, CONDITIONS, measured)
