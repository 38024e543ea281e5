"""``coopgym reward read``: which mode a behaviour looks like it is optimising, and what is said of bad input."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from coopgym.agents import Agent, make_agent
from coopgym.benchmarks.cli.main import app
from coopgym.benchmarks.execute.executors import InProcess
from coopgym.benchmarks.execute.runner import run_study
from coopgym.benchmarks.experiments.rewards.reading import ReadingSettings, read_reward
from coopgym.benchmarks.experiments.rewards.reward_reading import gap, mistaken, recognised, spread_of_seeds
from coopgym.benchmarks.study import Study, expand
from coopgym.games.registry import make_game
from tests.support.quiet import Silence

FEW = ReadingSettings(cloned=8, episodes=8, resamples=20)
STUDY = Study.model_validate(
    {
        "name": "read",
        "seeds": [1],
        "episodes": 2,
        "rewards": ["private"],
        "exploitability": False,
        "blocks": [
            {
                "games": ["TrustDilemma-v1"],
                "parameters": {"max_steps": 8},
                "agents": ["TitForTat"],
                "learners": [
                    {
                        "name": "IPPO",
                        "env_steps": 200,
                        "hyperparameters": {"num_envs": 4, "rollout_steps": 25, "n_minibatches": 2, "hidden": [8]},
                    }
                ],
            }
        ],
    }
)


def playing(name: str) -> Callable[[], list[Agent]]:
    return lambda: [make_agent(name), make_agent(name)]


@pytest.mark.parametrize(("level", "mode"), [(0.2, "private"), (0.98, "cooperative")])
def test_the_selfish_look_selfish_and_the_generous_cooperative(level: float, mode: str) -> None:
    game = make_game("TrustDilemma-v1", max_steps=20)
    behaviour = playing(f"Noisy(agent=Constant(level={level}), noise=0.1)")
    reading = read_reward(game, behaviour, settings=FEW)
    assert reading.nearest() == reading.nearest(0) == mode
    assert next(reading.nearest_first()) == (0, reading.rewards.index(mode))
    assert (reading.low <= reading.distance + 1e-9).all()
    assert (reading.distance <= reading.high + 1e-9).all()
    assert (reading.low >= 0.0).all()
    assert (reading.high <= 2.0).all()


def test_what_does_not_fit_is_refused() -> None:
    game = make_game("TrustDilemma-v1", max_steps=4)
    with pytest.raises(ValueError, match="transforms may remember earlier steps; expected modes, such as private"):
        read_reward(game, playing("TitForTat"), ["private + shaping(trust)"], FEW)
    with pytest.raises(ValueError, match="no reward to hold the behaviour against"):
        read_reward(game, playing("TitForTat"), [], FEW)
    with pytest.raises(ValueError, match="episodes=1: expected at least 2"):
        ReadingSettings(episodes=1)


def test_policies_are_recognised_by_the_others_that_play_like_them() -> None:
    played = {"private": (0.0, 0.1), "integrated": (0.12, 0.3), "cooperative": (0.9, 1.0)}
    policies = [
        {"trained_on": mode, "nearest": "private", "shares": [[share, share], [share, share]]}
        for mode, shares in played.items()
        for share in shares
    ]
    kept = {"parts": {"G": policies}}
    assert recognised(kept, "G") == (4, 6)
    assert recognised(kept, "G", "cooperative") == (2, 2)
    assert gap(kept, "G", "private", "integrated") == pytest.approx(0.16)
    assert spread_of_seeds(kept, "G", "private", "integrated") == pytest.approx((0.1 + 0.18) / 2)
    assert mistaken(kept, "G", ("private", "integrated")) == "2 of 4"
    assert mistaken(kept, "G", ("integrated", "cooperative")) == "0 of 4"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("read") / "study"
    assert run_study(STUDY, expand(STUDY), folder, InProcess(), Silence()).failed == 0
    return folder


def said(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["reward", "read", *arguments], env={"COLUMNS": "200"})
    return result.exit_code, result.output


def test_runs_of_a_folder_are_read_learners_and_scripted_ones(finished: Path) -> None:
    code, output = said(str(finished), "--episodes", "4")
    assert code == 0, output
    for expected in ("IPPO", "TitForTat", "private", "integrated", "cooperative", "TrustDilemma-v1"):
        assert expected in output


def test_an_agent_that_is_not_there_is_told_with_the_nearest_name(finished: Path) -> None:
    code, output = said(str(finished), "--agent", "ippoo")
    assert code == 2
    assert "unknown agent 'ippoo'; did you mean 'IPPO'?" in output


def test_a_corpus_without_policies_says_so_and_reads_the_others(finished: Path, tmp_path: Path) -> None:
    bereft = tmp_path / "bereft"
    shutil.copytree(finished, bereft)
    shutil.rmtree(bereft / "policies")
    code, output = said(str(bereft), "--episodes", "4", "--agent", "IPPO", "--agent", "TitForTat")
    assert code in (1, 2)
    assert "polic" in output


def test_a_released_corpus_keeps_no_policies_and_nobody_is_told_to_delete_a_part_of_it() -> None:
    code, output = said("learners-v1", "--agent", "IPPO", "--game", "TrustDilemma-v1")
    assert code == 1
    (line,) = output.splitlines()  # one for all runs of the learner
    assert "learners-v1: released corpora keep no policies" in line
    assert "`coopgym run learners --out learners-again --only '*/IPPO/*'`" in line
    assert "delete" not in line


def test_a_page_its_numbers_and_json_hold_every_distance(finished: Path, tmp_path: Path) -> None:
    page, file = tmp_path / "read.html", tmp_path / "read.json"
    code, output = said(str(finished), "--episodes", "4", "--agent", "TitForTat", "-o", str(page), "--json", str(file))
    assert code == 0, output
    records = json.loads(file.read_bytes())
    assert [record["seat"] for record in records] == [0, 0, 0, 1, 1, 1]
    assert {record["reward"] for record in records} == {"private", "integrated", "cooperative"}
    assert all(record["low"] <= record["distance"] <= record["high"] for record in records)
    with page.with_suffix(".csv").open(encoding="utf-8", newline="") as table:
        assert [float(row["distance"]) for row in csv.DictReader(table)] == [each["distance"] for each in records]
    assert "TitForTat, private" in page.read_text(encoding="utf-8")
    code, output = said(str(finished), "-o", str(tmp_path / "read.csv"))
    assert code == 2
    assert "expected the name of an HTML file" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere",), "nowhere"),
        (("{}", "--mode", "privat"), "did you mean 'private'"),
        (("{}", "--gamma", "1.5"), "gamma=1.5: expected a number in [0, 1)"),
        (("{}", "--episodes", "0"), "expected at least 1"),
    ],
)
def test_bad_input_is_told_in_words(finished: Path, arguments: tuple[str, ...], message: str) -> None:
    code, output = said(*(each.format(finished) for each in arguments))
    assert code == 2
    assert message in output
