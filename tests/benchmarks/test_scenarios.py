"""Scenarios of a study: agents and learners among others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coopgym.agents import make_agent
from coopgym.benchmarks.execute.executors import InProcess
from coopgym.benchmarks.execute.runner import run_study
from coopgym.benchmarks.study import Study, StudyError, expand, load_study, seed_from
from coopgym.corpus import load_corpus
from coopgym.games.registry import make_game
from coopgym.play.episodes import play
from tests.support.quiet import Silence

LEARNER = {
    "name": "IPPO",
    "label": "Pupil",
    "env_steps": 32,
    "hyperparameters": {"num_envs": 2, "hidden": [4], "n_epochs": 1, "n_minibatches": 1},
}


def study(**block: Any) -> Study:
    given = {"games": ["TrustDilemma-v1"], "parameters": {"max_steps": 8}} | block
    head = {"name": "meetings", "seeds": [3, 4], "episodes": 2, "rewards": ["private"], "stochastic_episodes": 0}
    return Study.model_validate({**head, "blocks": [given]})


def rows_of(study: Study, folder: Path, only: str | None = None) -> dict[str, dict[str, Any]]:
    run_study(study, expand(study, only), folder, InProcess(), Silence())
    rows = load_corpus(folder).runs.to_pylist()
    return {f"{row['algorithm']}/{row['scenario']}/{row['seed']}": row for row in rows}


def test_everybody_meets_everybody_else(tmp_path: Path) -> None:
    rows = rows_of(study(agents=["TitForTat", "Constant_20"], cross_play=True), tmp_path)
    met = {name for name, row in rows.items() if row["protocol"] == "scenario"}
    assert met == {"TitForTat/among:Constant_20/3", "Constant_20/among:TitForTat/3"}
    row = rows["TitForTat/among:Constant_20/3"]
    assert row["background"] == ["Constant_20"]
    assert row["algorithm_kind"] == "heuristic"


def test_a_focal_agent_that_takes_every_seat_gets_the_mean_over_seats(tmp_path: Path) -> None:
    game = "PartnerHoldUp-v1"
    scenario = {"name": "with defectors", "background": ["Constant_00"]}
    rows = rows_of(study(games=[game], agents=["Constant_60"], scenarios=[scenario]), tmp_path)
    made = make_game(game, max_steps=8)
    payoffs = []
    for focal in range(2):
        agents = [make_agent("Constant_60" if seat == focal else "Constant_00") for seat in range(2)]
        payoffs.append(play(made, agents, reward="private").payoffs[0, focal])
    assert rows["Constant_60/with defectors/3"]["focal_payoff"] == pytest.approx(np.mean(payoffs))
    assert rows["Constant_60/with defectors/3"]["background_cooperation"] == 0.0


def test_seats_can_be_named(tmp_path: Path) -> None:
    scenario = {"name": "two among two", "focal_seats": [0, 2], "background": ["Constant_00", "Constant_100"]}
    games = ["TeamProduction-v1"]
    row = rows_of(study(games=games, agents=["Constant_50"], scenarios=[scenario]), tmp_path)[
        "Constant_50/two among two/3"
    ]
    assert row["seat_cooperation"] == [0.5, 0.0, 0.5, 1.0]
    assert (row["focal_cooperation"], row["background_cooperation"]) == (0.5, 0.5)


def test_learners_meet_others_with_the_policies_they_learned(tmp_path: Path) -> None:
    from coopgym.algorithms.marl import load_agents

    chosen = study(agents=["TitForTat"], learners=[LEARNER], cross_play=True)
    rows = rows_of(chosen, tmp_path)
    assert {row["status"] for row in rows.values()} == {"completed"}
    assert {"Pupil/among:TitForTat/3", "Pupil/among:TitForTat/4", "TitForTat/among:Pupil/4"} <= set(rows)

    training = rows["Pupil/None/4"]
    seed = seed_from("training", "TrustDilemma-v1", training["env_parameters"], "Pupil", 4)
    pupils = load_agents(tmp_path / "policies" / training["replica_group"], ("private", seed))
    game = make_game("TrustDilemma-v1", max_steps=8)
    evaluation = seed_from("evaluation", "TrustDilemma-v1", training["env_parameters"], 4)
    direct = play(game, [pupils[0], make_agent("TitForTat")], reward="private", seed=evaluation)
    assert rows["Pupil/among:TitForTat/4"]["focal_payoff"] == pytest.approx(direct.payoffs[0, 0])


def test_meetings_resume_from_kept_policies(tmp_path: Path) -> None:
    alone = study(agents=["TitForTat"], learners=[LEARNER])
    together = study(agents=["TitForTat"], learners=[LEARNER], cross_play=True)
    rows_of(alone, tmp_path / "grown")
    grown, fresh = rows_of(together, tmp_path / "grown"), rows_of(together, tmp_path / "fresh")
    for name, row in fresh.items():
        assert row["run_id"] == grown[name]["run_id"]
        assert row["welfare"] == grown[name]["welfare"]


def test_a_meeting_without_its_learner_fails_with_the_remedy(tmp_path: Path) -> None:
    chosen = study(agents=["TitForTat"], learners=[LEARNER], cross_play=True)
    rows = rows_of(chosen, tmp_path, only="*/among:Pupil")
    assert [row["status"] for row in rows.values()] == ["failed", "failed"]
    assert "run the study without --only" in rows["TitForTat/among:Pupil/3"]["error"]


def test_a_changed_learner_is_another_meeting() -> None:
    def ids(env_steps: int) -> set[str]:
        learner = LEARNER | {"env_steps": env_steps}
        runs = expand(study(agents=["TitForTat"], learners=[learner], cross_play=True))
        return {run.run_id for run in runs if run.scenario == "among:Pupil"}

    assert not ids(32) & ids(64)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("{ name = 'x', background = ['TitForTatt'] }", "did you mean 'TitForTat'"),
        ("{ name = 'x', background = ['Random'], focal_seats = [2] }", "must be distinct seats of SLCD-v1, 0 to 1"),
        ("{ name = 'x', background = ['Random', 'Random'] }", "leaves 1 seats to the background; expected one agent"),
        ("{ name = 'among:x', background = ['Random'] }", "do not start with 'among:'"),
        ("{ name = 'x', background = ['Random'], focal = [0] }", "unknown key 'focal'; did you mean 'focal_seats'"),
    ],
)
def test_scenarios_that_cannot_be_played_are_refused(tmp_path: Path, lines: str, message: str) -> None:
    path = tmp_path / "study.toml"
    path.write_text(f'name = "x"\n[[blocks]]\ngames = ["SLCD-v1"]\nagents = ["Random"]\nscenarios = [{lines}]\n')
    with pytest.raises(StudyError, match=message):
        load_study(str(path))


def test_a_learner_of_another_game_cannot_sit_in_the_background() -> None:
    blocks = [
        {"games": ["SLCD-v1"], "learners": [LEARNER]},
        {
            "games": ["TrustDilemma-v1"],
            "agents": ["Random"],
            "scenarios": [{"name": "x", "background": ["Pupil"]}],
        },
    ]
    with pytest.raises(ValueError, match="learner 'Pupil' does not train on TrustDilemma-v1"):
        Study.model_validate({"name": "x", "blocks": blocks})
