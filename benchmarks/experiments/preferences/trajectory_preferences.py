"""Win rates, or a reward model, to learn from.

``python -m coopgym.benchmarks.experiments.preferences.trajectory_preferences`` measures it and keeps the results.

IPPO learns from preferences between whole trajectories that no reward of a step agrees with: intransitive ones,
ones of which a quarter comes out the wrong way round, and ones that depend on the order of steps. It is paid win rates
(``spo``), or what a Bradley–Terry model makes of the same comparisons; both ask equally often. What is measured is
told by preferences without errors, of trajectories that are drawn from the last policies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from coopgym.algorithms import IPPO
from coopgym.algorithms.preferences.comparators import COMPARATORS, FEATURES
from coopgym.benchmarks.experiments.rewards.kept import RESULTS, Kept, keep
from coopgym.benchmarks.score.estimates import Estimate, mean_estimate
from coopgym.games.game import AnyGame
from coopgym.games.registry import make_game
from coopgym.play.draws import NOMINAL
from coopgym.play.episodes import play
from coopgym.play.unroll import open_loop, unroll
from coopgym.typing import FloatArray

COMMAND = "python -m coopgym.benchmarks.experiments.preferences.trajectory_preferences"
KEPT = RESULTS / "trajectory-preferences.json"
CONDITIONS = {"intransitive": "cycle", "noisy": "welfare, error=0.25", "non-Markovian": "rise"}
"""What is asked, by name."""
LEARNERS = {"win rates": "spo({asked}, weight={weight})", "reward model": "bradley_terry({asked})"}
SETTINGS: dict[str, Any] = {
    "game": "TrustDilemma-v1",
    "max_steps": 10,
    "learner": {"num_envs": 32, "n_minibatches": 4},
    "env_steps": 24_000,
    "seeds": 5,
    "weight": 10.0,
    "episodes": 200,
    "conditions": CONDITIONS,
}
GRID = tuple(np.linspace(0.0, 1.0, 11).tolist())
"""Levels of the first and of the second half of plans that trajectories are held against."""


def measured(condition: str, settings: Kept = SETTINGS) -> dict[str, Any]:
    """Train both learners and return, seed by seed, what their trajectories come to."""
    game = make_game(settings["game"], max_steps=settings["max_steps"])
    asked = settings["conditions"][condition]
    prefers = COMPARATORS[asked.partition(",")[0]]
    drawn = {
        name: learned(game, f"cooperative + {text.format(asked=asked, weight=settings['weight'])}", settings)
        for name, text in LEARNERS.items()
    }
    plans = planned(game)

    def won(first: FloatArray, second: FloatArray) -> float:
        """Return how often trajectories ``(E, F)`` are preferred to others."""
        pairs = torch.from_numpy(first)[:, None], torch.from_numpy(second)[None]
        return float(prefers(*pairs).mean())

    found: dict[str, Any] = {
        name: {
            "exploited": [max(won(plan[None], own) for plan in plans) - 0.5 for own in seeds],
            **{feature: [float(own[:, FEATURES.index(feature)].mean()) for own in seeds] for feature in FEATURES[1:]},
        }
        for name, seeds in drawn.items()
    }
    wins, model = drawn.values()
    found["preferred"] = [won(own, other) for own, other in zip(wins, model, strict=True)]
    return found


def learned(game: AnyGame, reward: str, settings: Kept) -> list[FloatArray]:
    """Train from a reward and return features ``(E, F)`` of trajectories drawn from each seed's last policies."""
    result = IPPO(**settings["learner"]).train(
        settings["game"],
        [reward],
        range(settings["seeds"]),
        settings["env_steps"],
        game_parameters={"max_steps": settings["max_steps"]},
        evaluations=0,
    )
    found = []
    for seed in range(settings["seeds"]):
        agents = result.agents(seed, stochastic=True)
        played = play(game, agents, episodes=settings["episodes"], seed=seed, record=True)
        assert played.trajectory is not None
        found.append(features(played.trajectory.payoffs, played.trajectory.shares, played.final["mean_trust"]))
    return found


def planned(game: AnyGame, grid: Sequence[float] = GRID) -> FloatArray:
    """Return features ``(P, F)`` of what comes of every plan of two levels, one for each half of an episode."""
    steps, half = game.spec.horizon, game.spec.horizon // 2
    levels = np.stack(np.meshgrid(grid, grid, indexing="ij"), axis=-1).reshape(-1, 2)
    shares = np.repeat(levels.T, [half, steps - half], axis=0)[..., None].repeat(game.n_agents, axis=-1)  # (T, P, N)
    payoffs = []
    for step in unroll(game, open_loop(game, shares), batch=(len(levels),), draws=NOMINAL):
        payoffs.append(np.asarray(step.transition.payoffs))
        trust = np.asarray(step.transition.state.trust)
    off_diagonal = ~np.eye(game.n_agents, dtype=bool)
    return features(np.array(payoffs), shares, trust[..., off_diagonal].mean(-1))


def features(payoffs: FloatArray, shares: FloatArray, trust: FloatArray) -> FloatArray:
    """Return what trajectories ``(T, E, N)`` come to for seat 0, ``(E, F)``, as `FEATURES` has it."""
    sums, half = payoffs.sum(0), len(shares) // 2
    equal = sums.mean(-1)
    equality = -(np.abs(sums - equal[:, None]) / np.abs(equal)[:, None]).mean(-1)
    means = shares.mean(-1)
    columns = [sums[:, 0], sums.sum(-1), equality, trust, means.mean(0), means[half:].mean(0) - means[:half].mean(0)]
    return np.stack(columns, axis=-1)


def head_to_head(found: Kept, condition: str) -> Estimate | None:
    """Return how often a trajectory learned from win rates is preferred to one learned from a reward model."""
    return mean_estimate(found["parts"][condition]["preferred"])


if __name__ == "__main__":
    keep(KEPT, COMMAND, SETTINGS, CONDITIONS, measured)
