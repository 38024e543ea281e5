"""Jobs in fresh processes on this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coopgym.benchmarks.execute.executors.base import ONE_THREAD, REPORT_SECONDS, Tell, throttled, worker_died

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.queues import SimpleQueue

    from coopgym.benchmarks.execute.job_runner import JobResult
    from coopgym.benchmarks.study import Job

    Message = tuple[str, float]
    """A job's id and its finished fraction."""

_CONTEXT = multiprocessing.get_context("spawn")


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
        raise worker_died(job) from error


_messages: SimpleQueue[Message] | None = None


def _start_worker(watched: Connection, messages: SimpleQueue[Message] | None) -> None:
    """Prepare a worker: one thread, no keyboard, and an end when the parent ends."""
    global _messages
    _messages = messages
    os.environ.update(ONE_THREAD)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(watched,), daemon=True).start()


def _end_with_parent(watched: Connection) -> None:
    try:
        watched.recv()
    except EOFError:
        os._exit(1)


def _work(job: Job, study: str, device: str) -> JobResult:
    from coopgym.benchmarks.execute.job_runner import compute

    def report(fraction: float) -> None:
        if _messages is not None:
            _messages.put((job.id, fraction))

    return compute(job, study, device, throttled(report))
