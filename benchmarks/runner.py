"""Run a study into a folder: what is missing is computed, what is there is kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.executors import Executor, InProcess, ProcessPool
from benchmarks.jobs import JobResult
from benchmarks.plan import Job, RunSpec, expand, group
from benchmarks.store import RunStore
from benchmarks.study import Study


class Progress(Protocol):
    """Watches a study run."""

    def begin(self, jobs: list[Job]) -> None:
        """The jobs that are about to run."""

    def advance(self, job: Job, fraction: float) -> None:
        """A job has come this far."""

    def finish(self, job: Job, result: JobResult) -> None:
        """A job is done and its shards are on disk."""

    def end(self) -> None:
        """No more jobs run, for whatever reason."""


@dataclass(frozen=True)
class Outcome:
    """What a call of `run_study` did."""

    planned: int
    skipped: int
    replaced: int
    computed: int
    failed: int


@dataclass(frozen=True)
class Outlook:
    """What a call of `run_study` would do."""

    runs: list[RunSpec]
    pending: list[RunSpec]
    jobs: list[Job]

    @property
    def phases(self) -> list[list[Job]]:
        """The jobs in two parts: those that stand alone, and those that need policies the first part trains."""
        parts = [job for job in self.jobs if not job.teachers], [job for job in self.jobs if job.teachers]
        return [part for part in parts if part]

    @property
    def expected_seconds(self) -> float:
        """Rough duration on one core."""
        return sum(job.expected_seconds for job in self.jobs)


def outlook(runs: list[RunSpec], finished: set[str]) -> Outlook:
    """Tell which runs are not finished, and the jobs that would compute them."""
    pending = [spec for spec in runs if spec.run_id not in finished]
    return Outlook(runs, pending, group(pending))


def run_study(
    study: Study, runs: list[RunSpec], folder: Path, executor: Executor, progress: Progress, *, resume: bool = True
) -> Outcome:
    """Compute those of a study's runs (`expand`) that ``folder`` does not hold yet; without ``resume``, all of them.

    A run that raises is recorded as failed and does not stop the others; it is tried again next time. Killing the
    process at any moment loses the jobs in progress, nothing else; on this machine, of a training job only what
    followed its last checkpoint.

    Raises:
        FolderInUseError: another process writes to the folder.
        OtherStudyError: the folder holds runs of another study.
        CorpusError: the folder holds damaged or foreign shards.
        WorkerDiedError: a worker process was killed.
    """
    with RunStore(folder, study) as store:
        replaced = store.drop_replaced(runs)
        if not resume:
            store.drop(runs)
        finished = store.finished()
        plan = outlook(runs, finished)
        if left := store.checkpoints():
            wanted = [*plan.jobs, *outlook(expand(study), finished).jobs]  # also of runs that are not asked for now
            store.drop_checkpoints(left - {job.id for job in wanted})
        on_this_machine = isinstance(executor, InProcess | ProcessPool)
        failed = 0
        progress.begin(plan.jobs)
        try:
            for jobs in plan.phases:
                supplied = store.supplied(jobs, checkpoints=on_this_machine)
                for job, result in executor.run(supplied, study.name, progress.advance):
                    store.write(job, result)
                    failed += result.failures
                    progress.finish(job, result)
        finally:
            progress.end()
    return Outcome(len(runs), len(runs) - len(plan.pending), replaced, len(plan.pending), failed)
