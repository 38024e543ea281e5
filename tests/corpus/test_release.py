"""Released corpora: compact, complete, described by metadata that standard tools read."""

from __future__ import annotations

import hashlib
import itertools
import json
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from coopgym.corpus import SCHEMAS, CorpusError, check_corpus, load_corpus, publication, released_corpora
from coopgym.corpus.croissant import ENUMERATIONS
from coopgym.corpus.inventory import Inventory
from coopgym.corpus.publication import publish
from coopgym.corpus.release import Release
from tests.corpus.example_corpus import sound_run, write_rows, write_sound_corpus

RELEASE = Release("small-v0", "A corpus to look at.", "1.0.0", date(2030, 1, 2))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = write_sound_corpus(tmp_path / "runs")
    (folder / "study.json").write_text('{"name": "x", "description": "A study."}')
    return folder


@pytest.fixture
def released(source: Path, tmp_path: Path) -> Path:
    publish(source, tmp_path / "data" / "small-v0", RELEASE)
    return tmp_path / "data" / "small-v0"


def test_rows_stay_and_are_sorted(source: Path, released: Path) -> None:
    before, after = load_corpus(source), load_corpus(released)
    assert after.runs.sort_by("run_id") == before.runs.sort_by("run_id")
    assert after.runs.column("algorithm").to_pylist() == ["IPPO", "Random", "TitForTat"]
    assert after.curves.column("step").to_pylist() == [10, 20]
    assert after.study == before.study
    assert sorted(path.relative_to(released).as_posix() for path in released.rglob("*.parquet")) == [
        "curves/all.parquet",
        "runs/all.parquet",
    ]
    assert check_corpus(released) == []


def test_labels_of_all_shards_are_kept(source: Path, tmp_path: Path) -> None:
    shard = source / "runs" / "two.parquet"
    table = pq.read_table(shard)
    pq.write_table(
        table.replace_schema_metadata({**table.schema.metadata, b"coopgym.package_version": b"1.3.0"}), shard
    )
    publish(source, tmp_path / "merged-v0", RELEASE)
    assert load_corpus(tmp_path / "merged-v0").metadata["package_version"] == ("1.2.3", "1.3.0")


