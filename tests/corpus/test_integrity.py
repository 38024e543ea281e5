"""Faults of a corpus: each kind is found, all are reported, and sound corpora have none."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from coopgym.corpus import check_corpus
from tests.corpus.example_corpus import sound_run, write_rows, write_sound_corpus


def messages(folder: Path) -> list[str]:
    return [str(fault) for fault in check_corpus(folder)]


def test_a_sound_corpus_has_no_faults(tmp_path: Path) -> None:
    assert messages(write_sound_corpus(tmp_path)) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"identity": '{"seed":1}'}, r"runs\.run_id: 1 ids that are not the SHA-256 of `identity`"),
        ({"cooperation_rate": 1.2}, r"runs\.cooperation_rate: 1 values such as 1\.2; expected in \[0, 1\]"),
        ({"mean_trust_final": -0.1}, r"runs\.mean_trust_final: 1 values such as -0\.1"),
        ({"seat_cooperation": [0.5, 1.5]}, r"runs\.seat_cooperation: 1 values such as 1\.5"),
        ({"n_agents": 0, "seat_payoffs": None}, r"runs\.n_agents: 1 values such as 0; expected at least 1"),
        ({"seat_payoffs": [1.0, 2.0, 3.0]}, r"runs\.seat_payoffs: 1 lists that do not have one entry per seat"),
        ({"env_parameters": "[]"}, r"runs\.env_parameters: '\[\]' is not a JSON object"),
        ({"hyperparameters": "{"}, r"runs\.hyperparameters: '\{' is not a JSON object"),
        ({"diverged_at_step": 3}, r"runs\.diverged_at_step: set in 1 runs whose status is not diverged"),
        ({"world": "common"}, r"runs\.world: 'common', but `env_parameters` say 'fixed'"),
        ({"error": "Traceback"}, r"runs\.error: set in 1 completed runs"),
        ({"return_mode": None}, r"runs\.return_mode: null in 1 completed runs"),
    ],
)
def test_rows_that_cannot_be_are_found(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    shard = write_rows(tmp_path, "runs", [sound_run(**changes)])
    found = check_corpus(tmp_path)
    assert found
    assert all(fault.where == str(shard) for fault in found)
    assert any(re.search(message, str(fault)) for fault in found)


def test_shares_may_miss_their_range_by_rounding(tmp_path: Path) -> None:
    write_rows(tmp_path, "runs", [sound_run(cooperation_rate=1.0 + 1e-9)])
    assert messages(tmp_path) == []


def flip_a_bit(folder: Path) -> None:
    shard = folder / "curves" / "one.parquet"
    content = bytearray(shard.read_bytes())
    column = pq.read_metadata(shard).row_group(0).column(1)
    content[column.data_page_offset + column.total_compressed_size - 2] ^= 0xFF
    shard.write_bytes(bytes(content))


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (flip_a_bit, "curves/one.parquet: damaged: its data cannot be read"),
        (lambda folder: (folder / "runs" / "bad.parquet").write_bytes(b"PAR1"), "damaged: truncated after 4 bytes"),
        (
            lambda folder: write_rows(folder, "runs", [sound_run("a")], "again.parquet"),
            "run a appears 2 times",
        ),
        (
            lambda folder: write_rows(folder, "curves", [point("z")], "two.parquet"),
            "1 runs such as z are not in `runs`",
        ),
        (
            lambda folder: write_rows(folder, "curves", [point("a")], "lost.parquet"),
            "curves/lost.parquet: its runs are missing",
        ),
        (
            lambda folder: write_rows(folder, "audit_unilateral", [deviation(seat=2)]),
            "1 rows of seats that their games do",
        ),
        (
            lambda folder: write_rows(folder, "audit_unilateral", [deviation(level=1.5)]),
            "audit_unilateral.level: 1 values",
        ),
    ],
)
def test_harm_is_found_and_named(tmp_path: Path, harm: Callable[[Path], Any], message: str) -> None:
    harm(write_sound_corpus(tmp_path))
    (fault,) = messages(tmp_path)
    assert message in fault


def point(run_id: str) -> dict[str, Any]:
    return {"run_id": run_id, "step": 1, "metric": "x", "value": 1.0}


def deviation(**changes: Any) -> dict[str, Any]:
    row = {"run_id": "a", "seat": 1, "base_level": 0.5, "level": 0.25, "gain": 1.0, "others_change": -1.0}
    return row | changes


def test_all_faults_are_reported(tmp_path: Path) -> None:
    write_sound_corpus(tmp_path)
    flip_a_bit(tmp_path)
    write_rows(tmp_path, "runs", [sound_run("a", welfare=1.0), sound_run("d", gini_payoff=2.0)], "three.parquet")
    found = "\n".join(messages(tmp_path))
    for part in ("damaged", "gini_payoff", "run a appears 2 times", "TitForTat in TrustDilemma-v1"):
        assert part in found


class TestAgreement:
    def pair(self, folder: Path, **facts: Any) -> list[str]:
        rows = [sound_run("a", seed=1, return_mode=1.0, **facts), sound_run("b", seed=2, return_mode=2.0, **facts)]
        write_rows(folder, "runs", rows)
        return messages(folder)

    def test_what_leaves_nothing_to_chance_must_repeat(self, tmp_path: Path) -> None:
        (fault,) = self.pair(tmp_path, algorithm="Constant_50", algorithm_kind="constant")
        assert "Constant_50 in TrustDilemma-v1 under private leaves nothing to chance" in fault
        assert "but seeds 1, 2 differ: return_mode 1 to 2" in fault

    @pytest.mark.parametrize(
        "facts",
        [
            {"algorithm": "Random"},
            {"algorithm": "Constant_50", "algorithm_kind": "constant", "environment": "SynergySearch-v1"},
            {"algorithm": "IPPO", "algorithm_kind": "learner"},
            {"algorithm": "SomebodyElse"},
            {"protocol": "scenario"},
            {"environment": "UnknownGame-v7"},
        ],
    )
    def test_chance_learning_and_strangers_may_differ(self, tmp_path: Path, facts: dict[str, Any]) -> None:
        assert self.pair(tmp_path, **facts) == []

    def test_data_do_not_decide_which_code_is_imported(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "hostile.py").write_text("raise SystemExit('imported')")
        monkeypatch.chdir(tmp_path)
        assert self.pair(tmp_path / "corpus", algorithm="hostile:Agent") == []


def test_a_place_without_a_corpus_is_a_fault(tmp_path: Path) -> None:
    (fault,) = messages(tmp_path)
    assert "not a corpus" in fault
