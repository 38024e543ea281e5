"""Learners of stable-baselines3 look like any other: they repeat, resume, reload, and replicas are independent."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.marl import IPPO, TrainingResult, load_agents
from coopgym.algorithms.marl.core.environment import environment_factory
from coopgym.algorithms.marl.core.trainer import Trainer
from coopgym.algorithms.marl.external.sb3_learner import SB3A2C, SB3PPO, SB3SAC, SB3Learner, SB3Seats
from coopgym.algorithms.marl.populations.mixed import Member, Mixed

pytest.importorskip("stable_baselines3")


TINY: list[SB3Learner] = [
    SB3PPO(hidden=(8,), num_envs=32, rollout_steps=2, n_epochs=2, batch_size=32),
    SB3A2C(hidden=(8,), num_envs=32, rollout_steps=2),
    SB3SAC(hidden=(8,), num_envs=32, rollout_steps=2, batch_size=16, learning_starts=64, buffer_size=160),
]
each = pytest.mark.parametrize(
    "learner",
    [pytest.param(each, marks=[pytest.mark.slow] if isinstance(each, SB3A2C) else []) for each in TINY],
    ids=lambda learner: type(learner).__name__,
)


def run(
    learner: Any, rewards: Any = ("private", "cooperative"), seeds: Any = (0, 1), **keywords: Any
) -> TrainingResult:
    return learner.train("TrustDilemma-v1", rewards, seeds, **{"env_steps": 256} | keywords)


def same(one: TrainingResult, a: int, other: TrainingResult, b: int) -> bool:
    names = [name for name in one.tensors if name.startswith("policy.")]
    return all(np.array_equal(one.tensors[name][a], other.tensors[name][b]) for name in names)


@each
def test_same_seed_same_weights_alone_or_in_a_stack(learner: SB3Learner) -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    stacked = run(learner)
    assert torch.equal(torch.get_rng_state(), before), "the caller's random numbers were used"
    alone = run(learner, ["cooperative"], [1])
    assert same(stacked, stacked.replicas.index(("cooperative", 1)), alone, 0)
    assert not same(stacked, 0, stacked, 1)
    assert stacked.gradient_updates > 0


@each
def test_resuming_gives_the_same_weights_and_curves(learner: SB3Learner, tmp_path: Path) -> None:
    whole = run(learner)

    def stop(done: int, planned: int) -> None:
        if done >= 192:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(learner, progress=stop, checkpoint=tmp_path, checkpoint_every=1)
    resumed = run(learner, checkpoint=tmp_path)
    assert resumed.record == whole.record
    assert all(same(whole, k, resumed, k) for k in range(4))


@each
def test_saved_policies_play_what_the_library_predicts(learner: SB3Learner, tmp_path: Path) -> None:
    make = environment_factory("TrustDilemma-v1", None, None)
    trainer = Trainer(learner, make, cross(["private"], [0]), torch.device("cpu"))
    for _ in range(4):
        trainer.learn(0.0)
    assert isinstance(trainer.seats, SB3Seats)
    record = {**trainer.identity(), "env_steps": 0, "gradient_updates": 0}
    record["replicas"] = [{**entry, "diverged_at": None, "curves": []} for entry in record["replicas"]]
    TrainingResult(record, trainer.policy_arrays()).save(tmp_path)
    raw = np.random.default_rng(0).random((20, trainer.collector.inputs))
    for seat, agent in enumerate(load_agents(tmp_path)):
        seen = (raw * agent.policy.gain + agent.policy.offset).astype(np.float32)
        level, _ = trainer.seats.models[0, seat].algorithm.predict(seen, deterministic=True)
        assert np.allclose(agent.act(raw), 0.5 * (level[:, 0] + 1.0), atol=1e-3)


@each
def test_a_nan_in_one_replica_leaves_the_others_unchanged(learner: SB3Learner, quadratic: Any) -> None:
    parameters = {"horizon": 4}
    healthy = learner.train(quadratic, ["private", "cooperative"], [0], 256, game_parameters=parameters)
    poisoned = functools.partial(quadratic, poison=6)
    struck = learner.train(poisoned, ["private", "cooperative"], [0], 256, game_parameters=parameters)
    assert [struck.status(k) for k in range(2)] == ["diverged", "trained"]
    assert same(healthy, 1, struck, 1)
    assert all(np.isfinite(tensor).all() for tensor in struck.tensors.values())


@pytest.mark.slow
@pytest.mark.parametrize(
    "learner",
    [
        SB3PPO(hidden=(16,), num_envs=64, rollout_steps=8, n_epochs=4, batch_size=128, learning_rate=3e-3),
        SB3A2C(hidden=(16,), num_envs=32, rollout_steps=2, learning_rate=3e-3),
        SB3SAC(
            hidden=(32,), num_envs=32, rollout_steps=1, steps_per_update=64, learning_rate=3e-3, learning_starts=500
        ),
    ],
    ids=lambda learner: type(learner).__name__,
)
def test_it_finds_the_optimum_of_a_one_step_game(learner: SB3Learner, quadratic: Any) -> None:
    result = learner.train(quadratic, ["private"], [0], 20_000)
    for seat, agent in enumerate(result.agents(0)):
        share = agent.act(np.array([[0.5, seat, 0.0]]))
        assert share == pytest.approx(0.37, abs=0.05)


@each
def test_truncation_may_bootstrap(learner: SB3Learner, quadratic: Any) -> None:
    settings = dataclasses.replace(learner, bootstrap_truncation=True)
    ends, goes_on = (
        one.train(quadratic, ["private"], [0], 512, game_parameters={"horizon": 4}) for one in (learner, settings)
    )
    assert not same(ends, 0, goes_on, 0)


def test_it_learns_beside_our_own() -> None:
    common: dict[str, Any] = {"num_envs": 8, "hidden": (8,)}
    ours = IPPO(**common, n_minibatches=2, n_epochs=1)
    theirs = SB3PPO(**common, n_epochs=1, batch_size=32)
    mixed = Mixed(members=(Member(ours, (0,)), Member(theirs, (1,))), num_envs=8, rollout_steps=8)
    result = mixed.train("TrustDilemma-v1", ["private"], [0], 128)
    assert [group["kind"] for group in result.record["policies"]] == ["squashed_gaussian", "clipped_gaussian"]
    assert len(result.agents(0)) == 2
