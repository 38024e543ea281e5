"""Run a study into a folder: what is missing is computed, what is there is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from coopgym.benchmarks.execute.executors import Executor, InProcess, ProcessPool
from coopgym.benchmarks.execute.store import RunStore
from coopgym.benchmarks.progress import Progress
from coopgym.benchmarks.study import Job, RunSpec, Study, Superseded, expand, group, in_words

Older: TypeAlias = Literal["ask", "redo", "keep"]
"""What becomes of stored runs that only another version of coopgym would make otherwise: somebody has to say, they are
computed anew, or they stay."""


class OlderRunsError(RuntimeError):
    """A folder holds runs of an older version, and nobody has said what becomes of them."""


@dataclass(frozen=True)
class StudyOutcome:
    """What a call of `run_study` did."""

    planned: int
    skipped: int
    computed: int
    failed: int
    superseded: tuple[Superseded, ...] = ()
    """Stored runs that gave way to others."""
    kept: tuple[Superseded, ...] = ()
    """Stored runs that stayed although an older version made them."""

    @property
    def replaced(self) -> int:
        """Stored runs that gave way to others."""
        return len(self.superseded)


@dataclass(frozen=True)
class DryRun:
    """What a call of `run_study` would do."""

    runs: list[RunSpec]
    pending: list[RunSpec]
    jobs: list[Job]
    replaced: Mapping[str, Superseded] = field(default_factory=dict)
    """Stored runs that give way to others, by id."""
    kept: Mapping[str, Superseded] = field(default_factory=dict)
    """Stored runs that stay although an older version made them."""
    undecided: Mapping[str, Superseded] = field(default_factory=dict)
    """Stored runs of an older version for which nobody has said whether they stay."""

    @property
    def phases(self) -> list[list[Job]]:
        """The jobs in two parts: those that stand alone, and those that need policies the first part trains."""
        parts = [job for job in self.jobs if not job.dependencies], [job for job in self.jobs if job.dependencies]
        return [part for part in parts if part]

    @property
    def expected_seconds(self) -> float:
        """Rough duration on one core."""
        return sum(job.expected_seconds for job in self.jobs)


def dry_run_of(
    runs: list[RunSpec],
    finished: set[str],
    stored: Mapping[str, Superseded] | None = None,
    older: Older = "redo",
) -> DryRun:
    """Tell which runs are not finished, and the jobs that would compute them.

    Args:
        runs: what is planned.
        finished: ids of stored runs.
        stored: stored runs whose places others have now. What was changed on purpose, study, agents or data, gives way.
        older: what becomes of those that only another version of coopgym would make otherwise.
    """
    aged = {run_id: run for run_id, run in (stored or {}).items() if run.ours}
    purposely = {run_id: run for run_id, run in (stored or {}).items() if not run.ours}
    kept = aged if older == "keep" else {}
    done = finished | {run.planned.run_id for run in kept.values()}
    pending = [spec for spec in runs if spec.run_id not in done]
    return DryRun(
        runs,
        pending,
        group(pending),
        replaced=purposely | (aged if older == "redo" else {}),
        kept=kept,
        undecided=aged if older == "ask" else {},
    )


def run_study(
    study: Study,
    runs: list[RunSpec],
    folder: Path,
    executor: Executor,
    progress: Progress,
    *,
    resume: bool = True,
    older: Older = "ask",
) -> StudyOutcome:
    """Compute those of a study's runs (`expand`) that ``folder`` does not hold yet; without ``resume``, all of them.

    A run that raises is recorded as failed and does not stop the others; it is tried again next time. Killing the
    process at any moment loses the jobs in progress, nothing else; on this machine, of a training job only what
    followed its last checkpoint.

    Args:
        study: whose runs they are.
        runs: those of them that are asked for.
        folder: where results are kept.
        executor: what computes.
        progress: is told how it comes along.
        resume: keep what is there.
        older: what becomes of stored runs that only another version of coopgym would make otherwise.

    Raises:
        OlderRunsError: there are such runs, and ``older`` is ``"ask"``; nothing has been changed.
        FolderInUseError: another process writes to the folder.
        OtherStudyError: the folder holds runs of another study.
        CorpusError: the folder holds damaged or foreign shards.
        WorkerDiedError: a worker process was killed.
    """
    with RunStore(folder, study) as store:
        finished = store.finished() if resume else set()
        plan = dry_run_of(runs, finished, store.superseded(runs), older if resume else "redo")
        if plan.undecided:
            raise OlderRunsError(f"{folder}: {undecided_in_words(plan)}. Nothing has been changed")
        store.drop_replaced(plan.replaced)
        if not resume:
            store.drop(runs)
        if left := store.checkpoints():
            wanted = [*plan.jobs, *dry_run_of(expand(study), finished).jobs]  # also of runs that are not asked for now
            store.drop_checkpoints(left - {job.id for job in wanted})
        on_this_machine = isinstance(executor, InProcess | ProcessPool)
        failed = 0
        progress.begin(plan.jobs)
        try:
            for jobs in plan.phases:
                supplied = store.supplied(jobs, checkpoints=on_this_machine, kept=plan.kept.values())
                for job, result in executor.run(supplied, study.name, progress.advance):
                    store.write(job, result)
                    failed += result.failures
                    progress.finish(job, result)
        finally:
            progress.end()
    return StudyOutcome(
        planned=len(runs),
        skipped=len(runs) - len(plan.pending),
        computed=len(plan.pending),
        failed=failed,
        superseded=tuple(plan.replaced.values()),
        kept=tuple(plan.kept.values()),
    )


def undecided_in_words(plan: DryRun) -> str:
    """Say which stored runs an older version made, and what can be done about them."""
    return (
        f"an older version of coopgym made {len(plan.undecided)} runs: {in_words(plan.undecided.values())}; --redo "
        "computes them anew, --keep-older keeps them and computes what is missing, --out takes another folder"
    )
