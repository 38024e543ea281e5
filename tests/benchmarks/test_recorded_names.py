"""Settings have the field's names; ids of runs and files keep those that they had first."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from typer.testing import CliRunner

from coopgym.algorithms import learners
from coopgym.algorithms.common.settings import RECORDED_AS
from coopgym.algorithms.common.training_record import RECORD_FILE
from coopgym.algorithms.loading import load_agents
from coopgym.algorithms.marl import IPPO, TrainingResult
from coopgym.algorithms.marl.core.trained_agents import POLICIES_FILE
from coopgym.algorithms.marl.populations.mixed import Mixed
from coopgym.benchmarks.cli.main import app
from coopgym.benchmarks.study import StudyError, expand, load_study
from coopgym.benchmarks.study.earlier import earlier_id
from coopgym.benchmarks.study.study import Study, shipped_studies
from coopgym.corpus import load_corpus
from coopgym.games.registry import make_game
from coopgym.play import play
from tests.recorded_studies import entry, recorded

CORPORA = Path(__file__).parents[1] / "data" / "corpora"
NAMES = sorted(set(learners()) - {"Mixed"})
MEMBERS = [
    {"learner": "IPPO", "seats": [0], "n_epochs": 2},
    {"learner": "IQL", "seats": [1], "exploration_final_eps": 0.1},
]


def test_every_shipped_study_has_its_ids_kept() -> None:
    assert sorted(recorded()) == shipped_studies()


@pytest.mark.parametrize("study", recorded())
def test_ids_of_shipped_studies_stay(study: str) -> None:
    assert entry(study) == recorded()[study], "if they were meant to change, run: python -m tests.recorded_studies"


@pytest.mark.parametrize("name", NAMES)
def test_no_name_means_two_things(name: str) -> None:
    fields = [field.name for field in dataclasses.fields(learners()[name])]
    counts = Counter(learners()[name].recorded(dict.fromkeys(fields)))
    assert len(counts) == len(fields)
    renamed = counts.keys() - set(fields)
    assert learners()[name].current(dict.fromkeys(renamed)).keys() == set(fields) - counts.keys()


@pytest.mark.parametrize("name", NAMES)
def test_what_was_recorded_makes_the_same_learner(name: str) -> None:
    learner = learners()[name]()
    assert learners()[name](**learner.current(learner.values())) == learner


def test_subclasses_with_other_defaults_keep_the_recorded_name() -> None:
    fields = {field.name: field for field in dataclasses.fields(learners()["FCP"])}
    assert fields["n_epochs"].metadata[RECORDED_AS] is None
    assert learners()["FCP"]().values()["epochs"] == fields["n_epochs"].default


@pytest.mark.parametrize(
    ("name", "recorded_as", "current"),
    [
        ("IPPO", "clip", "clip_range"),
        ("FCP", "epochs", "n_epochs"),
        ("IQL", "final_epsilon", "exploration_final_eps"),
        ("MATD3", "max_gradient_norm", "max_grad_norm"),
        ("LLM", "minibatches", "n_minibatches"),
    ],
)
def test_the_old_name_is_refused_with_the_new_one(name: str, recorded_as: str, current: str) -> None:
    with pytest.raises(TypeError, match=f"'{recorded_as}' of {name} is now called '{current}'"):
        learners()[name](**{recorded_as: 1})


def test_the_old_name_is_refused_in_studies_and_on_the_command_line(tmp_path: Path) -> None:
    study = tmp_path / "mine.toml"
    study.write_text(
        'name = "x"\n[[blocks]]\ngames = ["SLCD-v1"]\n[[blocks.learners]]\nname = "IPPO"\nenv_steps = 8\n'
        "hyperparameters = { epochs = 2 }\n"
    )
    with pytest.raises(StudyError, match="'epochs' of IPPO is now called 'n_epochs'"):
        load_study(str(study))
    told = CliRunner().invoke(app, ["train", "SLCD-v1", "--agent", "ippo", "--set", "epochs=2"], env={"COLUMNS": "200"})
    assert told.exit_code == 2
    assert "'epochs' of IPPO is now called 'n_epochs'" in told.output


def test_mixtures_translate_their_members() -> None:
    mixed = Mixed(members=MEMBERS)
    tables = mixed.values()["members"]
    assert (tables[0]["epochs"], tables[1]["final_epsilon"]) == (2, 0.1)
    assert Mixed(**Mixed.current(mixed.values())) == mixed
    assert Mixed.recorded({"members": MEMBERS})["members"][0] == {"learner": "IPPO", "seats": [0], "epochs": 2}


@pytest.mark.parametrize("version", ["1.0", "1.2", "1.4"])
def test_studies_of_stored_corpora_are_read(version: str) -> None:
    corpus = load_corpus(CORPORA / f"schema-{version}")
    planned = expand(Study.of_a_corpus(corpus.study), common_draws=version >= "1.3")
    ids = {run.run_id for run in planned} | {earlier_id(run, run.parameters) for run in planned}
    known = {row["algorithm"] for row in corpus.runs.to_pylist() if row["run_id"] in ids}
    assert known >= {"Random", "TitForTat"} | ({"IPPO"} if version != "1.0" else set())


@pytest.mark.parametrize("version", ["1.3", "1.4"])
def test_stored_policies_load_and_are_saved_as_they_were(version: str, tmp_path: Path) -> None:
    (folder,) = (CORPORA / f"schema-{version}" / "policies").iterdir()
    record = json.loads((folder / RECORD_FILE).read_bytes())
    assert record["hyperparameters"].keys() == IPPO().values().keys()
    TrainingResult(record, load_file(folder / POLICIES_FILE)).save(tmp_path)
    assert json.loads((tmp_path / RECORD_FILE).read_bytes()) == record
    game = make_game(record["game"], **record["game_parameters"])
    before, after = (play(game, load_agents(place), record=True) for place in (folder, tmp_path))
    assert before.trajectory is not None
    assert after.trajectory is not None
    assert np.array_equal(before.trajectory.actions, after.trajectory.actions)
