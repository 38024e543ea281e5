"""The documentation's tables of learners and methods say what the classes say."""

from __future__ import annotations

from pathlib import Path

import pytest

from algorithms.marl import IPPO
from algorithms.marl.maddpg import MADDPG
from algorithms.marl.mixed import Mixed
from benchmarks.learner_table import learner_table, with_table
from benchmarks.method_table import KIND, method_table


def test_a_row_comes_from_the_class() -> None:
    _, _, first, second = learner_table({"MADDPG": MADDPG, "Mixed": Mixed, "IPPO": IPPO}).splitlines()
    assert [cell.strip() for cell in first.split("|")[1:-1]] == [
        "IPPO", IPPO.sources, "individual, team", "squashed gaussian", "1 or more",
        "`tests/algorithms/test_battery.py`",
    ]  # fmt: skip
    assert second.startswith("| MADDPG | Lowe et al. 2017")
    assert "| deterministic |" in second


def test_only_what_is_between_the_marks_changes() -> None:
    page = (Path(__file__).parents[2] / "docs" / "learners.md").read_text()
    once = with_table(page, "| a |")
    assert with_table(once, "| a |") == once
    assert "| a |" in once
    assert once.partition("<!--")[0] == page.partition("<!--")[0]
    assert once.rpartition("-->")[2] == page.rpartition("-->")[2]
    with pytest.raises(ValueError, match="table of learners"):
        with_table("no marks", "| a |")


def test_the_table_of_methods_is_up_to_date() -> None:
    page = (Path(__file__).parents[2] / "docs" / "language-training.md").read_text()
    assert with_table(page, method_table(), KIND) == page, "run python -m benchmarks.method_table on it"
