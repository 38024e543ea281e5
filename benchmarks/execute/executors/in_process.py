"""Jobs in this process, one after the other."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coopgym.benchmarks.execute.executors.base import ONE_THREAD, Tell

if TYPE_CHECKING:
    from coopgym.benchmarks.execute.job_runner import JobResult
    from coopgym.benchmarks.study import Job


@dataclass(frozen=True)
class InProcess:
    """Runs jobs one after the other in this process, where a debugger can follow."""

    device: str = "cpu"

    def run(self, jobs: Sequence[Job], study: str, tell: Tell) -> Iterator[tuple[Job, JobResult]]:
        """Yield each job with its result, in the given order."""
        from coopgym.benchmarks.execute.job_runner import compute
        from coopgym.interrupts import recognisable_interrupts

        for job in jobs:

            def report(fraction: float, job: Job = job) -> None:
                tell(job, fraction)

            with one_thread(), recognisable_interrupts():
                result = compute(job, study, self.device, report)
            yield job, result


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute with one thread inside the block, whether it is loaded already or will be there."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    torch = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch else 1
    if torch:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        if torch:
            torch.set_num_threads(threads)
