"""Where corpora are found: by name, in archives, in memory, on the web."""

from __future__ import annotations

import functools
import http.server
import shutil
import sys
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from coopgym.corpus import CorpusError, check_corpus, load_corpus, released_corpora
from coopgym.corpus.publication import publish
from coopgym.corpus.reader import locate
from coopgym.corpus.release import Release
from tests.corpus.example_corpus import write_corpus, write_sound_corpus


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of released corpora."""
    folder = tmp_path / "shelf"
    write_corpus(folder / "audit-v0")
    (folder / "notes").mkdir()
    monkeypatch.setenv("COOPGYM_DATA", str(folder))
    return folder


def test_released_corpora_are_found_by_name(shelf: Path) -> None:
    assert released_corpora()["audit-v0"] == shelf / "audit-v0"
    assert "notes" not in released_corpora()
    assert load_corpus("audit-v0").path == shelf / "audit-v0"


def test_a_mistyped_name_suggests_the_nearest(shelf: Path) -> None:
    with pytest.raises(CorpusError, match="did you mean 'audit-v0'") as caught:
        load_corpus("audt-v0")
    assert "COOPGYM_DATA" in str(caught.value)
    assert str(shelf) in str(caught.value)


def test_a_name_wins_over_a_folder(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_corpus(tmp_path / "audit-v0")
    monkeypatch.chdir(tmp_path)
    assert load_corpus("audit-v0").path == shelf / "audit-v0"
    assert load_corpus("./audit-v0").path == Path("audit-v0")


class TestElsewhere:
    @pytest.fixture(autouse=True)
    def _fsspec(self) -> None:
        pytest.importorskip("fsspec")

    @pytest.mark.parametrize("inside", ["", "audit-v0"])
    def test_archives_are_read_with_or_without_their_folder(self, tmp_path: Path, inside: str) -> None:
        folder = write_corpus(tmp_path / "packed" / "audit-v0")
        root = folder.parent if inside else folder
        archive = shutil.make_archive(str(tmp_path / "corpus"), "zip", root)
        corpus = load_corpus(archive)
        assert corpus.runs == load_corpus(folder).runs
        assert corpus.curves == load_corpus(folder).curves
        assert corpus.metadata == load_corpus(folder).metadata

    def test_memory_holds_a_corpus(self, tmp_path: Path) -> None:
        import fsspec

        folder = write_corpus(tmp_path / "corpus")
        memory = fsspec.filesystem("memory")
        memory.put(f"{folder}/", "/kept/", recursive=True)
        before = {path: memory.cat(path) for path in memory.find("/kept")}
        corpus = load_corpus("memory://kept")
        assert corpus.runs == load_corpus(folder).runs
        assert corpus.study is None
        assert {path: memory.cat(path) for path in memory.find("/kept")} == before
        memory.rm("/kept", recursive=True)

    def test_file_addresses_are_folders(self, tmp_path: Path) -> None:
        folder = write_corpus(tmp_path)
        assert load_corpus(f"file://{folder}").runs == load_corpus(folder).runs

    def test_faults_of_remote_shards_are_named_with_their_address(self, tmp_path: Path) -> None:
        import fsspec

        memory = fsspec.filesystem("memory")
        memory.pipe("/broken/runs/one.parquet", b"PAR1 and then nothing")
        with pytest.raises(CorpusError, match=r"memory://broken/runs/one\.parquet: damaged: truncated"):
            load_corpus("memory://broken")
        memory.rm("/broken", recursive=True)

    @pytest.mark.parametrize(
        ("location", "message"),
        [
            ("memory://nowhere", "not a corpus; expected Parquet files in memory://nowhere/runs"),
            ("strange://place", "cannot be opened: .*strange.*expected an address that fsspec knows"),
            ("absent.zip", "absent.zip: cannot be opened: .*No such file"),
        ],
    )
    def test_places_without_a_corpus_are_explained(self, location: str, message: str) -> None:
        with pytest.raises(CorpusError, match=message):
            load_corpus(location)

    def test_something_else_called_zip_is_explained(self, tmp_path: Path) -> None:
        (tmp_path / "fake.zip").write_text("not an archive")
        with pytest.raises(CorpusError, match="not a zip file; expected"):
            load_corpus(tmp_path / "fake.zip")

    def test_a_missing_package_of_an_address_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "s3fs", None)
        with pytest.raises(ImportError, match=r"s3://bucket/corpus: .*s3fs"):
            load_corpus("s3://bucket/corpus")


class _Unlisted(http.server.SimpleHTTPRequestHandler):
    """Serves files but not what a folder holds, and keeps quiet."""

    def list_directory(self, path: str) -> None:
        self.send_error(404)

    def log_message(self, *arguments: object) -> None: ...


@pytest.fixture
def website(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    folder = tmp_path / "site"
    folder.mkdir()
    handler = functools.partial(_Unlisted, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", folder
        server.shutdown()


def test_a_released_corpus_is_read_from_a_plain_web_server(tmp_path: Path, website: tuple[str, Path]) -> None:
    pytest.importorskip("aiohttp")
    address, folder = website
    source = write_sound_corpus(tmp_path / "runs")
    publish(source, folder / "small-v0", Release("small-v0", "A corpus.", "1.0.0", date(2030, 1, 2)))
    corpus = load_corpus(f"{address}/small-v0")
    assert corpus.runs == load_corpus(folder / "small-v0").runs
    assert len(corpus.curves) == 2
    assert check_corpus(locate(f"{address}/small-v0")) == []
    with pytest.raises(CorpusError, match="not a corpus"):
        load_corpus(f"{address}/other")
