"""Warm-up: supervised learning on demonstrations, so that a fresh model can play before it learns what pays."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

import torch

from coopgym.algorithms.llm.method.minibatch import minibatch, totals
from coopgym.algorithms.llm.method.objectives import Imitation
from coopgym.algorithms.llm.method.streams import stream
from coopgym.algorithms.llm.models import LanguageModel, SmallModel, SmallSettings, load_model
from coopgym.algorithms.llm.play.tasks import TaskSettings
from coopgym.algorithms.llm.play.trajectories import Credit
from coopgym.algorithms.llm.training.demonstrations import demonstrations
from coopgym.algorithms.llm.training.scoring import scored
from coopgym.cache import cache_folder

ReadCallback = Callable[[int], None]
"""Told how many demonstrations have been read."""
RECIPE = 2
"""Raise it when demonstrations or training change: models made by another recipe are not used."""


@dataclass(frozen=True)
class WarmUp:
    """How long a fresh model imitates.

    Attributes:
        steps: gradient updates; 0 leaves the model as it is.
        batch: demonstrations per update.
        pool: most different demonstrations that updates draw from.
        learning_rate: Adam's step size, falling linearly to a tenth.
    """

    steps: int = 300
    batch: int = 32
    pool: int = 512
    learning_rate: float = 3e-3

    @property
    def demonstrations(self) -> int:
        """Demonstrations read by all updates together."""
        return self.steps * self.batch


def warmed_up(
    size: SmallSettings,
    settings: TaskSettings,
    warm_up: WarmUp,
    seed: int,
    device: str = "cpu",
    progress: ReadCallback | None = None,
) -> SmallModel:
    """Return a built-in model that has imitated, from the cache where the same one was made before.

    Args:
        size: of the model.
        settings: of the tasks that are demonstrated.
        warm_up: how long.
        seed: of weights, demonstrations and batches.
        device: where the model lives.
        progress: told the demonstrations read so far.
    """
    facts = {
        "recipe": RECIPE,
        "torch": torch.__version__,
        "size": dataclasses.asdict(size),
        "tasks": settings.values(),
        "warm_up": dataclasses.asdict(warm_up),
        "seed": seed,
    }
    place = cache_folder() / "warm-up" / hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]
    model = SmallModel(size, device=device)
    try:
        model.restore(load_model(place).state())
    except (FileNotFoundError, ValueError):  # never made, or damaged: it is made again
        made = SmallModel(size, seed=seed)
        imitate(made, settings, warm_up, seed, progress)
        made.save(place)  # another process that makes the same model writes the same files
        model.restore(made.state())
    return model


def imitate(
    model: LanguageModel,
    settings: TaskSettings,
    warm_up: WarmUp,
    seed: int,
    progress: ReadCallback | None = None,
) -> list[float]:
    """Train a model on demonstrations and return the loss of every update."""
    if not warm_up.steps:
        return []
    rng = stream(seed, "demonstrations")
    pool = demonstrations(settings, model, min(warm_up.pool, warm_up.demonstrations), rng)
    optimiser = torch.optim.Adam(model.parameters(), warm_up.learning_rate)
    falling = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.1, warm_up.steps)
    losses = []
    for step in range(warm_up.steps):
        chosen = [pool[i] for i in rng.integers(len(pool), size=warm_up.batch)]
        credit = Credit(adv={}, weight={}, mask=[member.mask for member in chosen])
        members = range(len(chosen))
        part = minibatch(chosen, credit, members, totals(credit, members), model.device)
        loss, _ = Imitation().loss(scored(model, chosen).logp, part)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        falling.step()
        losses.append(loss.item())
        if progress:
            progress((step + 1) * warm_up.batch)
    return losses
