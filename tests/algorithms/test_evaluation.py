"""Evaluation curves say what the trained agents earn, and training does not notice that it is watched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import coopgym
from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.marl import IPPO, TrainingResult
from coopgym.algorithms.marl.core import training_loop
from coopgym.algorithms.marl.core.environment import observation_map
from coopgym.algorithms.marl.core.training_loop import Evaluator
from coopgym.play.episodes import play

SMALL = IPPO(hidden=(16,), num_envs=32, n_epochs=1, n_minibatches=2, rollout_steps=20)
MODES = ["private", "integrated", "cooperative"]
SHORT = {"max_steps": 40}
"""Two blocks are an episode."""


def run(game: Any = "TrustDilemma-v1", rewards: Any = MODES, seeds: Any = (0, 1), **keywords: Any) -> TrainingResult:
    return SMALL.train(game, rewards, seeds, **{"env_steps": 1920, "game_parameters": SHORT} | keywords)


def evaluations(result: TrainingResult, replica: Any = 0) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for step, metric, value in result.curves(replica):
        if metric.startswith("eval_"):
            found.setdefault(metric, []).append((step, value))
    return found


@pytest.mark.parametrize("game", ["TrustDilemma-v1", "TeamProduction-v1", "TrustDilemma-v0"])
def test_the_last_point_is_what_the_agents_earn(game: str) -> None:
    result = run(game)
    for replica in result.replicas:
        last = {metric: points[-1][1] for metric, points in evaluations(result, replica).items()}
        episodes = play(coopgym.make_game(game, **SHORT), result.agents(replica))
        expected = {
            "eval_welfare": episodes.payoffs.sum(),
            **{f"eval_return_{mode}": episodes.returns[mode].sum() for mode in MODES},
            "eval_cooperation": episodes.cooperation.mean(),
            "eval_trust": episodes.final["mean_trust"].mean(),
            **{f"eval_payoff/{seat}": payoff for seat, payoff in enumerate(episodes.payoffs[0])},
        }
        assert last == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_training_is_the_same_with_and_without(tmp_path: Path) -> None:
    game = "SynergySearch-v1"  # which draws random numbers
    plain, watched = run(game, evaluations=0), run(game, evaluations=5)
    assert all(np.array_equal(plain.tensors[name], watched.tensors[name]) for name in plain.tensors)
    for replica in plain.replicas:
        trained = [point for point in watched.curves(replica) if not point[1].startswith("eval_")]
        assert trained == plain.curves(replica)
        assert not evaluations(plain, replica)


def test_points_are_spread_over_the_budget() -> None:
    points = evaluations(run(env_steps=5120, evaluations=4), 0)["eval_welfare"]
    assert [step for step, _ in points] == [1280, 2560, 3840, 5120]
    every_block = evaluations(run(env_steps=1800, evaluations=50), 0)["eval_welfare"]
    assert [step for step, _ in every_block] == [640, 1280, 1920]
    with pytest.raises(ValueError, match="evaluations=-1"):
        run(evaluations=-1)


@pytest.mark.parametrize("game", ["TrustDilemma-v1", "SynergySearch-v1"])
def test_a_curve_does_not_depend_on_what_is_played_beside_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, game: str
) -> None:
    modes = ["private", "integrated"]
    whole = run(game, modes, env_steps=3200)
    alone = run(game, ["integrated"], [1], env_steps=3200)
    assert alone.curves(0) == whole.curves(("integrated", 1))
    often = run(game, modes, env_steps=3200, checkpoint=tmp_path, checkpoint_every=3)
    assert often.record == whole.record
    monkeypatch.setattr(training_loop, "MOST_WAITING", 0)
    assert run(game, modes, env_steps=3200).record == whole.record


def test_a_resumed_run_has_the_curves_of_an_uninterrupted_one(tmp_path: Path) -> None:
    def stop(done: int, planned: int) -> None:
        if done >= planned // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(env_steps=3200, checkpoint=tmp_path, checkpoint_every=2, progress=stop)
    assert run(env_steps=3200, checkpoint=tmp_path, checkpoint_every=2).record == run(env_steps=3200).record


def test_checkpoints_are_spaced_in_time(tmp_path: Path) -> None:
    run(checkpoint=tmp_path, checkpoint_every=1, checkpoint_seconds=3600.0)
    assert not list(tmp_path.iterdir())


def test_games_of_many_seats_have_no_curves_of_single_seats() -> None:
    metrics = evaluations(run("ApacheProject-v1", ["private"], [0], env_steps=400), 0)
    assert set(metrics) == {
        "eval_welfare", "eval_cooperation", "eval_trust", *(f"eval_return_{mode}" for mode in MODES)
    }  # fmt: skip


@pytest.mark.parametrize(("kind", "outputs", "share"), [
    ("squashed_gaussian", [0.5], 0.5 * (np.tanh(0.5) + 1.0)),
    ("squashed_gaussian", [0.5, -3.0], 0.5 * (np.tanh(0.5) + 1.0)),
    ("deterministic", [-0.2], 0.5 * (np.tanh(-0.2) + 1.0)),
    ("categorical", [0.0, 3.0, 1.0], 0.5),
    ("action_values", [-1.0, -3.0, 1.0, 0.0, 0.0], 0.5),
])  # fmt: skip
def test_every_form_of_policy_is_played(quadratic: Any, kind: str, outputs: list[float], share: float) -> None:
    """Two groups of one seat each; networks whose biases alone speak."""
    environment = quadratic(4)
    groups = [
        {"seats": [seat], "kind": kind, "activation": "relu", "prefix": prefix}
        for seat, prefix in ((1, "late."), (0, "early."))
    ]
    evaluator = Evaluator(quadratic, environment, cross(["private"], [0]), groups, torch.device("cpu"))
    silent = {
        "weight_0": torch.zeros(1, 1, 3, len(outputs)),
        "bias_0": torch.tensor(outputs).view(1, 1, 1, -1),
    }
    mute = silent | {"bias_0": torch.zeros_like(silent["bias_0"])}
    late = {f"late.{name}": tensor for name, tensor in silent.items()}
    early = {f"early.{name}": tensor for name, tensor in mute.items()}
    evaluator.snapshot(7, late | early)
    ((step, metrics),) = evaluator.results()
    assert step == 7
    assert evaluator.results() == []
    assert metrics["eval_payoff/1"].item() == pytest.approx(1.0 - (share - 0.37) ** 2, rel=1e-5)
    neutral = 0.0 if kind in ("categorical", "action_values") else 0.5
    assert metrics["eval_payoff/0"].item() == pytest.approx(1.0 - (neutral - 0.37) ** 2, rel=1e-5)
    assert observation_map(environment)[0].shape == (2, 3)
