"""Corpora from anybody: nothing that their rows or studies name is imported or run unless they are trusted."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

from coopgym.agents import make_agent
from coopgym.agents.foreign_names import UntrustedNameError, names_from_data
from coopgym.benchmarks.cli.main import app
from coopgym.benchmarks.study import Study
from coopgym.benchmarks.study.agent_info import fresh
from coopgym.corpus import load_corpus
from coopgym.corpus.shard_writer import keep_runs
from coopgym.corpus.shards import read_shard, run_shards

HOSTILE = """
from pathlib import Path

Path(__file__).with_name("imported").touch()

class Agent:
    def begin(self, seat, episodes, rng): ...

    def act(self, observation):
        return 0 * observation[:, 0] + 1
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from coopgym.benchmarks.execute.executors import InProcess
    from coopgym.benchmarks.execute.runner import run_study
    from coopgym.benchmarks.study import expand
    from tests.support.quiet import Silence

    block = {"games": ["TrustDilemma-v1"], "agents": ["Random", "TitForTat"], "constants": {"step": 50}}
    facts = {"name": "strange", "seeds": [1, 2], "episodes": 1, "rewards": ["private"]}
    study = Study.model_validate(facts | {"blocks": [block | {"parameters": {"max_steps": 4}}]})
    folder = tmp_path_factory.mktemp("finished") / "runs"
    run_study(study, expand(study), folder, InProcess(), Silence())
    return folder


