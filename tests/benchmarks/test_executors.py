"""Executors: the same numbers in one process, in several, in any order; what happens when a worker dies."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch

from coopgym.benchmarks.execute.executors import (
    Executor,
    InProcess,
    ProcessPool,
    RayCluster,
    WorkerDiedError,
    choose_executor,
)
from coopgym.benchmarks.execute.executors.base import ONE_THREAD, REPORT_SECONDS, Tell, throttled
from coopgym.benchmarks.execute.job_runner import JobResult
from coopgym.benchmarks.execute.runner import run_study
from coopgym.benchmarks.study import Job, Study, expand
from tests.support.corpora import content_bytes
from tests.support.quiet import Silence

LEARNER = {
    "name": "IPPO",
    "env_steps": 100,
    "hyperparameters": {"num_envs": 2, "rollout_steps": 25, "n_minibatches": 2, "n_epochs": 1, "hidden": [8]},
}
MIXED: dict[str, Any] = {
    "name": "mixed",
    "seeds": [1, 2],
    "episodes": 2,
    "exploitability": False,
    "blocks": [
        {
            "games": ["TrustDilemma-v1", "SynergySearch-v1"],
            "agents": ["Random", "GenerousTitForTat"],
            "constants": {"step": 50},
            "parameters": {"max_steps": 12},
        },
        {"games": ["TrustDilemma-v1"], "learners": [LEARNER], "rewards": ["private", "integrated"]},
    ],
}
DEADLY_AGENT = """
import os

class Deadly:
    def begin(self, seat, episodes, rng):
        with open("deaths", "a") as file:
            file.write("x")
        os._exit(9)

    def act(self, observation): ...
"""


@dataclass(frozen=True)
class Shuffled:
    """Gives jobs to another executor in an order of its own."""

    executor: Executor
    seed: int

    def run(self, jobs: Sequence[Job], study: str, tell: Tell) -> Iterator[tuple[Job, JobResult]]:
        order = list(jobs)
        Random(self.seed).shuffle(order)
        yield from self.executor.run(order, study, tell)


@pytest.fixture(scope="module")
def mixed() -> Study:
    return Study.model_validate(MIXED)


@pytest.fixture
def deadly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    (tmp_path / "deadly_agent.py").write_text(DEADLY_AGENT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    block = {"games": ["TrustDilemma-v1"], "agents": ["deadly_agent:Deadly"], "rewards": ["private"]}
    return Study.model_validate({"name": "deadly", "seeds": [1], "episodes": 1, "blocks": [block]})


@pytest.fixture(scope="module")
def expected(mixed: Study, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What the study leaves when its jobs run one after the other."""
    folder = tmp_path_factory.mktemp("here")
    assert run_study(mixed, expand(mixed), folder, InProcess(), Silence()).failed == 0
    return content_bytes(folder)


@pytest.mark.parametrize(
    "executor",
    [
        InProcess(),
        ProcessPool(2),
        pytest.param(ProcessPool(1), marks=pytest.mark.slow),
        pytest.param(ProcessPool(3), marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_the_same_bytes_whatever_the_number_of_workers_and_the_order(
    executor: Executor, mixed: Study, expected: bytes, run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coopgym.benchmarks.study.grouping.PLAYS_PER_JOB", 1)  # however they were grouped
    run(mixed, tmp_path, Shuffled(executor, seed=5))
    assert content_bytes(tmp_path) == expected


def test_in_this_process_jobs_have_one_thread_too_and_give_the_others_back(
    mixed: Study, run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compute(job: Job, *_: object) -> JobResult:
        seen.append((torch.get_num_threads(), *(os.environ.get(name) for name in ONE_THREAD)))
        raise KeyboardInterrupt

    seen: list[tuple[object, ...]] = []
    monkeypatch.setattr("coopgym.benchmarks.execute.job_runner.compute", compute)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(mixed, tmp_path, InProcess())
        assert seen == [(1, "1", "1", "1")]
        assert (torch.get_num_threads(), os.environ["OMP_NUM_THREADS"]) == (2, "3")
        assert "MKL_NUM_THREADS" not in os.environ
    finally:
        torch.set_num_threads(threads)


def test_a_dead_worker_is_reported_and_its_job_not_repeated(deadly: Study, run, tmp_path: Path) -> None:
    with pytest.raises(WorkerDiedError, match=r"jobs like 'plays of TrustDilemma-v1' .* fewer --workers"):
        run(deadly, tmp_path / "out", ProcessPool(1))
    assert (tmp_path / "deaths").read_text() == "x"
    assert not list((tmp_path / "out").glob("runs/*.parquet"))


def test_reports_are_throttled(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 100.0, 100.0 + REPORT_SECONDS / 2, 101.0, 101.0, 101.1])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    passed: list[float] = []
    report = throttled(passed.append)
    for fraction in (0.1, 0.2, 0.3, 0.4):
        report(fraction)
    assert passed == [0.1, 0.3]


def test_options_choose_the_executor() -> None:
    assert choose_executor(0, "cpu") == InProcess("cpu")
    assert choose_executor(3, "cuda") == ProcessPool(3, "cuda")
    assert choose_executor() == ProcessPool(len(os.sched_getaffinity(0)))


def test_without_ray_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError, match=r"pip install 'coopgym\[ray\]'$") as caught:
        choose_executor(ray="auto")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": 0}, "a Ray cluster needs workers, got 0"),
        ({"device": "cuda:1"}, "expected cpu or cuda, got 'cuda:1'"),
        ({"gpus_per_job": 0.0}, "positive share of a GPU"),
    ],
)
def test_options_that_a_cluster_cannot_follow_are_refused(
    options: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coopgym.extras.find_spec", lambda name: object())
    with pytest.raises(ValueError, match=message):
        RayCluster(**options)


def test_a_device_must_be_one() -> None:
    with pytest.raises(ValueError, match="device 'cudda': expected cpu, cuda"):
        choose_executor(device="cudda")
