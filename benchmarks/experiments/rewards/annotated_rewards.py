"""``python -m coopgym.benchmarks.experiments.rewards.annotated_rewards``: what feedback is worth, and what it delays.

Agreement: the three models beside complete labels. Speed: steps per second of the mode alone, beside an annotator that
answers at once, and beside one that takes a second and always has more to do, in turns; neither ever gives a label, so
that both are asked again. Learning: IPPO with the mode alone and with each model, from equal seeds.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

import coopgym
from coopgym.algorithms.reward_models.annotators import Background, Immediate, Label, by_rule, register_annotator
from coopgym.algorithms.reward_models.caption_models import CaptionModel, Classified, Ranked, Retrieved
from coopgym.algorithms.reward_models.captions import CAPTIONS, FEATURES, Caption
from coopgym.benchmarks.experiments.rewards.kept import RESULTS, keep
from coopgym.benchmarks.experiments.rewards.shaping_speed import trained

COMMAND = "python -m coopgym.benchmarks.experiments.rewards.annotated_rewards"
KEPT = RESULTS / "annotated-rewards.json"
AGREEMENT, SPEED = "agreement", "speed"
MODE = "cooperative"
AHEAD = 1_000
"""Questions that wait for the busy annotator from the start."""
SLICES = 5
"""Parts of a turn, each of a whole number of episodes."""
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


class Silent:
    """Takes some seconds and labels nothing, and is therefore asked again."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self.working = seconds, False

    def __call__(self, captions: Sequence[Caption]) -> Sequence[Label]:
        self.working = True
        time.sleep(self._seconds)
        self.working = False
        return [None] * len(captions)


def speeds() -> dict[str, list[float]]:
    """Return steps per second by turn, and which part of the looks at the busy annotator found it at work.

    A turn takes its kinds slice by slice, since machines that are shared change from second to second.
    """
    silent, busy = Silent(0.0), Silent(SETTINGS["delay"])
    register_annotator("silent", lambda: Immediate(silent))
    register_annotator("busy", lambda: _never_done(busy))
    rewards = {
        "alone": MODE,
        "none": f"{MODE} + oni(annotator=silent, batch=1)",
        "busy": f"{MODE} + oni(annotator=busy, batch=1)",
    }
    found: dict[str, list[float]] = {name: [] for name in (*rewards, "at_work")}
    for _ in range(SETTINGS["turns"]):
        seconds, at_work = dict.fromkeys(rewards, 0.0), list[bool]()
        for _ in range(SLICES):
            for name, reward in rewards.items():
                taken, looks = _slice_seconds(reward, busy)
                seconds[name] += taken
                at_work += looks if name == "busy" else []
        for name in rewards:
            found[name].append(round(SETTINGS["copies"] * SETTINGS["steps"] / seconds[name], 1))
        found["at_work"].append(round(float(np.mean(at_work)), 4))
    return found


def _never_done(annotator: Silent) -> Background:
    """Return an exchange that has more to label from the start than it will ever come to."""
    exchange = Background(annotator)
    for _ in range(AHEAD):
        exchange.exchange(CAPTIONS[:1])
    return exchange


def _slice_seconds(reward: str, annotator: Silent) -> tuple[float, list[bool]]:
    """Return how long a slice of steps takes, and whether the annotator was at work after each of them.

    A horizon of steps comes before, after which it is asked for the first time.
    """
    environment = coopgym.torch_env(SETTINGS["game"], SETTINGS["copies"], reward=reward)
    environment.reset(seed=0)
    actions = torch.rand(SETTINGS["copies"], environment.game.n_agents, generator=torch.Generator().manual_seed(0))
    for _ in range(environment.game.spec.horizon):
        environment.step(actions)
    began, looks = time.perf_counter(), list[bool]()
    for _ in range(SETTINGS["steps"] // SLICES):
        environment.step(actions)
        looks.append(annotator.working)
    return time.perf_counter() - began, looks


def measured(part: str) -> Any:
    """Measure a part."""
    if part == AGREEMENT:
        return agreement()
    return speeds() if part == SPEED else trained(part, SETTINGS)


if __name__ == "__main__":
    keep(KEPT, COMMAND, SETTINGS, (AGREEMENT, SPEED, MODE, *LEARNED_FROM), measured)
