"""What determines a run is in its id: what is resolved, what is versioned, what is hashed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coopgym.agents.heuristics import TitForTat
from coopgym.algorithms import learners
from coopgym.algorithms.llm.method.credit import GroupZ
from coopgym.algorithms.llm.training.learner import LLM
from coopgym.benchmarks.audits import AUDIT_VERSIONS
from coopgym.benchmarks.study import (
    Auditing,
    Meeting,
    Player,
    RunSpec,
    Training,
    agent_info,
    local_source,
    run_key,
    run_spec,
)
from coopgym.games.registry import game_class
from coopgym.interfaces.text import fingerprint, game_rules_text
from coopgym.interfaces.text.chat_formats import json_calls
from coopgym.oracles.agents import Nash
from coopgym.rewards import Private

GAME = "TrustDilemma-v1"


RESOLVED_ONCE = (
    agent_info.fresh,
    run_key._made,
    run_spec._resolved,
    local_source._hash_of,
    fingerprint._hash,
    game_rules_text.rules,
    json_calls._briefing,
)
"""What a process keeps, since its code and files do not change while it runs; in tests they do."""


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    yield
    forget()
    for name in [name for name in sys.modules if name.startswith("my_key_")]:
        del sys.modules[name]


def forget() -> None:
    for known in RESOLVED_ONCE:
        known.cache_clear()


def resolved_anew(run: RunSpec) -> str:
    forget()
    return dataclasses.replace(run).run_id


def spec(**changes: Any) -> RunSpec:
    facts: dict[str, Any] = {
        "game": GAME,
        "parameters": {},
        "algorithm": "TitForTat",
        "kind": "heuristic",
        "reward": "private",
        "view": "own",
        "seed": 1,
        "episodes": 2,
    }
    return RunSpec(**facts | changes)


def training(**hyperparameters: Any) -> RunSpec:
    return spec(algorithm="MAPPO", kind="learner", training=Training("MAPPO", 100, hyperparameters))


def language(**hyperparameters: Any) -> RunSpec:
    return spec(algorithm="LLM", kind="learner", training=Training("LLM", 8, hyperparameters))


def scenario(name: str = "guests", background: str = "GrimTrigger", **changes: Any) -> RunSpec:
    meeting = Meeting(name, Player("TitForTat"), (Player(background),), **changes)
    return spec(protocol="scenario", meeting=meeting)


def audit(protocol: str = "reactive", **options: Any) -> RunSpec:
    return spec(algorithm="audit", kind="label", protocol=protocol, audit=Auditing(options))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (spec(), spec(game="SLCD-v1")),
        (spec(), spec(parameters={"theta": 8.0})),
        (spec(), spec(algorithm="Random")),
        (spec(), spec(reward="integrated")),
        (spec(), spec(view="full")),
        (spec(), spec(seed=2)),
        (spec(), spec(episodes=3)),
        (spec(), spec(stochastic_episodes=3)),
        (spec(), spec(record_steps=True)),
        (spec(), spec(exploitability=True)),
        (spec(), training()),
        (training(), training(epochs=2)),
        (training(), dataclasses.replace(training(), algorithm="another label")),
        (training(), spec(algorithm="MAPPO", kind="learner", training=Training("MAPPO", 200))),
        (training(), spec(algorithm="MAPPO", kind="learner", training=Training("IPPO", 100))),
        (spec(), scenario()),
        (scenario(), scenario(name="the same under another name")),
        (scenario(), scenario(background="Random")),
        (scenario(), scenario(focal_seats=(0,))),
        (audit(), audit(grid_step=0.1)),
        (audit(), audit("unilateral")),
        (language(), language(options={"Clip": {"kl": 0.1}})),
    ],
)
def test_what_a_study_asks_for_is_in_the_id(one: RunSpec, other: RunSpec) -> None:
    assert one.run_id != other.run_id


@pytest.mark.parametrize(
    ("run", "owner", "attribute", "value"),
    [
        (spec(), game_class(GAME), "version", 99),
        (spec(), Private, "version", 99),
        (spec(), TitForTat, "version", 99),
        (spec(algorithm="Oracle_Nash", kind="oracle"), Nash, "version", 99),
        (scenario(background="TitForTat"), TitForTat, "version", 99),
        (training(), learners()["MAPPO"], "version", 99),
        (language(), LLM, "version", 99),
        (language(), GroupZ, "version", 99),
        (language(), TitForTat, "version", 99),
        (language(), Nash, "version", 99),
        (audit(), TitForTat, "version", 99),
        (spec(exploitability=True), run_key, "SEARCH_VERSION", 99),
    ],
)
def test_a_version_that_is_raised_makes_another_run(
    run: RunSpec, owner: Any, attribute: str, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = resolved_anew(run)
    monkeypatch.setattr(owner, attribute, value)
    assert resolved_anew(run) != before


def test_the_version_of_an_audit_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    before = audit().run_id
    monkeypatch.setitem(AUDIT_VERSIONS, "reactive", 99)
    assert audit().run_id != before


DIALECT = {"dialect": "json", "context": 4096}


@pytest.mark.parametrize(
    ("run", "defaults", "name", "value"),
    [
        (training(), learners()["MAPPO"].__init__.__kwdefaults__, "epochs", 7),
        (language(), GroupZ.__init__.__kwdefaults__, "eps", 0.5),
        (language(**DIALECT), game_rules_text.REWARDS, "private", "whatever you can get"),
        (
            spec(algorithm="llm:http://127.0.0.1:8000/v1#some", kind="plugin"),
            game_rules_text.REWARDS,
            "private",
            "something",
        ),
    ],
)
def test_a_default_that_changes_makes_another_run(
    run: RunSpec, defaults: dict[str, Any], name: str, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, of_another = resolved_anew(run), resolved_anew(spec())
    assert name in defaults
    monkeypatch.setitem(defaults, name, value)
    assert resolved_anew(run) != before
    assert resolved_anew(spec()) == of_another


def test_a_parameter_of_a_game_that_has_another_default_makes_another_run(monkeypatch: pytest.MonkeyPatch) -> None:
    before = resolved_anew(spec())
    kind = game_class(GAME)
    monkeypatch.setattr(kind, "defaults", {**kind.defaults, "theta": 5.5})
    assert resolved_anew(spec()) != before


def test_a_setting_of_an_agent_that_has_another_default_makes_another_run(monkeypatch: pytest.MonkeyPatch) -> None:
    before = resolved_anew(spec())
    monkeypatch.setattr(TitForTat.__init__, "__defaults__", (0.4, "mean"))
    assert resolved_anew(spec()) != before


def test_rules_that_are_worded_otherwise_are_another_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    reads, does_not = language(**DIALECT), spec()
    before = resolved_anew(reads), resolved_anew(does_not)
    kind = game_class(GAME)
    assert kind.page is not None
    monkeypatch.setattr(kind, "page", dataclasses.replace(kind.page, seats="two equal partners."))
    assert resolved_anew(reads) != before[0]
    assert resolved_anew(does_not) == before[1]


@pytest.mark.parametrize(
    "written",
    [{"epochs": 4}, {"gamma": 0.99}, {"hidden": [64, 64]}, {"hidden": (64, 64), "objective": "individual"}],
)
def test_a_default_that_is_written_out_is_the_same_run(written: dict[str, Any]) -> None:
    values = learners()["MAPPO"]().values()
    assert {name: values[name] for name in written} == {
        name: tuple(value) if isinstance(value, list) else value for name, value in written.items()
    }
    assert training(**written).run_id == training().run_id
    assert training(**written).job_key == training().job_key


def test_whole_numbers_and_real_ones_are_one_value() -> None:
    assert training(learning_rate=1).run_id == training(learning_rate=1.0).run_id


def test_a_mode_that_nobody_judges_has_a_key_too() -> None:
    told = json.loads(dataclasses.replace(language(), reward="mutuality=0.5").key.text)
    assert [one["name"] for one in told["training"]["company"]][-2:] == ["Oracle_Nash", "Oracle_SocialOptimum"]


def test_a_model_in_a_folder_counts_with_its_weights(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(b"one")
    before = resolved_anew(language(model=str(tmp_path)))
    assert before == resolved_anew(language(model=str(tmp_path)))
    (tmp_path / "weights").write_bytes(b"other")
    assert resolved_anew(language(model=str(tmp_path))) != before


AGENT = """
from my_key_helper import level

