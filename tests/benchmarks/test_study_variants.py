"""Studies beyond the defaults: other team sizes, several views of one game, rewards that must fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from benchmarks.cli import app
from coopgym.corpus import load_corpus


def run(tmp_path: Path, text: str) -> Result:
    study = tmp_path / "study.toml"
    study.write_text(text)
    return CliRunner().invoke(app, ["run", str(study), "--out", str(tmp_path / "runs"), "--workers", "0"])


def test_parameters_may_change_the_number_of_agents(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        """
        name = "small-pool"
        [[blocks]]
        games = ["DynamicPartnerSelection-v1"]
        parameters = { n_agents = 4, max_steps = 5 }
        agents = ["TitForTat"]
        """,
    )
    assert result.exit_code == 0, result.output
    runs = load_corpus(tmp_path / "runs").runs
    assert set(runs.column("status").to_pylist()) == {"completed"}
    assert set(runs.column("n_agents").to_pylist()) == {4}


def test_blocks_that_differ_in_view_are_all_kept(tmp_path: Path) -> None:
    text = """
        name = "views"
        rewards = ["private"]
        [[blocks]]
        games = ["SLCD-v1"]
        agents = ["TitForTat"]
        view = "own"
        [[blocks]]
        games = ["SLCD-v1"]
        agents = ["TitForTat"]
        view = "full"
        """
    assert "2 runs computed" in run(tmp_path, text).output
    assert "0 runs computed, 2 already there" in run(tmp_path, text).output


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('rewards = ["matrix=1,0,0;0,1,0;0,0,1"]', "reward matrix is 3×3, but SLCD-v1 has 2 agents"),
        ("games = []", "at least 1"),
        ("games = [3]", "3"),
    ],
)
def test_what_cannot_run_is_refused_before_anything_starts(tmp_path: Path, line: str, message: str) -> None:
    games = "" if line.startswith("games") else 'games = ["SLCD-v1"]\n'
    result = run(tmp_path, f'name = "bad"\n[[blocks]]\n{games}{line}\nagents = ["TitForTat"]\n')
    assert result.exit_code == 2
    assert message in result.output
    assert not (tmp_path / "runs").exists()
