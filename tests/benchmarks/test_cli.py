"""The command line: what it prints and how it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from coopgym.benchmarks.cli.main import app

STUDY = """
name = "tiny"
seeds = [1, 2]
episodes = 2
[[blocks]]
games = ["TrustDilemma-v1"]
parameters = { max_steps = 5 }
agents = ["Random", "TitForTat"]
constants = { step = 50 }
"""


def call(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=typed, env={"COLUMNS": "120"})


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    (tmp_path / "tiny.toml").write_text(STUDY)
    return str(tmp_path / "tiny.toml")


def test_games_are_listed() -> None:
    result = call("games")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) == 41
    assert "TrustDilemma-v1" in result.output


def test_one_game_is_described_with_its_parameters() -> None:
    result = call("games", "GiftExchange-v1")
    assert result.exit_code == 0
    for part in ("employer", "worker", "lambda_plus", "trust building rate"):
        assert part in result.output


def test_a_study_runs_reports_and_is_then_complete(tiny: str, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    dry = call("run", tiny, "--out", out, "--dry-run")
    assert "18 runs planned, 0 finished" in dry.output
    assert not Path(out).exists()
    first = call("run", tiny, "--out", out, "--workers", "0")
    assert first.exit_code == 0, first.output
    assert "Ranking: All 1 game" in first.output
    assert "18 runs computed, 0 already there, 0 failed" in first.output
    assert (tmp_path / "out" / "report.html").exists()
    assert (tmp_path / "out" / "summary.csv").exists()
    assert "0 runs computed, 18 already there" in call("run", tiny, "--out", out, "--workers", "0").output
    shown = call("data", "show", out)
    assert "runs 18" in shown.output
    elsewhere = str(tmp_path / "elsewhere.html")
    assert call("report", out, "--out", elsewhere).exit_code == 0
    assert Path(elsewhere).exists()


@pytest.mark.usefixtures("bare")
def test_runs_can_be_computed_anew(tiny: str, tmp_path: Path) -> None:
    command = ("run", tiny, "--out", str(tmp_path / "out"), "--workers", "0")
    call(*command)
    assert "18 runs planned, 18 finished" in call(*command, "--dry-run").output
    assert "18 runs planned, 0 finished" in call(*command, "--dry-run", "--no-resume").output
    again = call(*command, "--no-resume", "--only", "*/TitForTat/*")
    assert "3 runs computed, 0 already there" in again.output
    assert "0 runs computed, 18 already there" in call(*command).output


@pytest.mark.usefixtures("bare")
def test_an_own_agent_joins_and_its_failure_is_told(tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    Path("own_cli_agent.py").write_text(
        "class Kind:\n"
        "    def begin(self, seat, episodes, rng): ...\n"
        "    def act(self, observation): return 0 * observation[:, 0] + 1\n"
        "class Wild(Kind):\n"
        "    def act(self, observation): return observation[:, 0] + 2\n"
    )
    result = call("run", tiny, "--workers", "0", "--agent", "own_cli_agent:Kind", "--agent", "own_cli_agent:Wild")
    assert result.exit_code == 1
    assert "30 runs computed, 0 already there, 6 failed" in result.output
    assert "own_cli_agent:Kind" in result.output
    assert Path("runs/tiny/report.html").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["games", "TrustDilema-v1"], "did you mean 'TrustDilemma-v1'"),
        (["run", "quik"], "did you mean 'quick'"),
        (["run", "quick", "--agent", "absent_module:Me"], "no module 'absent_module'"),
        (["report", "absent"], "absent: no such folder"),
        (["data", "show", "absent"], "absent: no such folder"),
        (["play", "TrustDilemma-v1", "--seat", "2"], "has seats 0 to 1"),
        (["play", "TrustDilemma-v1", "--partner", "TitForTatt"], "did you mean 'TitForTat'"),
        (["play", "TrustDilemma-v1", "--reward", "privat"], "did you mean 'private'"),
    ],
)
def test_mistakes_get_one_message_and_exit_code_2(arguments: list[str], message: str) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output


def test_a_person_plays_to_the_end() -> None:
    result = call("play", "TrustDilemma-v1", "--partner", "Constant_50", typed="\n" * 100)
    assert result.exit_code == 0
    assert "Round 100 of 100" in result.output
    assert "All rounds are played." in result.output
    assert "You put in 30% of your endowment on average, the others 50%." in result.output


def test_a_person_is_asked_again_and_may_leave() -> None:
    result = call("play", "ApacheProject-v1", "--seat", "3", typed="lots\n-1\n1e9\nnan\n40%\nq\n")
    assert result.exit_code == 0
    assert result.output.count("is not playable") == 4
    assert "the 39 others on average" in result.output
    assert "You left after 1 of" in result.output


def test_leaving_at_once_is_fine() -> None:
    assert "No round was played." in call("play", "TrustDilemma-v1", typed="").output


def test_version_and_help() -> None:
    assert call("--version").output.startswith("coopgym ")
    assert call().output.count("Usage")


def test_help_imports_nothing_heavy() -> None:
    heavy = ("pyarrow", "torch", "pydantic", "matplotlib", "scipy", "coopgym.games", "coopgym.oracles")
    probe = f"import sys, coopgym.benchmarks.cli.main; print([name for name in {heavy!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_tournament_rates_agents() -> None:
    result = call("tournament", "SLCD-v1", "--agent", "TitForTat", "--agent", "Constant_20")
    assert result.exit_code == 0, result.output
    for part in ("row alone among copies of", "Ratings", "TitForTat", "Constant_20"):
        assert part in result.output
    assert "unknown game 'SLDC-v1'; did you mean 'SLCD-v" in call("tournament", "SLDC-v1").output
