"""Running studies: what is computed, what is kept, what the rows say."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from coopgym.benchmarks.execute.executors import InProcess
from coopgym.benchmarks.execute.runner import run_study
from coopgym.benchmarks.execute.store import FolderInUseError, OtherStudyError, RunStore
from coopgym.benchmarks.study import Study, expand
from coopgym.corpus import CorpusError, check_corpus, load_corpus
from coopgym.corpus.writer import TEMPORARY_SUFFIX
from tests.support.corpora import content, content_bytes
from tests.support.quiet import Silence

LEARNER = {
    "name": "IPPO",
    "env_steps": 200,
    "hyperparameters": {"num_envs": 4, "rollout_steps": 25, "n_minibatches": 2, "n_epochs": 1, "hidden": [8]},
}


def test_a_finished_study_is_not_run_again(small: Study, run, tmp_path: Path) -> None:
    first = run(small, tmp_path)
    assert (first.computed, first.skipped, first.failed) == (first.planned, 0, 0)
    second = run(small, tmp_path)
    assert (second.computed, second.skipped) == (0, first.planned)


def test_rows_say_what_ran(small: Study, run, tmp_path: Path) -> None:
    run(small, tmp_path)
    rows = load_corpus(tmp_path).runs.to_pylist()
    assert {row["run_id"] for row in rows} == {spec.run_id for spec in expand(small)}
    row = next(row for row in rows if row["environment"] == "TrustDilemma-v1" and row["algorithm"] == "Constant_50")
    assert (row["study"], row["edition"], row["horizon"], row["n_agents"]) == ("small", "formal", 12, 2)
    assert row["env_parameters"] == '{"max_steps":12}'
    assert row["algorithm_kind"] == "constant"
    assert row["cooperation_rate"] == pytest.approx(0.5)
    assert row["welfare"] == pytest.approx(sum(row["seat_payoffs"])) == pytest.approx(row["return_private"])
    assert row["torch"] is None or isinstance(row["torch"], str)


def test_a_failing_agent_is_recorded_and_tried_again(
    small: Study, run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "failing_agent.py").write_text(
        "import os\n"
        "class Me:\n"
        "    def begin(self, seat, episodes, rng): ...\n"
        "    def act(self, observation):\n"
        "        if 'REPAIRED' not in os.environ: raise RuntimeError('out of ideas')\n"
        "        return 0 * observation[:, 0] + 1\n"
    )
    study = small.with_agent("failing_agent:Me")
    outcome = run(study, tmp_path / "out")
    assert outcome.failed == 12
    rows = load_corpus(tmp_path / "out").runs.to_pylist()
    failed = [row for row in rows if row["status"] == "failed"]
    assert {row["algorithm"] for row in failed} == {"failing_agent:Me"}
    assert "RuntimeError: out of ideas" in failed[0]["error"]
    assert all(row["status"] == "completed" for row in rows if row["algorithm"] != "failing_agent:Me")

    monkeypatch.setenv("REPAIRED", "yes")
    again = run(study, tmp_path / "out")
    assert (again.computed, again.failed, again.replaced) == (12, 0, 0)
    assert content(tmp_path / "out").column("status").unique().to_pylist() == ["completed"]


def test_what_a_killed_job_left_is_gone_when_its_folder_is_opened(small: Study, run, tmp_path: Path) -> None:
    run(small, tmp_path)
    before = content_bytes(tmp_path)
    runs = next((tmp_path / "runs").glob("*.parquet"))
    orphan, leftover = tmp_path / "curves" / "killed.parquet", runs.with_name(f".x{TEMPORARY_SUFFIX}")
    orphan.parent.mkdir(exist_ok=True)
    for file in (orphan, leftover):
        shutil.copy(runs, file)
    with RunStore(tmp_path, small):
        assert not orphan.exists()
        assert not leftover.exists()
    assert content_bytes(tmp_path) == before


def test_a_changed_specification_takes_the_place_of_the_old_one(small: Study, run, tmp_path: Path) -> None:
    run(small, tmp_path)
    longer = small.model_copy(update={"episodes": 3})
    outcome = run(longer, tmp_path)
    assert outcome.replaced == outcome.computed > 0
    runs = load_corpus(tmp_path).runs
    assert sorted(runs.column("run_id").to_pylist()) == sorted(spec.run_id for spec in expand(longer))


def test_a_folder_belongs_to_one_study(small: Study, run, tmp_path: Path) -> None:
    run(small, tmp_path / "out")
    files = {
        path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file() and path.stat().st_size
    }
    other = small.model_copy(update={"name": "other"})
    with pytest.raises(
        OtherStudyError, match=r"holds runs of the study 'small'.*--out \S+out-other.*data merge \S+out "
    ):
        run(other, tmp_path / "out")
    with pytest.raises(OtherStudyError):
        RunStore(tmp_path / "out", other).check()
    assert all(path.read_bytes() == content for path, content in files.items() if path.name != ".lock")
    assert run(small.with_agent("GenerousTitForTat"), tmp_path / "out").skipped == 48
    shutil.rmtree(tmp_path / "out" / "runs")
    assert run(other, tmp_path / "out").computed == 48, "a folder without runs is free"


def test_two_processes_on_one_folder_refuse_politely(small: Study, run, tmp_path: Path) -> None:
    with (
        RunStore(tmp_path, small),
        pytest.raises(FolderInUseError, match=rf"another coopgym process \(pid {os.getpid()}\).*--out"),
    ):
        run(small, tmp_path)
    assert run(small, tmp_path).failed == 0


def test_a_damaged_shard_stops_the_study_before_it_starts(small: Study, run, tmp_path: Path) -> None:
    run(small, tmp_path)
    shard = sorted((tmp_path / "runs").glob("*.parquet"))[0]
    content = shard.read_bytes()
    shard.write_bytes(content[:100])
    with pytest.raises(CorpusError, match="truncated after 100 bytes"):
        run(small, tmp_path)
    shard.write_bytes(content)
    assert run(small, tmp_path).computed == 0


class TestManifests:
    """Every file of a shard is watched: nothing damaged counts as finished, nothing good is computed again."""

    @pytest.fixture(scope="class")
    @staticmethod
    def study() -> Study:
        block = {"games": ["TrustDilemma-v1"], "parameters": {"max_steps": 10}, "agents": ["Random"]}
        block |= {"exploitability": False}
        both = {"name": "learn", "seeds": [1, 2], "episodes": 1, "rewards": ["private"], "record_steps": True}
        return Study.model_validate(both | {"blocks": [block | {"learners": [LEARNER]}]})

    @pytest.fixture(scope="class")
    @staticmethod
    def finished(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
        folder = tmp_path_factory.mktemp("finished")
        assert run_study(study, expand(study), folder, InProcess(), Silence()).failed == 0
        return folder

    @pytest.fixture
    def folder(self, finished: Path, tmp_path: Path) -> Path:
        shutil.copytree(finished, tmp_path / "runs")
        return tmp_path / "runs"

    @pytest.mark.parametrize("lost", ["steps", "curves", "policies", "manifests/*.json"])
    def test_lost_files_are_named_and_only_their_runs_computed_again(
        self, lost: str, folder: Path, study: Study, run
    ) -> None:
        before = content_bytes(folder)
        files = [file for place in folder.glob(lost) for file in (place.rglob("*") if place.is_dir() else [place])]
        gone = [file for file in files if file.is_file()][: -1 if lost.startswith("manifests") else None]
        for file in gone:
            file.unlink()
        with pytest.raises(CorpusError) as caught:
            run(study, folder)
        assert all(f"{file} is missing" in str(caught.value) for file in gone)
        assert check_corpus(folder)
        named = set(re.findall(r"delete (\S+\.parquet)", str(caught.value)))
        runs = sum(len(pq.read_table(shard)) for shard in named)
        for shard in named:
            Path(shard).unlink()
        assert run(study, folder).computed == runs
        assert content_bytes(folder) == before
        assert check_corpus(folder) == []

    def test_a_flipped_byte_of_a_policy_is_refused(self, folder: Path, study: Study, run) -> None:
        (file,) = (folder / "policies").rglob("*.safetensors")
        content = file.read_bytes()
        for place in range(0, len(content), len(content) // 10):
            file.write_bytes(content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :])
            with pytest.raises(CorpusError, match=r"policies\.safetensors is damaged, altered or swapped"):
                run(study, folder)

    def test_folders_of_earlier_versions_go_on_and_get_manifests(self, folder: Path, study: Study, run) -> None:
        shutil.rmtree(folder / "manifests")
        longer = study.model_copy(update={"seeds": [1, 2, 3]})
        assert run(longer, folder).skipped == 4
        assert {index.stem for index in (folder / "manifests").iterdir()} == {
            shard.stem for shard in (folder / "runs").iterdir()
        }
        (folder / "steps" / next((folder / "runs").iterdir()).name).unlink()
        with pytest.raises(CorpusError, match="is missing, though"):
            run(longer, folder)


def test_steps_are_recorded_on_request(small: Study, run, tmp_path: Path) -> None:
    run(small.model_copy(update={"record_steps": True}), tmp_path)
    corpus = load_corpus(tmp_path)
    one = next(
        row
        for row in corpus.runs.to_pylist()
        if (row["environment"], row["algorithm"], row["reward_mode"]) == ("SynergySearch-v1", "Random", "integrated")
    )
    steps = [row for row in corpus.steps.to_pylist() if row["run_id"] == one["run_id"]]
    assert len(steps) == 2 * 12 * 2  # episodes, steps, seats
    assert [(row["episode"], row["t"], row["seat"]) for row in steps[:3]] == [(0, 0, 0), (0, 0, 1), (0, 1, 0)]
    assert sum(row["payoff"] for row in steps) / 2 == pytest.approx(one["welfare"])
    assert sum(row["reward"] for row in steps) / 2 == pytest.approx(one["return_integrated"])
    assert {row["truncated"] for row in steps if row["t"] == 11} == {True}
    assert {len(row["trust"]) for row in steps} == {2}


def test_a_learner_trains_is_evaluated_and_leaves_curves(run, tmp_path: Path) -> None:
    block = {"games": ["TrustDilemma-v1"], "learners": [LEARNER], "exploitability": False}
    both = Study.model_validate({"name": "learn", "seeds": [1, 2], "episodes": 1, "blocks": [block]})
    run(both, tmp_path / "both")
    corpus = load_corpus(tmp_path / "both")
    rows = corpus.runs.to_pylist()
    assert {row["status"] for row in rows} == {"completed"}, rows[0]["error"]
    assert {(row["reward_mode"], row["seed"]) for row in rows} == {
        (mode, seed) for mode in ("private", "integrated", "cooperative") for seed in (1, 2)
    }
    assert all(row["env_steps"] == 200 and row["gradient_updates"] > 0 for row in rows)
    assert {"payoff", "cooperation"} <= set(corpus.curves.column("metric").to_pylist())
    assert set(corpus.curves.column("run_id").to_pylist()) == {row["run_id"] for row in rows}

    alone = both.model_copy(update={"seeds": [2], "rewards": ["private"]})
    run(alone, tmp_path / "alone")
    (single,) = load_corpus(tmp_path / "alone").runs.to_pylist()
    (same,) = [row for row in rows if row["run_id"] == single["run_id"]]
    np.testing.assert_allclose(single["seat_returns"], same["seat_returns"], rtol=1e-5)
