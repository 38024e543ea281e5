"""``python -m coopgym.benchmarks.rewards.reward_reading``: whether trained policies are read rightly.

Corpora as they are released hold no policies, so that independent PPO is trained anew, with the settings of the corpus
``learners-v1`` except for the number of steps.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from coopgym.algorithms import IPPO
from coopgym.benchmarks.rewards.kept import RESULTS, Kept, keep
from coopgym.benchmarks.rewards.reading import MODES, ReadingSettings, read_reward
from coopgym.games.registry import make_game

COMMAND = "python -m coopgym.benchmarks.rewards.reward_reading"
KEPT = RESULTS / "reward-reading.json"
GAMES = ("TrustDilemma-v1", "RecoveryRace-v1", "SynergySearch-v1", "ReciprocalDilemma-v1")
SEEDS = 3
ENV_STEPS = 60_000
READING = ReadingSettings(episodes=16)
SETTINGS = {
    "learner": "IPPO",
    "env_steps": ENV_STEPS,
    "seeds": SEEDS,
    "cloned": READING.cloned,
    "covered": READING.episodes,
    "gamma": READING.gamma,
    "degree": READING.cloning.degree,
}


def measured(id: str) -> list[dict[str, Any]]:
    """Return the readings of all policies of a game: what they were trained on, and distances by seat."""
    game = make_game(id)
    trained = IPPO().train(id, rewards=MODES, seeds=range(SEEDS), env_steps=ENV_STEPS)
    found = []
    for mode, seed in trained.replicas:
        reading = read_reward(game, partial(trained.agents, (mode, seed), stochastic=True), MODES, READING)
        found.append(
            {
                "trained_on": mode,
                "seed": seed,
                "nearest": reading.nearest(),
                "nearest_by_seat": [reading.nearest(seat) for seat in range(game.n_agents)],
                **{name: getattr(reading, name).round(4).tolist() for name in ("distance", "low", "high")},
            }
        )
    return found


def named_rightly(kept: Kept, game: str, mode: str | None = None) -> tuple[int, int]:
    """Return of how many policies of a game the nearest mode is that of their training, and of how many in all."""
    policies = [each for each in kept["parts"][game] if mode in (None, each["trained_on"])]
    return sum(each["nearest"] == each["trained_on"] for each in policies), len(policies)


if __name__ == "__main__":
    keep(KEPT, COMMAND, SETTINGS, GAMES, measured)
