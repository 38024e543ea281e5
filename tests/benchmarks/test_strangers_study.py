"""Studies with strangers: every agent and learner of a block meets a population, one run per game and seed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from coopgym.benchmarks.execute.executors import InProcess
from coopgym.benchmarks.execute.runner import run_study
from coopgym.benchmarks.strangers import strangers_score
from coopgym.benchmarks.study import RunSpec, Study, expand
from coopgym.corpus import Corpus, check_corpus, load_corpus, validate
from coopgym.strangers import SEED, population, read_anchors, scenarios, strangers_folder
from coopgym.strangers.anchors import write_anchors
from coopgym.strangers.partners import PARTNERS_FILE, RELEASE
from tests.corpus.example_corpus import sound_run, write_rows
from tests.support.quiet import Silence

GAME = "RecoveryRace-v1"
MET: dict[str, Any] = {
    "name": "met",
    "rewards": ["cooperative"],
    "seeds": [3, 4],
    "stochastic_episodes": 0,
    "exploitability": False,
    "blocks": [
        {
            "games": [GAME],
            "agents": ["TitForTat", "Random"],
            "learners": [{"name": "IPPO", "env_steps": 64}],
            "strangers": "test",
        }
    ],
}


def met(**changes: Any) -> Study:
    return Study.model_validate({**MET, "blocks": [{**MET["blocks"][0], **changes}]})


def with_strangers(study: Study) -> list[RunSpec]:
    return [run for run in expand(study) if run.strangers]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, study = tmp_path_factory.mktemp("strangers") / "met", Study.model_validate(MET)
    wanted = [run for run in expand(study) if run.strangers or run.training]
    outcome = run_study(study, wanted, folder, InProcess(), Silence())
    assert (outcome.computed, outcome.failed) == (6, 0)
    return folder


@pytest.fixture(scope="module")
def corpus(folder: Path) -> Corpus:
    return load_corpus(folder)


def test_agents_meet_them_once_and_learners_under_every_reward_and_seed() -> None:
    assert [run.path for run in with_strangers(met(rewards=["private", "cooperative"]))] == [
        f"{GAME}/TitForTat/private/3/strangers:test",
        f"{GAME}/Random/private/3/strangers:test",
        *(f"{GAME}/IPPO/{reward}/{seed}/strangers:test" for reward in ("private", "cooperative") for seed in (3, 4)),
    ]


def test_their_runs_say_whom_they_met_on_which_draws_and_who_trained_them() -> None:
    scripted, *_, trained = with_strangers(met())
    assert (scripted.protocol, scripted.scenario, scripted.evaluation_seed) == ("strangers", "test", SEED)
    assert [player.name for player in scripted.key.players] == ["TitForTat"]
    assert [run.path for run in trained.dependencies] == [f"{GAME}/IPPO/cooperative/4"]
    assert trained.key.players[0].trained_by == next(iter(trained.dependencies)).run_id


def test_other_partners_or_other_worth_is_another_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = with_strangers(met())[0]
    anchors = list(read_anchors(population(GAME)).values())
    shutil.copytree(strangers_folder(), tmp_path / RELEASE)
    monkeypatch.setenv("COOPGYM_DATA", str(tmp_path))
    assert with_strangers(met())[0].run_id == before.run_id
    write_anchors(population(GAME), [*anchors[:-1], type(anchors[-1])(**{**vars(anchors[-1]), "ceiling": 1e6})])
    assert with_strangers(met())[0].run_id != before.run_id


def test_runs_hold_what_scores_are_made_of(corpus: Corpus) -> None:
    rows = {row["algorithm"]: row for row in corpus.runs.to_pylist() if row["protocol"] == "strangers"}
    assert rows.keys() == {"TitForTat", "Random", "IPPO"}
    found, row = strangers_score(GAME, "TitForTat"), rows["TitForTat"]
    assert (row["reward_mode"], row["scenario"], row["welfare"]) == ("private", "test", None)
    assert row["stranger_scenarios"] == [each.name for each in scenarios(population(GAME))]
    for column, attribute in {
        "stranger_returns": "focal_return",
        "stranger_partner_returns": "partner_return",
        "stranger_random": "random",
        "stranger_floors": "floor",
        "stranger_ceilings": "ceiling",
    }.items():
        assert row[column] == [getattr(each, attribute) for each in found.scenarios]
    assert rows["IPPO"]["reward_mode"] == "cooperative"
    assert rows["IPPO"]["stranger_ceilings"] == row["stranger_ceilings"]
    drawn = rows["Random"]["stranger_returns"]
    assert drawn == pytest.approx(row["stranger_random"]), "Random earns what anchors say it does"


def test_the_corpus_is_sound_and_nothing_is_computed_twice(folder: Path, corpus: Corpus) -> None:
    study = Study.model_validate(MET)
    assert check_corpus(folder) == []
    again = run_study(study, with_strangers(study), folder, InProcess(), Silence())
    assert (again.computed, again.skipped) == (0, 4)


def test_lists_of_unequal_length_are_told(tmp_path: Path) -> None:
    lists: dict[str, Any] = {
        f"stranger_{name}": [1.0, 2.0] for name in ("returns", "partner_returns", "random", "floors", "ceilings")
    }
    names = {"stranger_scenarios": ["visitor/0/a", "visitor/0/b"], "stranger_kinds": ["constant"]}
    shard = write_rows(tmp_path, "runs", [sound_run("a", protocol="strangers", scenario="test", **lists, **names)])
    validate("runs", load_corpus(tmp_path).runs)
    (fault,) = check_corpus(tmp_path)
    assert str(fault) == f"{shard}: runs.stranger_kinds: 1 lists that do not have one entry per scenario"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parameters": {"max_steps": 4}}, f"met in {GAME} as it is; give `parameters` and `sweep` another block"),
        ({"worlds": ["common"]}, "give `parameters` and `sweep` another block"),
        ({"games": ["TrustDilemma-v0"]}, "strangers are met in the games of the formal edition"),
        ({"strangers": "training"}, "should be 'test'"),
        ({"view": "full"}, "met in the view 'own', not in 'full'"),
    ],
)
def test_what_cannot_be_met_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        met(learners=[], **changes)


def test_games_whose_scenarios_nobody_has_valued_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / RELEASE).mkdir()
    shutil.copy(strangers_folder() / PARTNERS_FILE, tmp_path / RELEASE)
    monkeypatch.setenv("COOPGYM_DATA", str(tmp_path))
    with pytest.raises(ValueError, match=f"`coopgym strangers build {GAME} --population test` does that"):
        met()
