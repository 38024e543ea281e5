"""IPPO: it learns known answers, replicas are independent, and training repeats, resumes and reloads."""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import coopgym
from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.marl import IPPO, TrainingResult, load_agents
from coopgym.algorithms.marl.core.environment import environment_factory
from coopgym.algorithms.marl.core.trainer import Trainer
from coopgym.algorithms.marl.on_policy.ppo import PPOSeats
from coopgym.digests import DIGESTS_FILE
from coopgym.play.episodes import play

SMALL = IPPO(hidden=(16,), num_envs=32, n_epochs=2, n_minibatches=2)
MODES = ["private", "integrated", "cooperative"]
SHORT = {"max_steps": 25}
"""Parameters of games whose length is not the point."""


def small_run(rewards: list[str] = MODES, seeds: Any = (0, 1), game: str = "TrustDilemma-v1", **keywords: Any) -> Any:
    return SMALL.train(game, rewards, seeds, **{"env_steps": 1600, "game_parameters": SHORT} | keywords)


def same_policy(one: TrainingResult, a: int, other: TrainingResult, b: int) -> bool:
    names = [name for name in one.tensors if name.startswith("policy.")]
    return all(np.array_equal(one.tensors[name][a], other.tensors[name][b]) for name in names)


@pytest.mark.slow
def test_team_production_reaches_nash_and_optimum() -> None:
    """Private reward leads to the private Nash level, cooperative reward to the welfare optimum."""
    nash, optimum = 1.44, 1.76
    result = IPPO(hidden=(32, 32)).train(
        "TeamProduction-v1", rewards=["private", "cooperative"], seeds=range(2), env_steps=150_000
    )
    game = coopgym.make_game("TeamProduction-v1")
    for replica in result.replicas:
        episodes = play(game, result.agents(replica), reward=replica[0])
        welfare = episodes.payoffs.mean() / episodes.lengths.mean()
        target = nash if replica[0] == "private" else optimum
        assert abs(welfare - target) < 0.1 * (optimum - nash), (replica, welfare, episodes.cooperation)
        assert result.status(replica) == "trained"


def test_same_seed_same_weights() -> None:
    one, other = small_run(), small_run()
    assert all(same_policy(one, k, other, k) for k in range(6))
    assert one.record == other.record
    assert not same_policy(one, 0, one, 1)


@pytest.mark.parametrize("game", ["SynergySearch-v1", "TrustDilemma-v0"])
def test_a_replica_alone_equals_the_replica_in_a_stack(game: str) -> None:
    stacked = small_run(seeds=(0, 7), game=game)
    for reward, seed in [("private", 0), ("cooperative", 7)]:
        alone = small_run([reward], [seed], game)
        index = stacked.replicas.index((reward, seed))
        assert same_policy(alone, 0, stacked, index)
        assert alone.curves(0) == stacked.curves(index)


def test_modes_separate_under_the_individual_objective_only() -> None:
    individual = small_run(["integrated", "cooperative"], [0], "PartnerHoldUp-v1")
    assert not same_policy(individual, 0, individual, 1)
    team = IPPO(objective="team", hidden=(16,), num_envs=32).train(
        "TeamProduction-v1", ["private", "cooperative"], [0], 1
    )
    for name in team.tensors:
        if name.startswith("policy."):  # the same sum of rewards, up to rounding
            assert np.allclose(team.tensors[name][0], team.tensors[name][1], atol=1e-3)


def test_scaling_payoffs_by_a_power_of_two_changes_nothing_but_returns(quadratic: type) -> None:
    plain = SMALL.train(quadratic, env_steps=2000, game_parameters={"horizon": 10})
    scaled = SMALL.train(quadratic, env_steps=2000, game_parameters={"horizon": 10, "scale": 1024.0})
    assert same_policy(plain, 0, scaled, 0)
    for (_, metric, small), (_, _, large) in zip(plain.curves(0), scaled.curves(0), strict=True):
        in_units = metric.startswith(("reward", "payoff", "eval_welfare", "eval_return", "eval_payoff"))
        assert large == (small * 1024.0 if in_units else small)


def test_a_nan_in_one_replica_leaves_the_others_unchanged(quadratic: type) -> None:
    settings = IPPO(hidden=(16,), num_envs=32, rollout_steps=5)
    train = functools.partial(
        settings.train, quadratic, ["private", "cooperative"], [0, 1], 1600, game_parameters={"horizon": 10}
    )
    healthy = train()
    struck = settings.train(
        functools.partial(quadratic, poison=17),
        ["private", "cooperative"],
        [0, 1],
        1600,
        game_parameters={"horizon": 10},
    )
    assert [struck.diverged_at(k) for k in range(4)] == [4 * 5 * 32, None, None, None]
    assert [struck.status(k) for k in range(4)] == ["diverged", "trained", "trained", "trained"]
    assert all(same_policy(healthy, k, struck, k) for k in (1, 2, 3))
    assert all(np.isfinite(tensor).all() for tensor in struck.tensors.values())


