"""The commands hire and steer: tables, pages, numbers beside them, and mistakes of the user."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from coopgym.benchmarks.cli.main import app
from coopgym.benchmarks.cli.steer_page import steered
from coopgym.benchmarks.documentation import mechanisms
from coopgym.benchmarks.drawing.herd_figures import moved_figure, policy_figure
from coopgym.benchmarks.experiments.mechanisms.measurements import PARTS, SETTINGS
from coopgym.games.registry import make_game
from coopgym.oracles.mechanism_design.herd import HerdPlanner
from coopgym.oracles.mechanism_design.herd_games import herd_in


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "120"})


def test_hire_says_whom_to_pay_and_writes_page_numbers_and_json(tmp_path: Path) -> None:
    page, record = tmp_path / "hire.html", tmp_path / "hire.json"
    shown = run("hire", "SynergySearch-v1", "-o", str(page), "--json", str(record))
    assert shown.exit_code == 0, shown.output
    assert "Hire analyst 1" in shown.output
    assert "incentives hold" in shown.output
    told = json.loads(record.read_text())
    assert told["audit"]["violations"] == 0
    assert told["gained"] == pytest.approx(0.00091, abs=1e-5)
    assert np.array(told["payments"]).shape == (2, 2, 2, 2, 2, 2)
    with page.with_suffix(".csv").open() as table:
        rows = list(csv.DictReader(table))
    assert sum(float(row["recommended"]) for row in rows) == pytest.approx(1.0)
    assert "Whom to hire" in page.read_text()


def test_hire_takes_situations_and_prices(tmp_path: Path) -> None:
    situations = ("--situation", "phase=mature", "--situation", "phase=crisis")
    shown = run("hire", "RenaultNissan-v1", *situations, "--cost", "0.0001", "--cost", "0.0002", "--accuracy", "0.9",
                "--accuracy", "0.9")  # fmt: skip
    assert "analyst 1 and 2" in shown.output
    dear = run("hire", "RenaultNissan-v1", *situations, "--cost", "0.5", "--cost", "0.5")
    assert "Hire nobody" in dear.output
    capped = run("hire", "SynergySearch-v1", "--pay-cap", "1e-7")
    assert "no contract brings more than it costs" in " ".join(capped.output.split())


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("hire", "TrustDilemma-v1"), "--situation twice or more"),
        (("hire", "SynergySearch-v1", "--cost", "0.1"), "1 costs for 2 analysts"),
        (("hire", "SynergySearch-v1", "--accuracy", "0.4"), "no better than a guess"),
        (("hire", "SynergySearch-v1", "--cost", "-0.1", "--cost", "0.0"), "expected numbers of at least 0"),
        (("hire", "RenaultNissan-v1", "--situation", "phase=crisis"), "phase=crisis alone: give two different ones"),
        (("hire", "RenaultNissan-v1", "--situation", "crisis"), "--situation 'crisis': expected name=value"),
        (
            ("hire", "PublicGoods-v1", "--situation", "n_agents=3", "--situation", "n_agents=4"),
            "3 in n_agents=3, 4 in n_agents=4; expected situations with the same seats",
        ),
        (("steer", "TrustDilemma-v1", "--baseline", "0.3"), "baseline=0.3"),
        (("steer", "TrustDilemma-v1", "--levels", "0.6", "0.1"), "expected them in this order"),
    ],
)
def test_mistakes_are_told_in_one_line(arguments: tuple[str, ...], reason: str) -> None:
    shown = run(*arguments)
    assert shown.exit_code == 2
    assert reason in " ".join(shown.output.split())


def test_steer_shows_phases_and_writes_a_picture(tmp_path: Path) -> None:
    page, record = tmp_path / "steer.html", tmp_path / "steer.json"
    levels = ("--levels", "0.1", "0.85")
    shown = run("steer", "ReputationMarket-v1", "--planner", "biased", *levels, "-o", str(page), "--json", str(record))
    assert shown.exit_code == 0, shown.output
    assert "below baseline" in shown.output
    told = json.loads(record.read_text())
    assert [name for name, *_ in told["plans"]["free"]["phases"]].count("below baseline") == 1
    assert told["plans"]["transparent"]["faults"] == []
    assert page.read_text().count("<svg") >= 3


def test_pictures_show_the_policy_and_every_plan() -> None:
    found = steered(herd_in(make_game("ReputationMarket-v1"), levels=(0.1, 0.85)), HerdPlanner(beliefs=201))
    policy = policy_figure(found.free, "free").axes[0]
    drawn = next(line for line in policy.lines if np.array_equal(line.get_ydata(), found.free.precisions))
    assert np.array_equal(drawn.get_xdata(), found.free.beliefs)
    assert "below baseline" in {text.get_text() for text in policy.texts}
    moved = moved_figure(found.plans, found.game.unit).axes[0]
    assert {text.get_text() for text in moved.texts} == {"free", "transparent"}


def test_kept_measurements_are_those_of_the_settings() -> None:
    record = mechanisms._record()
    assert record["settings"] == json.loads(json.dumps(SETTINGS))
    assert set(record["parts"]) == set(PARTS)


def test_kept_measurements_show_what_they_must() -> None:
    parts = mechanisms._record()["parts"]
    together, apart = parts["correlated"]["correlated"], parts["correlated"]["independent"]
    assert together["value"] > apart["value"] + 0.01
    assert parts["correlated"]["deviations that gain"] == 0
    for surveys in parts["hiring"].values():
        assert all(found["best gain"] < 1e-7 for found in surveys.values())
    for found in parts["herds"].values():
        names = [name for name, *_ in found["planners"]["biased"]["phases"]]
        assert "below baseline" in names
        assert all(not planner["faults"] for planner in found["planners"].values())
    knapsacks = parts["knapsacks"]
    assert knapsacks["programme"] == pytest.approx(knapsacks["Lagrange game"])
    assert knapsacks["UcbBwK"]["low"] > knapsacks["best fixed arm"]
