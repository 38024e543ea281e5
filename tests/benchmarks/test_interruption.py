"""Whatever ends a study, and whenever: nothing finished is lost, nothing is done twice, and no worker stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from random import Random

import pytest
from typer.testing import CliRunner

from coopgym.benchmarks.__main__ import main
from coopgym.benchmarks.cli.main import app
from coopgym.benchmarks.execute.executors import InProcess
from coopgym.benchmarks.execute.runner import run_study
from coopgym.benchmarks.execute.store import amend_runs, lock_folder
from coopgym.benchmarks.report import page
from coopgym.benchmarks.report.freshness import fingerprint
from coopgym.benchmarks.study import Study, expand, load_study
from coopgym.corpus import load_corpus
from coopgym.corpus.publication import publish
from coopgym.corpus.release import Release
from coopgym.corpus.shards import read_shard, run_shards
from coopgym.corpus.writer import write_atomically
from tests.support.corpora import content_bytes, told
from tests.support.processes import MAYBE_IN_THE_MIDDLE, PATIENCE, children, is_running, wait_until
from tests.support.quiet import Silence

PATIENT_AGENT = """
import time
from pathlib import Path

HERE = Path(__file__).parent

class Patient:
    "Plays SynergySearch-v1 once the test says so, after it said that it is there, and everything else at once."
    def begin(self, seat, episodes, rng):
        self.rng = rng
        if seat.game.id == "SynergySearch-v1":
            (HERE / "waiting").touch()
            while not (HERE / "go").exists():
                time.sleep(0.02)

    def act(self, observation):
        return self.rng.random(len(observation))
"""

PATIENT_STUDY = """
name = "patient"
seeds = [1, 2, 3, 4]
[[blocks]]
games = ["TrustDilemma-v1", "SLCD-v1", "SynergySearch-v1"]
parameters = { max_steps = 10 }
agents = ["patient_agent:Patient", "Random", "TitForTat"]
constants = { step = 50 }
"""

SMALL_STUDY = """
name = "small"
seeds = [1, 2]
episodes = 2
rewards = ["private"]
[[blocks]]
games = ["TrustDilemma-v1"]
parameters = { max_steps = 5 }
agents = ["Random", "TitForTat"]
constants = { step = 50 }
"""

LEARNING_STUDY = """
name = "learning"
seeds = [1, 2]
episodes = 2
exploitability = false
[[blocks]]
games = ["TrustDilemma-v1", "SynergySearch-v1", "SLCD-v1", "PartnerHoldUp-v1", "RecoveryRace-v1", "RenaultNissan-v1"]
parameters = { max_steps = 10 }
agents = ["GenerousTitForTat", "Random"]
[[blocks]]
games = ["TrustDilemma-v1"]
parameters = { max_steps = 10 }
[[blocks.learners]]
name = "IPPO"
env_steps = 100
hyperparameters = { num_envs = 2, rollout_steps = 25, n_minibatches = 2, n_epochs = 1, hidden = [8] }
"""

NURSERY = """
import os, signal, sys
import coopgym.algorithms.marl, coopgym.benchmarks.execute.job_runner
import coopgym.benchmarks.execute.runner, coopgym.benchmarks.report
from coopgym.benchmarks.cli.main import app

coopgym.benchmarks.execute.job_runner.CHECKPOINT_SECONDS = 0.0
FILES = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"}

def end_at(operation, folder):
    "Kill this process when it is about to do so many things to files of a folder."
    left = operation

    def count(event, arguments):
        nonlocal left
        if event in FILES and os.path.abspath(str(arguments[0])).startswith(folder):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)

for line in sys.stdin:
    operation, out = line.split()
    pid = os.fork()
    if not pid:
        end_at(int(operation), os.path.abspath(out) + os.sep)
        app(["run", "learning.toml", "--workers", "0", "--out", out])
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""
"""Runs the study into the folders that it reads, each time in a process of its own that need not import everything
first and dies at a given operation on the folder's files; at none for 0."""


OPERATIONS = 60
"""Fewer than an uninterrupted run needs."""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "patient_agent.py").write_text(PATIENT_AGENT)
    (tmp_path / "patient.toml").write_text(PATIENT_STUDY)
    (tmp_path / "learning.toml").write_text(LEARNING_STUDY)
    return tmp_path


