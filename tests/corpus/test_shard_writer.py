"""Shards with their manifests: killed before any write, what is there is whole, and the next one to come repairs it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from coopgym.corpus import CorpusError, check_corpus, load_corpus, table_from_rows
from coopgym.corpus.manifest import read_manifest, require_sound
from coopgym.corpus.schema import SCHEMA_VERSION_KEY, TableName
from coopgym.corpus.shard_writer import (
    add_shard,
    change_runs,
    keep_runs,
    repair,
    write_missing_manifests,
)
from coopgym.corpus.shards import read_shard
from coopgym.corpus.writer import remove_leftovers
from tests.corpus.example_corpus import LABELS, sound_run

IDS = ("a", "b", "c")


class Killed(BaseException):
    """Nobody can catch it."""


def tables() -> dict[TableName, pa.Table]:
    steps = [{"run_id": run, "step": step, "metric": "payoff", "value": 0.5} for run in IDS for step in (1, 2)]
    audit = [
        {"run_id": run, "seat": 0, "base_level": 0.5, "level": 0.25, "gain": 1.0, "others_change": 0.0} for run in IDS
    ]
    runs = [sound_run(run, algorithm="Random", seed=seed) for seed, run in enumerate(IDS)]
    return {
        "runs": table_from_rows("runs", runs),
        "curves": table_from_rows("curves", steps),
        "audit_unilateral": table_from_rows("audit_unilateral", audit),
    }


def add(folder: Path) -> None:
    (folder / "policies" / "job").mkdir(parents=True)
    (folder / "policies" / "job" / "weights").write_bytes(b"weights")
    add_shard(folder, "job", tables(), **LABELS)


def runs_of(folder: Path) -> pa.Table:
    return read_shard(folder / "runs" / "job.parquet", "runs")


def amend(folder: Path) -> None:
    runs = runs_of(folder)
    welfare = runs.schema.get_field_index("welfare")
    change_runs(folder, "job", runs.set_column(welfare, runs.schema.field(welfare), pa.array([7.0] * 3)))


def keep(*ids: str) -> Callable[[Path], None]:
    def reduce(folder: Path) -> None:
        runs = runs_of(folder)
        keep_runs(folder, "job", runs.filter(pc.is_in(runs.column("run_id"), pa.array(ids, pa.string()))))

    return reduce


def state(folder: Path) -> dict[str, tuple[Any, ...]]:
    """By run: its welfare, and how many rows of details it has."""
    if not (folder / "runs" / "job.parquet").exists():
        return {}
    corpus = load_corpus(folder)
    details = [corpus.curves.column("run_id").to_pylist(), corpus.audit_unilateral.column("run_id").to_pylist()]
    return {
        row["run_id"]: (row["welfare"], *(rows.count(row["run_id"]) for rows in details))
        for row in corpus.runs.to_pylist()
    }


@pytest.mark.parametrize(
    ("prepare", "change"),
    [
        (lambda folder: None, add),
        (add, amend),
        (add, keep("a", "c")),
        (add, keep()),
    ],
    ids=["add", "amend", "keep some", "keep none"],
)
def test_killed_before_any_write_each_run_is_whole_or_absent(
    prepare: Callable[[Path], None],
    change: Callable[[Path], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prepare(tmp_path / "whole")
    before = state(tmp_path / "whole")
    change(tmp_path / "whole")
    after = state(tmp_path / "whole")
    for last in count():
        folder = tmp_path / str(last)
        prepare(folder)
        killed = _dies_after(last, monkeypatch, lambda folder=folder: change(folder))
        found = state(folder)
        assert all(found[run] in (before.get(run), after.get(run)) for run in found)
        repair(folder)
        assert state(folder) in (before, after)
        if state(folder):
            assert check_corpus(folder) == []
        else:
            assert not [file for file in folder.rglob("*") if file.is_file()]
        if not killed:
            assert state(folder) == after
            return


def _dies_after(writes: int, monkeypatch: pytest.MonkeyPatch, work: Callable[[], None]) -> bool:
    """Do some work, but for whatever follows a number of renames and removals; return whether anything did."""
    left = count(-writes)

    def counted(method: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            if next(left) >= 0:
                raise Killed
            return method(*arguments)

        return run

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", counted(Path.replace))
        patch.setattr(Path, "unlink", counted(Path.unlink))
        try:
            work()
        except Killed:
            return True
    return False


def test_a_manifest_tells_every_file_of_its_shard(tmp_path: Path) -> None:
    add(tmp_path)
    manifest = read_manifest(tmp_path, "job")
    assert manifest is not None
    assert {path: entry.rows for path, entry in manifest.files.items()} == {
        "runs/job.parquet": 3,
        "curves/job.parquet": 6,
        "audit_unilateral/job.parquet": 3,
        "policies/job/weights": None,
    }
    keep("b")(tmp_path)
    reduced = read_manifest(tmp_path, "job")
    assert reduced is not None
    assert {entry.rows for entry in reduced.files.values()} == {1, 2, None}
    assert not reduced.earlier


def test_an_interrupted_change_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(tmp_path)
    assert _dies_after(1, monkeypatch, lambda: amend(tmp_path))
    remove_leftovers(tmp_path)
    (fault,) = check_corpus(tmp_path)
    assert "a change of its shard was interrupted; run the study again" in str(fault)
    require_sound(tmp_path)  # every file is what it was or what it was to be


def swap(folder: Path) -> None:
    add_shard(folder, "other", {"runs": table_from_rows("runs", [sound_run("d")])}, **LABELS)
    one, other = folder / "runs" / "job.parquet", folder / "runs" / "other.parquet"
    contents = one.read_bytes(), other.read_bytes()
    other.write_bytes(contents[0])
    one.write_bytes(contents[1])


def flip(file: str) -> Callable[[Path], None]:
    def flip_in(folder: Path) -> None:
        content = bytearray((folder / file).read_bytes())
        content[len(content) // 2] ^= 0x01
        (folder / file).write_bytes(bytes(content))

    return flip_in


def manifest_of_another(folder: Path) -> None:
    index = folder / "manifests" / "job.json"
    index.write_text(index.read_text().replace("job", "eve"))


def manifest_that_leaves(folder: Path) -> None:
    index = folder / "manifests" / "job.json"
    content = json.loads(index.read_text())
    content["files"]["policies/job/../../../secret"] = content["files"]["policies/job/weights"]
    index.write_text(json.dumps(content))


def foreign_table(folder: Path) -> None:
    (folder / "steps").mkdir()
    shutil.copy(folder / "curves" / "job.parquet", folder / "steps" / "job.parquet")


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda folder: (folder / "curves/job.parquet").unlink(), "curves/job.parquet is missing, .* with 6 rows"),
        (lambda folder: (folder / "policies/job/weights").unlink(), "policies/job/weights is missing"),
        (
            lambda folder: (folder / "curves/job.parquet").write_bytes(b"PAR1"),
            "curves/job.parquet is damaged.*: 4 bytes",
        ),
        (flip("policies/job/weights"), "policies/job/weights is damaged, altered or swapped"),
        (flip("audit_unilateral/job.parquet"), "audit_unilateral/job.parquet is damaged, altered or swapped"),
        (swap, "runs/job.parquet is damaged, altered or swapped"),
        (lambda folder: (folder / "manifests/job.json").write_text("{"), "manifests/job.json: damaged"),
        (
            lambda folder: (folder / "manifests/job.json").write_text('{"format": 2}'),
            "manifests/job.json: of format 2, .* install",
        ),
        (manifest_of_another, "manifests/job.json: damaged: .*no file of this shard"),
        (manifest_that_leaves, "manifests/job.json: damaged: .*secret"),
        (foreign_table, "steps/job.parquet is not listed in .*move it away"),
    ],
)
def test_what_a_manifest_does_not_know_is_named_with_the_remedy(
    harm: Callable[[Path], Any], message: str, tmp_path: Path
) -> None:
    add(tmp_path)
    harm(tmp_path)
    with pytest.raises(CorpusError, match=message) as caught:
        require_sound(tmp_path)
    assert any(word in str(caught.value) for word in ("delete", "move it away", "install"))
    harmed = str(caught.value).partition(" is ")[0].partition(": ")[0]
    assert harmed in {fault.where for fault in check_corpus(tmp_path)}


def test_a_damaged_shard_is_not_changed(tmp_path: Path) -> None:
    add(tmp_path)
    (tmp_path / "curves" / "job.parquet").unlink()
    before = (tmp_path / "runs" / "job.parquet").read_bytes()
    with pytest.raises(CorpusError, match=r"curves/job\.parquet is missing"):
        amend(tmp_path)
    assert (tmp_path / "runs" / "job.parquet").read_bytes() == before


def test_a_shard_without_a_manifest_among_others_is_told(tmp_path: Path) -> None:
    add(tmp_path)
    add_shard(tmp_path, "other", {"runs": table_from_rows("runs", [sound_run("d")])}, **LABELS)
    (tmp_path / "manifests" / "other.json").unlink()
    with pytest.raises(CorpusError, match=r"other\.json is missing, though other shards have theirs"):
        require_sound(tmp_path)


def test_folders_of_earlier_versions_get_manifests_of_what_can_be_read(tmp_path: Path) -> None:
    add(tmp_path)
    index = tmp_path / "manifests" / "job.json"
    written = index.read_bytes()
    index.unlink()
    assert check_corpus(tmp_path) == []
    write_missing_manifests(tmp_path)
    assert index.read_bytes() == written
    index.unlink()
    flip("curves/job.parquet")(tmp_path)
    with pytest.raises(CorpusError, match=r"curves/job\.parquet.* damaged"):
        write_missing_manifests(tmp_path)
    assert not index.exists()


def test_what_a_newer_version_wrote_is_not_written_anew(tmp_path: Path) -> None:
    add_shard(tmp_path, "job", tables(), **LABELS)
    (tmp_path / "manifests" / "job.json").unlink()
    shard = tmp_path / "runs" / "job.parquet"
    table = pq.read_table(shard)
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, SCHEMA_VERSION_KEY: "1.99"}), shard)
    with pytest.raises(CorpusError, match=r"schema version 1\.99, but this coopgym writes"):
        amend(tmp_path)