def test_the_same_runs_make_the_same_files_whatever_their_shards(released: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    for name, rows in (("curves", load_corpus(released).curves), ("runs", load_corpus(released).runs)):
        write_rows(again, name, rows.to_pylist()[::-1], "other.parquet")
    publish(again, tmp_path / "again-v0", RELEASE)
    for file in ("runs/all.parquet", "curves/all.parquet"):
        assert (tmp_path / "again-v0" / file).read_bytes() == (released / file).read_bytes()


def test_nothing_is_written_over_and_nothing_half(
    source: Path, released: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = {path: path.read_bytes() for path in released.rglob("*") if path.is_file()}
    with pytest.raises(CorpusError, match="exists already; released data do not change"):
        publish(source, released, RELEASE)
    assert {path: path.read_bytes() for path in released.rglob("*") if path.is_file()} == content

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(publication, "croissant", fail)
    with pytest.raises(KeyboardInterrupt):
        publish(source, released.with_name("broken-v0"), RELEASE)
    assert [path.name for path in released.parent.iterdir()] == ["small-v0"]


def test_names_are_checked() -> None:
    with pytest.raises(ValueError, match="name 'My Data'; expected lower-case"):
        Release("My Data", "", "1.0.0", date(2030, 1, 2))


class TestMadeAnew:
    """Released data do not change: a corpus that is made anew has a new version in its name, and says what moved."""

    def test_it_stands_beside_its_predecessor(
        self, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COOPGYM_DATA", str(tmp_path / "data"))
        for name, changes in (("small-v1", ""), ("small-v1.1", "MAPPO: new defaults."), ("small-v1.2", "COMA mended.")):
            release = Release(name, "A corpus.", "1.0.0", date(2030, 1, 2), changes=changes)
            publish(source, tmp_path / "data" / name, release)
        (tmp_path / "data" / ".small-v1.3.partial" / "runs").mkdir(parents=True)
        assert [name for name in released_corpora() if name.startswith((".", "small"))] == [
            "small-v1",
            "small-v1.1",
            "small-v1.2",
        ]
        for name in ("small-v1", "small-v1.1"):
            assert load_corpus(name).path == tmp_path / "data" / name
            assert check_corpus(tmp_path / "data" / name) == []
        with pytest.raises(CorpusError, match=r"did you mean 'small-v1\.1'"):
            load_corpus("small-v1.11")

    def test_its_datasheet_and_metadata_say_what_moved(self, source: Path, tmp_path: Path) -> None:
        release = Release("small-v1.2", "", "1.0.0", date(2030, 1, 2), changes="MAPPO has new defaults.")
        publish(source, tmp_path / "small-v1.2", release)
        moved = "Against small-v1.1: MAPPO has new defaults."
        assert (
            f"**What moved against earlier versions?**\n\n{moved}" in (tmp_path / "small-v1.2/DATASHEET.md").read_text()
        )
        plan = json.loads((tmp_path / "small-v1.2" / "croissant.json").read_text())["rai:dataReleaseMaintenancePlan"]
        assert plan.endswith(moved)

    def test_silence_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"small-v1\.1 is small-v1 made anew; say what moved"):
            Release("small-v1.1", "", "1.0.0", date(2030, 1, 2))

    def test_versions_have_keys_of_their_own(self) -> None:
        one, other = (Release(name, "", "", date(2030, 1, 2), changes="All.") for name in ("a-v11", "a-v1.1"))
        assert one.citation.partition(",")[0] != other.citation.partition(",")[0]


def test_altered_lost_and_added_files_are_found(released: Path) -> None:
    sheet, curves = released / "DATASHEET.md", released / "curves" / "all.parquet"
    sheet.write_bytes(sheet.read_bytes().replace(b"corpus", b"corpse"))
    curves.rename(released / "curves" / "moved.parquet")
    faults = "\n".join(map(str, check_corpus(released)))
    assert "DATASHEET.md: its sha256 differs" in faults
    assert "curves/all.parquet: missing, though listed" in faults
    assert "curves/moved.parquet: not listed" in faults
    sheet.write_bytes(b"short")
    assert "5 B, expected" in "\n".join(map(str, check_corpus(released)))


def test_broken_metadata_is_named(released: Path) -> None:
    (released / "croissant.json").write_text("{")
    (fault,) = check_corpus(released)
    assert "croissant.json: damaged" in str(fault)


class TestCroissant:
    @pytest.fixture
    def described(self, released: Path) -> dict:
        return json.loads((released / "croissant.json").read_text(encoding="utf-8"))

    def test_every_file_is_described_by_its_true_hash(self, described: dict, released: Path) -> None:
        files = {entry["contentUrl"]: entry for entry in described["distribution"] if entry["@type"] == "cr:FileObject"}
        there = {path.relative_to(released).as_posix() for path in released.rglob("*") if path.is_file()}
        assert set(files) == there - {"croissant.json"}
        for path, entry in files.items():
            content = (released / path).read_bytes()
            assert entry["sha256"] == hashlib.sha256(content).hexdigest()
            assert entry["contentSize"] == f"{len(content)} B"

    def test_every_column_is_a_field(self, described: dict) -> None:
        sets = {entry["@id"]: entry for entry in described["recordSet"]}
        for name in ("runs", "curves"):
            assert [field["name"] for field in sets[name]["field"]] == SCHEMAS[name].names
            assert all(field["description"] for field in sets[name]["field"])
        assert sets["runs"]["key"] == {"@id": "runs/run_id"}
        welfare = next(field for field in sets["runs"]["field"] if field["name"] == "welfare")
        assert welfare["description"] == "sum of all seats' payoffs, mean over episodes [payoff]"

    def test_details_refer_to_runs_and_runs_to_enumerations(self, described: dict) -> None:
        fields = {field["@id"]: field for entry in described["recordSet"] for field in entry["field"]}
        reference = fields["curves/run_id"]["references"]
        assert reference == {"fileSet": {"@id": "runs-files"}, "extract": {"column": "run_id"}}
        for column, name in ENUMERATIONS.items():
            assert fields[f"runs/{column}"]["references"] == {"field": {"@id": f"{name}/name"}}

    def test_responsibility_is_declared(self, described: dict) -> None:
        for name in (
            "dataCollection",
            "dataCollectionType",
            "dataCollectionTimeframe",
            "dataCollectionMissingData",
            "dataPreprocessingProtocol",
            "dataBiases",
            "dataLimitations",
            "dataUseCases",
            "dataSocialImpact",
            "personalSensitiveInformation",
            "dataReleaseMaintenancePlan",
            "machineAnnotationTools",
            "annotationsPerItem",
        ):
            assert described[f"rai:{name}"], name
        assert "1 diverged of 3 runs" in described["rai:dataCollectionMissingData"]

    @pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of rdflib, inside mlcroissant
    def test_mlcroissant_validates_it_and_reads_every_record_set(self, tmp_path: Path) -> None:
        mlcroissant = pytest.importorskip("mlcroissant")
        folder = write_every_table(tmp_path / "runs")
        publish(folder, tmp_path / "full-v0", RELEASE)
        dataset = mlcroissant.Dataset(str(tmp_path / "full-v0" / "croissant.json"))
        assert dataset.metadata.ctx.issues.report() == ""
        corpus = load_corpus(tmp_path / "full-v0")
        sets = {
            entry.id: list(itertools.islice(dataset.records(entry.id), 10)) for entry in dataset.metadata.record_sets
        }
        assert set(sets) == {*ENUMERATIONS.values(), *SCHEMAS}
        for name, schema in SCHEMAS.items():
            assert len(sets[name]) == min(10, len(corpus.read(name)))
            assert set(sets[name][0]) == {f"{name}/{column}" for column in schema.names}
        assert {record["algorithms/name"] for record in sets["algorithms"]} == {"IPPO", "Random", "TitForTat"}
        assert sets["runs"][0]["runs/class_metrics"] == [
            {"runs/class_metrics/key": b"loyalty", "runs/class_metrics/value": 0.5}
        ]
        assert sets["runs"][0]["runs/seat_payoffs"] == [0.25, 0.75]
        assert sets["curves"][0] == {
            "curves/run_id": b"a",
            "curves/step": 10,
            "curves/metric": b"payoff",
            "curves/value": pytest.approx(0.5),
        }


def write_every_table(folder: Path) -> Path:
    """A sound corpus with twelve rows in each table of details, but for the curves."""
    write_sound_corpus(folder)
    audit = {"run_id": "a", "seat": 0, "level": 0.5, "base_level": 0.5, "gain": 1.0, "others_change": -1.0}
    step = {"action": 1.0, "payoff": 1.0, "reward": 1.0, "trust": [1.0], "damage": [0.0], "observation": [0.5]}
    rows = {
        "steps": {"run_id": "a", "episode": 0, "seat": 0, "terminated": False, "truncated": False, **step},
        "turns": {"run_id": "a", "episode": 0, "seat": 0, "t": 0, "role": "user", "content": "Play."},
        "audit_surface": {
            "run_id": "a",
            "level": 0.5,
            "seat": 0,
            "action": 1.0,
            "episode_return": 1.0,
            "return_std": 0.0,
        },
        "audit_unilateral": audit,
        "audit_temporal": audit | {"strategy": "full", "mean_return": 1.0, "exploitative": False},
    }
    counters = {"steps": "t", "turns": "turn"}
    for name, row in rows.items():
        write_rows(folder, name, [row | ({counters[name]: t} if name in counters else {}) for t in range(12)])
    return folder


class TestDatasheet:
    def test_its_numbers_are_counted(self, released: Path) -> None:
        sheet = (released / "DATASHEET.md").read_text(encoding="utf-8")
        for part in (
            "## Motivation",
            "## Composition",
            "## Collection",
            "## Preprocessing",
            "## Uses",
            "## Distribution",
            "## Maintenance",
            "A corpus to look at.",
            "Rows by table: runs 3, curves 2.",
            "| learner | TrustDilemma-v1 | private | diverged | 1 |",
            "1 diverged of 3 runs",
            "on 2030-01-02",
            "CC-BY-4.0",
        ):
            assert part in sheet

    def test_holes_are_listed(self, tmp_path: Path) -> None:
        rows = [
            sound_run("a"),
            sound_run("b", reward_mode="cooperative"),
            sound_run("c", algorithm="Random"),
            sound_run("d", algorithm="Random", seed=5),
        ]
        write_rows(tmp_path / "runs", "runs", rows)
        publish(tmp_path / "runs", tmp_path / "holes-v0", RELEASE)
        (group,) = Inventory(load_corpus(tmp_path / "holes-v0")).groups
        assert (group.cells, group.all_cells, group.fewest_seeds, group.most_seeds) == (3, 4, 1, 2)
        sheet = (tmp_path / "holes-v0" / "DATASHEET.md").read_text(encoding="utf-8")
        assert "heuristic: 2 algorithms × 1 games × 2 modes, 3 of 4 cells filled, runs in each: 1 to 2." in sheet
        assert "heuristic, hole: Random: not, or not in all modes, in TrustDilemma-v1." in sheet
