"""The Ray executor: the same numbers as anywhere, on machines that come and go."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coopgym.benchmarks.execute.executors import InProcess, RayCluster, WorkerDiedError, ray_cluster
from coopgym.benchmarks.execute.runner import run_study
from coopgym.benchmarks.study import Job, Study, expand
from coopgym.corpus import load_corpus
from coopgym.corpus.shards import run_shards
from tests.support.corpora import content_bytes
from tests.support.processes import MAYBE_IN_THE_MIDDLE, PATIENCE, is_running, wait_until
from tests.support.quiet import Silence

NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20}

AGENTS = """
import os, time
from pathlib import Path

HERE = Path(__file__).parent

class Player:
    def begin(self, seat, episodes, rng):
        self.prepare()

    def act(self, observation):
        return 0 * observation[:, 0] + 1

class Deadly(Player):
    def prepare(self):
        with (HERE / "deaths").open("a") as file:
            file.write("x")
        os._exit(9)

class Failing(Player):
    def prepare(self):
        raise RuntimeError("out of ideas")

class Waiting(Player):
    "Plays once the test says so, after it said that it is there."
    def prepare(self):
        (HERE / f"waiting-{os.getpid()}").touch()
        deadline = time.monotonic() + 900  # beyond the test's own patience
        while not (HERE / "go").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
"""

LEARNER = {
    "name": "IPPO",
    "env_steps": 100,
    "hyperparameters": {"num_envs": 2, "rollout_steps": 25, "n_minibatches": 2, "n_epochs": 1, "hidden": [8]},
}


def study(*agents: str, games: int = 1, learners: bool = False) -> Study:
    blocks: list[dict[str, Any]] = [
        {"games": ["TrustDilemma-v1", "SynergySearch-v1"][:games], "agents": agents, "parameters": {"max_steps": 10}}
    ]
    if learners:
        blocks.append(
            {
                "games": ["TrustDilemma-v1"],
                "learners": [LEARNER],
                "rewards": ["private"],
                "parameters": {"max_steps": 25},
            }
        )
    facts = {"name": "on-ray", "seeds": [1, 2], "episodes": 2, "exploitability": False}
    return Study.model_validate({**facts, "blocks": blocks})


def waiting_workers(place: Path) -> list[int]:
    return [int(file.name.partition("-")[2]) for file in place.glob("waiting-*")]


@pytest.fixture(scope="module", autouse=True)
def _ray() -> None:
    """Ask for Ray when tests begin: every worker collects this module, and importing Ray takes a second."""
    pytest.importorskip("ray")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A machine with one core, as far as Ray knows, found by `auto`."""
    cluster_utils = pytest.importorskip("ray.cluster_utils")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        machines = cluster_utils.Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
        patch.setenv("RAY_ADDRESS", machines.address)
        yield machines
        machines.shutdown()


@pytest.fixture
def agents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "agents_on_ray.py").write_text(AGENTS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "agents_on_ray", raising=False)
    return tmp_path


def test_the_same_bytes_as_in_this_process_and_failures_are_rows(cluster: Any, agents: Path, run) -> None:
    mixed = study("Random", "GenerousTitForTat", "agents_on_ray:Failing", learners=True)
    here, there = run(mixed, agents / "here", InProcess()), run(mixed, agents / "there", RayCluster())
    assert here.failed == there.failed == 6
    assert {"RuntimeError: out of ideas"} == {
        row["error"].splitlines()[-1].partition(" (")[0]
        for row in load_corpus(agents / "there").runs.to_pylist()
        if row["status"] == "failed"
    }
    completed = [content_bytes(agents / name) for name in ("here", "there")]
    assert completed[0] == completed[1]


def test_a_dead_worker_is_reported_and_its_job_not_repeated(cluster: Any, agents: Path, run) -> None:
    with pytest.raises(WorkerDiedError, match="jobs like 'plays of TrustDilemma-v1'"):
        run(study("agents_on_ray:Deadly"), agents / "out", RayCluster())
    assert (agents / "deaths").read_text() == "x"


@pytest.mark.slow
def test_jobs_of_a_lost_machine_run_again_on_another(cluster: Any, agents: Path) -> None:
    second = cluster.add_node(**NODE)

    class Watch(Silence):
        fractions: list[float] = []

        def advance(self, job: Job, fraction: float) -> None:
            self.fractions.append(fraction)

    def partly_done() -> bool:
        return any(0 < fraction < 1 for fraction in Watch.fractions)

    def lose_a_machine() -> None:
        wait_until(lambda: len(waiting_workers(agents)) == 2 and partly_done())
        cluster.remove_node(second, allow_graceful=False)
        wait_until(lambda: sum(map(is_running, waiting_workers(agents))) == 1)
        (agents / "go").touch()

    waiting = study("Random", "agents_on_ray:Waiting", games=2)
    loss = threading.Thread(target=lose_a_machine)
    loss.start()
    outcome = run_study(waiting, expand(waiting), agents / "out", RayCluster(), Watch())
    loss.join()
    assert (outcome.computed, outcome.failed) == (len(expand(waiting)), 0)
    assert partly_done()


def test_an_address_where_nothing_listens_is_refused_at_once(tmp_path: Path, run) -> None:
    for address in ("127.0.0.1:1", "ray://127.0.0.1:1", "nowhere"):
        with pytest.raises(ConnectionError, match=rf"no Ray cluster answers at '{address}'.*`auto` or `local`"):
            run(study("Random"), tmp_path, RayCluster(address))


def test_a_cluster_that_died_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text("127.0.0.1:1")
    assert ray_cluster._resolved("auto") == "local"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        (tmp_path / "ray" / "ray_current_cluster").write_text(address)
        assert ray_cluster._resolved("auto") == address


INTERRUPTED = """
import sys
from pathlib import Path
from tests.support.quiet import Silence
from coopgym.benchmarks.execute.executors import RayCluster
from coopgym.benchmarks.study import expand
from coopgym.benchmarks.execute.runner import run_study
from coopgym.benchmarks.study import load_study

study = load_study("study.toml")
try:
    run_study(study, expand(study), Path("out"), RayCluster("local", workers=1), Silence())
except KeyboardInterrupt:
    sys.exit(130)
"""

INTERRUPTED_STUDY = """
name = "interrupted"
seeds = [1]
[[blocks]]
games = ["TrustDilemma-v1"]
parameters = { max_steps = 200 }
agents = ["Random"]
[[blocks]]
games = ["SynergySearch-v1"]
parameters = { max_steps = 10 }
agents = ["agents_on_ray:Waiting"]
"""


@pytest.mark.slow
@pytest.mark.filterwarnings(MAYBE_IN_THE_MIDDLE)
def test_ctrl_c_keeps_finished_runs_ends_a_local_cluster_and_leaves_no_trace_of_ours(agents: Path) -> None:
    """Ray's own processes may say what they like: on a busy machine they do."""
    (agents / "study.toml").write_text(INTERRUPTED_STUDY)
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", INTERRUPTED],
        cwd=agents,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(root), str(agents)))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            wait_until(lambda: bool(run_shards(agents / "out") and waiting_workers(agents)))
            workers = waiting_workers(agents)
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    ours = [line for line in output.splitlines() if f"{root / 'benchmarks'}{os.sep}" in line or '"<string>"' in line]
    assert (process.returncode, ours) == (130, []), output
    wait_until(lambda: not any(is_running(worker) for worker in workers))
    assert len(load_corpus(agents / "out").runs) == 3