@pytest.mark.parametrize(
    ("game", "rollout_steps"), [("TrustDilemma-v1", 10), ("SynergySearch-v1", None), ("TrustDilemma-v0", 10)]
)
def test_resuming_gives_the_same_weights(tmp_path: Path, game: str, rollout_steps: int | None) -> None:
    settings = IPPO(hidden=(16,), num_envs=32, n_epochs=1, n_minibatches=2, rollout_steps=rollout_steps)
    train = functools.partial(settings.train, game, ["private", "cooperative"], [0, 1], 1600, game_parameters=SHORT)
    whole = train()

    def stop(done: int, planned: int) -> None:
        if done >= planned // 2:
            raise KeyboardInterrupt

    keywords: dict[str, Any] = {"checkpoint": tmp_path, "checkpoint_every": 1}
    with pytest.raises(KeyboardInterrupt):
        train(progress=stop, **keywords)
    resumed = train(**keywords)
    assert all(same_policy(whole, k, resumed, k) for k in range(4))
    assert whole.record == resumed.record
    finished = train(**keywords)
    assert finished.record == whole.record


def test_a_checkpoint_of_another_run_or_a_broken_one_is_refused(tmp_path: Path) -> None:
    small_run(env_steps=1, checkpoint=tmp_path)
    with pytest.raises(ValueError, match="belongs to another run: env_steps=1 "):
        small_run(checkpoint=tmp_path)
    other = dataclasses.replace(SMALL, n_minibatches=4)
    with pytest.raises(ValueError, match=r"another run: n_minibatches=2 \(now 4\); choose another folder"):
        other.train("TrustDilemma-v1", MODES, (0, 1), env_steps=1, checkpoint=tmp_path, game_parameters=SHORT)
    (tmp_path / "checkpoint.safetensors").write_bytes(b"half a file")
    with pytest.raises(ValueError, match="not a readable checkpoint"):
        small_run(checkpoint=tmp_path)


def test_saved_policies_play_the_same(tmp_path: Path) -> None:
    result = small_run(game="TeamProduction-v1")
    result.save(tmp_path)
    observations = np.random.default_rng(0).random((50, 20))
    for original, loaded in zip(result.agents(3), load_agents(tmp_path, ("integrated", 1)), strict=True):
        assert np.array_equal(original.act(observations), loaded.act(observations))
    game = coopgym.make_game("TeamProduction-v1", **SHORT)
    first, second = (
        play(game, agents, episodes=3, seed=5).payoffs
        for agents in (result.agents(0, stochastic=True), load_agents(tmp_path, 0, stochastic=True))
    )
    assert np.array_equal(first, second)


def test_records_that_do_not_describe_their_policies_still_load(tmp_path: Path) -> None:
    result = small_run(["private"], [0], env_steps=1)
    result.save(tmp_path)
    record = json.loads((tmp_path / "training.json").read_text())
    (group,) = record.pop("policies")
    (tmp_path / "training.json").write_text(json.dumps(record | {"activation": group["activation"]}))
    (tmp_path / DIGESTS_FILE).unlink()  # such records are older than digests
    observations = np.random.default_rng(0).random((5, result.tensors["observation.gain"].shape[1]))
    for original, loaded in zip(result.agents(0), load_agents(tmp_path), strict=True):
        assert np.array_equal(original.act(observations), loaded.act(observations))


