"""A folder of results: one writer at a time, whole shards only, every run once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc
from filelock import FileLock, Timeout

from coopgym.benchmarks.execute.job_runner import JobResult
from coopgym.benchmarks.execute.policy_store import keep_policies, trained_agents
from coopgym.benchmarks.provenance import package_version
from coopgym.benchmarks.study import (
    COMPARED_COLUMNS,
    Job,
    RunSpec,
    Study,
    Superseded,
    canonical_json,
    content_hash,
    superseded,
)
from coopgym.corpus.manifest import require_sound
from coopgym.corpus.shard_writer import (
    add_shard,
    change_runs,
    keep_runs,
    repair,
    write_missing_manifests,
)
from coopgym.corpus.shards import read_shard, run_shards
from coopgym.corpus.writer import write_atomically

STUDY_FILE = "study.json"
CHECKPOINTS = "checkpoints"
"""Where trainings in progress keep what they need to go on, one folder per job."""
LOCK_FILE = ".lock"
HOLDER_FILE = ".lock-holder"
"""Names the process that holds the lock: not every system lets others read a locked file."""


class FolderInUseError(RuntimeError):
    """Another process is writing to the same folder."""


class OtherStudyError(ValueError):
    """A folder holds runs of another study."""


@contextmanager
def lock_folder(folder: Path, option: str = "--out") -> Iterator[None]:
    """Keep other processes from writing to a folder.

    Args:
        folder: what is written to.
        option: of the command line that takes another one.

    Raises:
        FolderInUseError: another process holds the lock.
    """
    lock, holder = FileLock(folder / LOCK_FILE), folder / HOLDER_FILE
    try:
        lock.acquire(timeout=0)
    except Timeout:
        named = holder.read_text(encoding="utf-8") if holder.exists() else "unknown"
        raise FolderInUseError(
            f"{folder}: another coopgym process ({named}) is writing there; wait for it, or choose another "
            f"folder with {option}"
        ) from None
    try:
        holder.write_text(f"pid {os.getpid()}", encoding="utf-8")
        yield
    finally:
        lock.release()


def amend_runs(shard: Path, changes: Mapping[str, Mapping[str, Any]]) -> None:
    """Set columns of some runs of a shard; every other value, and what the shard says of its origin, stays.

    Args:
        shard: a file of ``runs``, replaced as a whole or not at all; its manifest follows.
        changes: run id to column to value.

    Raises:
        CorpusError: the shard is damaged.
        ValueError: a value does not fit its column.
    """
    runs = read_shard(shard, "runs")
    ids = runs.column("run_id").to_pylist()
    for name in dict.fromkeys(name for change in changes.values() for name in change):
        before = runs.column(name).to_pylist()
        after = [changes.get(run_id, {}).get(name, value) for run_id, value in zip(ids, before, strict=True)]
        place = runs.schema.get_field_index(name)
        runs = runs.set_column(place, runs.schema.field(place), pa.array(after, runs.schema.field(place).type))
    change_runs(shard.parents[1], shard.stem, runs)


class RunStore:
    """Shards of a study's results. Use as a context manager: it holds the folder's lock.

    A job's policies, curves and steps are written before its runs, and a shard counts only with its runs, so a kill at
    any moment leaves either the whole job or none of it. Of a training that was killed, its last checkpoint stays.

    A folder belongs to one study, by its name: the same study may change, another one is refused.

    Every shard has a manifest of its files. A folder in which a file is missing or is not what its manifest says is not
    opened: no damaged shard counts as finished, and what could be restored from a backup is not computed over.
    """

    def __init__(self, folder: Path, study: Study | str, option: str = "--out") -> None:
        """Take a folder for the runs of a study, or for runs that no study describes and that share a name.

        Args:
            folder: the folder.
            study: whose runs they are, or their name.
            option: of the command line that takes another folder.
        """
        self.folder, self.option = folder, option
        described = study.model_dump(mode="json", by_alias=True) if isinstance(study, Study) else None
        self.study = study.name if isinstance(study, Study) else study
        self.study_json = canonical_json(described) if described else None
        self.study_hash = content_hash(described or self.study)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as opening:
            opening.enter_context(lock_folder(self.folder, self.option))
            self._refuse_other_studies()
            repair(self.folder)
            write_missing_manifests(self.folder)
            require_sound(self.folder)
            if self.study_json is not None:
                write_atomically(self.folder / STUDY_FILE, self.study_json.encode())
            self._open = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def check(self) -> None:
        """Make sure that the folder can be opened, and leave it as it is.

        Raises:
            OtherStudyError: it holds runs of another study.
            CorpusError: a file is missing, damaged or not the one that was written.
        """
        self._refuse_other_studies()
        require_sound(self.folder)

    def finished(self) -> set[str]:
        """Ids of the runs that need not be computed again: all but the failed ones.

        Raises:
            CorpusError: a shard cannot be read.
        """
        tables = [read_shard(shard, "runs", ("run_id", "status")) for shard in run_shards(self.folder)]
        completed = [table.filter(pc.not_equal(table.column("status"), "failed")) for table in tables]
        return {run_id for table in completed for run_id in table.column("run_id").to_pylist()}

    def superseded(self, planned: Iterable[RunSpec]) -> dict[str, Superseded]:
        """Find the completed runs whose places in the study other runs have now, by id."""
        tables = [read_shard(shard, "runs", (*COMPARED_COLUMNS, "status")) for shard in run_shards(self.folder)]
        rows = (row for table in tables for row in table.to_pylist() if row["status"] != "failed")
        return superseded(rows, planned)

    def drop_replaced(self, replaced: Collection[str]) -> None:
        """Remove runs that give way to others, by id, and failed ones, which are tried again."""
        unwanted = pa.array(list(replaced), pa.string())
        for shard in run_shards(self.folder):
            runs = read_shard(shard, "runs")
            gone = pc.or_(pc.is_in(runs.column("run_id"), unwanted), pc.equal(runs.column("status"), "failed"))
            if pc.any(gone).as_py():
                keep_runs(self.folder, shard.stem, runs.filter(pc.invert(gone)))

    def drop(self, specs: Iterable[RunSpec]) -> None:
        """Remove runs, so that they are computed anew."""
        unwanted = pa.array([spec.run_id for spec in specs], pa.string())
        for shard in run_shards(self.folder):
            runs = read_shard(shard, "runs")
            named = pc.is_in(runs.column("run_id"), unwanted)
            if pc.any(named).as_py():
                keep_runs(self.folder, shard.stem, runs.filter(pc.invert(named)))

    def supplied(self, jobs: Iterable[Job], *, checkpoints: bool = False, kept: Iterable[Superseded] = ()) -> list[Job]:
        """Return jobs with the policies that they need, or with the reasons why those cannot be had.

        Args:
            jobs: what is about to run.
            checkpoints: whether trainings leave checkpoints in this folder and go on from those that are there.
            kept: runs of an older version that stay; their policies are not those that the jobs ask for.
        """
        home = {
            run_id: shard.stem
            for shard in run_shards(self.folder)
            for run_id in read_shard(shard, "runs", ("run_id",)).column("run_id").to_pylist()
        }
        waiting = list(jobs)
        dependencies = {run_id: run for job in waiting for run_id, run in job.dependencies.items()}
        found = {run_id: trained_agents(run, home.get(run_id), self.folder) for run_id, run in dependencies.items()}
        for run in (older.planned for older in kept):
            found[run.run_id] = f"{run.path} is kept as an older version trained it; --redo trains it anew"
        return [
            job.supplied(
                {run_id: found[run_id] for run_id in job.dependencies},
                self.folder / CHECKPOINTS / job.id if checkpoints and job.training else None,
            )
            for job in waiting
        ]

    def write(self, job: Job, result: JobResult) -> None:
        """Add the shards of a finished job, and the policies of a learner."""
        if result.policies:
            keep_policies(self.folder, job.id, result.policies)
        add_shard(self.folder, job.id, result.tables, study_hash=self.study_hash, package_version=package_version())
        self.drop_checkpoints({job.id})

    def checkpoints(self) -> set[str]:
        """Ids of the jobs that left a checkpoint."""
        return {place.name for place in (self.folder / CHECKPOINTS).glob("*")}

    def drop_checkpoints(self, job_ids: Iterable[str]) -> None:
        """Remove what jobs need to go on, if they left anything."""
        for job_id in job_ids:
            shutil.rmtree(self.folder / CHECKPOINTS / job_id, ignore_errors=True)
        if (self.folder / CHECKPOINTS).exists() and not self.checkpoints():
            (self.folder / CHECKPOINTS).rmdir()

    def _refuse_other_studies(self) -> None:
        tables = [read_shard(shard, "runs", ("study",)) for shard in run_shards(self.folder)]
        held = {name for table in tables for name in table.column("study").unique().to_pylist()}
        if others := sorted(held - {self.study}):
            elsewhere = self.folder.with_name(f"{self.folder.name}-{self.study}")
            raise OtherStudyError(
                f"{self.folder} holds runs of the study {', '.join(map(repr, others))}, and a folder belongs to one "
                f"study: run {self.study!r} elsewhere, as with {self.option} {elsewhere}. Finished folders are put "
                f"together with: coopgym data merge {self.folder} {elsewhere} -o NEW"
            )