Launch = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def launch(place: Path) -> Iterator[Launch]:
    """Start Python in the study's folder; whatever still runs when the test ends is killed."""
    started: list[subprocess.Popen[str]] = []

    def launch_with(*arguments: str, **streams: int) -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen([sys.executable, *arguments], cwd=place, env=environment, text=True, **streams)
        started.append(process)
        return process

    yield launch_with
    for process in started:
        process.kill()
        with process:  # closes its output and waits
            pass


@pytest.fixture
def start(launch: Launch) -> Launch:
    """Start the command line on the patient study."""

    def start_into(out: str, workers: int) -> subprocess.Popen[str]:
        command = ("-m", "coopgym.benchmarks", "run", "patient.toml", "--out", out, "--workers", str(workers))
        return launch(*command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    return start_into


def kept(folder: Path) -> dict[str, bytes]:
    return {shard.name: shard.read_bytes() for shard in run_shards(folder)}


def wait_for_the_middle(place: Path, out: str) -> None:
    """Wait until something is finished and something else cannot be."""
    wait_until(lambda: bool(run_shards(place / out)) and (place / "waiting").exists())


@pytest.mark.usefixtures("bare")
@pytest.mark.filterwarnings(MAYBE_IN_THE_MIDDLE)
def test_a_study_killed_in_the_middle_goes_on_where_it_stopped(
    place: Path, start: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = start("killed", workers=1)
    wait_for_the_middle(place, "killed")
    workers = children(killed.pid)
    killed.kill()
    killed.communicate()
    wait_until(lambda: not any(is_running(worker) for worker in workers))
    shards = kept(place / "killed")
    (place / "killed" / "runs" / ".half.parquet.partial").write_bytes(b"PAR1 what a kill leaves behind")
    done = len(load_corpus(place / "killed").runs)

    (place / "go").touch()
    monkeypatch.chdir(place)
    monkeypatch.syspath_prepend(place)
    resumed = CliRunner().invoke(app, ["run", "patient.toml", "--out", "killed", "--workers", "0"])
    assert resumed.exit_code == 0, resumed.output
    planned = len(load_corpus(place / "killed").runs)
    assert 0 < done < planned
    assert f"{planned - done} runs computed, {done} already there, 0 failed" in resumed.output
    assert shards.items() <= kept(place / "killed").items()
    assert not list((place / "killed" / "runs").glob(".*"))


@pytest.mark.slow
def test_killed_at_ten_random_operations_and_resumed_a_study_equals_an_uninterrupted_one(
    place: Path, launch: Launch
) -> None:
    nursery = launch("-c", NURSERY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def run_into(out: str, operation: int = 0) -> int:
        print(operation, out, file=nursery.stdin, flush=True)
        return int(next(line for line in nursery.stdout if line.strip().lstrip("-").isdecimal()))

    def same_as_whole(out: str) -> bool:
        whole = place / "whole"
        return content_bytes(place / out) == content_bytes(whole) and told(place / out) == told(whole)

    assert run_into("whole") == 0
    chance, kills, shards, out = Random(12), 0, dict[str, bytes](), "first"
    while kills < 10:
        ended = run_into(out, chance.randint(1, OPERATIONS))
        assert ended in (0, -signal.SIGKILL)
        assert shards.items() <= kept(place / out).items(), "a finished shard was lost or computed again"
        shards = kept(place / out)
        kills += ended == -signal.SIGKILL
        if ended == 0:  # the operation was beyond what was left to do
            assert same_as_whole(out)
            shards, out = {}, f"after-{kills}"
    assert run_into(out) == 0
    assert shards.items() <= kept(place / out).items()
    assert same_as_whole(out)


@pytest.mark.filterwarnings(MAYBE_IN_THE_MIDDLE)
def test_ctrl_c_keeps_finished_runs_and_ends_the_workers(place: Path, start: Launch) -> None:
    process = start("out", workers=2)
    wait_for_the_middle(place, "out")
    workers = children(process.pid)
    process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 130, output
    assert "interrupted: finished runs are kept in out; run the same command to go on" in output
    assert "Traceback" not in output
    wait_until(lambda: not any(is_running(worker) for worker in workers))
    assert len(load_corpus(place / "out").runs)


def test_a_second_command_on_the_same_folder_is_refused_politely(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    monkeypatch.syspath_prepend(place)
    (place / "out").mkdir()
    monkeypatch.setattr(sys, "argv", ["coopgym", "run", "patient.toml", "--out", "out"])
    with lock_folder(place / "out"), pytest.raises(SystemExit, match="2"):
        main()
    said = " ".join(capsys.readouterr().err.split())
    assert f"another coopgym process (pid {os.getpid()}) is writing there" in said
    assert "Traceback" not in said


class TestReports:
    """Whenever it was killed, and whatever changed its runs: a study that is run again ends with the right report."""

    @pytest.fixture(autouse=True)
    @staticmethod
    def _in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        Path("small.toml").write_text(SMALL_STUDY)

    @staticmethod
    def call(*arguments: str) -> str:
        return CliRunner().invoke(app, list(arguments)).output

    def run(self, out: str = "out", computed: int = 0) -> tuple[list[bytes], str]:
        assert f"{computed} runs computed" in self.call("run", "small.toml", "--out", out, "--workers", "0")
        return told(Path(out))

    @staticmethod
    def compute() -> None:
        """What a study does before it writes its report."""
        study = load_study("small.toml")
        run_study(study, expand(study), Path("out"), InProcess(), Silence())

    def test_killed_before_its_report_and_then_changed(self) -> None:
        self.compute()
        Path("small.toml").write_text(SMALL_STUDY.replace("episodes = 2", "episodes = 3"))
        self.compute()
        assert self.run() == self.run("changed", computed=6)

    @pytest.mark.usefixtures("bare")
    @pytest.mark.parametrize("written", range(len(page.TABLE_FILES) + 1))
    def test_killed_while_its_report_is_written(self, written: int, monkeypatch: pytest.MonkeyPatch) -> None:
        before = self.run(computed=6)
        Path("small.toml").write_text(SMALL_STUDY.replace("seeds = [1, 2]", "seeds = [1, 2, 3]"))
        left = iter(range(written))

        def write(path: Path, content: bytes) -> None:
            if next(left, None) is None:
                raise KeyboardInterrupt
            write_atomically(path, content)

        with monkeypatch.context() as patch:
            patch.setattr(page, "write_atomically", write)
            self.call("run", "small.toml", "--out", "out", "--workers", "0")
        assert told(Path("out"))[1] == before[1], "the page comes last"
        assert self.run() == self.run("whole", computed=7)

    @pytest.mark.usefixtures("bare")
    def test_files_that_are_lost_or_of_others_are_written_anew(self) -> None:
        before = self.run(computed=6)
        for name in ("report.html", *page.TABLE_FILES):
            (Path("out") / name).unlink()
            assert self.run() == before
            (Path("out") / name).write_text("of somebody else")
            assert self.run() == before

    @pytest.mark.usefixtures("bare")
    def test_changed_runs_are_shown_and_unchanged_ones_not_again(self) -> None:
        before = self.run(computed=6)
        (shard,) = run_shards(Path("out"))
        ids = {row["algorithm"]: row["run_id"] for row in read_shard(shard, "runs").to_pylist()}
        amend_runs(shard, {ids["Constant_50"]: {"cooperation_rate": 0.123}})
        after = self.run()
        assert after != before
        assert any(b"0.123" in table for table in after[0])
        self.call("report", "out")
        files = [Path("out") / name for name in ("report.html", *page.TABLE_FILES)]
        written = [file.stat().st_ino for file in files]
        assert self.run() == after
        assert [file.stat().st_ino for file in files] == written


def test_a_fingerprint_is_of_the_runs_not_of_their_shards(tmp_path: Path) -> None:
    study = Study.model_validate(tomllib.loads(SMALL_STUDY))
    for runs in (expand(study)[:2], expand(study)):
        run_study(study, runs, tmp_path / "two" / "runs", InProcess(), Silence())
    runs = load_corpus(tmp_path / "two" / "runs")
    assert len(run_shards(tmp_path / "two" / "runs")) == 2
    publish(tmp_path / "two" / "runs", tmp_path / "one-v0", Release("one-v0", "", "1.0.0", date(2030, 1, 2)))
    assert fingerprint(load_corpus(tmp_path / "one-v0")) == fingerprint(runs)
