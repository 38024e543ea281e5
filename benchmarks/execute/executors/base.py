"""What all executors share: the interface, how a lost worker is reported, and one thread per worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from coopgym.benchmarks.execute.job_runner import JobResult
    from coopgym.benchmarks.progress import Report
    from coopgym.benchmarks.study import Job

Tell = Callable[["Job", float], None]
"""Told the finished fraction of a running job."""

REPORT_SECONDS = 0.25
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Environment of a worker. More threads would share the cores with other workers and change the order of sums, so
numbers would depend on the number of workers."""


class WorkerDiedError(RuntimeError):
    """A worker process ended without finishing its job."""


def worker_died(job: Job) -> WorkerDiedError:
    """Return the error that says what was running and what to do."""
    return WorkerDiedError(
        "a worker process died, perhaps for lack of memory or because an agent ended it, while jobs like "
        f"{job.title!r} were running; finished runs are kept: run the same command again, with fewer --workers if it "
        "repeats"
    )


class Executor(Protocol):
    """Computes jobs in any order."""

    def run(self, jobs: Sequence[Job], study: str, tell: Tell) -> Iterator[tuple[Job, JobResult]]:
        """Yield each job with its result as soon as it is finished."""


def throttled(report: Report) -> Report:
    """Return a report that passes on one message in `REPORT_SECONDS` and drops the others."""
    last = 0.0

    def report_sometimes(fraction: float) -> None:
        nonlocal last
        if time.monotonic() - last > REPORT_SECONDS:
            last = time.monotonic()
            report(fraction)

    return report_sometimes
