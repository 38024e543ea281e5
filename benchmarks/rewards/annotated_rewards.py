"""``python -m coopgym.benchmarks.rewards.annotated_rewards``: what feedback is worth, and what it delays.

Agreement: the three models beside complete labels. Speed: steps per second beside an annotator that takes a second
and beside one that answers at once, in turns. Learning: IPPO with the mode alone and with each model, from equal seeds.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

import coopgym
from coopgym.algorithms.reward_models.annotators import Background, Label, by_rule, register_annotator
from coopgym.algorithms.reward_models.caption_models import CaptionModel, Classified, Ranked, Retrieved
from coopgym.algorithms.reward_models.captions import CAPTIONS, FEATURES, Caption
from coopgym.benchmarks.rewards.kept import RESULTS, keep
from coopgym.benchmarks.rewards.shaping_speed import trained

COMMAND = "python -m coopgym.benchmarks.rewards.annotated_rewards"
KEPT = RESULTS / "annotated-rewards.json"
AGREEMENT, SPEED = "agreement", "speed"
MODE = "cooperative"
LEARNED_FROM = tuple(f"{MODE} + oni{settings}" for settings in ("", "(model=classifier)", "(model=ranking)"))
SETTINGS: dict[str, Any] = {
    "learner": "IPPO",
    "game": "TrustDilemma-v1",
    "env_steps": 60_000,
    "seeds": 5,
    "curve": "eval_return_cooperative",
    "fits": 40,
    "delay": 1.0,
    "turns": 7,
    "copies": 64,
    "steps": 2_000,
}


def agreement() -> dict[str, float]:
    """Return, of as many captions as are helpful, which part of those that a model puts first is."""
    features = torch.as_tensor(FEATURES, dtype=torch.float32)
    label = torch.tensor([[int(bool(each)) for each in by_rule(CAPTIONS)]])
    models: dict[str, CaptionModel] = {
        "hash": Retrieved(1, features),
        "classifier": Classified(1, features),
        "ranking": Ranked(1, features, -np.inf),
    }
    found = {}
    for name, model in models.items():
        for _ in range(SETTINGS["fits"]):
            model.fit(label, torch.ones_like(label))
        order = model.values[0].argsort(descending=True)
        helpful = int(label.sum())
        found[name] = round(float((label[0, order[:helpful]] == 1).float().mean()), 4)
    return found


def speeds() -> dict[str, list[float]]:
    """Return steps per second beside an annotator that takes no time and beside one that takes some, in turns."""

    def slow(captions: Sequence[Caption]) -> Sequence[Label]:
        time.sleep(SETTINGS["delay"])
        return by_rule(captions)

    register_annotator("slow", lambda: Background(slow))
    rewards = {"none": f"{MODE} + oni", "slow": f"{MODE} + oni(annotator=slow)"}
    found: dict[str, list[float]] = {name: [] for name in rewards}
    for _ in range(SETTINGS["turns"]):
        for name, reward in rewards.items():
            found[name].append(round(_steps_per_second(reward), 1))
    return found


def _steps_per_second(reward: str) -> float:
    environment = coopgym.torch_env(SETTINGS["game"], SETTINGS["copies"], reward=reward)
    environment.reset(seed=0)
    actions = torch.rand(SETTINGS["copies"], environment.game.n_agents, generator=torch.Generator().manual_seed(0))
    began = time.perf_counter()
    for _ in range(SETTINGS["steps"]):
        environment.step(actions)
    return float(SETTINGS["copies"] * SETTINGS["steps"] / (time.perf_counter() - began))


def measured(part: str) -> Any:
    """Measure a part."""
    if part == AGREEMENT:
        return agreement()
    return speeds() if part == SPEED else trained(part, SETTINGS)


if __name__ == "__main__":
    keep(KEPT, COMMAND, SETTINGS, (AGREEMENT, SPEED, MODE, *LEARNED_FROM), measured)
