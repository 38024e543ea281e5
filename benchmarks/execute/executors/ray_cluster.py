"""Jobs as tasks of a Ray cluster, on this machine or on many."""

from __future__ import annotations

import logging
import math
import os
import socket
import sys
import tempfile
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from coopgym.benchmarks.execute.executors.base import ONE_THREAD, REPORT_SECONDS, Tell, throttled, worker_died
from coopgym.extras import require

if TYPE_CHECKING:
    from coopgym.benchmarks.execute.job_runner import JobResult
    from coopgym.benchmarks.study import Job

NODE_LOSSES = 3
"""How often a job may lose its machine and start again on another."""
OBJECT_STORE_BYTES = 256 * 2**20
"""Shared memory of a local cluster: results are small, and containers give little."""
CONNECT_SECONDS = 5.0
STARTS = 3
"""Attempts at a local cluster; Ray gives each half a minute."""


@dataclass(frozen=True)
class RayCluster:
    """Runs jobs on the workers of a Ray cluster. All its machines need this package and the study's plug-ins.

    Raises:
        ImportError: Ray is not installed.
        ValueError: options that a cluster cannot follow.
    """

    address: str = "auto"
    """A cluster's address; ``auto`` for the running one or else a local one; ``local`` for one that ends with us."""
    workers: int | None = None
    """How many jobs run at a time; None for as many as the cluster has room for."""
    device: str = "cpu"
    gpus_per_job: float = 1.0
    """Share of a GPU that a training job reserves, where the device is one."""

    def __post_init__(self) -> None:
        require("running on a Ray cluster", "ray")
        if self.workers is not None and self.workers < 1:
            raise ValueError(f"a Ray cluster needs workers, got {self.workers}; leave --workers out to use all it has")
        if self.device not in ("cpu", "cuda"):
            raise ValueError(f"Ray chooses the device of each job: expected cpu or cuda, got {self.device!r}")
        if not 0.0 < self.gpus_per_job < math.inf:
            raise ValueError(f"--gpus-per-job {self.gpus_per_job}: expected a positive share of a GPU, such as 0.25")

    def run(self, jobs: Sequence[Job], study: str, tell: Tell) -> Iterator[tuple[Job, JobResult]]:
        """Yield each job with its result as soon as it is finished. Jobs start in the given order.

        A job whose machine is lost starts again on another one; a job whose worker process dies does not.

        Raises:
            ConnectionError: there is no cluster at the address, or it does not take us.
            WorkerDiedError: a worker was killed, for instance for lack of memory. Results yielded before are valid.
        """
        if not jobs:
            return
        with _connection(self.address, self.workers) as ray:
            board = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(_Board).remote()
            unfinished, waiting, losses = {job.id: job for job in jobs}, deque(jobs), Counter[str]()
            pending: dict[Any, Job] = {}
            try:
                while waiting or pending:
                    while waiting and (self.workers is None or len(pending) < self.workers):
                        job = waiting.popleft()
                        pending[self._submit(ray, job, study, board)] = job
                    done, _ = ray.wait(list(pending), timeout=REPORT_SECONDS)
                    for job_id, fraction in ray.get(board.take.remote()).items():
                        if job_id in unfinished:
                            tell(unfinished[job_id], fraction)
                    for task in done:
                        job = pending.pop(task)
                        try:
                            result = _result(ray, task, job)
                        except _NodeLostError:
                            losses[job.id] += 1
                            if losses[job.id] > NODE_LOSSES:
                                raise worker_died(job) from None
                            waiting.appendleft(job)
                        else:
                            del unfinished[job.id]
                            yield job, result
            finally:
                for task in pending:
                    ray.cancel(task, force=True)
                ray.kill(board)

    def _submit(self, ray: ModuleType, job: Job, study: str, board: Any) -> Any:
        on_gpu = job.training is not None and self.device == "cuda"
        task = ray.remote(_work).options(
            name=job.title,
            num_cpus=1,
            num_gpus=self.gpus_per_job if on_gpu else 0,
            max_retries=0,  # Ray would not tell a lost machine from a job that crashes wherever it runs
            runtime_env={"env_vars": {**ONE_THREAD, "PYTHONPATH": _own_path()}},
        )
        return task.remote(job, study, self.device, board)


