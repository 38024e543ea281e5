"""Studies with reward transforms: learners are paid through them, and everybody is evaluated on the mode."""

from __future__ import annotations

import dataclasses
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import coopgym
from coopgym.algorithms import learners
from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.marl.core.environment import reward_scales
from coopgym.benchmarks.execute.executors import InProcess
from coopgym.benchmarks.execute.runner import run_study
from coopgym.benchmarks.study import RunSpec, Study, expand
from coopgym.interfaces.torch import TorchEnv
from coopgym.rewards import Shaping
from tests.support.quiet import Silence

GAME, SHAPED = "TrustDilemma-v1", "private + shaping(trust, weight=0.5)"
TINY = {"num_envs": 8, "rollout_steps": 5, "hidden": [8]}


def study(**block: Any) -> Study:
    facts: dict[str, Any] = {
        "games": [GAME],
        "agents": ["TitForTat"],
        "learners": [{"name": "IPPO", "env_steps": 80, "hyperparameters": TINY}],
        "parameters": {"max_steps": 5},
    }
    shared = {"name": "shaped", "rewards": ["private", SHAPED], "seeds": [1], "episodes": 1}
    return Study.model_validate(shared | {"blocks": [facts | block]})


def by_algorithm(runs: list[RunSpec]) -> dict[tuple[str, str | None], RunSpec]:
    found = {(run.algorithm, run.scenario): run for run in runs}
    assert len(found) == len(runs)
    return found


def test_a_learner_with_a_transform_is_another_algorithm_under_the_same_mode() -> None:
    runs = by_algorithm(expand(study()))
    assert {name for name, _ in runs} == {"TitForTat", "IPPO", "IPPO + shaping(trust, weight=0.5)"}
    assert {run.reward for run in runs.values()} == {"private"}
    plain, shaped = runs["IPPO", None], runs["IPPO + shaping(trust, weight=0.5)", None]
    assert plain.replica == ("private", plain.training_seed)
    assert shaped.replica == (SHAPED, plain.training_seed)
    assert shaped.run_id != plain.run_id
    assert shaped.exploitability == plain.exploitability


def test_those_who_do_not_learn_play_under_the_mode_once() -> None:
    runs = expand(study(learners=[]).model_copy(update={"rewards": [SHAPED, "cooperative"]}))
    assert [(run.algorithm, run.reward) for run in runs] == [("TitForTat", "private"), ("TitForTat", "cooperative")]


def test_scenarios_tell_whom_a_transform_has_trained() -> None:
    runs = by_algorithm(expand(study(cross_play=True)))
    met = {names: run for names, run in runs.items() if run.scenario}
    assert set(met) == {
        ("IPPO", "among:TitForTat"),
        ("IPPO + shaping(trust, weight=0.5)", "among:TitForTat"),
        ("TitForTat", "among:IPPO"),
        ("TitForTat", "among:IPPO + shaping(trust, weight=0.5)"),
    }
    for (algorithm, scenario), run in met.items():
        (dependency,) = run.dependencies
        name = algorithm if algorithm.startswith("IPPO") else str(scenario).removeprefix("among:")
        assert dependency.run_id == runs[name, None].run_id


def test_the_version_of_a_transform_is_in_the_id(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = by_algorithm(expand(study()))
    plain, shaped = runs["IPPO", None], runs["IPPO + shaping(trust, weight=0.5)", None]
    monkeypatch.setattr(Shaping, "version", Shaping.version + 1)
    assert dataclasses.replace(shaped).run_id != shaped.run_id
    assert dataclasses.replace(plain).run_id == plain.run_id


def test_scales_and_policies_of_a_transformed_replica() -> None:
    pair = cross(["private", SHAPED, "cooperative + shaping(mean_trust, weight=100)"], [3])
    make = partial(TorchEnv, GAME, max_steps=5, actions="units")
    scales = reward_scales(make, pair, "individual")
    assert scales[0] == scales[1]
    assert scales[2] == reward_scales(make, cross(["cooperative"], [3]), "individual")
    result = learners()["IPPO"](**TINY).train(GAME, ["private", SHAPED], [3], 80, game_parameters={"max_steps": 5})
    assert result.replicas == [("private", 3), (SHAPED, 3)]
    assert len(result.agents((SHAPED, 3))) == 2


def test_without_transforms_a_run_is_what_it_was_before_there_were_any() -> None:
    plain, shaped = (
        json.loads(run.key.text)["training"]
        for run in expand(study(agents=[]).model_copy(update={"rewards": ["private", SHAPED]}))
    )
    assert shaped.pop("transforms")
    assert plain.keys() == shaped.keys()


def test_rows_and_scores_are_of_the_mode(tmp_path: Path) -> None:
    asked = study(agents=[], exploitability=False).model_copy(update={"rewards": [SHAPED]})
    assert run_study(asked, expand(asked), tmp_path, InProcess(), Silence()).failed == 0
    (row,) = coopgym.load_corpus(tmp_path).runs.arrow.to_pylist()
    assert (row["algorithm"], row["reward_mode"]) == ("IPPO + shaping(trust, weight=0.5)", "private")
    assert row["reward_transform"] == "shaping(trust, weight=0.5)"
    assert row["seat_returns"] == row["seat_payoffs"]
    assert json.loads(row["identity"])["training"]["transforms"] == [
        {"name": "shaping(trust, weight=0.5)", "version": Shaping.version}
    ]
