"""Ratios G5 to G8: learning on a CUDA device, end to end, and what the whole published study would take there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import product

import torch

import coopgym
from algorithms.marl.environment import environment_factory
from algorithms.marl.learner import Stacked
from algorithms.marl.replicas import cross
from algorithms.marl.trainer import Trainer
from benchmarks.perf.learners import learner_named
from benchmarks.perf.measure import ALTERNATIONS, QUICK_ALTERNATIONS, Ratio, alternate

DYAD, SEATS = "TrustDilemma-v1", 2
COPIES = 4096
MANY = 256
MODES = ("private", "integrated", "cooperative")
SEEDS = range(7)
PUBLISHED_GPU_HOURS = 3400.0
"""What the published study states for its 16 learners, 20 games, 3 reward modes and 7 seeds."""
ROSTER = (
    "MADDPG", "MATD3", "M3DDPG", "MASAC", "QMIX", "VDN", "COMA", "MAPPO", "MeanFieldAC", "ISAC", "IPPO", "IA2C", "FCP",
    "SelfPlayPPO", "LOLA", "IndependentREINFORCE",
)  # fmt: skip
SMALL_BUDGET, LARGE_BUDGET = 500_000, 1_000_000
LARGE_CATEGORIES = ("ecosystem", "collective_action", "reciprocity")
"""Categories of games that the published study trains for longer."""
TIMED_BLOCKS = 4


def g5(quick: bool = False) -> Ratio:
    """PPO from end to end against playing alone, with as many copies."""
    _require_cuda()
    trainer = _trainer(learner_named("IPPO")(num_envs=COPIES), DYAD, ("private",), range(1))
    environment = coopgym.torch_env(DYAD, COPIES, "cuda", compile=True, validate=False)
    environment.reset(seed=0)
    actions = environment.game.endowments.expand(COPIES, -1) / 2.0
    steps = environment.game.spec.horizon

    def play() -> None:
        for _ in range(steps):
            environment.step(actions)

    top, bottom, ratio, spread = alternate(
        lambda: trainer.steps_per_block * SEATS / _seconds(lambda: trainer.learn(0.5)),
        lambda: steps * COPIES * SEATS / _seconds(play),
        _times(quick),
    )
    return Ratio(
        id="G5", title="GPU: PPO end to end ÷ environments only", numerator=top, denominator=bottom, ratio=ratio,
        spread=spread, unit="agent-steps/s", floor=0.02, aim=0.1,
    )  # fmt: skip


def g6(quick: bool = False) -> Ratio:
    """Time of a block of PPO with many stacked replicas against one."""
    return _stacked("G6", "IPPO", quick)


def g6_off_policy(quick: bool = False) -> Ratio:
    """The same of an off-policy learner."""
    return _stacked("G6b", "MADDPG", quick)


def g7(quick: bool = False) -> Ratio:
    """PPO on the device against stable-baselines3's PPO on the same machine, each as its authors recommend."""
    _require_cuda()
    ours = _trainer(learner_named("IPPO")(num_envs=COPIES), DYAD, ("private",), range(1))
    theirs = Trainer(
        learner_named("SB3PPO")(num_envs=64, epochs=4),
        environment_factory(DYAD, None, None),
        cross(["private"], [0]),
        torch.device("cpu"),
    )

    def speed(trainer: Trainer) -> float:
        return trainer.steps_per_block * SEATS / _seconds(lambda: trainer.learn(0.5))

    top, bottom, ratio, spread = alternate(lambda: speed(ours), lambda: speed(theirs), _times(quick))
    return Ratio(
        id="G7", title="PPO on the GPU ÷ SB3 PPO on the CPU", numerator=top, denominator=bottom, ratio=ratio,
        spread=spread, unit="agent-steps/s", floor=100.0, aim=1000.0,
    )  # fmt: skip


def g8(quick: bool = False) -> Ratio:
    """Hours that the published study would take, extrapolated from a few blocks of each training, against its own.

    A quick extrapolation times one game per mechanism class and lets it stand for all of the class.

    Raises:
        ValueError: no CUDA device, or a learner of the study is missing, without which the sum would be too small.
    """
    _require_cuda()
    kinds = [learner_named(name) for name in ROSTER]
    hours = sum(_hours(kind, game) * weight for kind, (game, weight) in product(kinds, _games(quick)))
    return Ratio(
        id="G8", title="the published study on the GPU ÷ its GPU-hours", numerator=hours,
        denominator=PUBLISHED_GPU_HOURS, ratio=hours / PUBLISHED_GPU_HOURS, spread=0.0, unit="GPU-hours",
        floor=0.01, aim=0.001, at_most=True,
    )  # fmt: skip


def _games(quick: bool) -> Iterator[tuple[str, float]]:
    """Yield the games to time, with the number of games that each stands for."""
    by_class: dict[str, list[str]] = {}
    for game in coopgym.games():
        if game.endswith("-v1"):
            by_class.setdefault(coopgym.make_game(game).spec.mechanism_class, []).append(game)
    for members in by_class.values():
        timed = members[:1] if quick else members
        yield from ((game, len(members) / len(timed)) for game in timed)


def _hours(kind: Callable[..., Stacked], game: str) -> float:
    """Extrapolate the hours of all modes and seeds of one learner on one game; none where it does not apply."""
    learner, spec = kind(), coopgym.make_game(game).spec
    try:
        learner.check(coopgym.make_game(game))
    except ValueError:
        return 0.0
    trainer = _trainer(learner, game, MODES, SEEDS)
    budget = LARGE_BUDGET if spec.category in LARGE_CATEGORIES else SMALL_BUDGET
    warm = max(1, getattr(learner, "warmup_steps", 0) // trainer.steps_per_block + 1)
    for _ in range(warm):
        trainer.learn(0.0)
    blocks = -(-budget // trainer.steps_per_block)

    def several() -> None:
        for _ in range(TIMED_BLOCKS):
            trainer.learn(0.5)

    return _seconds(several) / TIMED_BLOCKS * blocks / 3600.0


def _stacked(id: str, name: str, quick: bool) -> Ratio:
    _require_cuda()
    many, one = (_trainer(learner_named(name)(), DYAD, ("private",), range(count)) for count in (MANY, 1))
    for trainer in (many, one):
        for _ in range(4):  # past the warm-up of off-policy learners
            trainer.learn(0.0)
    top, bottom, ratio, spread = alternate(
        lambda: _seconds(lambda: many.learn(0.5)), lambda: _seconds(lambda: one.learn(0.5)), _times(quick)
    )
    return Ratio(
        id=id, title=f"GPU: a block of {name}, {MANY} replicas ÷ 1", numerator=top, denominator=bottom, ratio=ratio,
        spread=spread, unit="s", floor=8.0, aim=2.0, at_most=True,
    )  # fmt: skip


def _trainer(learner: Stacked, game: str, modes: tuple[str, ...], seeds: range) -> Trainer:
    return Trainer(learner, environment_factory(game, None, None), cross(modes, seeds), torch.device("cuda"))


def _seconds(action: Callable[[], object]) -> float:
    """Return the wall time of an action, the device's queue included."""
    torch.cuda.synchronize()
    begin = time.perf_counter()
    action()
    torch.cuda.synchronize()
    return time.perf_counter() - begin


def _times(quick: bool) -> int:
    return QUICK_ALTERNATIONS if quick else ALTERNATIONS


def _require_cuda() -> None:
    if not torch.cuda.is_available():
        raise ValueError("ratios G5 to G8 need a CUDA device, and torch sees none; leave them out here")
