"""Versions of the schema: corpora of every released one are read for good, those of later ones as far as they go."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from coopgym.algorithms.loading import load_agents
from coopgym.benchmarks.cli.main import app
from coopgym.benchmarks.corpora.merging import merge
from coopgym.corpus import SCHEMA_VERSION, SCHEMAS, CorpusError, check_corpus, load_corpus, validate
from coopgym.corpus.publication import publish
from coopgym.corpus.release import Release
from coopgym.corpus.schema import (
    COLUMNS,
    SCHEMA_VERSION_KEY,
    TABLE_SINCE,
    TABLES,
    TableName,
    is_self_play,
    major,
    minor,
    world_of,
    worlds_of,
)
from coopgym.corpus.shards import run_shards
from coopgym.corpus.standard import type_name
from coopgym.games.registry import make_game
from coopgym.play import play
from tests.corpus.example_corpus import sound_run, write_rows

KEPT = Path(__file__).parents[1] / "data" / "corpora"
VERSIONS = sorted((place.name.removeprefix("schema-") for place in KEPT.iterdir()), key=minor)


def kept(version: str) -> Path:
    return KEPT / f"schema-{version}"


def tables_since(version: str) -> list[TableName]:
    return [name for name in TABLES if TABLE_SINCE.get(name, 0) <= minor(version)]


def test_a_small_corpus_of_every_version_that_has_a_successor_is_kept() -> None:
    past = [f"{major(SCHEMA_VERSION)}.{number}" for number in range(minor(SCHEMA_VERSION))]
    assert VERSIONS[: len(past)] == past, "before a new version begins, keep a corpus as tests/data/README.md tells"


@pytest.mark.parametrize("version", VERSIONS)
class TestKeptCorpora:
    def test_they_hold_the_columns_that_the_schema_dates_to_their_version(self, version: str) -> None:
        for name in tables_since(version):
            for shard in (kept(version) / name).glob("*.parquet"):
                schema = pq.read_schema(shard)
                assert schema.metadata[SCHEMA_VERSION_KEY].decode() == version
                columns = [column for column in COLUMNS[name] if column.since <= minor(version)]
                assert {(field.name, type_name(field.type), field.nullable) for field in schema} == {
                    (column.name, type_name(column.type), column.nullable) for column in columns
                }, "columns of a released version neither go nor change; new ones have a later `since`"

    def test_they_are_read_in_today_s_columns(self, version: str) -> None:
        corpus = load_corpus(kept(version))
        assert corpus.metadata["schema_version"] == (version,)
        for name in tables_since(version):
            table = corpus.read(name)
            assert len(table)
            assert table.schema == SCHEMAS[name]
            validate(name, table)
            young = [column.name for column in COLUMNS[name] if column.since > minor(version)]
            assert all(table.column(column).null_count == len(table) for column in young)

    def test_they_are_sound(self, version: str) -> None:
        assert check_corpus(kept(version)) == []


@pytest.mark.parametrize(
    "version", [VERSIONS[0], *(pytest.param(later, marks=pytest.mark.slow) for later in VERSIONS[1:])]
)
def test_kept_corpora_are_reported_on(version: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["report", str(kept(version)), "--out", str(tmp_path / "report.html")])
    assert result.exit_code == 0, result.output
    for algorithm in ("Random", "TitForTat", "Constant_50", "IPPO"):
        assert algorithm in (tmp_path / "summary.csv").read_text(encoding="utf-8")
        assert algorithm in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_worlds_that_had_no_column_are_read_from_the_parameters() -> None:
    runs = load_corpus(kept("1.5")).runs
    worlds = dict(zip(runs.column("env_parameters").to_pylist(), worlds_of(runs.arrow).to_pylist(), strict=True))
    assert worlds == {
        '{"max_steps":4}': "fixed", '{"max_steps":3}': "fixed", '{"max_steps":4,"world":"common"}': "common",
    }  # fmt: skip
    assert set(worlds_of(load_corpus(kept("1.0")).runs.arrow).to_pylist()) == {"fixed"}
    assert [world_of({"world": None, "env_parameters": odd}) for odd in ("no JSON", "[]", "{}")] == ["fixed"] * 3


def test_what_a_version_adds_may_be_null() -> None:
    young = [column for columns in COLUMNS.values() for column in columns if column.since]
    assert young
    assert all(column.nullable for column in young)


def test_policies_of_earlier_versions_play() -> None:
    (place,) = (kept("1.1") / "policies").iterdir()
    game = make_game("TrustDilemma-v1", max_steps=4)
    (run,) = (row for row in load_corpus(kept("1.1")).runs.to_pylist() if row["algorithm"] == "IPPO")
    episodes = play(game, load_agents(place), reward="private")
    assert episodes.returns["private"][0].tolist() == pytest.approx(run["seat_returns"])


def test_corpora_of_different_versions_come_together(tmp_path: Path) -> None:
    first, last = VERSIONS[0], VERSIONS[-1]
    merged = merge([str(kept(first)), str(kept(last))], tmp_path / "all")
    corpus = load_corpus(tmp_path / "all")
    assert merged.runs == len(corpus.runs)
    assert corpus.metadata["schema_version"][0] == first, "what is copied stays as it is"
    assert check_corpus(tmp_path / "all") == []


class TestNewerVersions:
    @pytest.fixture
    def newer(self, tmp_path: Path) -> Path:
        """A corpus of a later version: with a column, a table and words that nobody here knows."""
        shard = write_rows(tmp_path / "newer", "runs", [sound_run("a"), sound_run("b", algorithm="Random")])
        table = pq.read_table(shard)
        words = {"status": ["completed", "abandoned"], "protocol": ["self_play", "tournament"]}
        for name, values in words.items():
            place = table.schema.get_field_index(name)
            table = table.set_column(place, table.schema.field(place), pa.array(values))
        labels = {**table.schema.metadata, SCHEMA_VERSION_KEY: f"{major(SCHEMA_VERSION)}.99"}
        pq.write_table(table.append_column("news", pa.array([1, 2])).replace_schema_metadata(labels), shard)
        shutil.copytree(tmp_path / "newer" / "runs", tmp_path / "newer" / "novelties")
        return tmp_path / "newer"

    def test_they_are_read_without_what_is_unknown(self, newer: Path) -> None:
        runs = load_corpus(newer).runs
        assert runs.schema == SCHEMAS["runs"]
        assert runs.column("status").to_pylist() == ["completed", "abandoned"]
        assert check_corpus(newer) == [], "words that a later version may have brought are not judged"
        assert [row["algorithm"] for row in runs.to_pylist() if is_self_play(row)] == ["TitForTat"]

    def test_they_are_not_written_anew(self, newer: Path, tmp_path: Path) -> None:
        lost = r"schema version 1\.99, but this coopgym writes .* would be lost"
        with pytest.raises(CorpusError, match=lost):
            merge([str(newer)], tmp_path / "merged")
        with pytest.raises(CorpusError, match=lost):
            publish(newer, tmp_path / "released-v0", Release("released-v0", "", "1.0.0", date(2030, 1, 2)))

    def test_another_major_version_is_refused(self, newer: Path) -> None:
        (shard,) = run_shards(newer)
        table = pq.read_table(shard)
        pq.write_table(table.replace_schema_metadata({**table.schema.metadata, SCHEMA_VERSION_KEY: "2.0"}), shard)
        with pytest.raises(CorpusError, match=r"schema version 2\.0, but this coopgym reads versions 1\.x; install"):
            load_corpus(newer)
