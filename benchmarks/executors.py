"""Where jobs run: one interface, so that a study does not know how many workers it has.

This module is the first that a worker process imports, so it imports nothing heavy itself.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.queues import SimpleQueue

    from benchmarks.jobs import JobResult
    from benchmarks.plan import Job

    Message = tuple[str, float]
    """A job's id and its finished fraction."""

Tell = Callable[["Job", float], None]
"""Told the finished fraction of a running job."""

REPORT_SECONDS = 0.25
_CONTEXT = multiprocessing.get_context("spawn")
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class WorkerDiedError(RuntimeError):
    """A worker process ended without finishing its job."""


class Executor(Protocol):
    """Computes jobs in any order."""

    def run(self, jobs: Sequence[Job], study: str, tell: Tell) -> Iterator[tuple[Job, JobResult]]:
        """Yield each job with its result as soon as it is finished."""


@dataclass(frozen=True)
class InProcess:
    """Runs jobs one after the other in this process, where a debugger can follow."""

    device: str = "cpu"

    def run(self, jobs: Sequence[Job], study: str, tell: Tell) -> Iterator[tuple[Job, JobResult]]:
        """Yield each job with its result, in the given order."""
        from benchmarks.jobs import compute

        for job in jobs:
            yield job, compute(job, study, self.device, lambda fraction, job=job: tell(job, fraction))  # type: ignore[misc]  # mypy infers no default argument


@dataclass(frozen=True)
class ProcessPool:
    """Runs jobs in fresh processes on this machine."""

    workers: int
    device: str = "cpu"

    def run(self, jobs: Sequence[Job], study: str, tell: Tell) -> Iterator[tuple[Job, JobResult]]:
        """Yield each job with its result as soon as it is finished.

        Raises:
            WorkerDiedError: a worker was killed, for instance for lack of memory. Results yielded before are valid.
        """
        messages: SimpleQueue[Message] = _CONTEXT.SimpleQueue()
        by_id = {job.id: job for job in jobs}
        with worker_pool(min(self.workers, max(1, len(jobs))), messages) as pool:
            pending = {pool.submit(_work, job, study, self.device): job for job in jobs}
            while pending:
                done, _ = wait(pending, timeout=REPORT_SECONDS, return_when=FIRST_COMPLETED)
                while not messages.empty():
                    job_id, fraction = messages.get()
                    tell(by_id[job_id], fraction)
                for future in done:
                    job = pending.pop(future)
                    yield job, _result(future, job)


@contextmanager
def worker_pool(workers: int, messages: SimpleQueue[Message] | None = None) -> Iterator[ProcessPoolExecutor]:
    """Give fresh single-threaded processes that end with this block or with this process, whatever ends it.

    Args:
        workers: how many.
        messages: where jobs tell how far they have come, if they do.
    """
    # Workers watch one end of this pipe. It closes when we are done with them or when this process dies in whatever
    # way, so no worker outlives its work.
    watched, lifeline = _CONTEXT.Pipe(duplex=False)
    pool = ProcessPoolExecutor(workers, _CONTEXT, _start_worker, (watched, messages))
    finished = False
    try:
        yield pool
        finished = True
    finally:
        if not finished:
            lifeline.close()
        pool.shutdown(wait=finished, cancel_futures=True)
        lifeline.close()
        watched.close()


def _result(future: Future[JobResult], job: Job) -> JobResult:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise WorkerDiedError(
            f"a worker process died, perhaps for lack of memory, while jobs like {job.title!r} were running; "
            "finished runs are kept: run the same command again, with fewer --workers if it repeats"
        ) from error


_messages: SimpleQueue[Message] | None = None


def _start_worker(watched: Connection, messages: SimpleQueue[Message] | None) -> None:
    """Prepare a worker: one thread, no keyboard, and an end when the parent ends."""
    global _messages
    _messages = messages
    # Threads would share the cores with other workers and change the order of sums, so numbers would depend on the
    # number of workers.
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(watched,), daemon=True).start()


def _end_with_parent(watched: Connection) -> None:
    try:
        watched.recv()
    except EOFError:
        os._exit(1)


def _work(job: Job, study: str, device: str) -> JobResult:
    from benchmarks.jobs import compute

    last = 0.0

    def report(fraction: float) -> None:
        nonlocal last
        if _messages is not None and time.monotonic() - last > REPORT_SECONDS:
            last = time.monotonic()
            _messages.put((job.id, fraction))

    return compute(job, study, device, report)
