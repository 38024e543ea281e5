"""Language models that learn from being preferred.

``python -m coopgym.benchmarks.experiments.preferences.language_win_rates`` measures it and keeps the results.

A small built-in model is trained by ``spo`` and ``nash_mp`` on one game. Afterwards its rollouts of tasks that it was
not trained on are compared, pair by pair, with rollouts of the same tasks by the model before training.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from coopgym.algorithms.llm.method.registry import make_method
from coopgym.algorithms.llm.method.samplers.independent import Independent
from coopgym.algorithms.llm.method.signals.comparators import COMPARATORS
from coopgym.algorithms.llm.method.training_services import Services
from coopgym.algorithms.llm.models import LanguageModel, SmallSettings
from coopgym.algorithms.llm.play.tasks import TaskSettings
from coopgym.algorithms.llm.play.trajectories import Group
from coopgym.algorithms.llm.training.trainer import Trainer, TrainerSettings
from coopgym.algorithms.llm.training.warm_up import WarmUp, warmed_up
from coopgym.benchmarks.experiments.rewards.kept import RESULTS, Kept, keep
from coopgym.benchmarks.score.estimates import Estimate, mean_estimate
from coopgym.interfaces.text import Rules

COMMAND = "python -m coopgym.benchmarks.experiments.preferences.language_win_rates"
KEPT = RESULTS / "language-win-rates.json"
METHODS = ("spo", "nash_mp")
SETTINGS: dict[str, Any] = {
    "game": "TrustDilemma-v1",
    "reward": "cooperative",
    "comparator": "reward",
    "seeds": 5,
    "decisions": 768,
    "model": {"layers": 1, "width": 32, "heads": 2, "context": 384},
    "warm_up": {"steps": 150, "batch": 16, "pool": 128, "learning_rate": 2e-2},
    "trainer": {"prompts": 8, "group_size": 8, "learning_rate": 1e-3},
    "held_out": 16,
    "rollouts": 8,
}
HELD_OUT = 1_000_000
"""Added to a seed for the tasks of the comparison."""


def measured(part: str, settings: Kept = SETTINGS) -> dict[str, Any]:
    """Train a model with a method and seed, and return how often it is preferred to itself before training."""
    torch.set_num_threads(1)
    method, seed = part.split("/")[0], int(part.split("/")[1])
    tasks = TaskSettings(settings["game"], reward=settings["reward"], rules=Rules(max_turns=3), latest_start=4)
    untrained, trained = (
        warmed_up(SmallSettings(**settings["model"]), tasks, WarmUp(**settings["warm_up"]), seed) for _ in range(2)
    )
    trainer = Trainer(trained, make_method(method, tasks, seed), TrainerSettings(**settings["trainer"]), seed=seed)
    trainer.train(settings["decisions"])
    return {
        "win_rate": preferred(trained, untrained, tasks, seed, settings),
        "tokens": trainer.tokens,
        "updates": trainer.updates,
    }


def preferred(model: LanguageModel, other: LanguageModel, tasks: TaskSettings, seed: int, settings: Kept) -> float:
    """Return how often a model's rollouts are preferred to another's of the same task; ties count one half."""
    decoding = TrainerSettings(**settings["trainer"]).decoding
    rng = np.random.default_rng(HELD_OUT + seed)
    drawn, size = [tasks.draw(rng) for _ in range(settings["held_out"])], settings["rollouts"]
    groups = [
        Independent().sample(drawn, size, Services(each, decoding, tasks.dialect, HELD_OUT + seed), 0)
        for each in (model, other)
    ]
    wins = []
    for own, theirs in zip(*groups, strict=True):
        table = COMPARATORS[settings["comparator"]](Group(own.task, [*own.members, *theirs.members]))
        ahead = table[:size, size:] - table[size:, :size].T
        wins.append(float((0.5 + 0.5 * np.sign(ahead)).mean()))
    return float(np.mean(wins))


def win_rate(found: Kept, method: str) -> Estimate | None:
    """Return how often a method's models are preferred to those before training, mean over seeds."""
    return mean_estimate([found["parts"][part]["win_rate"] for part in parts() if part.startswith(f"{method}/")])


def parts(settings: Kept = SETTINGS) -> list[str]:
    """Name what is measured."""
    return [f"{method}/{seed}" for seed in range(settings["seeds"]) for method in METHODS]


if __name__ == "__main__":
    keep(KEPT, COMMAND, SETTINGS, parts(), measured)
