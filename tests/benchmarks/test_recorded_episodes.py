"""What a study records to learn from: who chose each action and how likely it was, of learners and among others."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from coopgym.benchmarks.execute.corpus_rows import turn_table
from coopgym.benchmarks.study import Study, expand, load_study
from coopgym.corpus import EpisodeDataset, check_corpus, load_corpus, write_table

LEARNER = {
    "name": "IPPO",
    "label": "Pupil",
    "env_steps": 32,
    "hyperparameters": {"num_envs": 2, "hidden": [4], "epochs": 1, "minibatches": 1},
}


def study(**block: Any) -> Study:
    given = {"games": ["PartnerHoldUp-v1"], "parameters": {"max_steps": 4}} | block
    head = {"name": "recorded", "seeds": [3], "episodes": 2, "rewards": ["private"], "record_steps": True}
    return Study.model_validate({**head, "stochastic_episodes": 5, "blocks": [given]})


def test_drawn_episodes_follow_those_of_best_guesses_and_tell_how_likely_they_were(run, tmp_path: Path) -> None:
    run(study(learners=[LEARNER], agents=["Random"]), tmp_path)
    corpus = load_corpus(tmp_path)
    (row,) = (row for row in corpus.runs.to_pylist() if row["algorithm"] == "Pupil")
    dataset = EpisodeDataset(corpus)
    assert dataset.behaviours == tuple(sorted(["Random", row["run_id"], f"{row['run_id']}:drawn"]))
    drawn = dataset.filter(behaviour=f"{row['run_id']}:drawn")
    assert [episode.number for episode in dataset.filter(algorithm="Pupil")] == list(range(6))
    assert [episode.number for episode in drawn] == list(range(1, 6))
    assert drawn.returns.mean() == pytest.approx(row["sto_return_mode"])
    assert all(np.isfinite(episode.logprobs).all() for episode in drawn)
    (best,) = dataset.filter(behaviour=row["run_id"])
    assert best.returns == pytest.approx(row["seat_returns"])
    assert np.isnan(best.logprobs).all()
    assert all((episode.logprobs == 0.0).all() for episode in dataset.filter(behaviour="Random"))
    assert check_corpus(tmp_path) == []


def test_scenarios_record_who_sat_where(run, tmp_path: Path) -> None:
    scenario = {"name": "with a stranger", "background": ["Constant_30"]}
    planned = study(learners=[LEARNER], agents=["TitForTat"], scenarios=[scenario])
    run(planned, tmp_path)
    (trained,) = (spec.run_id for spec in expand(planned) if spec.training)
    met = EpisodeDataset(tmp_path).filter(scenario="with a stranger")
    seats = {name: [episode.behaviour for episode in met.filter(algorithm=name)] for name in ("TitForTat", "Pupil")}
    assert seats == {
        "TitForTat": [("TitForTat", "Constant_30"), ("Constant_30", "TitForTat")],
        "Pupil": [(trained, "Constant_30"), ("Constant_30", trained)],
    }
    for episode in met:
        assert (episode.actions[:, episode.behaviour.index("Constant_30")] == 0.3).all()
    assert check_corpus(tmp_path) == []


def examples(kind: str) -> list[str]:
    """The examples on the page that is about all this."""
    page = (Path(__file__).parents[2] / "docs" / "learning-from-data.md").read_text(encoding="utf-8")
    return re.findall(rf"```{kind}\n(.*?)```", page, re.DOTALL)


def executed(program: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(program, "learning-from-data.md", "exec"), names)
    return names


def test_the_example_of_cloning_runs_as_it_stands(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data.toml").write_text(*examples("toml"), encoding="utf-8")
    run(load_study(tmp_path / "data.toml"), tmp_path / "runs" / "data")
    monkeypatch.chdir(tmp_path)
    names = executed(examples("python")[0])
    game = names["game"]
    (partner,) = game.observation_columns(game.spec.default_view, 0)["partner_actions"]
    assert np.eye(len(names["weights"]))[partner] == pytest.approx(names["weights"], abs=1e-4)
    assert names["episodes"].payoffs.shape == (100, 2)


def test_the_example_of_rollouts_runs_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = shutil.copytree(Path(__file__).parents[1] / "data" / "corpora" / "schema-1.1", tmp_path / "runs" / "talk")
    shard = next((folder / "runs").iterdir())
    run_id = pq.read_table(shard)["run_id"][0].as_py()
    said = [
        {"episode": k, "seat": 0, "turn": 0, "t": 0, "role": "assistant", "content": "Half.", "phase": phase}
        for k, phase in ((0, "training"), (1, "training"), (0, "evaluation"))
    ]
    labels = {"study_hash": "0", "package_version": "1"}
    write_table("turns", turn_table(run_id, said), folder / "turns" / shard.name, **labels)
    monkeypatch.chdir(tmp_path)
    assert [len(rollout) for rollout in executed(examples("python")[1])["rollouts"]] == [1, 1]