@pytest.fixture
def corpus(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A sound corpus in a folder beside a module that notes when it is imported."""
    shutil.copytree(finished, tmp_path / "runs")
    (tmp_path / "hostile.py").write_text(HOSTILE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    fresh.cache_clear()
    yield tmp_path / "runs"
    sys.modules.pop("hostile", None)
    fresh.cache_clear()


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "200"})


def imported() -> bool:
    return Path("imported").exists() or "hostile" in sys.modules


def in_block(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda study: study["blocks"][0].update(changes)


def in_audit(study: dict[str, Any]) -> None:
    audit = {"games": ["TrustDilemma-v1"], "protocol": "reactive", "options": {"partners": ["hostile:Agent"]}}
    study["audits"] = [audit]


PLACES = {
    "agents": in_block(agents=["Random", "TitForTat", "hostile:Agent"]),
    "backgrounds": in_block(scenarios=[{"name": "met", "background": ["hostile:Agent"]}]),
    "partners of a learner": in_block(
        learners=[{"name": "LLM", "env_steps": 9, "hyperparameters": {"partners": ["hostile:Agent"]}}]
    ),
    "partners of an audit": in_audit,
    "cross-play": in_block(agents=["Random", "hostile:Agent"], cross_play=True),
}


def rewrite_study(corpus: Path, change: Callable[[dict[str, Any]], None]) -> None:
    study = json.loads((corpus / "study.json").read_text())
    change(study)
    (corpus / "study.json").write_text(json.dumps(study))


def rename_rows(corpus: Path, before: str, after: str) -> None:
    for shard in run_shards(corpus):
        runs = read_shard(shard, "runs")
        names = pa.array([after if name == before else name for name in runs["algorithm"].to_pylist()])
        at = runs.schema.get_field_index("algorithm")
        keep_runs(corpus, shard.stem, runs.set_column(at, runs.schema.field(at), names))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("afar", [False, True])
def test_verify_resolves_a_study_that_names_code_only_if_it_is_trusted(corpus: Path, place: str, afar: bool) -> None:
    rewrite_study(corpus, PLACES[place])
    where = f"file://{corpus}" if afar else str(corpus)
    if afar:
        pytest.importorskip("fsspec")
    done = call("data", "verify", where)
    assert not imported()
    assert done.exit_code == 0, done.output
    assert done.output.startswith(f"{where}: sound\nnote: not held against its study, which names code")
    assert "hostile:Agent" in done.output
    assert "--trust" in done.output
    trusted = call("data", "verify", where, "--trust")
    assert imported()
    assert trusted.exit_code == 1, trusted.output
    assert "missing: " in trusted.output
    assert "not held against" not in trusted.output


@pytest.mark.parametrize("name", ["os:system", "builtins:exit", "hostile:Path", "subprocess:Popen"])
def test_even_a_trusted_name_is_called_only_if_it_is_a_class_of_agents(corpus: Path, name: str) -> None:
    rewrite_study(corpus, in_block(agents=["Random", "TitForTat", name]))
    done = call("data", "verify", corpus, "--trust")
    assert done.exit_code == 1
    assert f"agent {name!r}" in done.output
    assert "expected a class with begin and act" in done.output or "has no begin and no act" in done.output


def test_names_that_are_no_agents_are_only_names(corpus: Path) -> None:
    learner = {"name": "IQL", "label": "hostile:Agent", "env_steps": 9}
    rewrite_study(corpus, in_block(learners=[learner], scenarios=[{"name": "met", "background": ["hostile:Agent"]}]))
    done = call("data", "verify", corpus)
    assert "missing: hostile:Agent in TrustDilemma-v1" in done.output
    rewrite_study(corpus, in_block(learners=[], scenarios=[], parameters={"max_steps": "hostile:Agent"}))
    assert "not a study that this coopgym knows" in call("data", "verify", corpus).output
    assert not imported()


@pytest.mark.parametrize(
    "name", ["hostile:Agent", pytest.param("llm:http://127.0.0.1:9/v1#model", marks=pytest.mark.slow)]
)
def test_rows_that_name_code_are_read_and_not_run(corpus: Path, name: str, tmp_path: Path) -> None:
    rename_rows(corpus, "TitForTat", name)
    rewrite_study(corpus, in_block(agents=["Random", name]))
    for arguments in (
        ["data", "verify", corpus],
        ["data", "show", corpus],
        ["data", "export", corpus, "-o", "runs.csv"],
        ["data", "merge", corpus, "-o", "merged"],
        ["data", "release", corpus, "-o", "strange-v0"],
        ["report", corpus],
        ["exploit", corpus, "--quick", "--agent", "Constant_00"],
    ):
        done = call(*arguments)
        assert done.exit_code == 0, done.output
        assert not imported(), arguments
    refused = call("exploit", corpus, "--quick")
    assert refused.exit_code == 1
    assert f"coopgym: agent {name!r} is code or an address that these data name" in refused.output
    assert "--trust" in refused.output
    known = {row["algorithm"]: row["exploitability"] for row in load_corpus(corpus).runs.to_pylist()}
    assert known.pop(name) is None
    assert None not in known.values()
    assert not imported()


def test_exploit_runs_what_rows_name_if_they_are_trusted(corpus: Path) -> None:
    rename_rows(corpus, "TitForTat", "hostile:Agent")
    done = call("exploit", corpus, "--quick", "--agent", "hostile:Agent", "--trust")
    assert done.exit_code == 0, done.output
    assert imported()


def test_a_study_that_is_run_reads_nothing_of_the_one_in_its_folder(corpus: Path, small: Study) -> None:
    rewrite_study(corpus, PLACES["agents"])
    own = 'name = "strange"\nseeds = [1]\nrewards = ["private"]\n[[blocks]]\ngames = ["TrustDilemma-v1"]\n'
    Path("own.toml").write_text(own + 'agents = ["Random"]\nparameters = { max_steps = 4 }\n')
    done = call("run", "own.toml", "--out", corpus, "--workers", "0", "--dry-run")
    assert done.exit_code == 0, done.output
    assert not imported()


def test_names_are_refused_however_deep_and_allowed_again_outside(corpus: Path) -> None:
    with names_from_data() as refused:
        assert make_agent("TitForTat")
        for name in ("hostile:Agent", "hostile:Agent", "llm:http://127.0.0.1:9/v1"):
            with pytest.raises(UntrustedNameError, match="--trust"), names_from_data(trust=True):
                make_agent(name)
        assert list(refused) == ["hostile:Agent", "llm:http://127.0.0.1:9/v1"]
    assert not imported()
    with names_from_data(trust=True) as refused:
        assert make_agent("hostile:Agent")
        assert not refused
