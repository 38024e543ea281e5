"""Learning from the reward inside a clone, against it.

``python -m coopgym.benchmarks.experiments.rewards.endogenous_learning`` measures it and keeps the results.

Independent PPO is trained on what everybody earns, 50 of its episodes are cloned, and another is trained on the reward
inside the clones, which is all that it is told. All are valued by what the first was trained on.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coopgym.agents import Agent
from coopgym.algorithms import IPPO
from coopgym.algorithms.reward_models.endogenous import CloneAgent, Clones, Endogenous
from coopgym.benchmarks.experiments.rewards.kept import RESULTS, keep
from coopgym.benchmarks.experiments.rewards.reading import ReadingSettings, cloned
from coopgym.games.game import AnyGame
from coopgym.games.registry import make_game
from coopgym.play import play

COMMAND = "python -m coopgym.benchmarks.experiments.rewards.endogenous_learning"
KEPT = RESULTS / "endogenous-learning.json"
GAME, STEPS, REWARD = "TrustDilemma-v1", 60, "cooperative"
ENV_STEPS, VALUED = 60_000, 100
SETTINGS = {
    "game": GAME,
    "max_steps": STEPS,
    "reward": REWARD,
    "learner": "IPPO",
    "env_steps": ENV_STEPS,
    "cloned": ReadingSettings().cloned,
    "valued": VALUED,
}
SEEDS = ("0", "1", "2", "3", "4")


def measured(seed: str) -> dict[str, float]:
    """Return what is earned by the policies that are cloned, by clones, and by learners of the clones' reward."""
    game, parameters = make_game(GAME, max_steps=STEPS), {"max_steps": STEPS}
    expert = IPPO().train(GAME, [REWARD], [int(seed)], ENV_STEPS, game_parameters=parameters)
    clones = cloned(game, expert.agents(stochastic=True), ReadingSettings(seed=int(seed)))
    reward = Endogenous(clones, gamma=IPPO().gamma)
    learner = IPPO().train(GAME, [reward], [int(seed)], ENV_STEPS, game_parameters=parameters)
    return {
        "expert": _earned(game, expert.agents(stochastic=True)),
        "expert, best guess": _earned(game, expert.agents()),
        "clone": _earned(game, _playing(clones, greedy=False)),
        "clone, most likely": _earned(game, _playing(clones, greedy=True)),
        "learner": _earned(game, learner.agents(stochastic=True)),
        "learner, best guess": _earned(game, learner.agents()),
    }


def _playing(clones: Clones, greedy: bool) -> list[CloneAgent]:
    return [CloneAgent(clones, greedy) for _ in clones.centre]


def _earned(game: AnyGame, agents: Sequence[Agent]) -> float:
    played = play(game, agents, reward=REWARD, views="own", episodes=VALUED, seed=1000)
    return round(float(np.mean(played.returns[REWARD])), 4)


if __name__ == "__main__":
    keep(KEPT, COMMAND, SETTINGS, SEEDS, measured)