class _NodeLostError(RuntimeError):
    """The machine that ran a job is gone, or was before its result was fetched."""


class _Board:
    """An actor on which jobs write how far they have come."""

    def __init__(self) -> None:
        self._fractions: dict[str, float] = {}

    def note(self, job_id: str, fraction: float) -> None:
        self._fractions[job_id] = fraction

    def take(self) -> dict[str, float]:
        fractions, self._fractions = self._fractions, {}
        return fractions


def _work(job: Job, study: str, device: str, board: Any) -> JobResult:
    from coopgym.benchmarks.execute.job_runner import compute
    from coopgym.interrupts import recognisable_interrupts

    with recognisable_interrupts():
        return compute(job, study, device, throttled(lambda fraction: board.note.remote(job.id, fraction)))


def _own_path() -> str:
    """Return where this process finds modules besides installed ones, for workers that share its files."""
    own = (path for path in sys.path if path and not path.startswith((sys.prefix, sys.base_prefix)))
    return os.pathsep.join(own)


def _result(ray: ModuleType, task: Any, job: Job) -> JobResult:
    try:
        return ray.get(task)
    except (ray.exceptions.NodeDiedError, ray.exceptions.ObjectLostError) as error:
        raise _NodeLostError from error
    except ray.exceptions.RayTaskError:  # an exception of ours, as it would come from a call
        raise
    except ray.exceptions.RayError as error:
        raise worker_died(job) from error


@contextmanager
def _connection(address: str, workers: int | None) -> Iterator[ModuleType]:
    """Give Ray, connected: as this process already is, or for as long as the block lasts.

    Raises:
        ConnectionError: there is no cluster at the address, or it does not take us.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray = import_module("ray")
    if ray.is_initialized():
        yield ray
        return
    place = _resolved(address)
    own = {"num_cpus": workers, "include_dashboard": False, "object_store_memory": OBJECT_STORE_BYTES}
    _connect(ray, place, own if place == "local" else {})
    try:
        yield ray
    finally:
        ray.shutdown()


def _connect(ray: ModuleType, place: str, options: dict[str, Any]) -> None:
    fault: Exception | None = None
    for _ in range(STARTS):
        try:
            ray.init(place, logging_level=logging.ERROR, log_to_driver=False, **options)
            return
        except RuntimeError as error:  # for instance another version of Ray or Python
            raise ConnectionError(f"cannot use the Ray cluster {place!r}: {error}") from error
        except Exception as error:  # what Ray raises where a busy machine starts its processes too slowly
            fault = error
            ray.shutdown()
    raise ConnectionError(f"Ray did not start in {STARTS} attempts: {fault}; is the machine overloaded?") from fault


def _resolved(address: str) -> str:
    """Return ``local`` or the address of a cluster that answers.

    Ray finds running clusters itself, but waits for minutes where one has died.
    """
    named = os.environ.get("RAY_ADDRESS", "auto") if address == "auto" else address
    if named == "auto":
        note = Path(os.environ.get("RAY_TMPDIR", tempfile.gettempdir()), "ray", "ray_current_cluster")
        named = note.read_text().strip() if note.exists() else "local"
        return named if _fault(named) is None else "local"
    if named != "local" and (fault := _fault(named)):
        raise ConnectionError(
            f"no Ray cluster answers at {named!r} ({fault}); expected HOST:PORT of a running one, `auto` or `local`"
        )
    return named


def _fault(address: str) -> str | None:
    """Return why nothing listens at an address, or None if something does."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        return str(error)
    return None
