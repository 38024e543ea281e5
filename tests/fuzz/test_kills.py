"""Killed at fifteen moments and run again, a study equals one that nobody killed: in processes and on Ray."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from coopgym.corpus.shards import run_shards
from tests.support.corpora import content_bytes, told
from tests.support.processes import PATIENCE

STUDY = """
name = "killed"
seeds = [1, 2]
episodes = 2
exploitability = false
[[blocks]]
games = ["TrustDilemma-v1", "SynergySearch-v1", "SLCD-v1", "PartnerHoldUp-v1", "RecoveryRace-v1", "RenaultNissan-v1"]
parameters = { max_steps = 10 }
agents = ["GenerousTitForTat", "Random"]
constants = { step = 50 }
[[blocks]]
games = ["TrustDilemma-v1", "SLCD-v1"]
parameters = { max_steps = 10 }
[[blocks.learners]]
name = "IPPO"
env_steps = 100
hyperparameters = { num_envs = 2, rollout_steps = 25, n_minibatches = 2, n_epochs = 1, hidden = [8] }
"""
EXECUTORS = {"processes": ("--workers", "2"), "ray": ("--ray", "local", "--workers", "2")}
KILLS, IN_A_ROW = 15, 3


class Runs:
    """Starts the study into folders, and kills it when a folder has grown enough."""

    def __init__(self, place: Path, executor: tuple[str, ...]) -> None:
        self.place = place
        self.executor = executor
        (place / "study.toml").write_text(STUDY)

    def start(self, out: str) -> subprocess.Popen[str]:
        command = (
            sys.executable,
            "-m",
            "coopgym.benchmarks",
            "run",
            "study.toml",
            "--out",
            out,
            *self.executor,
        )
        environment = {
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "OMP_NUM_THREADS": "1",
            "RAY_USAGE_STATS_ENABLED": "0",
        }
        return subprocess.Popen(
            command,
            cwd=self.place,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def finish(self, out: str) -> None:
        process = self.start(out)
        output = process.communicate(timeout=PATIENCE)[0]
        assert process.returncode == 0, output

    def kill(self, out: str, files: int) -> bool:
        """Kill the study once its folder has so many files; False where it ended before."""
        process = self.start(out)
        while process.poll() is None and self.files(out) < files:
            time.sleep(0.002)
        ended = process.poll() is not None
        process.kill()
        with process, contextlib.suppress(ProcessLookupError):  # what Ray started is in the same group
            os.killpg(process.pid, signal.SIGKILL)
        return not ended

    def files(self, out: str) -> int:
        return sum(len(names) for _, _, names in os.walk(self.place / out))


@pytest.fixture(params=EXECUTORS)
def runs(request: pytest.FixtureRequest, tmp_path: Path) -> Runs:
    if request.param == "ray":
        pytest.importorskip("ray")
    return Runs(tmp_path, EXECUTORS[request.param])


@pytest.mark.timeout(3600)
def test_whenever_it_is_killed_nothing_is_lost_and_nothing_done_twice(runs: Runs) -> None:
    runs.finish("whole")
    whole = content_bytes(runs.place / "whole"), told(runs.place / "whole")
    chance, kills = Random(4), 0
    while kills < KILLS:
        out = f"after-{kills}"
        shards: dict[str, bytes] = {}
        for files in sorted(chance.sample(range(1, runs.files("whole")), IN_A_ROW)):
            kills += runs.kill(out, files)
            kept = {shard.name: shard.read_bytes() for shard in run_shards(runs.place / out)}
            assert shards.items() <= kept.items(), "a finished shard was lost or computed again"
            shards = kept
        runs.finish(out)
        assert shards.items() <= {shard.name: shard.read_bytes() for shard in run_shards(runs.place / out)}.items()
        assert (content_bytes(runs.place / out), told(runs.place / out)) == whole
