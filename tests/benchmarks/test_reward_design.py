"""``coopgym reward design`` and the learners that designed rewards are tried on."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from coopgym.benchmarks.cli.main import app
from coopgym.benchmarks.experiments.rewards.tabular_learning import Chain, PolicyGradient, QLearning
from coopgym.oracles.tabular import Expert


def test_the_situations_to_reward_are_a_table_and_a_file(tmp_path: Path) -> None:
    table = tmp_path / "designed.csv"
    command = ["reward", "design", "TrustDilemma-v1", "--budget", "2", "--method", "expadard", "-o", str(table)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "stays optimal" in result.output
    assert "abstraction:" in result.output
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert len({row["situation"] for row in rows}) <= 2
    assert all(abs(float(row["added"])) > 0.0 for row in rows)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["TrustDilema-v1"], "did you mean 'TrustDilemma-v1'"),
        (["TrustDilemma-v1", "--partner", "TitForTatt"], "did you mean 'TitForTat'"),
        (["TrustDilemma-v1", "--seat", "2"], "has seats 0 to 1"),
        (["TrustDilemma-v1", "--budget", "0"], "expected at least 1"),
        (["TrustDilemma-v1", "--budget", "99"], "situations occur"),
        (["TrustDilemma-v1", "--method", "expert"], "known methods: exprd, expadard"),
    ],
)
def test_mistakes_are_told(arguments: list[str], told: str) -> None:
    result = CliRunner().invoke(app, ["reward", "design", *arguments])
    assert result.exit_code == 2
    assert told in result.output


def test_q_learning_finds_the_optimum_of_a_short_chain() -> None:
    mdp = Chain(length=2, slip=0.0).process(0.9)
    start, learner = np.eye(5)[1], QLearning(episodes=200, steps=20)
    worth = learner.learned_values(mdp, start, lambda episode, policies: mdp.reward, seeds=3)
    np.testing.assert_allclose(worth[-1], float(Expert(mdp).values[1].max()))


def test_the_policy_gradient_learns_to_reach_the_goal_and_seeds_repeat() -> None:
    mdp, learner = Chain(length=6, slip=0.0).process(0.95), PolicyGradient(episodes=300)
    earned = learner.returns(mdp, 1, None, seed=0)
    assert earned[-50:].mean() > 0.95 > earned[:20].mean()
    np.testing.assert_array_equal(earned, learner.returns(mdp, 1, None, seed=0))
