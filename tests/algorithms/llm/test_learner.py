"""Language models as learners: replicas, progress, checkpoints, and studies of the harness."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from coopgym.algorithms.llm.training.learner import LLM
from coopgym.algorithms.llm.training.result import LanguageResult
from coopgym.benchmarks.execute.executors import InProcess
from coopgym.benchmarks.execute.runner import run_study
from coopgym.benchmarks.study import Study, expand
from coopgym.corpus import load_corpus
from coopgym.games.registry import make_game
from coopgym.play import play
from tests.support.quiet import Silence

GAME = "TrustDilemma-v1"
SIZE = {"layers": 1, "width": 16, "heads": 2, "context": 384, "max_turns": 2, "warm_up_steps": 2, "max_tokens": 16}
LEARNER = LLM(**SIZE, prompts=2, group_size=2)
BATCH = 4


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COOPGYM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def four() -> LanguageResult:
    return LEARNER.train(GAME, ["private", "cooperative"], [0, 1], 2 * BATCH)


def weights(result: LanguageResult, replica: int) -> np.ndarray:
    model = result.models[replica]
    assert model is not None
    return torch.cat([tensor.ravel() for tensor in model.state().values()]).numpy()


def test_replicas_cross_rewards_and_seeds(four: LanguageResult) -> None:
    assert four.replicas == [("private", 0), ("private", 1), ("cooperative", 0), ("cooperative", 1)]
    assert (four.env_steps, four.gradient_updates) == (2 * BATCH, 2)
    assert [four.status(replica) for replica in range(4)] == ["trained"] * 4
    assert len({weights(four, replica).tobytes() for replica in range(4)}) == 4
    outcomes = [(step, value) for step, metric, value in four.curves(1) if metric == "outcome"]
    assert [step for step, _ in outcomes] == [BATCH, 2 * BATCH]
    assert four.hyperparameters["method"] == "grpo"


def test_a_replica_alone_equals_a_replica_among_others(four: LanguageResult) -> None:
    alone = LEARNER.train(GAME, ["cooperative"], [1], 2 * BATCH)
    assert np.array_equal(weights(alone, 0), weights(four, 3))
    assert alone.curves(0) == four.curves(3)


def test_a_training_goes_on_where_it_was_stopped(four: LanguageResult, tmp_path: Path) -> None:
    shares: list[float] = []

    def stop(done: int, planned: int) -> None:
        shares.append(done / planned)
        if shares[-1] > 0.7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        LEARNER.train(GAME, ["private", "cooperative"], [0, 1], 2 * BATCH, checkpoint=tmp_path, progress=stop)
    again = LEARNER.train(GAME, ["private", "cooperative"], [0, 1], 2 * BATCH, checkpoint=tmp_path)
    for replica in range(4):
        assert np.array_equal(weights(again, replica), weights(four, replica))
        assert again.curves(replica) == four.curves(replica)


def test_a_checkpoint_of_another_game_is_refused(tmp_path: Path) -> None:
    LEARNER.train(GAME, ["private"], [0], 1, checkpoint=tmp_path)
    with pytest.raises(ValueError, match=r"parameters=.*max_steps"):
        LEARNER.train(GAME, ["private"], [0], 1, checkpoint=tmp_path, game_parameters={"max_steps": 50})


def test_progress_runs_smoothly_from_warm_up_to_the_last_replica(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COOPGYM_CACHE", str(tmp_path))
    told: list[tuple[int, int]] = []
    LEARNER.train(GAME, ["private"], [0, 1], 2 * BATCH, progress=lambda *done: told.append(done))
    planned = 2 * (2 * 32 + 2 * BATCH)
    assert {whole for _, whole in told} == {planned}
    read = [32, 64, 64 + BATCH, 64 + 2 * BATCH]
    assert [done for done, _ in told] == [*read, *(planned // 2 + done for done in read)]


def test_the_model_before_training_is_the_warm_up() -> None:
    told: list[tuple[int, int]] = []
    plain = dataclasses.replace(LEARNER, method="warm_up")
    result = plain.train(GAME, ["private"], [0], 1, progress=lambda *done: told.append(done))
    assert (result.env_steps, result.gradient_updates, result.curves(0)) == (0, 0, [])
    assert plain.title == "LLM-warm_up"
    assert told[-1] == (64, 64)
    assert play(make_game(GAME, max_steps=2), result.agents(0)).lengths == [2.0]


def test_a_diverged_replica_is_told_and_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    from coopgym.algorithms.llm.training.trainer import Trainer

    def step(trainer: Trainer) -> None:
        trainer.decisions += BATCH
        if trainer.seed == 1:
            raise FloatingPointError("loss nan")

    monkeypatch.setattr(Trainer, "step", step)
    result = LEARNER.train(GAME, ["private"], [0, 1], BATCH)
    assert [result.status(replica) for replica in (0, 1)] == ["trained", "diverged"]
    assert result.diverged_at(1) == BATCH
    assert result.models[0] is not None
    assert result.models[1] is None


@pytest.mark.parametrize(("arguments", "message"), [({"env_steps": 0}, "env_steps=0"), ({"view": "bird"}, "bird")])
def test_wrong_arguments_are_told(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LEARNER.train(GAME, ["private"], [0], **{"env_steps": 1, **arguments})


def test_an_oracle_is_checked_against_the_game_not_before() -> None:
    learner = LLM(oracle="Oracle_BoundedReciprocity")
    learner.check(make_game("ReciprocalDilemma-v1"))
    with pytest.raises(ValueError, match=r"Oracle_BoundedReciprocity.* does not apply to TrustDilemma-v1"):
        learner.check(make_game(GAME))


def test_a_study_trains_plays_and_keeps_what_was_said(tmp_path: Path) -> None:
    small = {**SIZE, "prompts": 2, "group_size": 2}
    learners = [
        {"name": "LLM", "env_steps": BATCH, "hyperparameters": {**small, "method": method, "recorded_rollouts": 3}}
        for method in ("grpo", "warm_up")
    ]
    study = Study.model_validate(
        {
            "name": "talk",
            "rewards": ["cooperative"],
            "seeds": [7],
            "episodes": 1,
            "stochastic_episodes": 1,
            "blocks": [
                {
                    "games": [GAME],
                    "agents": ["TitForTat"],
                    "parameters": {"max_steps": 3},
                    "learners": learners,
                    "cross_play": True,
                }
            ],
        }
    )
    outcome = run_study(study, expand(study), tmp_path, InProcess(), Silence())
    assert outcome.failed == 0
    corpus = load_corpus(tmp_path)
    runs = {row["run_id"]: row for row in corpus.runs.to_pylist()}
    alone = {row["algorithm"]: row for row in runs.values() if row["protocol"] == "self_play"}
    assert {"LLM-grpo", "LLM-warm_up", "TitForTat"} <= set(alone)
    assert {row["status"] for row in runs.values()} == {"completed"}
    assert alone["LLM-grpo"]["gradient_updates"] == 1
    pairs = {(row["algorithm"], *(row["background"] or ())) for row in runs.values() if row["protocol"] == "scenario"}
    assert {("LLM-grpo", "TitForTat"), ("TitForTat", "LLM-grpo"), ("LLM-grpo", "LLM-warm_up")} <= pairs

    curves = corpus.curves.to_pylist()
    assert {runs[row["run_id"]]["algorithm"] for row in curves} == {"LLM-grpo"}
    assert {"outcome", "tokens", "answered", "flat_groups"} <= {row["metric"] for row in curves}
    turns = corpus.turns.to_pylist()
    talked = {row["run_id"] for row in turns}
    assert talked == set(runs) - {alone["TitForTat"]["run_id"]}
    own = [row for row in turns if (row["run_id"], row["phase"]) == (alone["LLM-grpo"]["run_id"], "evaluation")]
    assert all(row["logprob"] is None for row in own), "best guesses are not drawn"
    assert {(row["seat"], row["t"]) for row in own} == {(seat, t) for seat in range(2) for t in range(3)}
    check_rollouts([row for row in turns if row["phase"] == "training"], alone["LLM-grpo"])


def check_rollouts(rows: list[dict[str, Any]], run: dict[str, Any]) -> None:
    """Three rollouts of every step, word by word."""
    assert {row["run_id"] for row in rows} == {run["run_id"]}
    rollouts = [list(own) for _, own in groupby(rows, key=lambda row: row["episode"])]
    assert [own[0]["training_step"] for own in rollouts] == [
        step for step in range(len(rollouts) // 3) for _ in range(3)
    ]
    for own in rollouts:
        assert [row["turn"] for row in own] == list(range(len(own)))
        assert [row["role"] for row in own][:2] == ["user", "assistant"]
        assert [row["outcome"] is None for row in own] == [True] * (len(own) - 1) + [False]
        written = [row for row in own if row["role"] == "assistant"]
        assert all(row["logprob"] < 0.0 and row["completion_tokens"] > 0 for row in written)
        assert all(row["logprob"] is None for row in own if row["role"] != "assistant")
