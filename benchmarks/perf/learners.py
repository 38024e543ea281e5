"""Time per gradient update of our learners, against stable-baselines3's with equal networks and batches.

Learners are looked up by name when a ratio is measured. Everything runs on one thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from coopgym.algorithms import learners
from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.marl.core.environment import environment_factory
from coopgym.algorithms.marl.core.trainer import ReplicaLearner, Trainer
from coopgym.benchmarks.perf.measure import Ratio, UnavailableError, compare, rate

DYAD = "TrustDilemma-v1"


@dataclass(frozen=True)
class Twins:
    """One of our learners and one of the library's, with equal networks and batches."""

    id: str
    ours: str
    theirs: str
    settings: dict[str, Any]
    ours_only: dict[str, Any]
    theirs_only: dict[str, Any]


COPIES, STEPS = 64, 100
PPO_TWINS = Twins(
    "U_PPO", "IPPO", "SB3PPO", {"hidden": (64, 64), "num_envs": COPIES, "rollout_steps": STEPS, "n_epochs": 4},
    {"n_minibatches": STEPS}, {"batch_size": COPIES},
)  # fmt: skip
SAC_TWINS = Twins(
    "U_SAC", "ISAC", "SB3SAC",
    {"hidden": (64, 64), "num_envs": COPIES, "rollout_steps": 8, "batch_size": 256, "steps_per_update": 32},
    {}, {},
)  # fmt: skip


def per_update(twins: Twins, quick: bool = False) -> Ratio:
    """CPU time of one gradient update of every network, play included, ours against the library's.

    Raises:
        UnavailableError: there is no such learner.
    """
    torch.set_num_threads(1)
    ours = _trainer(learner_named(twins.ours)(**twins.settings, **twins.ours_only))
    theirs = _trainer(learner_named(twins.theirs)(**twins.settings, **twins.theirs_only))
    return compare(
        _seconds_per_update(ours), _seconds_per_update(theirs), quick,
        id=twins.id, title=f"time per gradient update: {twins.ours} ÷ {twins.theirs}, one seed",
        unit="CPU s per update", floor=1.0, aim=0.5, at_most=True,
    )  # fmt: skip


u_ppo = partial(per_update, PPO_TWINS)
u_sac = partial(per_update, SAC_TWINS)


def learner_named(name: str) -> Callable[..., ReplicaLearner]:
    """Return a learner to be made with hyper-parameters.

    Raises:
        UnavailableError: there is none of this name.
    """
    if name in learners() and issubclass(kind := learners()[name], ReplicaLearner):
        return kind
    known = sorted(title for title, kind in learners().items() if issubclass(kind, ReplicaLearner))
    raise UnavailableError(f"there is no learner {name!r} to measure; known: {', '.join(known)}")


def _trainer(learner: ReplicaLearner) -> Trainer:
    make = environment_factory(DYAD, None, None)
    return Trainer(learner, make, cross(["private"], [0]), torch.device("cpu"))


def _warm(trainer: Trainer, least_steps: int = 2048) -> int:
    """Train past any warm-up with uniform actions and return how many blocks are worth timing at once."""
    blocks = max(1, least_steps // trainer.steps_per_block)
    for _ in range(blocks):
        trainer.learn(0.0)
    return blocks


def _seconds_per_update(trainer: Trainer) -> Callable[[], float]:
    blocks = _warm(trainer)

    def measure() -> float:
        before = trainer.seats.gradient_updates
        blocks_per_second = rate(lambda: trainer.learn(0.5), blocks)
        return blocks / blocks_per_second / (trainer.seats.gradient_updates - before)

    return measure
