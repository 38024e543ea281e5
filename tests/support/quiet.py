"""Progress that nobody watches."""

from __future__ import annotations

from coopgym.benchmarks.execute.job_runner import JobResult
from coopgym.benchmarks.study import Job


class Silence:
    """Takes every report and shows none."""

    def begin(self, jobs: list[Job]) -> None: ...

    def advance(self, job: Job, fraction: float) -> None: ...

    def finish(self, job: Job, result: JobResult) -> None: ...

    def end(self) -> None: ...
