"""``python -m coopgym.benchmarks.rewards.reward_reading``: whether trained policies are read rightly.

Corpora as they are released hold no policies, so that independent PPO is trained anew, with the settings of the corpus
``learners-v1`` except for the number of steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from coopgym.agents import Agent
from coopgym.algorithms import IPPO
from coopgym.benchmarks.rewards.kept import RESULTS, Kept, keep
from coopgym.benchmarks.rewards.reading import MODES, ReadingSettings, read_reward
from coopgym.games.game import AnyGame
from coopgym.games.registry import make_game
from coopgym.play import play
from coopgym.typing import FloatArray

COMMAND = "python -m coopgym.benchmarks.rewards.reward_reading"
KEPT = RESULTS / "reward-reading.json"
GAMES = ("TrustDilemma-v1", "RecoveryRace-v1", "SynergySearch-v1", "ReciprocalDilemma-v1")
SEEDS, QUARTERS = 3, 4
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
    "quarters": QUARTERS,
}


def measured(id: str) -> list[dict[str, Any]]:
    """Return the readings of all policies of a game: what they were trained on, and distances by seat."""
    game = make_game(id)
    trained = IPPO().train(id, rewards=MODES, seeds=range(SEEDS), env_steps=ENV_STEPS)
    return [
        {"trained_on": mode, "seed": seed, **read(game, partial(trained.agents, (mode, seed), stochastic=True))}
        for mode, seed in trained.replicas
    ]


def read(game: AnyGame, agents: Callable[[], Sequence[Agent]]) -> dict[str, Any]:
    """Return what is read from a behaviour, and beside it what it does: mean shares of endowment, by seat.

    ``between`` has the distances between modes on the same episodes, as means over seats; ``shares`` is ``(Q, N)`` for
    the quarters of an episode.
    """
    reading = read_reward(game, agents, MODES, READING)
    played = play(game, agents(), views="own", episodes=READING.cloned, seed=READING.seed, record=True).trajectory
    assert played is not None
    quarters = zip(np.array_split(played.shares, QUARTERS), np.array_split(played.alive, QUARTERS), strict=True)
    shares = [np.average(part, axis=(0, 1), weights=_of_seats(alive, part)) for part, alive in quarters if alive.any()]
    return {
        "nearest": reading.nearest(),
        "nearest_by_seat": [reading.nearest(seat) for seat in range(game.n_agents)],
        **{name: getattr(reading, name).round(4).tolist() for name in ("distance", "low", "high")},
        "between": reading.between.mean(0).round(4).tolist(),
        "shares": np.round(shares, 4).tolist(),
    }


def _of_seats(alive: FloatArray, shares: FloatArray) -> FloatArray:
    return np.broadcast_to(alive[..., None], shares.shape)


def alike(kept: Kept, game: str) -> dict[str, str]:
    """Return, by policy, what the policy was trained on that plays most like it, of all others of the game.

    What behaviour itself does not tell, no reading of it can.
    """
    policies = kept["parts"][game]
    least = min(len(each["shares"]) for each in policies)
    shares = np.array([each["shares"][:least] for each in policies]).reshape(len(policies), -1)
    gaps = np.sqrt(((shares[:, None] - shares) ** 2).mean(-1))
    np.fill_diagonal(gaps, np.inf)
    return {
        f"{each['trained_on']}, {each['seed']}": policies[int(nearest)]["trained_on"]
        for each, nearest in zip(policies, gaps.argmin(1), strict=True)
    }


def named_rightly(kept: Kept, game: str, mode: str | None = None) -> tuple[int, int]:
    """Return of how many policies of a game the nearest mode is that of their training, and of how many in all."""
    policies = [each for each in kept["parts"][game] if mode in (None, each["trained_on"])]
    return sum(each["nearest"] == each["trained_on"] for each in policies), len(policies)


if __name__ == "__main__":
    keep(KEPT, COMMAND, SETTINGS, GAMES, measured)
