"""``coopgym data``: what it lists, shows, verifies, exports, imports and releases."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from typer.testing import CliRunner, Result

from coopgym.agents import heuristics
from coopgym.benchmarks.cli.main import app
from coopgym.benchmarks.study import Study, expand
from coopgym.benchmarks.study.earlier import earlier_id
from coopgym.corpus import load_corpus
from coopgym.corpus.shard_writer import keep_runs
from coopgym.corpus.shards import read_shard, run_shards


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["data", *map(str, arguments)], env={"COLUMNS": "120"})


@pytest.fixture
def runs(finished_small: Path, tmp_path: Path) -> Path:
    return shutil.copytree(finished_small, tmp_path / "runs")


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COOPGYM_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def change_runs(folder: Path, keep: Callable) -> None:
    """Reduce every shard to some of its runs."""
    rewrite_runs(folder, lambda table: table.filter(keep(table)))


def rewrite_runs(folder: Path, change: Callable) -> None:
    for shard in run_shards(folder):
        keep_runs(folder, shard.stem, change(read_shard(shard, "runs")))


def test_a_corpus_is_shown_on_one_screen(runs: Path) -> None:
    result = call("show", runs)
    assert result.exit_code == 0, result.output
    for part in ("48 completed", "SynergySearch-v1, TrustDilemma-v1", "none stated", "constant", "27", "schema"):
        assert part in result.output
    assert len(result.output.splitlines()) < 40


def test_what_is_missing_in_the_factorial_is_shown(runs: Path) -> None:
    change_runs(runs, lambda table: pc.or_(pc.not_equal(table["algorithm"], "Random"), pc.equal(table["seed"], 7)))
    change_runs(
        runs,
        lambda table: pc.or_(
            pc.not_equal(table["algorithm"], "Random"), pc.not_equal(table["environment"], "TrustDilemma-v1")
        ),
    )
    output = call("show", runs).output
    assert "9 of 12" in output
    assert "heuristic: Random: not, or not in all modes, in TrustDilemma-v1" in output


def test_a_released_corpus_is_listed_shown_and_verified_by_name(runs: Path, shelf: Path) -> None:
    assert (
        "there are no released corpora" in " ".join(call("list").output.split())
        or "small-v0" not in call("list").output
    )
    made = call("release", runs, "-o", shelf / "small-v0", "--description", "Two small games.", "--date", "2030-01-02")
    assert made.exit_code == 0, made.output
    assert re.search(r"small-v0 +48  Two small games\.", call("list").output)
    shown = call("show", "small-v0").output
    for part in ("small-v0 1.0.0", "Two small games.", "creativecommons.org/licenses/by/4.0"):
        assert part in shown
    verified = call("verify", "small-v0")
    assert (verified.exit_code, verified.output) == (0, "small-v0: sound\n")
    assert json.loads((shelf / "small-v0" / "croissant.json").read_text())["datePublished"] == "2030-01-02"
    again = call("release", runs, "-o", shelf / "small-v0")
    assert again.exit_code == 2
    assert "exists already" in again.output
    silent = call("release", runs, "-o", shelf / "small-v0.1")
    assert (silent.exit_code, "say what moved" in silent.output) == (2, True)
    assert call("release", runs, "-o", shelf / "small-v0.1", "--changes", "Nothing.").exit_code == 0
    assert re.search(r"small-v0\.1 +48 ", call("list").output)


def test_a_mistyped_name_is_explained(runs: Path, shelf: Path) -> None:
    call("release", runs, "-o", shelf / "small-v0")
    result = call("show", "smal-v0")
    assert result.exit_code == 2
    assert "did you mean 'small-v0'" in result.output


class TestVerify:
    def test_a_finished_study_is_sound(self, runs: Path) -> None:
        assert call("verify", runs).output == f"{runs}: sound\n"

    def test_shards_of_earlier_versions_are_sound_and_a_note_says_what_cannot_be_seen(self, runs: Path) -> None:
        shutil.rmtree(runs / "manifests")
        result = call("verify", runs)
        assert result.exit_code == 0
        assert result.output.startswith(f"{runs}: sound\nnote: its shards have no manifests")

    def test_missing_runs_are_named(self, runs: Path) -> None:
        change_runs(runs, lambda table: pc.not_equal(table["algorithm"], "Random"))
        result = call("verify", runs)
        assert result.exit_code == 1
        assert 'missing: Random in TrustDilemma-v1 {"max_steps":12} under private, seeds 7, 8' in result.output
        assert "6 faults" in result.output

    def test_extra_runs_are_named(self, runs: Path) -> None:
        study = json.loads((runs / "study.json").read_text())
        study["blocks"][0]["agents"] = ["Random"]
        (runs / "study.json").write_text(json.dumps(study))
        assert "extra: the study does not ask for it: TitForTat in TrustDilemma-v1" in call("verify", runs).output

    def test_runs_of_another_specification_are_named(self, runs: Path) -> None:
        study = json.loads((runs / "study.json").read_text())
        study["episodes"] = 3
        (runs / "study.json").write_text(json.dumps(study))
        output = call("verify", runs).output
        assert "of another specification than the study's: Random in TrustDilemma-v1" in output
        assert "Constant_50 in TrustDilemma-v1" not in output

    def test_what_another_version_would_come_to_is_no_fault(self, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(heuristics.Random, "version", 2)
        assert call("verify", runs).output == f"{runs}: sound\n"

    def test_corpora_made_before_runs_had_an_identity_are_held_against_the_ids_of_then(self, runs: Path) -> None:
        study = Study.model_validate_json((runs / "study.json").read_text())
        planned = {run.run_id: run for run in expand(study)}
        then = {run.place for run in expand(study, common_draws=False)}

        def earlier(table: pa.Table) -> pa.Table:
            kept = table.filter(pa.array([planned[id].place in then for id in table["run_id"].to_pylist()]))
            specs = [planned[id] for id in kept["run_id"].to_pylist()]
            parameters = pa.array(['{"max_steps":12,"theta":6}'] * len(kept))
            ids = pa.array([earlier_id(spec, {"max_steps": 12, "theta": 6}) for spec in specs])
            for name, column in {
                "run_id": ids,
                "env_parameters": parameters,
                "identity": pa.nulls(len(kept), pa.string()),
            }.items():
                kept = kept.set_column(kept.schema.get_field_index(name), kept.schema.field(name), column)
            return kept

        rewrite_runs(runs, earlier)
        assert call("verify", runs).output == f"{runs}: sound\n"
        study_file = json.loads((runs / "study.json").read_text())
        (runs / "study.json").write_text(json.dumps(study_file | {"episodes": 3}))
        assert "of another specification than the study's: Random in TrustDilemma-v1" in call("verify", runs).output

    def test_double_runs_are_named(self, runs: Path) -> None:
        shard = run_shards(runs)[0]
        (runs / "runs" / "twice.parquet").write_bytes(shard.read_bytes())
        output = call("verify", runs).output
        assert "appears 2 times" in output
        assert "there more than once: " in output

    def test_all_faults_come_in_one_go(self, runs: Path) -> None:
        (runs / "study.json").write_text('{"name": "x"}')
        (runs / "curves").mkdir(exist_ok=True)
        (runs / "curves" / "odd.parquet").write_text("odd")
        output = call("verify", runs).output
        for part in ("not a Parquet file", "its runs are missing", "not a study that this coopgym knows", "3 faults"):
            assert part in output

    def test_a_damaged_corpus_is_a_finding_not_a_crash(self, runs: Path) -> None:
        shard = run_shards(runs)[0]
        shard.write_bytes(shard.read_bytes()[:-100])
        result = call("verify", runs)
        assert result.exit_code == 1
        assert f"{shard}: damaged: truncated" in result.output

    def test_a_place_that_is_not_there_is_the_user_s_mistake(self, tmp_path: Path) -> None:
        assert call("verify", tmp_path / "absent").exit_code == 2

    def test_studies_from_afar_import_nothing(self, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("fsspec")
        study = json.loads((runs / "study.json").read_text())
        study["blocks"][0]["agents"] += ["hostile:Agent"]
        (runs / "study.json").write_text(json.dumps(study))
        (runs / "hostile.py").write_text("raise SystemExit('imported')")
        monkeypatch.chdir(runs)
        assert call("verify", f"file://{runs}").exit_code == 0


class TestMerge:
    def test_what_several_hold_is_taken_once_and_policies_come_along(self, runs: Path, run, tmp_path: Path) -> None:
        learner = {"name": "IPPO", "env_steps": 100, "hyperparameters": {"num_envs": 2, "hidden": [4]}}
        block = {"games": ["TrustDilemma-v1"], "learners": [learner]}
        facts = {"seeds": [1], "episodes": 1, "rewards": ["private"], "stochastic_episodes": 0, "exploitability": False}
        run(Study.model_validate({"name": "learn", "blocks": [block], **facts}), tmp_path / "learn")
        shutil.copytree(runs, tmp_path / "some")
        change_runs(tmp_path / "some", lambda table: pc.equal(table["algorithm"], "Random"))
        made = call("merge", tmp_path / "some", runs, tmp_path / "learn", "-o", tmp_path / "both")
        assert made.exit_code == 0, made.output
        assert "49 runs; 12 more were there several times" in made.output
        assert "it holds several studies" in made.output
        assert call("verify", tmp_path / "both").output == f"{tmp_path / 'both'}: sound\n"
        rows = {row["run_id"]: row for part in (runs, tmp_path / "learn") for row in load_corpus(part).runs.to_pylist()}
        assert {row["run_id"]: row for row in load_corpus(tmp_path / "both").runs.to_pylist()} == rows
        (policies,) = (tmp_path / "both" / "policies").iterdir()
        assert (tmp_path / "both" / "runs" / f"{policies.name}.parquet").exists()

    def test_parts_of_one_study_can_be_gone_on_with(self, runs: Path, small: Study, run, tmp_path: Path) -> None:
        shutil.copytree(runs, tmp_path / "other")
        change_runs(runs, lambda table: pc.equal(table["seed"], 7))
        change_runs(tmp_path / "other", lambda table: pc.equal(table["seed"], 8))
        call("merge", runs, tmp_path / "other", "-o", tmp_path / "both")
        outcome = run(small, tmp_path / "both")
        assert (outcome.skipped, outcome.computed) == (len(load_corpus(tmp_path / "both").runs), 0)

    def test_releases_share_names_of_files(self, runs: Path, shelf: Path, tmp_path: Path) -> None:
        call("release", runs, "-o", shelf / "small-v0")
        change_runs(runs, lambda table: pc.equal(table["algorithm"], "Random"))
        call("release", runs, "-o", shelf / "small-v1")
        assert call("merge", "small-v1", "small-v0", "-o", tmp_path / "both").exit_code == 0
        assert sorted(path.name for path in (tmp_path / "both" / "runs").iterdir()) == ["all-2.parquet", "all.parquet"]
        assert call("verify", tmp_path / "both").exit_code == 0

    def test_mistakes_leave_nothing(self, runs: Path, tmp_path: Path) -> None:
        assert "exists already" in call("merge", runs, "-o", runs).output
        shard = run_shards(runs)[0]
        shard.write_bytes(shard.read_bytes()[:-100])
        assert "only sound corpora are merged" in call("merge", runs, "-o", tmp_path / "both").output
        assert not (tmp_path / "both").exists()


def test_unsound_corpora_are_not_released(runs: Path, tmp_path: Path) -> None:
    shard = run_shards(runs)[0]
    (runs / "runs" / "twice.parquet").write_bytes(shard.read_bytes())
    result = call("release", runs, "-o", tmp_path / "bad-v0")
    assert result.exit_code == 2
    assert "only sound corpora are released" in result.output
    assert not (tmp_path / "bad-v0").exists()


def test_tables_are_exported_whole_or_not_at_all(runs: Path, tmp_path: Path) -> None:
    file = tmp_path / "runs.csv"
    assert call("export", runs, "-o", file).exit_code == 0
    with file.open(encoding="utf-8", newline="") as lines:
        assert len(list(csv.DictReader(lines))) == 48
    before = file.read_bytes()
    wrong = call("export", runs, "-o", file, "--format", "excel")
    assert (wrong.exit_code, file.read_bytes()) == (2, before)
    assert "expected --format csv or jsonl or parquet" in wrong.output
    assert "expected one of runs, curves" in call("export", runs, "-o", file, "--table", "run").output


RECORD = {
    "algorithm": "TitForTat",
    "environment": "TrustDilemma",
    "training_seed": 99,
    "status": "success",
    "timestamp": "2026-01-02T03:04:05",
    "metrics": {"mean_return": 10.0, "episodes_evaluated": 50},
}


def test_published_records_become_a_sound_corpus(tmp_path: Path) -> None:
    source = tmp_path / "published" / "baseline_integrated"
    source.mkdir(parents=True)
    (source / "one.json").write_text(json.dumps(RECORD))
    (source / "more.jsonl").write_text(json.dumps(RECORD | {"training_seed": 100}))
    result = call("import", source.parent, "-o", tmp_path / "corpus")
    assert result.exit_code == 0, result.output
    assert "runs 2" in result.output
    assert load_corpus(tmp_path / "corpus").runs.column("return_integrated").to_pylist() == [10.0, 10.0]
    assert call("verify", tmp_path / "corpus").exit_code == 0
    assert "exists already" in call("import", source.parent, "-o", tmp_path / "corpus").output


def test_a_broken_record_leaves_nothing(tmp_path: Path) -> None:
    source = tmp_path / "baseline_integrated"
    source.mkdir()
    (source / "a.jsonl").write_text(json.dumps(RECORD))
    (source / "b.jsonl").write_text("{")
    result = call("import", source, "-o", tmp_path / "corpus")
    assert result.exit_code == 2
    assert "b.jsonl:1: not valid JSON" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["baseline_integrated"]