@pytest.mark.parametrize("file", ["policies.safetensors", "training.json", DIGESTS_FILE])
def test_a_flipped_byte_is_refused_and_its_file_named(file: str, tmp_path: Path) -> None:
    small_run(["private"], [0], env_steps=1).save(tmp_path)
    content = (tmp_path / file).read_bytes()
    for place in range(0, len(content), max(1, len(content) // 40)):
        altered = bytearray(content)
        altered[place] ^= 0x41
        (tmp_path / file).write_bytes(bytes(altered))
        with pytest.raises((ValueError, FileNotFoundError), match=re.escape(file)):
            load_agents(tmp_path)
    (tmp_path / file).write_bytes(content)
    assert load_agents(tmp_path)


def test_agents_play_what_the_network_means() -> None:
    make = environment_factory("TrustDilemma-v1", SHORT, None)
    trainer = Trainer(SMALL, make, cross(["private"], [0]), torch.device("cpu"))
    rollout, learner = trainer.collect(), trainer.seats
    assert isinstance(learner, PPOSeats)
    result = small_run(["private"], [0], env_steps=1)
    policy = {name: torch.as_tensor(result.tensors[f"policy.{name}"]) for name in learner.networks.policy()}
    seen = torch.rand(1, 2, 9, rollout.observation.shape[-1])
    mean = learner.networks.means(2.0 * seen - 1.0, policy)
    for seat, agent in enumerate(result.agents(0)):
        expected = 0.5 * (torch.tanh(mean[0, seat]) + 1.0)
        assert np.allclose(agent.act(seen[0, seat].numpy()), expected.numpy(), atol=1e-4)


def test_loading_reports_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"training\.json is missing"):
        load_agents(tmp_path)
    small_run(env_steps=1).save(tmp_path)
    with pytest.raises(ValueError, match=r"no replica 99; there are 6"):
        load_agents(tmp_path, 99)
    (tmp_path / "policies.safetensors").write_bytes(b"nonsense")
    with pytest.raises(ValueError, match=r"policies\.safetensors is damaged or was altered"):
        load_agents(tmp_path)
    (tmp_path / DIGESTS_FILE).unlink()
    with pytest.raises(ValueError, match=r"policies\.safetensors holds no readable tensors"):
        load_agents(tmp_path)
    (tmp_path / "training.json").write_text("{")
    with pytest.raises(ValueError, match="not a readable training result"):
        load_agents(tmp_path)


def test_an_agent_refuses_a_seat_it_was_not_trained_for() -> None:
    result = small_run(["private"], [0], env_steps=1)
    first, second = result.agents(0)
    with pytest.raises(ValueError, match="trained for seat 1 of TrustDilemma-v1"):
        play(coopgym.make_game("TrustDilemma-v1", **SHORT), [second, first])
    with pytest.raises(ValueError, match="the 'full' view has"):
        play(coopgym.make_game("TrustDilemma-v1", **SHORT), [first, second], views="full")
    with pytest.raises(ValueError, match="seat=2"):
        result.agent(reward="private", seed=0, seat=2)


def test_policies_speak_in_shares_and_play_foreign_games_only_when_told(tmp_path: Path) -> None:
    small_run(["private"], [0], env_steps=1, game_parameters=SHORT | {"endowment": 50.0}).save(tmp_path)

    def opening(endowment: float, **told: bool) -> Any:
        game = coopgym.make_game("TrustDilemma-v1", **SHORT, endowment=endowment)
        trajectory = play(game, load_agents(tmp_path, **told), record=True).trajectory
        assert trajectory is not None
        return trajectory.shares[0, 0]

    for endowment in (20.0, 200.0):
        with pytest.raises(
            ValueError, match=rf"another TrustDilemma-v1: endowment was 50.0 and is {endowment}; .*foreign=True"
        ):
            opening(endowment)
        np.testing.assert_allclose(opening(endowment, foreign=True), opening(50.0), rtol=1e-6)


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"env_steps": -5}, ValueError, "env_steps=-5"),
        ({"game": "TrustDilema-v1"}, ValueError, "did you mean"),
        ({"view": "everything"}, ValueError, "everything"),
        ({"game_parameters": {"gama": 1.0}}, TypeError, "gama"),
    ],
)
def test_bad_training_arguments(keywords: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        small_run(**keywords)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"objective": "selfish"}, ValueError, "objective='selfish'"),
        ({"activation": "gelu"}, ValueError, "activation='gelu'"),
        ({"learning_rate": 0.0}, ValueError, "learning_rate=0.0"),
        ({"gamma": 1.5}, ValueError, r"gamma=1.5.*\[0, 1\]"),
        ({"n_epochs": 1.5}, TypeError, "n_epochs=1.5: expected a whole number"),
        ({"hidden": (64, 0)}, ValueError, "hidden=0"),
        ({"clip_range": float("nan")}, ValueError, "clip_range=nan"),
    ],
)
def test_bad_hyperparameters(settings: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        IPPO(**settings)


def test_budget_and_curves_are_accounted_for(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    result = small_run(["private"], [3], env_steps=1250, progress=lambda done, planned: calls.append((done, planned)))
    assert calls == [(800, 1250), (1600, 1250)]
    assert (result.env_steps, result.gradient_updates) == (1600, 2 * 2 * 2)
    steps = [step for step, metric, _ in result.curves(("private", 3)) if metric == "kl"]
    assert steps == [800, 1600]
    assert {metric for _, metric, _ in result.curves(0)} >= {"reward", "payoff", "cooperation", "entropy", "value_loss"}
    assert result.hyperparameters["num_envs"] == 32
    result.save(tmp_path)
    assert json.loads((tmp_path / "training.json").read_text())["game"] == "TrustDilemma-v1"


def test_truncation_may_bootstrap(quadratic: type) -> None:
    settings = IPPO(hidden=(16,), num_envs=32, bootstrap_truncation=True)
    result = settings.train(quadratic, ["private"], [0], 640, game_parameters={"horizon": 10})
    assert result.status() == "trained"
