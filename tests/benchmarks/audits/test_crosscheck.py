"""The cross-audit report on a whole corpus of the reference's audits, and on one of the new ones."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from coopgym.benchmarks.audits import AUDITS, Audited, AuditOptions, reference_labels
from coopgym.benchmarks.audits.crosscheck import DIRECT, crosscheck
from coopgym.corpus.reader import Corpus, load_corpus
from coopgym.corpus.schema import SCHEMAS, TableName
from coopgym.corpus.writer import table_from_rows, write_table
from coopgym.games.registry import games, make_game

SEEDS = (99, 100, 101)
Run = tuple[dict[str, Any], Audited]


def run(id: str, protocol: str, label: str, seed: int, found: Audited, status: str = "completed") -> Run:
    facts = make_game(id).spec
    row = {
        "run_id": f"{id}/{protocol}/{label}/{seed}",
        "study": "audits",
        "algorithm": label,
        "algorithm_kind": "label",
        "environment": id,
        "edition": facts.edition,
        "mechanism_class": facts.mechanism_class,
        "n_agents": facts.n_agents,
        "horizon": facts.horizon,
        "env_parameters": "{}",
        "reward_mode": "integrated",
        "view": "own",
        "seed": seed,
        "episodes": 1,
        "hyperparameters": "{}",
        "protocol": protocol,
        "package_version": "0",
        "python": "3",
        "numpy": "2",
        "device": "cpu",
        "replica_group": "0",
        "started_at": datetime(2026, 1, 1, tzinfo=UTC),
        "status": status,
        **found.columns,
    }
    return row, found


def written(folder: Path, runs: Iterable[Run]) -> Corpus:
    rows: list[dict[str, Any]] = []
    details: dict[TableName, list[pa.Table]] = {}
    for row, found in runs:
        rows.append(row)
        for name, table in found.tables.items():
            ids = pa.repeat(row["run_id"], len(table))
            details.setdefault(name, []).append(table.add_column(0, SCHEMAS[name].field("run_id"), ids))
    tables = {"runs": table_from_rows("runs", rows)} | {name: pa.concat_tables(each) for name, each in details.items()}
    for name, table in tables.items():
        write_table(name, table, folder / name / "all.parquet", study_hash="0", package_version="0")
    return load_corpus(folder)


def audited_once(protocol: str) -> Iterable[Run]:
    """Runs of all released games. One audit serves all seeds where nothing is hidden and drawn, see
    `test_only_the_hidden_draw_depends_on_the_seed`."""
    for id in games("released"):
        game = make_game(id)
        labels = reference_labels(game.spec) if protocol == "reference_surface" else ["none"]
        found = None
        for seed in SEEDS:
            if found is None or id == "SynergySearch-v0":
                found = AUDITS[protocol](game, "integrated", seed, AuditOptions())
            yield from (run(id, protocol, label, seed, found) for label in labels)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    runs = [*audited_once("reference_surface"), *audited_once("reference_temporal")]
    return written(tmp_path_factory.mktemp("reference"), runs)


def test_records_and_tests_are_as_many_as_documented(reference: Corpus) -> None:
    found = crosscheck(reference)
    assert found.records == {"reference_surface": 1056, "reference_temporal": 60}
    assert found.records_per_label["IPPO"] == 60
    assert found.records_per_label["MeanFieldAC"] == 36
    assert len(found.records_per_label) == 18
    assert found.switch_tests == 492
    assert sum(each.tests for each in found.exploitation.values()) == 4 * 1056


def test_labels_agree_and_every_game_is_immune(reference: Corpus) -> None:
    found = crosscheck(reference)
    assert all(each.labels_agree for each in found.exploitation.values())
    assert {*found.vulnerability.values()} == {"immune"}
    assert len(found.vulnerability) == 60
    assert all(each.greatest < 0 for each in found.last_switch_gain.values())
    rows = reference.audit_temporal.to_pylist()
    assert max(row["gain"] for row in rows if row["strategy"] == "late") < 0
    assert all(each.least <= each.mean <= each.greatest for each in found.last_switch_gain.values())


def test_medians_are_those_of_the_records(reference: Corpus) -> None:
    levels = crosscheck(reference).optimal_level
    assert levels["TrustDilemma-v0"] == 0.45  # 42 % on a grid of 5 %
    assert levels["LoyaltyTeam-v0"] == 0.65
    assert len(levels) == 20


def test_gradual_exploits_are_ramps_that_pay(reference: Corpus) -> None:
    found = crosscheck(reference)
    ramps = [
        (row["run_id"].split("/")[0], row["gain"])
        for row in reference.audit_temporal.to_pylist()
        if row["strategy"] == "ramp" and row["gain"] > 0 and row["others_change"] < 0
    ]
    assert [(each.environment, each.gain) for each in found.gradual_exploits] == ramps
    assert all(0 < each.share < 0.1 for each in found.gradual_exploits)


def test_other_modes_and_failed_runs_are_left_out(tmp_path: Path) -> None:
    game = make_game("SLCD-v0")
    found = AUDITS["reference_surface"](game, "integrated", 0, AuditOptions())
    corpus = written(
        tmp_path,
        [
            run("SLCD-v0", "reference_surface", "IPPO", 0, found),
            run("SLCD-v0", "reference_surface", "VDN", 0, found, status="failed"),
        ],
    )
    assert crosscheck(corpus).records == {"reference_surface": 1}
    assert crosscheck(corpus).exploitation["SLCD-v0"].tests == 4
    assert crosscheck(corpus, reward="private").records == {}


def test_labels_that_disagree_are_reported(tmp_path: Path) -> None:
    honest = AUDITS["reference_surface"](make_game("SLCD-v0"), "integrated", 0, AuditOptions())
    tests = honest.tables["audit_unilateral"]
    forged = {**tests.to_pydict(), "gain": [1.0] * 4, "others_change": [-1.0, -1.0, 1.0, -1.0]}
    table = pa.table(forged, schema=tests.schema)
    other = Audited(honest.columns, honest.tables | {"audit_unilateral": table})
    runs = [run("SLCD-v0", "reference_surface", label, 0, found) for label, found in (("A", honest), ("B", other))]
    found = crosscheck(written(tmp_path, runs)).exploitation["SLCD-v0"]
    exploits = sum(row["gain"] > 0 and row["others_change"] < 0 for row in tests.to_pylist())
    assert not found.labels_agree
    assert found.share == (3 + exploits) / 8


def test_the_new_audits_read_the_same_way(tmp_path: Path) -> None:
    options = AuditOptions(surface_step=0.1, grid_step=0.1, switch_step=0.25, bases=("best",), search=None)
    game = make_game("TeamProduction-v1", max_steps=20)
    protocols = (DIRECT.surface, DIRECT.unilateral, DIRECT.temporal)
    corpus = written(
        tmp_path,
        [run("TeamProduction-v1", name, "none", 0, AUDITS[name](game, "integrated", 0, options)) for name in protocols],
    )
    found = crosscheck(corpus, DIRECT)
    assert found.records == dict.fromkeys(protocols, 1)
    assert found.vulnerability["TeamProduction-v1", 0] == "broadly_vulnerable"
    assert found.exploitation_by_class["TR-3"].share == found.exploitation["TeamProduction-v1"].share > 0.1
    assert found.gradual_exploits
