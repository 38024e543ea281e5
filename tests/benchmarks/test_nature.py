"""What is said of agents before they play."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from coopgym.benchmarks.cli.tables import print_rankings
from coopgym.benchmarks.score import Leaderboards
from coopgym.benchmarks.study.agent_info import agent_info, share_convention
from tests.benchmarks.report_corpora import played, written


@pytest.mark.parametrize(
    ("name", "kind", "deterministic"),
    [
        ("Constant_40", "constant", True),
        ("Published_Constant_40", "constant", True),
        ("Published_TitForTat", "heuristic", True),
        ("Published_Random", "heuristic", False),
        ("Oracle_Nash", "oracle", True),
    ],
)
def test_kinds_of_agents(name: str, kind: str, deterministic: bool) -> None:
    found = agent_info(name)
    assert (found.kind, found.deterministic) == (kind, deterministic)


def test_tables_say_whose_shares_agents_play_where_endowments_differ(tmp_path: Path) -> None:
    unequal, equal = "AppleAppStore-v0", "TrustDilemma-v0"
    assert share_convention([equal, "NotRegistered-v9"]) == ""
    assert f"({unequal})" in share_convention([equal, unequal])
    told = []
    for game in (equal, unequal):
        place = {"environment": game, "env_parameters": "{}", "reward_mode": "integrated"}
        runs = [
            played("Random", 1.0, **place),
            *(played(f"Constant_{level}", level / 9, **place) for level in (50, 90)),
        ]
        terminal = Console(width=200, file=io.StringIO(), record=True)
        print_rankings(terminal, Leaderboards(written(tmp_path / game, {"runs": runs}).runs.arrow))
        told.append(terminal.export_text())
    assert ["Published_TitForTat" in text for text in told] == [False, True]
