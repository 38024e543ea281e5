"""Tables of a corpus in other libraries' hands, and SQL on them."""

from __future__ import annotations

import copy
import pickle
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import coopgym
from coopgym.corpus import Corpus, CorpusTable, load_corpus
from tests.corpus.example_corpus import write_corpus, write_rows


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return load_corpus(write_corpus(tmp_path))


def test_a_table_is_used_like_an_arrow_table(corpus: Corpus) -> None:
    runs = corpus.runs
    assert len(runs) == runs.num_rows == 2
    assert runs["run_id"].to_pylist() == runs.column("run_id").to_pylist() == ["a", "b"]
    assert runs.filter(pc.field("run_id") == "b").to_pylist()[0]["run_id"] == "b"
    assert runs.select(["run_id"]).sort_by([("run_id", "descending")]).to_pylist() == [{"run_id": "b"}, {"run_id": "a"}]
    assert runs.drop_columns("welfare").equals(runs.arrow.drop_columns("welfare"))
    assert runs.group_by("run_id").aggregate([]).num_rows == 2
    assert {"to_polars", "group_by"} <= set(dir(runs))
    with pytest.raises(AttributeError, match="groupby"):
        _ = runs.groupby


def test_any_reader_of_arrow_takes_a_table(corpus: Corpus) -> None:
    assert pa.table(corpus.runs).equals(corpus.runs.arrow)


@pytest.mark.parametrize("remade", [copy.copy, copy.deepcopy, lambda table: pickle.loads(pickle.dumps(table))])
def test_tables_can_be_copied(corpus: Corpus, remade) -> None:
    assert remade(corpus.runs) == corpus.runs


def test_frames_hold_the_same_rows(corpus: Corpus) -> None:
    polars = pytest.importorskip("polars")
    frame = corpus.runs.to_polars()
    assert isinstance(frame, polars.DataFrame)
    assert frame["welfare"].to_list() == [0.5, None]
    assert frame.shape == (2, len(corpus.runs.schema))


def test_pandas_reads_measures_as_dictionaries(corpus: Corpus) -> None:
    pytest.importorskip("pandas")
    assert corpus.runs.to_pandas()["class_metrics"].tolist() == [{"loyalty": 0.5}] * 2


@pytest.mark.parametrize(
    ("package", "call"),
    [
        ("polars", lambda corpus: corpus.runs.to_polars()),
        ("duckdb", lambda corpus: corpus.sql("select 1")),
        ("fsspec.core", lambda corpus: load_corpus("memory://somewhere")),
    ],
)
def test_a_missing_package_is_named_with_its_extra(corpus: Corpus, package, call, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"needs {package.partition('.')[0]}.*coopgym\[data\]"):
        call(corpus)


def test_some_columns_are_read_alone_and_unknown_ones_refused(corpus: Corpus) -> None:
    some = corpus.read("runs", ["welfare", "run_id"])
    assert some == corpus.runs.select(["welfare", "run_id"])
    assert corpus.read("steps", ["t"]).schema.names == ["t"]
    with pytest.raises(ValueError, match="runs: no such columns: wellfare; known: run_id"):
        corpus.read("runs", ["wellfare"])


def test_sizes_are_told_without_reading_rows(corpus: Corpus, tmp_path: Path) -> None:
    write_rows(tmp_path, "curves", [{"run_id": "z", "step": 1, "metric": "x", "value": 1.0}], "orphan.parquet")
    sizes = corpus.sizes()
    assert (sizes["runs"], sizes["curves"], sizes["steps"]) == (2, 1, 0)


def test_the_example_of_the_front_page_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("polars")
    pytest.importorskip("duckdb")
    write_corpus(tmp_path / "audit-v0")
    monkeypatch.setenv("COOPGYM_DATA", str(tmp_path))
    corpus = coopgym.load_corpus("audit-v0")
    assert len(corpus.runs.to_polars()) == 2
    assert corpus.sql("select run_id from runs where welfare is null").to_pylist() == [{"run_id": "b"}]


class TestSql:
    @pytest.fixture(autouse=True)
    def _duckdb(self) -> None:
        pytest.importorskip("duckdb")

    def test_tables_join_and_names_are_found_in_any_case(self, corpus: Corpus) -> None:
        answer = corpus.sql("SELECT r.run_id, c.value FROM RUNS r JOIN curves c USING (run_id)")
        assert isinstance(answer, CorpusTable)
        assert answer.to_pylist() == [{"run_id": "a", "value": 0.5}]

    def test_measures_by_name_are_maps(self, corpus: Corpus) -> None:
        query = "select class_metrics['loyalty'] as loyalty from runs limit 1"
        assert corpus.sql(query).to_pylist() == [{"loyalty": 0.5}]

    def test_only_tables_that_a_query_names_are_read(self, corpus: Corpus) -> None:
        corpus.sql("select count(*) from curves")
        assert "runs" not in vars(corpus)

    def test_a_query_sees_nothing_but_the_tables(self, corpus: Corpus, tmp_path: Path) -> None:
        secret, written = tmp_path / "secret.csv", tmp_path / "written.csv"
        secret.write_text("x\n1\n")
        local = pa.table({"x": [1]})
        for query in (
            f"select * from '{secret}'",
            f"select * from read_csv('{secret}')",
            f"copy runs to '{written}'",
            f"attach '{tmp_path}/other.db'",
            "select * from local",
            "set enable_external_access = true",
            "set lock_configuration = false; set enable_external_access = true",
            "install httpfs",
        ):
            with pytest.raises(ValueError, match="The tables of a corpus are runs, curves, steps"):
                corpus.sql(query)
        assert len(local) == 1
        assert not written.exists()

    @pytest.mark.parametrize(
        "query",
        ["insert into runs select * from runs", "delete from runs", "drop table runs", "update runs set seed = 1"],
    )
    def test_tables_are_read_only(self, corpus: Corpus, query: str) -> None:
        before = corpus.runs.to_pylist()
        with pytest.raises(ValueError, match="they are read-only"):
            corpus.sql(query)
        assert corpus.runs.to_pylist() == before

    @pytest.mark.parametrize(
        ("query", "message"),
        [
            ("select welfar from runs", "welfar"),
            ("selec 1", "syntax error"),
            ("-- nothing", "expected a SELECT"),
        ],
    )
    def test_what_is_wrong_with_a_query_is_said(self, corpus: Corpus, query: str, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            corpus.sql(query)
