"""Released corpora are fetched whole or not at all, and what was interrupted goes on."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from coopgym.benchmarks.cli.main import app
from coopgym.corpus import CorpusError, check_corpus, load_corpus, released_corpora
from coopgym.corpus.catalogue import LARGEST_PACKAGED, Listing, catalogue, listing, write_catalogue
from coopgym.corpus.download import DownloadError, fetch
from tests.corpus.shelf_server import ShelfServer, serving

NAME = "audit-v0"
RUNS = f"{NAME}/runs/all.parquet"
DATA = Path(__file__).parents[2] / "data"


@pytest.fixture
def shelf() -> Iterator[ShelfServer]:
    with serving(DATA) as server:
        yield server


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of fetched corpora of somebody who has nothing but the code."""
    monkeypatch.setattr("coopgym.corpus.released.checkout_data", lambda: None)
    monkeypatch.setattr("coopgym.corpus.released.PACKAGED", tmp_path / "nothing")
    monkeypatch.delenv("COOPGYM_DATA", raising=False)
    monkeypatch.delenv("COOPGYM_DATA_URL", raising=False)
    monkeypatch.setenv("COOPGYM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "data"


def files(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def release(monkeypatch: pytest.MonkeyPatch, entry: Listing) -> None:
    monkeypatch.setattr("coopgym.corpus.download.catalogue", lambda: {entry.name: entry})


def test_a_corpus_arrives_whole_and_is_found_by_its_name(shelf: ShelfServer, home: Path) -> None:
    assert NAME not in released_corpora()
    seen: list[tuple[int, int]] = []
    place = fetch(NAME, shelf.address, lambda done, planned: seen.append((done, planned)))
    assert place == home / NAME == released_corpora()[NAME]
    assert files(place) == files(DATA / NAME)
    assert not check_corpus(place)
    assert load_corpus(NAME).runs.arrow.num_rows
    assert seen == sorted(seen)
    assert seen[-1] == (catalogue()[NAME].size,) * 2
    asked = len(shelf.asked)
    assert fetch(NAME, shelf.address) == place
    assert len(shelf.asked) == asked


def test_the_folder_of_data_that_is_named_keeps_it(
    shelf: ShelfServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COOPGYM_DATA", str(tmp_path / "mine"))
    monkeypatch.setenv("COOPGYM_DATA_URL", f"{shelf.address}/")
    assert fetch(NAME) == tmp_path / "mine" / NAME


def test_an_address_can_be_a_folder(home: Path) -> None:
    assert files(fetch(NAME, DATA.as_uri())) == files(DATA / NAME)


def test_a_connection_that_breaks_is_taken_up_where_it_broke(shelf: ShelfServer) -> None:
    shelf.most = 50_000
    assert files(fetch(NAME, shelf.address)) == files(DATA / NAME)
    assert [start for path, start in shelf.asked if path == RUNS] == [None, "bytes=50000-"]


def test_what_was_interrupted_goes_on_with_the_next_call(shelf: ShelfServer, home: Path) -> None:
    shelf.ranges, shelf.most = False, 50_000
    with pytest.raises(DownloadError, match="ended after 50,000 of 111,609 bytes; run the same command again"):
        fetch(NAME, shelf.address)
    assert NAME not in released_corpora()
    shelf.ranges, shelf.most = True, None
    shelf.asked.clear()
    assert files(fetch(NAME, shelf.address)) == files(DATA / NAME)
    assert (f"{NAME}/croissant.json", None) not in shelf.asked
    assert shelf.asked[0] == (f"{NAME}/audit_surface/all.parquet", "bytes=50000-")
    assert not list(home.glob(".*"))


def test_a_server_that_cannot_start_in_the_middle_is_asked_for_all(shelf: ShelfServer, home: Path) -> None:
    part = home / f".{NAME}.part" / "croissant.json.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"{")
    shelf.ranges = False
    assert files(fetch(NAME, shelf.address)) == files(DATA / NAME)


@pytest.mark.parametrize("path", [RUNS, f"{NAME}/croissant.json"])
@pytest.mark.parametrize("change", [lambda old: old[:-1] + b"?", lambda old: old + b"?"], ids=["altered", "longer"])
def test_what_was_not_released_is_refused_and_not_kept(shelf: ShelfServer, home: Path, path: str, change) -> None:
    shelf.replaced[path] = change((DATA / path).read_bytes())
    with pytest.raises(DownloadError, match=f"{path}: not what was released .* not kept"):
        fetch(NAME, shelf.address)
    assert NAME not in released_corpora()
    assert not list((home / path.replace(NAME, f".{NAME}.part")).parent.glob(f"{Path(path).name}*"))
    del shelf.replaced[path]
    assert files(fetch(NAME, shelf.address)) == files(DATA / NAME)


def test_a_file_that_moved_is_followed(shelf: ShelfServer) -> None:
    shelf.moved = {RUNS: "elsewhere/runs"}
    shelf.replaced = {"elsewhere/runs": (DATA / RUNS).read_bytes()}
    shelf.most = 60_000
    assert files(fetch(NAME, shelf.address)) == files(DATA / NAME)
    assert ("elsewhere/runs", "bytes=60000-") in shelf.asked


def test_a_file_that_is_not_there_is_named(shelf: ShelfServer) -> None:
    with pytest.raises(DownloadError, match=rf"{shelf.address}/no/{NAME}/croissant.json: the server answers 404"):
        fetch(NAME, f"{shelf.address}/no")


def test_a_server_that_is_not_there_is_named(shelf: ShelfServer, tmp_path: Path) -> None:
    with serving(tmp_path) as gone:
        address = gone.address
    with pytest.raises(DownloadError, match=f"{address}/{NAME}/croissant.json: cannot be fetched: .*is kept"):
        fetch(NAME, address)
    with pytest.raises(DownloadError, match="cannot be fetched"):
        fetch(NAME, tmp_path.as_uri())


@pytest.mark.parametrize("path", ["../stolen", "/tmp/stolen", "runs/../../stolen", "..\\stolen", "c:stolen", ""])
def test_a_path_that_leaves_the_folder_is_refused(
    shelf: ShelfServer, tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = tmp_path / "evil-v0"
    shutil.copytree(DATA / NAME, evil)
    facts = json.loads((evil / "croissant.json").read_text())
    facts["distribution"][0]["contentUrl"] = path
    (evil / "croissant.json").write_text(json.dumps(facts))
    shelf.root = tmp_path
    release(monkeypatch, listing(evil))
    with pytest.raises(DownloadError, match="leaves the folder; do not use this corpus"):
        fetch("evil-v0", shelf.address)
    assert not list(tmp_path.rglob("*stolen*"))


def test_an_empty_file_arrives_too(shelf: ShelfServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(DATA / NAME, tmp_path / NAME)
    (tmp_path / NAME / "DATASHEET.md").write_bytes(b"")
    facts = json.loads((tmp_path / NAME / "croissant.json").read_text())
    facts["distribution"][0] |= {"contentSize": "0 B", "sha256": hashlib.sha256(b"").hexdigest()}
    (tmp_path / NAME / "croissant.json").write_text(json.dumps(facts))
    shelf.root = tmp_path
    release(monkeypatch, listing(tmp_path / NAME))
    assert (fetch(NAME, shelf.address) / "DATASHEET.md").read_bytes() == b""


@pytest.mark.parametrize(
    ("name", "address", "message"),
    [
        (NAME, None, "no address to fetch from; give one with --from, or set COOPGYM_DATA_URL"),
        (NAME, "ftp://host/data", "expected an address that begins with https://, http://, file://"),
        (NAME, "/data", "expected an address that begins with"),
        ("audit-v9", "http://127.0.0.1:9", "audit-v9: no released corpus; those are audit-v0, "),
        ("../audit-v0", "http://127.0.0.1:9", "no released corpus"),
    ],
)
def test_what_cannot_be_fetched_is_said_before_anything_is_asked(name: str, address: str | None, message: str) -> None:
    with pytest.raises(DownloadError, match=message):
        fetch(name, address)


def test_the_error_of_an_absent_corpus_names_the_command() -> None:
    with pytest.raises(CorpusError, match=r"one, but not on this machine; `coopgym data get audit-v1` fetches its \d"):
        load_corpus("audit-v1")


def test_the_corpora_of_a_wheel_stay_below_two_megabytes() -> None:
    packaged = [each.size for each in catalogue().values() if each.size <= LARGEST_PACKAGED]
    assert len(packaged) >= 2
    assert sum(packaged) < 2_000_000


def test_a_written_catalogue_is_read_by_an_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = dict(catalogue())
    write_catalogue(DATA, tmp_path / "catalogue.json")
    monkeypatch.setattr("coopgym.corpus.catalogue.PROJECT", tmp_path)
    monkeypatch.setattr("coopgym.corpus.catalogue.PACKAGED", tmp_path)
    catalogue.cache_clear()
    try:
        assert catalogue() == known
        assert known[NAME] == listing(DATA / NAME)
    finally:
        catalogue.cache_clear()


def test_the_command_fetches_and_the_list_says_what_is_not_here(shelf: ShelfServer, home: Path) -> None:
    def call(*arguments: str) -> tuple[int, str]:
        ended = CliRunner().invoke(app, ["data", *arguments], env={"COLUMNS": "120"})
        return ended.exit_code, ended.output

    assert [line.split()[:3] for line in call("list")[1].splitlines()[1:-1]] == [
        [name, "not", "here"] for name in sorted(catalogue())
    ]
    code, output = call("get", NAME, "llm-quick-v1", "--from", shelf.address)
    assert code == 0, output
    assert output.splitlines() == [f"{NAME}: {home / NAME}", f"llm-quick-v1: {home / 'llm-quick-v1'}"]
    assert {NAME, "llm-quick-v1"} == released_corpora().keys()
    code, output = call("get", "audit-v1")
    assert code == 2
    assert output.startswith("coopgym: no address to fetch from")