class Me:
    def begin(self, *a): ...
    def act(self, o): return level() + 0 * o[:, 0]
"""


@pytest.mark.parametrize(
    ("changed", "counts"),
    [
        ("my_key_agent.py", True),
        ("my_key_helper.py", True),
        ("my_key_package/deep/far.py", True),
        ("my_key_package/never_imported.py", True),
        ("my_key_stranger.py", False),
        ("my_key_package/notes.txt", False),
    ],
)
def test_a_users_agent_counts_with_all_its_local_code(
    changed: str, counts: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {
        "my_key_agent.py": AGENT,
        "my_key_helper.py": "import numpy\ndef level():\n    from my_key_package.deep import far\n    return far.X\n",
        "my_key_package/__init__.py": "",
        "my_key_package/deep/__init__.py": "",
        "my_key_package/deep/far.py": "X = 1.0\n",
        "my_key_package/never_imported.py": "",
        "my_key_package/notes.txt": "",
        "my_key_stranger.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    run = spec(algorithm="my_key_agent:Me", kind="plugin")
    before = resolved_anew(run)
    assert json.loads(dataclasses.replace(run).key.text)["players"][0]["source"]
    with (tmp_path / changed).open("a") as file:
        file.write("# another line\n")
    assert (resolved_anew(run) != before) is counts


def test_an_agent_in_a_package_counts_with_the_whole_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "my_key_team" / "players"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("")
    (folder / "me.py").write_text(AGENT.replace("my_key_helper", "..common"))
    (folder.parent / "common.py").write_text("def level(): return 1.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    run = spec(algorithm="my_key_team.players.me:Me", kind="plugin")
    before = resolved_anew(run)
    (folder.parent / "common.py").write_text("def level(): return 2.0\n")
    assert resolved_anew(run) != before


def test_a_users_agent_may_say_what_else_it_plays_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = AGENT.replace("from my_key_helper import level\n", "from pathlib import Path\n").replace("level()", "1.0")
    said += "    def identity(self): return {'weights': Path(__file__).with_suffix('.txt').read_text()}\n"
    (tmp_path / "my_key_weights.py").write_text(said)
    (tmp_path / "my_key_weights.txt").write_text("1")
    monkeypatch.syspath_prepend(tmp_path)
    run = spec(algorithm="my_key_weights:Me", kind="plugin")
    before = resolved_anew(run)
    (tmp_path / "my_key_weights.txt").write_text("2")
    assert resolved_anew(run) != before


def test_the_id_is_the_hash_of_the_text_that_the_corpus_keeps() -> None:
    run = training()
    assert hashlib.sha256(run.key.text.encode()).hexdigest() == run.run_id
    told = json.loads(run.key.text)
    assert told["training"]["settings"] == json.loads(json.dumps(learners()["MAPPO"]().values()))
    assert told["game"]["parameters"]["theta"] == 6.0
