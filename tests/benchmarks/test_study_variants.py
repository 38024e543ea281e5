"""Studies beyond the defaults: other team sizes, several views of one game, rewards that must fit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from coopgym.benchmarks.cli.main import app
from coopgym.corpus import load_corpus
from coopgym.games.registry import make_game


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


def test_worlds_are_variants_of_a_game(tmp_path: Path) -> None:
    text = """
        name = "small-worlds"
        rewards = ["cooperative"]
        seeds = [1, 2]
        episodes = 2
        [[blocks]]
        games = ["TrustDilemma-v1", "PublicGoods-v1"]
        parameters = { max_steps = 5 }
        worlds = ["fixed", "private"]
        agents = ["Constant_75"]
        """
    result = run(tmp_path, text)
    assert result.exit_code == 0, result.output
    rows = load_corpus(tmp_path / "runs").runs.to_pylist()
    told = [json.loads(row["env_parameters"]).get("world", "fixed") for row in rows]
    assert {world: told.count(world) for world in told} == {"fixed": 2, "private": 4}, "nothing is drawn in a fixed one"
    assert len({row["welfare"] for row in rows}) == len(rows)


def test_worlds_are_given_once(tmp_path: Path) -> None:
    block = 'games = ["SLCD-v1"]\nworlds = ["common"]\nsweep = { world = ["private"] }\nagents = ["TitForTat"]'
    result = run(tmp_path, f'name = "twice"\n[[blocks]]\n{block}')
    assert result.exit_code != 0
    assert "give the worlds once" in result.output


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


def test_parameters_may_take_several_values(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        """
        name = "ranges"
        rewards = ["private"]
        [[blocks]]
        games = ["TeamProduction-v1"]
        parameters = { max_steps = 3 }
        sweep = { n_agents = [3, 4], theta = { from = 2, to = 4, count = 3 } }
        agents = ["Constant_50"]
        """,
    )
    assert result.exit_code == 0, result.output
    asked = load_corpus(tmp_path / "runs").runs.column("env_parameters").to_pylist()
    played = {make_game("TeamProduction-v1", **json.loads(text)).parameters.theta for text in asked}
    assert played == {2.0, 3.0, 4.0}
    assert "6 runs computed" in result.output


def test_a_mutuality_grid_is_played_besides_the_modes(tmp_path: Path) -> None:
    text = """
        name = "continuum"
        rewards = ["private", "integrated"]
        mutuality = [0, 0.5, 1.0]
        [[blocks]]
        games = ["SLCD-v1"]
        parameters = { max_steps = 4 }
        agents = ["Constant_50"]
        """
    assert run(tmp_path, text).exit_code == 0
    rows = {row["reward_mode"]: row for row in load_corpus(tmp_path / "runs").runs.to_pylist()}
    assert {mode: row["mutuality"] for mode, row in rows.items()} == {
        "private": None,
        "integrated": None,
        "mutuality=0": 0.0,
        "mutuality=0.5": 0.5,
        "mutuality=1": 1.0,
    }
    assert rows["mutuality=0"]["return_mode"] == pytest.approx(rows["private"]["return_mode"])


def test_learners_are_also_evaluated_with_drawn_actions(tmp_path: Path) -> None:
    text = """
        name = "drawn"
        rewards = ["private"]
        seeds = [1]
        stochastic_episodes = 3
        [[blocks]]
        games = ["SLCD-v1"]
        parameters = { max_steps = 4 }
        [[blocks.learners]]
        name = "IPPO"
        env_steps = 8
        objective = "team"
        hyperparameters = { num_envs = 2, hidden = [4] }
        """
    assert run(tmp_path, text).exit_code == 0
    row = load_corpus(tmp_path / "runs").runs.to_pylist()[0]
    assert (row["algorithm"], row["objective"]) == ("IPPO-team", "team")
    assert (row["episodes"], row["sto_episodes"]) == (1, 3)
    assert row["sto_welfare"] != row["welfare"]
    assert sum(row["sto_seat_payoffs"]) == pytest.approx(row["sto_welfare"])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("parameters = { kappa = 1.0 }\nsweep = { kappa = [2.0] }", "both fixed and swept"),
        ("sweep = { kappa = [] }", "sweep of 'kappa' has no values"),
        ("sweep = { theta = [8, 8.0] }", "{'theta': 8} and {'theta': 8.0} are the same SLCD-v1"),
        ("sweep = { norm = [0.3, [0.3, 0.3]] }", "are the same SLCD-v1; keep one of them"),
        ("sweep = { kapa = [1.0] }", "did you mean 'kappa'"),
        ("sweep = { kappa = { from = 1, to = 2, cont = 3 } }", "cont"),
        ('view = "minimal"', "TitForTat: the 'minimal' view of SLCD-v1 does not show partners' actions"),
    ],
)
def test_what_blocks_cannot_hold_is_refused(tmp_path: Path, line: str, message: str) -> None:
    result = run(tmp_path, f'name = "bad"\n[[blocks]]\ngames = ["SLCD-v1"]\nagents = ["TitForTat"]\n{line}\n')
    assert result.exit_code == 2
    assert message in result.output.replace("\n", " ")
