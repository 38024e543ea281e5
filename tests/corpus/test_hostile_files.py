"""Corpora from anybody: nothing outside of them is read, nothing is waited for, and no small file fills the memory."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from coopgym.benchmarks.corpora.merging import merge
from coopgym.contained_files import UncontainedFileError, contained, inner_path
from coopgym.corpus import CorpusError, check_corpus, load_corpus, table_from_rows, writer
from coopgym.corpus.limits import AFAR, LIMIT_VARIABLE, size_limit
from coopgym.corpus.publication import publish
from coopgym.corpus.release import Release
from coopgym.corpus.shard_writer import add_shard
from tests.corpus.example_corpus import LABELS, sound_run, write_rows, write_sound_corpus

needs_fifos = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no fifos")


def messages(folder: Path) -> str:
    return "\n".join(map(str, check_corpus(folder)))


@pytest.fixture
def released(tmp_path: Path) -> Path:
    source = write_sound_corpus(tmp_path / "runs")
    publish(source, tmp_path / "small-v0", Release("small-v0", "A corpus.", "1.0.0", date(2030, 1, 2)))
    return tmp_path / "small-v0"


@pytest.fixture
def guarded(tmp_path: Path) -> Path:
    """A folder of two shards with manifests; the first has a curve and a policy."""
    folder = tmp_path / "guarded"
    for shard, run in (("one", "a"), ("two", "b")):
        (folder / "policies" / shard).mkdir(parents=True)
        (folder / "policies" / shard / "weights").write_bytes(b"weights" * (1 + (shard == "two")))
        curve = [
            {"run_id": f"{run}0", "step": step, "metric": "payoff", "value": 0.5} for step in range(1 + ord(run) % 2)
        ]
        runs = [sound_run(f"{run}{seed}", algorithm="Random", seed=seed) for seed in range(len(curve))]
        tables = {"runs": table_from_rows("runs", runs), "curves": table_from_rows("curves", curve)}
        add_shard(folder, shard, tables, **LABELS)
    assert messages(folder) == ""
    return folder


@pytest.mark.parametrize(
    "path",
    [
        "../secret",
        "/etc/passwd",
        "runs/../../secret",
        "C:/secret",
        "file:secret",
        "runs\\..\\x",
        "a\0b",
        "",
        ".",
        7,
        None,
    ],
)
def test_paths_stay_in_their_folder(path: object, tmp_path: Path) -> None:
    with pytest.raises(UncontainedFileError, match="expected the relative path of a file"):
        inner_path(path)
    with pytest.raises(UncontainedFileError):
        contained(tmp_path, path)


@pytest.mark.parametrize("url", ["../secret", "/etc/hostname", "file:///etc/hostname", ["runs/all.parquet"]])
def test_content_urls_lead_nowhere_else(released: Path, url: object) -> None:
    index = released / "croissant.json"
    described = json.loads(index.read_text())
    described["distribution"][0]["contentUrl"] = url
    index.write_text(json.dumps(described))
    assert f"{index}: contentUrl {url!r}" in messages(released)
    with pytest.raises(CorpusError, match=r"contentUrl .*expected the relative path"):
        load_corpus(released)


def link_to_a_device(place: Path) -> None:
    place.symlink_to("/dev/zero")


def link_outside(place: Path) -> None:
    place.symlink_to(__file__)


def link_to_itself(place: Path) -> None:
    place.symlink_to(place)


REPLACEMENTS = [
    pytest.param(os.mkfifo if hasattr(os, "mkfifo") else None, "is a fifo; expected a regular file", marks=needs_fifos),
    (link_to_a_device, "a link that leads out of its folder, to /dev/zero"),
    (link_outside, "a link that leads out of its folder"),
    (link_to_itself, "cannot be looked at"),
    (Path.mkdir, "is a folder; expected a regular file"),
]


@pytest.mark.parametrize(("make", "message"), REPLACEMENTS)
@pytest.mark.parametrize(
    "path", ["runs/two.parquet", "curves/one.parquet", "manifests/one.json", "policies/one/weights", "croissant.json"]
)
def test_only_files_of_the_corpus_are_opened(
    guarded: Path, path: str, make: Callable[[Path], object], message: str
) -> None:
    (guarded / path).unlink(missing_ok=True)
    make(guarded / path)
    assert message in messages(guarded)
    if not path.startswith("policies/"):
        with pytest.raises(CorpusError, match=message):
            load_corpus(guarded)
    with pytest.raises(CorpusError, match=message):
        merge([str(guarded)], guarded.with_name("merged"))
    assert not guarded.with_name("merged").exists()


@pytest.mark.parametrize(("make", "message"), REPLACEMENTS)
def test_a_study_is_a_file_too(guarded: Path, make: Callable[[Path], object], message: str) -> None:
    make(guarded / "study.json")
    with pytest.raises(CorpusError, match=message):
        _ = load_corpus(guarded).study


@pytest.mark.parametrize(("make", "message"), REPLACEMENTS[:-1])
def test_policies_that_no_manifest_lists_are_not_copied_from_elsewhere(
    guarded: Path, make: Callable[[Path], object], message: str
) -> None:
    make(guarded / "policies" / "one" / "extra")
    with pytest.raises(CorpusError, match=message):
        merge([str(guarded)], guarded.with_name("merged"))


def test_links_inside_and_to_a_whole_corpus_are_fine(guarded: Path) -> None:
    (guarded / "policies" / "kept").symlink_to(guarded / "policies" / "one")
    (guarded.parent / "link").symlink_to(guarded)
    assert len(load_corpus(guarded.parent / "link").runs) == 3
    assert messages(guarded.parent / "link") == ""


class TestCompleteness:
    def test_a_run_is_there_once(self, tmp_path: Path) -> None:
        folder = write_sound_corpus(tmp_path)
        again = write_rows(folder, "runs", [sound_run("c")], "again.parquet")
        with pytest.raises(CorpusError, match=f"such as c in {again} and .*two.parquet; expected every run once. Move"):
            load_corpus(folder)

    def test_a_copied_shard_is_told(self, guarded: Path) -> None:
        shutil.copy(guarded / "runs" / "one.parquet", guarded / "runs" / "three.parquet")
        with pytest.raises(CorpusError, match=r"manifests/three\.json is missing, though other shards have theirs"):
            load_corpus(guarded)

    @pytest.mark.parametrize("path", ["curves/one.parquet", "manifests/one.json"])
    def test_a_missing_file_is_told(self, guarded: Path, path: str) -> None:
        (guarded / path).unlink()
        with pytest.raises(CorpusError, match=f"{path} is missing"):
            load_corpus(guarded)

    def test_runs_that_are_gone_are_told(self, guarded: Path) -> None:
        (guarded / "runs" / "one.parquet").unlink()
        with pytest.warns(UserWarning, match="1 shards, such as one, have a manifest and no runs: jobs were killed"):
            assert load_corpus(guarded).runs["run_id"].to_pylist() == ["b0"]
        assert "one.parquet: its runs are missing" in messages(guarded)

    @pytest.mark.parametrize("table", ["runs", "curves"])
    def test_swapped_shards_are_told(self, guarded: Path, table: str) -> None:
        one, two = (guarded / table / f"{shard}.parquet" for shard in ("one", "two"))
        assert one.stat().st_size != two.stat().st_size
        one.rename(one.with_suffix(".kept"))
        two.rename(one)
        one.with_suffix(".kept").rename(two)
        with pytest.raises(CorpusError, match=r"one\.parquet is damaged, altered or swapped"):
            load_corpus(guarded)

    def test_a_shard_of_another_study_is_told(self, guarded: Path, tmp_path: Path) -> None:
        other = write_rows(tmp_path / "other", "runs", [sound_run("z"), sound_run("y")])
        shutil.copy(other, guarded / "runs" / "one.parquet")
        with pytest.raises(CorpusError, match=r"runs/one\.parquet is damaged, altered or swapped"):
            load_corpus(guarded)

    @pytest.mark.parametrize("path", ["curves/all.parquet", "DATASHEET.md"])
    def test_a_release_lacks_nothing_that_it_lists(self, released: Path, path: str) -> None:
        (released / path).unlink()
        with pytest.raises(CorpusError, match=f"{path} is missing, though .*croissant.json lists it"):
            load_corpus(released)


def packed(folder: Path, archive: Path) -> Path:
    return Path(shutil.make_archive(str(archive), "zip", folder))


class TestSize:
    """A limit keeps small files from unpacking to more than the memory holds; whoever trusts them raises it."""

    @pytest.fixture(autouse=True)
    def _fsspec(self) -> None:
        pytest.importorskip("fsspec")

    def test_an_archive_tells_what_it_unpacks_to(self, released: Path, tmp_path: Path) -> None:
        with (released / "filler").open("wb") as filler:
            filler.truncate(2_000_000)
        archive = packed(released, tmp_path / "bomb")
        assert archive.stat().st_size < 100_000
        with pytest.raises(CorpusError, match=r"it unpacks to 2,.* the limit is 1,000,000.*max_bytes=.*COOPGYM_MAX_C"):
            load_corpus(archive, max_bytes=1_000_000)
        assert len(load_corpus(archive, max_bytes=4_000_000).runs) == 3

    def test_the_environment_sets_the_limit(
        self, released: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        archive = packed(released, tmp_path / "corpus")
        monkeypatch.setenv(LIMIT_VARIABLE, "1000")
        with pytest.raises(CorpusError, match="the limit is 1,000"):
            load_corpus(archive)
        monkeypatch.setenv(LIMIT_VARIABLE, "10000000")
        assert len(load_corpus(archive).runs) == 3

    def test_archives_in_archives_have_one_too(self, released: Path, tmp_path: Path) -> None:
        with (released / "filler").open("wb") as filler:
            filler.truncate(2_000_000)
        inner = packed(released, tmp_path / "inner")
        with zipfile.ZipFile(tmp_path / "outer.zip", "w") as outer:
            outer.write(inner, "inner.zip")
        address = f"zip://::zip://inner.zip::{tmp_path / 'outer.zip'}"
        with pytest.raises(CorpusError, match="it unpacks to"):
            load_corpus(address, max_bytes=1_000_000)
        assert len(load_corpus(address).runs) == 3

    @needs_fifos
    def test_an_archive_is_a_file(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "fifo.zip")
        with pytest.raises(CorpusError, match="expected a regular file"):
            load_corpus(tmp_path / "fifo.zip")

    def test_files_elsewhere_count_together(self, released: Path) -> None:
        import fsspec

        memory = fsspec.filesystem("memory")
        memory.put(f"{released}/", "/bomb/", recursive=True)
        size = sum((released / name).stat().st_size for name in ("croissant.json", "runs/all.parquet"))
        with pytest.raises(CorpusError, match=r"all\.parquet: with the files read before it has"):
            load_corpus("memory://bomb", max_bytes=size - 1)
        assert len(load_corpus("memory://bomb").runs) == 3
        memory.rm("/bomb", recursive=True)

    @pytest.mark.parametrize("column", ["error", "seat_deviations", "welfare"])
    def test_rows_that_unpack_to_much_are_refused_unread(self, tmp_path: Path, column: str) -> None:
        values = {"error": "x" * 10_000, "seat_deviations": ["x" * 5_000] * 2, "welfare": 0.5}
        repeated = sound_run("a", **{column: values[column]})
        table = table_from_rows("runs", [repeated])
        count, columns = (30_000, None) if column == "welfare" else (2_000, ("run_id", column))
        table = pa.concat_tables([table] * count).combine_chunks()
        table = table.set_column(0, table.schema.field(0), pa.array([str(row) for row in range(count)]))
        file = tmp_path / "runs" / "one.parquet"
        file.parent.mkdir()
        labels = pq.read_schema(write_rows(tmp_path / "like", "runs", [sound_run()])).metadata
        pq.write_table(table.replace_schema_metadata(labels), file, compression="zstd")
        assert file.stat().st_size < 200_000
        with pytest.raises(
            CorpusError, match=r"in memory it takes (at least )?[\d,]+ bytes, and the limit is 10,000,000"
        ):
            load_corpus(tmp_path, max_bytes=10_000_000).read("runs", columns)

    def test_shards_count_together(self, tmp_path: Path) -> None:
        for number in range(4):
            write_rows(tmp_path, "runs", [sound_run(f"{number}", error="x" * 100_000)], f"{number}.parquet")
        with pytest.raises(CorpusError, match="with the shards before it, runs takes"):
            _ = load_corpus(tmp_path, max_bytes=300_000).runs
        assert len(load_corpus(tmp_path, max_bytes=1_000_000).runs) == 4

    def test_row_groups_and_long_texts_are_read_as_they_were_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(writer, "ROW_GROUP_ROWS", 7)
        rows = [
            sound_run(f"{row}", seat_deviations=[f"{row}-{'y' * 90}", "z"], class_metrics={f"{row}": 1.0, "same": 2.0})
            for row in range(30)
        ]
        file = write_rows(tmp_path, "runs", rows)
        assert pq.read_metadata(file).num_row_groups == 5
        assert load_corpus(tmp_path).runs.equals(table_from_rows("runs", rows))
        write_rows(tmp_path / "empty", "runs", [])
        assert len(load_corpus(tmp_path / "empty").runs) == 0

    @pytest.mark.parametrize("told", ["many", "-5", "0", "1e9", "9" * 30])
    def test_a_limit_is_a_number_of_bytes(self, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(LIMIT_VARIABLE, told)
        with pytest.raises(ValueError, match=f"{LIMIT_VARIABLE}='{told}': expected a whole number of bytes"):
            size_limit(AFAR)

    def test_a_limit_that_is_asked_for_is_one_too(self, released: Path) -> None:
        with pytest.raises(ValueError, match="max_bytes=0: expected at least 1 byte"):
            load_corpus(released, max_bytes=0)
        with pytest.raises(TypeError, match=r"max_bytes='1GB': expected a whole number"):
            load_corpus(released, max_bytes="1GB")  # type: ignore[arg-type]
