"""Every learner's speed: against the published study's training, and per gradient update against stable-baselines3.

Learners are looked up by name when a ratio is measured, with their default settings unless a ratio has to equal
networks and batches. Everything on the CPU runs on one thread; the published speeds are those of two cores.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from algorithms import learners
from algorithms.marl.environment import environment_factory
from algorithms.marl.learner import Stacked
from algorithms.marl.replicas import cross
from algorithms.marl.trainer import Trainer
from benchmarks.perf.measure import ALTERNATIONS, QUICK_ALTERNATIONS, MissingLearnerError, Ratio, alternate, rate

SEEDS = range(7)
"""The published study's number of seeds, stacked; the steps of each count."""

DYAD, SIX = "TrustDilemma-v1", "GraduatedSanction-v1"
PUBLISHED_SPEEDS: dict[tuple[str, str], float] = {
    ("IPPO", DYAD): 453.0,
    ("ISAC", DYAD): 60.0,
    ("MADDPG", DYAD): 206.0,
    ("QMIX", DYAD): 131.0,
    ("IPPO", SIX): 168.0,
    ("ISAC", SIX): 48.0,
    ("MADDPG", SIX): 63.0,
    ("QMIX", SIX): 73.0,
}
"""Joint environment steps per second of training with the code of the published study (Coopetition-Gym v1.0,
arXiv:2605.02063), timed on two CPU cores with its default settings."""
FLOOR, AIM = 10.0, 30.0


def against_published(learner: str, game: str, quick: bool = False) -> Ratio:
    """Steps per CPU second of seven stacked seeds, against the published speed.

    Raises:
        MissingLearnerError: there is no such learner.
    """
    torch.set_num_threads(1)
    trained = _trainer(learner_named(learner)(), game, SEEDS)
    blocks = _warm(trained)
    measure = partial(rate, lambda: trained.learn(0.5), blocks, trained.steps_per_block * len(SEEDS))
    published = PUBLISHED_SPEEDS[learner, game]
    top, _, ratio, spread = alternate(measure, lambda: published, QUICK_ALTERNATIONS if quick else ALTERNATIONS)
    return Ratio(
        id=f"L_{learner}" + ("" if game == DYAD else "6"),
        title=f"{learner} ÷ published training: {game.removesuffix('-v1')}, 7 seeds",
        numerator=top, denominator=published, ratio=ratio, spread=spread, unit="env steps/s", floor=FLOOR, aim=AIM,
    )  # fmt: skip


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
    "U_PPO", "IPPO", "SB3PPO", {"hidden": (64, 64), "num_envs": COPIES, "rollout_steps": STEPS, "epochs": 4},
    {"minibatches": STEPS}, {"batch_size": COPIES},
)  # fmt: skip
SAC_TWINS = Twins(
    "U_SAC", "ISAC", "SB3SAC",
    {"hidden": (64, 64), "num_envs": COPIES, "rollout_steps": 8, "batch_size": 256, "steps_per_update": 32},
    {}, {},
)  # fmt: skip


def per_update(twins: Twins, quick: bool = False) -> Ratio:
    """CPU time of one gradient update of every network, play included, ours against the library's.

    Raises:
        MissingLearnerError: there is no such learner.
    """
    torch.set_num_threads(1)
    ours = _trainer(learner_named(twins.ours)(**twins.settings, **twins.ours_only), DYAD, range(1))
    theirs = _trainer(learner_named(twins.theirs)(**twins.settings, **twins.theirs_only), DYAD, range(1))
    top, bottom, ratio, spread = alternate(
        _seconds_per_update(ours), _seconds_per_update(theirs), QUICK_ALTERNATIONS if quick else ALTERNATIONS
    )
    return Ratio(
        id=twins.id, title=f"time per gradient update: {twins.ours} ÷ {twins.theirs}, one seed",
        numerator=top, denominator=bottom, ratio=ratio, spread=spread, unit="CPU s per update",
        floor=1.0, aim=0.5, at_most=True,
    )  # fmt: skip


l_ippo = partial(against_published, "IPPO", DYAD)
l_isac = partial(against_published, "ISAC", DYAD)
l_maddpg = partial(against_published, "MADDPG", DYAD)
l_qmix = partial(against_published, "QMIX", DYAD)
l_ippo6 = partial(against_published, "IPPO", SIX)
l_isac6 = partial(against_published, "ISAC", SIX)
l_maddpg6 = partial(against_published, "MADDPG", SIX)
l_qmix6 = partial(against_published, "QMIX", SIX)
u_ppo = partial(per_update, PPO_TWINS)
u_sac = partial(per_update, SAC_TWINS)


def learner_named(name: str) -> Callable[..., Stacked]:
    """Return a learner to be made with hyper-parameters.

    Raises:
        MissingLearnerError: there is none of this name.
    """
    known = {title: kind for title, kind in learners().items() if issubclass(kind, Stacked)}
    if name not in known:
        raise MissingLearnerError(f"there is no learner {name!r} to measure; known: {', '.join(sorted(known))}")
    return known[name]


def _trainer(learner: Stacked, game: str, seeds: range) -> Trainer:
    make = environment_factory(game, None, None)
    return Trainer(learner, make, cross(["private"], seeds), torch.device("cpu"))


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
