"""What every learner has to hold. A new learner is covered as soon as it is registered.

Runs are tiny and shared between checks. Where a learner needs other settings than its fields suggest, a table says so.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
import torch

from coopgym.algorithms import learners
from coopgym.algorithms.common.random_streams import Streams, cross
from coopgym.algorithms.marl import TrainingResult, load_agents
from coopgym.algorithms.marl.core.environment import environment_factory
from coopgym.algorithms.marl.core.trainer import ReplicaLearner, Trainer
from coopgym.algorithms.marl.external.sb3_learner import SB3Learner

Environments: TypeAlias = Callable[..., Any]

NAMES = sorted(
    name for name, kind in learners().items() if issubclass(kind, ReplicaLearner) and not issubclass(kind, SB3Learner)
)
"""All that stack replicas, but those of stable-baselines3, which draw their own numbers and learn as fast as they do:
see test_sb3."""
REWARDS, SEEDS = ["private", "cooperative"], [0, 7]
HORIZON, BUDGET = 5, 480

TINY: dict[str, Any] = {
    "hidden": (8,),
    "num_envs": 16,
    "rollout_steps": 5,
    "n_epochs": 2,
    "n_minibatches": 2,
    "levels": 5,
    "buffer_size": 200,
    "batch_size": 16,
    "learning_starts": 80,
    "steps_per_update": 40,
    "snapshot_every": 100,
}
"""Settings of tiny runs, for learners that have such a field."""
TINY_EXTRA: dict[str, dict[str, Any]] = {
    "FCP": {"teams": 3, "strangers": 1, "examined": 2, "marks": 4},
    "Mixed": {
        "members": [
            {"learner": "IPPO", "seats": [0], "hidden": [8], "n_epochs": 2, "n_minibatches": 2},
            {"learner": "MADDPG", "seats": [1], "hidden": [8], "batch_size": 16, "learning_starts": 80},
        ]
    },
}

SMALLEST: dict[str, Any] = {
    "hidden": (4,),
    "rollout_steps": 1,
    "n_epochs": 1,
    "n_minibatches": 1,
    "levels": 3,
    "buffer_size": 50,
    "learning_starts": 0,
    "steps_per_update": 1,
    "snapshot_every": 10,
}
"""Settings of runs whose samples can be counted on one hand."""
CONTENT_WITH_ONE = {"COMA", "FCP", "IQL", "QMIX", "VDN"}
"""Learners that compare a sample with nothing but what they expected of it; and FCP, which pools those of its teams."""

LONGER: dict[str, Any] = {
    "rollout_steps": 4,
    "hidden": (16,),
    "num_envs": 64,
    "n_minibatches": 2,
    "batch_size": 64,
    "learning_starts": 1000,
    "steps_per_update": 16,
}
"""Settings of the one run that has to learn."""
CLIMBER: dict[str, Any] = {
    "hidden": (16, 16),
    "activation": "tanh",
    "learning_rate": 1e-3,
    "critic_learning_rate": 3e-3,
    "batch_size": 64,
    "steps_per_update": 16,
}
"""Settings of policies that climb a critic: it has to be curved before it can show where its peak is."""
LONGER_EXTRA: dict[str, dict[str, Any]] = {
    "COMA": {"n_minibatches": 16},
    "FCP": {"teams": 6, "strangers": 2},
    "IA2C": {"num_envs": 32, "rollout_steps": 1},
    **dict.fromkeys(("ISAC", "M3DDPG", "MADDPG", "MASAC", "MATD3"), CLIMBER),
    "Mixed": {
        "members": [
            {"learner": "IPPO", "seats": [0], "hidden": [16], "n_minibatches": 2},
            {"learner": "MADDPG", "seats": [1], **CLIMBER},
        ]
    },
}

STEPS, SOONER = 20_000, {"IA2C": 12_000, "IQL": 10_000, "ISAC": 10_000}
"""Joint steps of that run, and of learners that are there well before."""

LIKE_ANOTHER = {
    "COMA",
    "FCP",
    "IA2C",
    "JointPPO",
    "M3DDPG",
    "MAPPO",
    "MASAC",
    "MATD3",
    "MeanFieldAC",
    "Mixed",
    "QMIX",
    "SelfPlayPPO",
    "VDN",
}
"""Learners whose update differs little from one that has to find the optimum by default, or that hunt the stag by
default in a file of their own; they are given the time in the slow tests. What they learn in a tiny run is recorded
(test_versions)."""


def settings(name: str, common: dict[str, Any], extra: dict[str, dict[str, Any]]) -> ReplicaLearner:
    kind = learners()[name]
    fields = {field.name for field in dataclasses.fields(kind)}
    return kind(**{key: value for key, value in common.items() if key in fields} | extra.get(name, {}))


def seats(name: str) -> int:
    return max(2, learners()[name].min_agents)


def run(name: str, environments: Environments, rewards: Any = REWARDS, given: Any = SEEDS, **more: Any) -> Any:
    """Train a tiny run; keywords of the environment and of training may be mixed."""
    game = {"horizon": HORIZON, "agents": seats(name)} | {
        key: more.pop(key) for key in ("scale", "poison") if key in more
    }
    keywords: dict[str, Any] = {"game_parameters": game, "evaluations": 2} | more
    return settings(name, TINY, TINY_EXTRA).train(environments, rewards, given, BUDGET, **keywords)


@functools.cache
def first_run(name: str, environments: Environments) -> TrainingResult:
    """The run that others are compared with."""
    result: TrainingResult = run(name, environments)
    return result


def same_policy(one: TrainingResult, a: int, other: TrainingResult, b: int) -> bool:
    names = [name for name in one.tensors if name.startswith("policy.")]
    return all(np.array_equal(one.tensors[name][a], other.tensors[name][b]) for name in names)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_weights(name: str, quadratic: Environments) -> None:
    """By default a replica alone equals itself in a stack, and what every learner learns is recorded."""
    one, other = first_run(name, quadratic), run(name, quadratic)
    assert all(same_policy(one, k, other, k) for k in range(4))
    assert one.record == other.record
    assert not same_policy(one, 0, one, 1)
    assert one.gradient_updates > 0


@pytest.mark.parametrize("name", NAMES)
def test_a_replica_alone_equals_the_replica_in_a_stack(name: str, quadratic: Environments) -> None:
    stacked, alone = first_run(name, quadratic), run(name, quadratic, ["cooperative"], [0])
    assert same_policy(alone, 0, stacked, 2)
    assert alone.curves(0) == stacked.curves(2)


@pytest.mark.parametrize("name", NAMES)
def test_resuming_gives_the_same_weights(name: str, quadratic: Environments, tmp_path: Path) -> None:
    def stop(done: int, planned: int) -> None:
        if 2 * done >= planned:
            raise KeyboardInterrupt

    keywords: dict[str, Any] = {"checkpoint": tmp_path, "checkpoint_every": 1}
    with pytest.raises(KeyboardInterrupt):
        run(name, quadratic, progress=stop, **keywords)
    whole, resumed = first_run(name, quadratic), run(name, quadratic, **keywords)
    assert all(same_policy(whole, k, resumed, k) for k in range(4))
    assert whole.record == resumed.record


@pytest.mark.parametrize("name", NAMES)
def test_a_nan_in_one_replica_leaves_the_others_unchanged(name: str, quadratic: Environments) -> None:
    healthy, struck = first_run(name, quadratic), run(name, quadratic, poison=17)
    assert [struck.status(k) for k in range(4)] == ["diverged", "trained", "trained", "trained"]
    assert all(same_policy(healthy, k, struck, k) for k in (1, 2, 3))
    assert all(np.isfinite(tensor).all() for tensor in struck.tensors.values())


def barely(name: str, environments: Environments, samples: int, blocks: int = 12) -> TrainingResult:
    """Train with so many samples per place, block and minibatch."""
    sizes = {"num_envs": samples, "batch_size": samples}
    members = [
        {"learner": "IPPO", "seats": [0], "hidden": [4], "n_epochs": 1, "n_minibatches": 1},
        {"learner": "MADDPG", "seats": [1], "hidden": [4], "batch_size": samples, "learning_starts": 0},
    ]
    extra = {"FCP": TINY_EXTRA["FCP"] | {"examined": 1, "num_envs": 4 * samples}, "Mixed": {"members": members}}
    game = {"horizon": HORIZON, "agents": seats(name)}
    learner = settings(name, SMALLEST | sizes, extra)
    return learner.train(environments, ["private"], [0], blocks * learner.num_envs, game_parameters=game)


@pytest.mark.parametrize("name", NAMES)
def test_a_spread_of_single_samples_is_refused_and_two_samples_teach(name: str, quadratic: Environments) -> None:
    """One sample has no deviation: a learner that needs it says so instead of going on without a scale."""
    enough = [1, 2] if name in CONTENT_WITH_ONE else [2]
    for samples in enough:
        result = barely(name, quadratic, samples)
        assert result.status() == "trained"
        assert all(np.isfinite(value) for _, _, value in result.curves())
        assert not same_policy(result, 0, barely(name, quadratic, samples, blocks=6), 0)
    if 1 not in enough:
        with pytest.raises(ValueError, match=r"batch_size=1: expected at least 2|a block of one sample has no advant"):
            barely(name, quadratic, samples=1)


@pytest.mark.parametrize("exponent", [-10, pytest.param(17, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", NAMES)
def test_the_scale_of_payoffs_changes_nothing_but_returns(name: str, exponent: int, quadratic: Environments) -> None:
    factor = 2.0**exponent
    plain, scaled = first_run(name, quadratic), run(name, quadratic, ["private", "cooperative"], [0, 7], scale=factor)
    assert all(same_policy(plain, k, scaled, k) for k in range(4))
    paid = ("reward", "payoff", "eval_welfare", "eval_return", "eval_payoff")
    for (_, metric, before), (_, _, after) in zip(plain.curves(0), scaled.curves(0), strict=True):
        assert after == (factor * before if metric.startswith(paid) else before), metric


@contextlib.contextmanager
def other_draws(streams: Streams, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Draw other numbers than usual, from the same place of the streams."""
    normal, uniform, integers = streams.normal, streams.uniform, streams.integers
    with monkeypatch.context() as patch:
        patch.setattr(streams, "normal", lambda shape: normal(shape) + 0.5)
        patch.setattr(streams, "uniform", lambda shape: (uniform(shape) + 0.5) % 1.0)
        patch.setattr(streams, "integers", lambda high, shape: (integers(high, shape) + high // 2) % high)
        yield


@pytest.mark.parametrize("name", NAMES)
def test_the_action_taken_matters(name: str, quadratic: Environments, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where neither rewards nor observations depend on actions, other actions still teach other policies."""
    make = environment_factory(quadratic, {"deaf": True, "horizon": HORIZON, "agents": seats(name)}, None)
    taught = []
    for differs in (False, True):
        trainer = Trainer(settings(name, TINY, TINY_EXTRA), make, cross(["private"], [0]), torch.device("cpu"))
        for block in range(4):
            with other_draws(trainer.streams, monkeypatch) if differs else contextlib.nullcontext():
                rollout = trainer.collect(block / 4)
            trainer.seats.update(rollout, block / 4)
        taught.append(trainer.policies())
    assert any(not torch.equal(taught[0][name], taught[1][name]) for name in taught[0])


@pytest.mark.parametrize("name", NAMES)
def test_saved_policies_play_the_same(name: str, quadratic: Environments, tmp_path: Path) -> None:
    result = first_run(name, quadratic)
    result.save(tmp_path)
    inputs = result.tensors["observation.gain"].shape[1]
    observations = np.random.default_rng(0).random((20, inputs))
    for stochastic in (False, True):
        agents = result.agents(3, stochastic=stochastic)
        loaded = load_agents(tmp_path, ("cooperative", 7), stochastic=stochastic)
        for original, copy in zip(agents, loaded, strict=True):
            answer = original.act(observations)
            assert np.array_equal(answer, copy.act(observations))
            assert ((answer >= 0.0) & (answer <= 1.0)).all()


@pytest.mark.parametrize("name", NAMES)
def test_evaluating_twice_gives_the_same(name: str, quadratic: Environments) -> None:
    """No hidden state: neither earlier questions nor their order change an answer."""
    result = first_run(name, quadratic)
    inputs = result.tensors["observation.gain"].shape[1]
    observations = np.random.default_rng(0).random((20, inputs))
    agents = result.agents(0)
    first = [agent.act(observations) for agent in agents]
    again = [agent.act(observations[::-1])[::-1] for agent in reversed(agents)][::-1]
    np.testing.assert_allclose(first, again, rtol=1e-12)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in LIKE_ANOTHER else name for name in NAMES]
)
def test_finds_the_optimum_of_a_one_step_game(name: str, quadratic: Environments) -> None:
    result = settings(name, LONGER, LONGER_EXTRA).train(
        quadratic, ["private"], [0], SOONER.get(name, STEPS), game_parameters={"agents": seats(name)}, evaluations=0
    )
    for seat, agent in enumerate(result.agents(0)):
        observation = np.full((1, len(agent.policy.gain)), 0.5)
        observation[:, 1:3] = seat, 0.0
        assert agent.act(observation) == pytest.approx(0.37, abs=0.02)
