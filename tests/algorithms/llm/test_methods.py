"""Every method of the table: made from its name, trained end to end, and told apart from mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from coopgym.algorithms.llm import methods
from coopgym.algorithms.llm.method.credit import DECS
from coopgym.algorithms.llm.method.objectives import Clip
from coopgym.algorithms.llm.method.registry import RECIPES, make_method
from coopgym.algorithms.llm.method.samplers.tree import BreadthTree
from coopgym.algorithms.llm.training.learner import LLM
from coopgym.algorithms.llm.training.trainer import Trainer, TrainerSettings
from coopgym.benchmarks.study import StudyError, load_study

SETTINGS = TrainerSettings(prompts=3, group_size=4, learning_rate=1e-3)
SHORT = {
    "int": {"InterventionPatch": {"continuations": 2, "hard_only": False}},
    "h1": {"Horizons": {"least_steps": 0, "most_steps": 1}},
    "vstar": {"ValueGuidedTree": {"beam": 2}},
}
"""Options that make a method cheap, or let it reach what comes later."""
PUBLISHED = 20


def test_the_table_holds_the_baselines_and_all_published_methods() -> None:
    table = methods()
    assert len({row["name"] for row in table}) == len(table) == PUBLISHED + 4
    assert {"grpo", "rloo", "reinforce_pp", "ppo"} <= {row["name"] for row in table}
    assert all(row["source"].startswith("arXiv ") for row in table)
    assert len({row["source"] for row in table}) == len(table)
    assert {row["slot"] for row in table} <= {"curriculum", "sampler", "signal", "transform", "credit", "objective"}
    assert all(row["idea"] and row["status"] for row in table)
    json.dumps(table)


def test_the_table_says_what_stands_in_for_a_part_of_a_method() -> None:
    standing_in = {row["name"]: row["stands_in"] for row in methods() if row["stands_in"]}
    assert set(standing_in) == {"int", "h1", "arenarl", "prorag", "ppr", "scope", "spo", "nash_mp"}
    for name, sentence in standing_in.items():
        assert ", not " in sentence, name


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("grpo", set()),
        ("igpo", {"gold", "policy_logprob"}),
        ("matchtir", {"gold"}),
        ("ppo", {"critic"}),
        ("arenarl", {"pair_judge"}),
    ],
)
def test_the_table_says_what_a_method_needs(name: str, needs: set[str]) -> None:
    (row,) = (row for row in methods() if row["name"] == name)
    assert needs <= set(row["needs"])
    assert needs or not row["needs"]


@pytest.mark.parametrize("name", RECIPES)
def test_every_method_trains_end_to_end(name: str, tasks, pupil) -> None:
    model = pupil()
    before = {key: tensor.clone() for key, tensor in model.state().items()}
    trainer = Trainer(model, make_method(name, tasks, 0, SHORT.get(name)), SETTINGS, seed=3)
    first, second = trainer.step(), trainer.step()
    assert {"outcome", "turns_per_decision", "tokens", "extra_tokens"} <= set(first) & set(second)
    assert all(np.isfinite(value) for row in trainer.history for value in row.values())
    assert trainer.updates > 0
    assert any((tensor != before[key]).any() for key, tensor in model.state().items())
    assert second["tokens"] > first["tokens"] > 0
    json.dumps({key: slot.state_dict() for key, slot in trainer.method.slots.items()})


def test_options_reach_their_piece(tasks) -> None:
    made = make_method("treeps_rag", tasks, 0, {"BreadthTree": {"width": 3}, "Clip": {"kl": 0.0}})
    assert made.sampler == BreadthTree(width=3)
    assert made.main.objective == Clip(kl=0.0)
    assert not made.needs_reference


def test_options_come_on_top_of_the_method_s_own_settings(tasks) -> None:
    credit = make_method("decs", tasks, 0, {"DECS": {"r_plus": 2.0}}).main.credit
    assert isinstance(credit, DECS)
    assert credit.r_plus == 2.0
    assert credit.max_length == RECIPES["decs"].settings["DECS"]["max_length"]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("treeps", {}, "unknown method 'treeps'; did you mean 'treeps_rag'"),
        ("grpo", {"Clib": {}}, "method 'grpo' has no piece 'Clib'; it is made of GroupZ, Clip"),
        ("grpo", {"Clip": {"klm": 0.0}}, "Clip has no parameter 'klm'; known: eps_low"),
        ("grpo", {"Clip": {"kl": -1.0}}, "kl=-1.0: expected a finite number in"),
        ("grpo", {"Clip": 0.0}, "options of Clip: 0.0; expected a table of parameters"),
        ("grpo", {"Uniform": {"seed": 1}}, "Uniform has no parameter 'seed'; known: none"),
        ("grpo", {"Independent": {"size": 2}}, "Independent has no parameter 'size'; known: none"),
        ("treeps_rag", {"BreadthTree": {"branches": 0}}, "branches=0: expected a finite number in"),
        ("h1", {"Horizons": {"longest": 0}}, "longest: .*0"),
        ("decs", {"EasyGate": {"cap": 1.5}}, "cap: .*1.5"),
        ("h1", {"Clip": {"norm_len": None}}, "norm_len=None: aggregation='seq_sum_const' divides by it"),
    ],
)
def test_wrong_options_are_told(name: str, options: dict, message: str, tasks) -> None:
    with pytest.raises(ValueError, match=message):
        make_method(name, tasks, 0, options)
    with pytest.raises(ValueError, match=message):
        LLM(method=name, options=options)


@pytest.mark.parametrize(
    "slots",
    [
        {"sampler": "Matches", "signals": ["PairJudge"], "credit": "ArenaRL"},
        {"sampler": "MonteCarloTree"},
        {"signals": ["StepModel"], "transforms": ["RejectionFilter"], "credit": "Imitate", "objective": "Imitation"},
        {"credit": "PPO", "objective": "ClipWithCritic"},
    ],
    ids=lambda slots: "-".join(slots),
)
def test_every_slot_takes_a_piece_by_name(slots: dict, tasks, pupil) -> None:
    method = make_method("grpo", tasks, 0, slots=slots)
    trainer = Trainer(pupil(), method, TrainerSettings(prompts=2, group_size=2, max_tokens=16), seed=0)
    assert np.isfinite(trainer.step()["outcome"])


@pytest.mark.parametrize(
    ("slots", "message"),
    [
        ({"smapler": "Matches"}, "unknown slot 'smapler'; known: credit"),
        ({"sampler": "Match"}, "slot 'sampler': unknown piece 'Match'; known: .*Matches"),
        ({"sampler": "GroupZ"}, "slot 'sampler': unknown piece 'GroupZ'"),
        ({"credit": ["GroupZ", "PPO"]}, "slot 'credit': expected one piece"),
        ({"credit": "IGPO"}, "IGPO reads the signal 'belief', which nothing fills"),
    ],
)
def test_wrong_slots_are_told(slots: dict, message: str, tasks) -> None:
    with pytest.raises(ValueError, match=message):
        make_method("grpo", tasks, 0, slots=slots)


def test_the_length_of_fine_tuning_is_an_option(tasks) -> None:
    assert make_method("int", tasks, 0, first_steps=2).first_steps == 2
    with pytest.raises(ValueError, match="method 'grpo' has no fine-tuning stage"):
        make_method("grpo", tasks, 0, first_steps=2)


ENTRY = """
name = "x"
[[blocks]]
games = ["TrustDilemma-v1"]
[[blocks.learners]]
name = "LLM"
env_steps = 8
hyperparameters = {hyperparameters}
"""


def test_studies_choose_methods_and_their_options(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(ENTRY.format(hyperparameters='{ method = "igpo", options = { Clip = { kl = 0.0 } } }'))
    (entry,) = load_study(str(path)).blocks[0].learners
    assert entry.title == "LLM-igpo"


@pytest.mark.parametrize(
    ("hyperparameters", "message"),
    [
        ('{ method = "arena_rl" }', "did you mean 'arenarl'"),
        ('{ method = "igpo", options = { Clip = { kk = 0.0 } } }', "Clip has no parameter 'kk'"),
        ('{ methd = "igpo" }', "methd"),
        ('{ method = "warm_up", options = { Clip = {} } }', "'warm_up' is no method and has neither options nor slots"),
        ('{ oracle = "Oracle_Nashh" }', "unknown oracle 'Oracle_Nashh'"),
        ('{ partners = ["TitForTatt"] }', "did you mean 'TitForTat'"),
        ('{ dialect = "latin" }', "unknown dialect 'latin'"),
        ('{ outcome = "fame" }', "outcome='fame'"),
        ("{ width = 30 }", "width=30: expected a multiple of twice the 4 heads"),
    ],
)
def test_mistakes_in_studies_are_told(hyperparameters: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(ENTRY.format(hyperparameters=hyperparameters))
    with pytest.raises(StudyError, match=message):
        load_study(str(path))
