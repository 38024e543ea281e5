"""Ratios G5 to G7: learning on a CUDA device, end to end."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

import coopgym
from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.marl.core.environment import environment_factory
from coopgym.algorithms.marl.core.trainer import ReplicaLearner, Trainer
from coopgym.benchmarks.perf.learners import learner_named
from coopgym.benchmarks.perf.measure import Ratio, compare

DYAD, SEATS = "TrustDilemma-v1", 2
COPIES = 4096
MANY = 256


def g5(quick: bool = False) -> Ratio:
    """PPO from end to end against playing alone, with as many copies."""
    _require_cuda()
    trainer = _trainer(learner_named("IPPO")(num_envs=COPIES), range(1))
    environment = coopgym.torch_env(DYAD, COPIES, "cuda", actions="units", compile=True, validate=False)
    environment.reset(seed=0)
    actions = environment.game.endowments.expand(COPIES, -1) / 2.0
    steps = environment.game.spec.horizon

    def play() -> None:
        for _ in range(steps):
            environment.step(actions)

    return compare(
        lambda: trainer.steps_per_block * SEATS / _seconds(lambda: trainer.learn(0.5)),
        lambda: steps * COPIES * SEATS / _seconds(play),
        quick,
        id="G5", title="GPU: PPO end to end ÷ environments only", unit="agent-steps/s", floor=0.02, aim=0.1,
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
    ours = _trainer(learner_named("IPPO")(num_envs=COPIES), range(1))
    theirs = Trainer(
        learner_named("SB3PPO")(num_envs=64, n_epochs=4),
        environment_factory(DYAD, None, None),
        cross(["private"], [0]),
        torch.device("cpu"),
    )

    def speed(trainer: Trainer) -> float:
        return trainer.steps_per_block * SEATS / _seconds(lambda: trainer.learn(0.5))

    return compare(
        lambda: speed(ours), lambda: speed(theirs), quick,
        id="G7", title="PPO on the GPU ÷ SB3 PPO on the CPU", unit="agent-steps/s", floor=100.0, aim=1000.0,
    )  # fmt: skip


def _stacked(id: str, name: str, quick: bool) -> Ratio:
    _require_cuda()
    many, one = (_trainer(learner_named(name)(), range(count)) for count in (MANY, 1))
    for trainer in (many, one):
        for _ in range(4):  # past the warm-up of off-policy learners
            trainer.learn(0.0)
    return compare(
        lambda: _seconds(lambda: many.learn(0.5)), lambda: _seconds(lambda: one.learn(0.5)), quick,
        id=id, title=f"GPU: a block of {name}, {MANY} replicas ÷ 1", unit="s", floor=8.0, aim=2.0, at_most=True,
    )  # fmt: skip


def _trainer(learner: ReplicaLearner, seeds: range) -> Trainer:
    return Trainer(learner, environment_factory(DYAD, None, None), cross(["private"], seeds), torch.device("cuda"))


def _seconds(action: Callable[[], object]) -> float:
    """Return the wall time of an action, the device's queue included."""
    torch.cuda.synchronize()
    begin = time.perf_counter()
    action()
    torch.cuda.synchronize()
    return time.perf_counter() - begin


def _require_cuda() -> None:
    if not torch.cuda.is_available():
        raise ValueError("ratios G5 to G7 need a CUDA device, and torch sees none; leave them out here")
