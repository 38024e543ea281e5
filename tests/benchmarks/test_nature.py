"""What is said of agents before they play."""

from __future__ import annotations

import pytest
from benchmarks.summary import Ranking

from benchmarks.console import ranking_table
from benchmarks.nature import nature, share_convention


@pytest.mark.parametrize(
    ("name", "kind", "certain"),
    [
        ("Constant_40", "constant", True),
        ("Published_Constant_40", "constant", True),
        ("Published_TitForTat", "heuristic", True),
        ("Published_Random", "heuristic", False),
        ("Oracle_Nash", "oracle", True),
    ],
)
def test_kinds_of_agents(name: str, kind: str, certain: bool) -> None:
    found = nature(name)
    assert (found.kind, found.certain) == (kind, certain)


def test_tables_say_whose_shares_agents_play_where_endowments_differ() -> None:
    unequal, equal = "AppleAppStore-v0", "TrustDilemma-v0"
    assert share_convention([equal, "NotRegistered-v9"]) == ""
    assert f"({unequal})" in share_convention([equal, unequal])
    captions = [str(ranking_table(Ranking((game,), ()), 1).caption) for game in (equal, f"{unequal} {{}}")]
    assert ["Published_TitForTat" in caption for caption in captions] == [False, True]
