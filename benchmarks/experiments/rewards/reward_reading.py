"""``python -m coopgym.benchmarks.experiments.rewards.reward_reading``: whether trained policies are read rightly.

Corpora as they are released hold no policies, so that independent PPO is trained anew, with the settings of the corpus
``learners-v1`` except for the number of steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from coopgym.agents import Agent
from coopgym.algorithms import IPPO
from coopgym.algorithms.common.learner_contract import Trained
from coopgym.benchmarks.experiments.rewards.kept import RESULTS, Kept, keep
from coopgym.benchmarks.experiments.rewards.reading import MODES, ReadingSettings, read_reward
from coopgym.games.registry import make_game
from coopgym.play import play

COMMAND = "python -m coopgym.benchmarks.experiments.rewards.reward_reading"
KEPT = RESULTS / "reward-reading.json"
GAMES = ("TrustDilemma-v1", "RecoveryRace-v1", "SynergySearch-v1", "ReciprocalDilemma-v1")
SEEDS, QUARTERS = 3, 4
ENV_STEPS = 60_000
READING = ReadingSettings(episodes=16)
BEHAVIOUR = RESULTS / "reward-reading-behaviour.json"
SETTINGS = {
    "learner": "IPPO",
    "env_steps": ENV_STEPS,
    "seeds": SEEDS,
    "cloned": READING.cloned,
    "covered": READING.episodes,
    "gamma": READING.gamma,
    "degree": READING.cloning.degree,
}


def trained(id: str) -> Trained:
    """Return policies of a game for every mode and seed."""
    return IPPO().train(id, rewards=MODES, seeds=range(SEEDS), env_steps=ENV_STEPS)


def measured(id: str) -> list[dict[str, Any]]:
    """Return the readings of all policies of a game: what they were trained on, and distances by seat."""
    policies = trained(id)
    return [
        {"trained_on": mode, "seed": seed, **read(id, partial(policies.agents, (mode, seed), stochastic=True))}
        for mode, seed in policies.replicas
    ]


def read(id: str, agents: Callable[[], Sequence[Agent]]) -> dict[str, Any]:
    """Return what is read from a behaviour in a game."""
    reading = read_reward(make_game(id), agents, MODES, READING)
    return {
        "nearest": reading.nearest(),
        "nearest_by_seat": [reading.nearest(seat) for seat in range(len(reading.distance))],
        **{name: getattr(reading, name).round(4).tolist() for name in ("distance", "low", "high")},
    }


def behaved(id: str) -> list[dict[str, Any]]:
    """Return what all policies of a game do, whatever is read from it."""
    policies = trained(id)
    return [
        {"trained_on": mode, "seed": seed, "shares": shares(id, policies.agents((mode, seed), stochastic=True))}
        for mode, seed in policies.replicas
    ]


def shares(id: str, agents: Sequence[Agent]) -> list[list[float]]:
    """Return mean shares of endowment in the quarters of an episode, by seat: ``(Q, N)``."""
    played = play(
        make_game(id), agents, views="own", episodes=READING.cloned, seed=READING.seed, record=True
    ).trajectory
    assert played is not None
    weights = np.broadcast_to(played.alive[..., None], played.shares.shape)
    parts = zip(np.array_split(played.shares, QUARTERS), np.array_split(weights, QUARTERS), strict=True)
    means = [(part * weight).sum((0, 1)) / np.maximum(weight.sum((0, 1)), 1.0) for part, weight in parts]
    return [[round(float(share), 4) for share in mean] for mean in means]


def gap(kept: Kept, game: str, first: str, second: str) -> float:
    """Return the mean difference in shares between policies of two modes, over quarters and seats."""
    means = [
        np.mean([each["shares"] for each in kept["parts"][game] if each["trained_on"] == mode], axis=0)
        for mode in (first, second)
    ]
    return float(np.abs(means[0] - means[1]).mean())


def spread_of_seeds(kept: Kept, game: str, *modes: str) -> float:
    """Return the mean difference in shares between policies of one mode, over pairs of seeds, for some modes."""
    gaps = []
    for mode in modes:
        played = [np.array(each["shares"]) for each in kept["parts"][game] if each["trained_on"] == mode]
        gaps += [np.abs(first - second).mean() for first, second in combinations(played, 2)]
    return float(np.mean(gaps))


def mistaken(kept: Kept, game: str, pair: Sequence[str]) -> str:
    """Return how many policies of two modes are read as the other one, and of how many."""
    policies = [each for each in kept["parts"][game] if each["trained_on"] in pair]
    wrong = sum(each["nearest"] in pair and each["nearest"] != each["trained_on"] for each in policies)
    return f"{wrong} of {len(policies)}"


def recognised(kept: Kept, game: str, mode: str | None = None) -> tuple[int, int]:
    """Return for how many policies the other policy that plays most like it was trained on its mode, and of how many.

    What behaviour itself does not tell, no reading of one seat's actions can.
    """
    policies = kept["parts"][game]
    played = np.array([each["shares"] for each in policies]).reshape(len(policies), -1)
    gaps = np.sqrt(((played[:, None] - played) ** 2).mean(-1))
    np.fill_diagonal(gaps, np.inf)
    of_mode = [place for place, each in enumerate(policies) if mode in (None, each["trained_on"])]
    nearest = gaps.argmin(1)
    right = sum(policies[int(nearest[place])]["trained_on"] == policies[place]["trained_on"] for place in of_mode)
    return right, len(of_mode)


def named_rightly(kept: Kept, game: str, mode: str | None = None) -> tuple[int, int]:
    """Return of how many policies of a game the nearest mode is that of their training, and of how many in all."""
    policies = [each for each in kept["parts"][game] if mode in (None, each["trained_on"])]
    return sum(each["nearest"] == each["trained_on"] for each in policies), len(policies)


if __name__ == "__main__":
    keep(BEHAVIOUR, COMMAND, {**SETTINGS, "quarters": QUARTERS}, GAMES, behaved)
    keep(KEPT, COMMAND, SETTINGS, GAMES, measured)
