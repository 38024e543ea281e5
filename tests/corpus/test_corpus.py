"""The corpus on disk: what is written comes back, and what is broken is named."""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from coopgym.corpus import SCHEMAS, CorpusError, load_corpus, table_from_rows, validate, write_table
from coopgym.corpus.schema import SCHEMA_VERSION, SCHEMA_VERSION_KEY, TABLES, TableName, major
from coopgym.corpus.shards import read_shard
from coopgym.corpus.writer import remove_leftovers, write_atomically
from tests.corpus.example_corpus import LABELS, run_row, write_corpus


def test_round_trip_keeps_rows_types_and_labels(tmp_path: Path) -> None:
    corpus = load_corpus(write_corpus(tmp_path))
    assert corpus.runs.schema == SCHEMAS["runs"]
    assert corpus.runs.column("run_id").to_pylist() == ["a", "b"]
    assert corpus.runs.column("welfare").to_pylist() == [0.5, None]
    assert corpus.curves.to_pylist() == [{"run_id": "a", "step": 10, "metric": "payoff", "value": 0.5}]
    assert corpus.steps.schema == SCHEMAS["steps"]
    assert corpus.metadata == {
        "schema_version": (SCHEMA_VERSION,),
        "package_version": ("1.2.3",),
        "study_hash": (LABELS["study_hash"],),
    }


@pytest.mark.parametrize("name", TABLES)
def test_every_column_says_what_it_means(name: TableName) -> None:
    for field in SCHEMAS[name]:
        assert field.metadata[b"meaning"], field.name


def test_field_metadata_survives_the_file(tmp_path: Path) -> None:
    write_corpus(tmp_path)
    schema = pq.read_schema(tmp_path / "runs" / "one.parquet")
    assert schema.field("horizon").metadata == {b"meaning": b"longest episode", b"unit": b"steps"}


def test_numbers_that_are_not_finite_become_null() -> None:
    table = table_from_rows("runs", [run_row(welfare=math.nan, return_mode=math.inf)])
    assert table.column("welfare").to_pylist() == table.column("return_mode").to_pylist() == [None]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"surprise": 1}, "no such columns: surprise"),
        ({"horizon": "long"}, "runs.horizon: .* expected int32"),
    ],
)
def test_rows_that_do_not_fit_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        table_from_rows("runs", [run_row(**changes)])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([run_row(environment=None)], "runs.environment: 1 nulls"),
        ([run_row(status="finished")], "runs.status: 'finished' is not one of completed, diverged, failed"),
        ([run_row(), run_row()], "runs.run_id: the same run appears more than once"),
        ([run_row(seat_payoffs=[1.0, math.nan])], "runs.seat_payoffs: holds NaN or infinity"),
    ],
)
def test_tables_that_break_the_standard_are_refused(rows: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        validate("runs", table_from_rows("runs", rows))


def test_other_columns_or_types_are_refused() -> None:
    table = table_from_rows("curves", [])
    with pytest.raises(ValueError, match=r"missing \['value'\]"):
        validate("curves", table.drop_columns("value"))
    with pytest.raises(ValueError, match=r"curves.step: type int32, expected int64"):
        validate("curves", table.set_column(1, "step", pa.array([], pa.int32())))


def test_nothing_is_left_of_a_write_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(descriptor: int) -> None:
        raise OSError("disk full")

    target = tmp_path / "file"
    write_atomically(target, b"old")
    monkeypatch.setattr(os, "fsync", break_down)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(target, b"new")
    assert target.read_bytes() == b"old"
    assert remove_leftovers(tmp_path) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_several_may_write_the_same_file(tmp_path: Path) -> None:
    contents = [bytes([letter]) * 10_000 for letter in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(partial(write_atomically, tmp_path / "file"), contents * 5))
    assert (tmp_path / "file").read_bytes() in contents
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_temporary_files_are_not_read(tmp_path: Path) -> None:
    write_corpus(tmp_path)
    (tmp_path / "runs" / ".two.parquet.partial").write_bytes(b"PAR1 half a sha")
    assert len(load_corpus(tmp_path).runs) == 2


def test_details_without_their_runs_are_not_read(tmp_path: Path) -> None:
    write_corpus(tmp_path)
    orphan = table_from_rows("curves", [{"run_id": "z", "step": 1, "metric": "payoff", "value": 1.0}])
    write_table("curves", orphan, tmp_path / "curves" / "two.parquet", **LABELS)
    assert load_corpus(tmp_path).curves.column("run_id").to_pylist() == ["a"]


def rewrite_version(path: Path, version: str) -> None:
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, SCHEMA_VERSION_KEY: version}), path)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def overwrite_footer(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-400:-8] = b"\xff" * 392
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda path: path.write_bytes(b""), "damaged: the file is empty"),
        (truncate, r"damaged: truncated after \d+ bytes: the footer is missing"),
        (overwrite_footer, "damaged: its footer cannot be read"),
        (lambda path: path.write_bytes(b"run_id,welfare\n1,2\n"), r"not a Parquet file \(it starts with b'run_'"),
        (lambda path: pq.write_table(pa.table({"x": [1]}), path), "not of a coopgym corpus"),
        (lambda path: rewrite_version(path, "one"), "schema version 'one': expected major.minor"),
    ],
)
def test_a_broken_shard_is_named_with_fault_and_remedy(tmp_path: Path, harm: Any, message: str) -> None:
    shard = write_corpus(tmp_path) / "runs" / "one.parquet"
    harm(shard)
    with pytest.raises(CorpusError, match=message) as caught:
        load_corpus(tmp_path)
    assert str(shard) in str(caught.value)
    assert any(word in str(caught.value) for word in ("delete it", "move it", "install", "restore"))


def test_flipped_bits_are_noticed(tmp_path: Path) -> None:
    shard = write_corpus(tmp_path) / "runs" / "one.parquet"
    content = bytearray(shard.read_bytes())
    content[120] ^= 0xFF
    shard.write_bytes(bytes(content))
    with pytest.raises(CorpusError, match="damaged: its data cannot be read"):
        _ = load_corpus(tmp_path).runs


def test_a_column_that_its_version_promises_must_be_there(tmp_path: Path) -> None:
    shard = write_corpus(tmp_path) / "runs" / "one.parquet"
    table = pq.read_table(shard)
    pq.write_table(table.drop_columns("exploitability"), shard)
    with pytest.raises(CorpusError, match="columns are missing: exploitability"):
        load_corpus(tmp_path)
    pq.write_table(table.drop_columns("welfare"), shard)
    with pytest.raises(CorpusError, match="columns are missing: welfare"):
        load_corpus(tmp_path)


def test_a_shard_in_the_wrong_folder_is_refused(tmp_path: Path) -> None:
    shard = write_corpus(tmp_path) / "runs" / "one.parquet"
    with pytest.raises(CorpusError, match="holds table 'runs', expected 'curves'"):
        read_shard(shard, "curves")


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda folder: folder / "absent", "no such folder"),
        (lambda folder: folder, "not a corpus; expected Parquet files in"),
        (lambda folder: (folder / "file").write_text("") or folder / "file", "a file; expected the folder"),
    ],
)
def test_a_place_without_a_corpus_is_explained(tmp_path: Path, prepare: Any, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        load_corpus(prepare(tmp_path))


def test_major_versions_are_parsed_strictly() -> None:
    assert major("12.3") == 12
    for wrong in ("", "1", "v1.0", "1.x"):
        with pytest.raises(ValueError, match=r"expected major\.minor"):
            major(wrong)
