"""Tables as files of other formats."""

from __future__ import annotations

import csv
import io
import json

import pyarrow.parquet as pq
import pytest

from coopgym.corpus import table_from_rows
from coopgym.corpus.export import encode
from tests.corpus.example_corpus import run_row

RUNS = table_from_rows(
    "runs", [run_row("a", error='two\nlines, "quoted"'), run_row("b", welfare=None, seat_payoffs=None)]
)


def test_json_lines_hold_every_value() -> None:
    rows = [json.loads(line) for line in encode(RUNS, "jsonl").decode().splitlines()]
    for row, original in zip(rows, RUNS.to_pylist(), strict=True):
        expected = original | {
            "class_metrics": dict(original["class_metrics"]),
            "started_at": original["started_at"].isoformat(),
        }
        assert row == expected


def test_csv_holds_lists_as_json_and_nulls_as_nothing() -> None:
    first, second = csv.DictReader(io.StringIO(encode(RUNS, "csv").decode()))
    assert list(first) == RUNS.schema.names
    assert json.loads(first["seat_payoffs"]) == [0.25, 0.75]
    assert json.loads(first["class_metrics"]) == {"loyalty": 0.5}
    assert first["error"] == 'two\nlines, "quoted"'
    assert second["welfare"] == second["seat_payoffs"] == ""


def test_parquet_is_the_table() -> None:
    assert pq.read_table(io.BytesIO(encode(RUNS, "parquet"))).equals(RUNS)


def test_empty_tables_have_a_header_and_no_rows() -> None:
    none = RUNS.slice(0, 0)
    assert encode(none, "jsonl") == b""
    assert len(encode(none, "csv").splitlines()) == 1


def test_other_formats_are_refused() -> None:
    with pytest.raises(ValueError, match="format 'xlsx'; expected one of csv, jsonl, parquet"):
        encode(RUNS, "xlsx")
