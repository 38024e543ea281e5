"""Stored runs that would be others now: told apart by who changed what, and never thrown away without a word."""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

from coopgym.agents.heuristics import GrimTrigger, Random
from coopgym.algorithms import learners
from coopgym.benchmarks.cli.main import app
from coopgym.benchmarks.study import agent_info, expand, load_study, local_source, run_spec
from coopgym.benchmarks.study.earlier import earlier_id
from coopgym.corpus import load_corpus
from tests.benchmarks.test_data_commands import rewrite_runs

STUDY = """
name = "aging"
rewards = ["private"]
seeds = [1, 2]
episodes = 2
stochastic_episodes = 0
exploitability = false
[[blocks]]
games = ["SLCD-v1"]
parameters = { max_steps = 4 }
agents = ["Random", "GrimTrigger"]
"""
LEARNER = """
cross_play = true
[[blocks.learners]]
name = "IPPO"
env_steps = 8
hyperparameters = { num_envs = 2, hidden = [4] }
"""

pytestmark = pytest.mark.usefixtures("bare")


class Folder:
    """A study's folder, run again and again."""

    def __init__(self, tmp_path: Path) -> None:
        self.runs, self.study = tmp_path / "runs", tmp_path / "study.toml"

    def run(self, *options: str, text: str = STUDY) -> Result:
        self.study.write_text(text)
        for known in (agent_info.fresh, run_spec._resolved, local_source._hash_of):
            known.cache_clear()
        place = ["run", str(self.study), "--out", str(self.runs), "--workers", "0"]
        return CliRunner().invoke(app, [*place, *options], env={"COLUMNS": "400"})

    @property
    def ids(self) -> dict[str, str]:
        rows = load_corpus(self.runs).runs.to_pylist()
        return {f"{row['algorithm']}/{row['scenario']}/{row['seed']}": row["run_id"] for row in rows}

    @property
    def files(self) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in self.runs.rglob("*.parquet")}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


VERSION = Random.version
REASON = f"an older version of coopgym made 2 runs: Random version {VERSION}, now 99 (2 runs)"


def test_runs_of_an_older_version_wait_for_a_decision(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "3 runs computed" in folder.run().output
    before, files = folder.ids, folder.files
    monkeypatch.setattr(Random, "version", 99)
    refused = folder.run()
    assert refused.exit_code == 2
    assert f"{REASON}; --redo computes them anew, --keep-older keeps them" in refused.output
    assert "Nothing has been changed" in refused.output
    foreseen = folder.run("--dry-run")
    assert (foreseen.exit_code, REASON in foreseen.output) == (0, True)
    assert folder.files == files

    kept = folder.run("--keep-older")
    assert "0 runs computed, 3 already there" in kept.output
    assert f"2 runs of an older version were kept: Random version {VERSION}, now 99 (2 runs)" in kept.output
    assert folder.ids == before

    redone = folder.run("--redo")
    assert "2 runs computed, 1 already there" in redone.output
    assert f"2 earlier runs were replaced: Random version {VERSION}, now 99 (2 runs)" in redone.output
    assert {name for name, id in folder.ids.items() if before[name] == id} == {"GrimTrigger/None/1"}
    assert "0 runs computed, 3 already there" in folder.run().output


def test_what_the_study_asks_for_otherwise_gives_way(folder: Folder) -> None:
    folder.run()
    longer = STUDY.replace("episodes = 2\n", "episodes = 3\n", 1)
    assert "2 runs give way: episodes 2, now 3 (2 runs)" in folder.run("--dry-run", text=longer).output
    result = folder.run("--keep-older", text=longer)
    assert "2 runs computed, 1 already there" in result.output
    assert "2 earlier runs were replaced: episodes 2, now 3 (2 runs)" in result.output


def test_settings_of_learners_are_called_as_users_write_them(folder: Folder) -> None:
    folder.run(text=STUDY + LEARNER)
    fewer = LEARNER.replace("hidden = [4]", "hidden = [4], n_epochs = 2")
    assert "IPPO n_epochs 4, now 2" in folder.run("--dry-run", text=STUDY + fewer).output


def test_a_users_agent_that_changed_gives_way(folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "my_older_helper.py").write_text("LEVEL = 0.1\n")
    (tmp_path / "my_older_agent.py").write_text(
        "import my_older_helper\n\n\nclass Me:\n    def begin(self, *a): ...\n"
        "    def act(self, o): return my_older_helper.LEVEL + 0 * o[:, 0]\n"
    )
    options = ("--agent", "my_older_agent:Me")
    assert "5 runs computed" in folder.run(*options).output
    (tmp_path / "my_older_helper.py").write_text("LEVEL = 0.2\n")
    for name in ("my_older_agent", "my_older_helper"):
        del sys.modules[name]
    result = folder.run(*options)
    assert "2 earlier runs were replaced: my_older_agent:Me has changed (2 runs)" in result.output
    assert "2 runs computed, 3 already there" in result.output


def test_those_who_met_a_learner_of_an_older_version_are_older_too(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.run(text=STUDY + LEARNER)
    before = folder.ids
    monkeypatch.setattr(learners()["IPPO"], "version", 99)
    refused = folder.run(text=STUDY + LEARNER)
    assert refused.exit_code == 2
    met = sum("IPPO" in name for name in before)
    assert (
        f"made {met} runs: IPPO is trained otherwise ({met - 2} runs); IPPO version 2, now 99 (2 runs)"
        in refused.output
    )
    assert "0 runs computed" in folder.run("--keep-older", text=STUDY + LEARNER).output
    assert folder.ids == before
    longer = folder.run(text=STUDY + LEARNER.replace("env_steps = 8", "env_steps = 16"))
    assert f"{met} earlier runs were replaced" in longer.output, "whoever asks for another training gets it"


def test_whom_an_older_version_trained_meets_nobody_new(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = LEARNER.replace("cross_play = true\n", "")
    folder.run(text=STUDY + alone)
    monkeypatch.setattr(learners()["IPPO"], "version", 99)
    result = folder.run("--keep-older", text=STUDY + LEARNER)
    assert result.exit_code == 1
    errors = {row["error"] for row in load_corpus(folder.runs).runs.to_pylist() if row["status"] == "failed"}
    assert len(errors) == 2
    assert all("is kept as an older version trained it; --redo trains it anew" in error for error in errors)


def test_folders_made_before_runs_had_an_identity_are_older(folder: Folder) -> None:
    folder.run()
    ids = {run.run_id: earlier_id(run, {"max_steps": 4}) for run in expand(load_study(str(folder.study)))}

    def earlier(table: pa.Table) -> pa.Table:
        rows = [row | {"run_id": ids[row["run_id"]], "identity": None} for row in table.to_pylist()]
        return pa.Table.from_pylist(rows, schema=table.schema)

    rewrite_runs(folder.runs, earlier)
    refused = folder.run()
    assert refused.exit_code == 2
    assert "made 3 runs: made before runs recorded what determines them (3 runs)" in refused.output
    assert "0 runs computed, 3 already there" in folder.run("--keep-older").output


def test_failed_runs_are_tried_again_whoever_made_them(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("coopgym.benchmarks.execute.job_runner.evaluation_metrics", lambda *a: 1 / 0)
        assert folder.run().exit_code == 1
    monkeypatch.setattr(GrimTrigger, "version", 99)
    result = folder.run()
    assert (result.exit_code, "3 runs computed, 0 already there, 0 failed" in result.output) == (0, True)
    assert "replaced" not in result.output
