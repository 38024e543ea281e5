"""A folder of results: one writer at a time, whole shards only, every run once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc
from filelock import FileLock, Timeout

from benchmarks.jobs import JobResult
from benchmarks.plan import Job, RunSpec, canonical_json, content_hash
from benchmarks.policies import POLICIES, keep_policies, trained_agents
from benchmarks.provenance import package_version
from benchmarks.study import Study
from coopgym.corpus.reader import open_shard, read_shard, run_shards
from coopgym.corpus.schema import DETAILS, PACKAGE_VERSION_KEY, STUDY_HASH_KEY, TableName, is_self_play
from coopgym.corpus.writer import remove_leftovers, write_atomically, write_table

STUDY_FILE = "study.json"
CHECKPOINTS = "checkpoints"
"""Where trainings in progress keep what they need to go on, one folder per job."""
LOCK_FILE = ".lock"
HOLDER_FILE = ".lock-holder"
"""Names the process that holds the lock: not every system lets others read a locked file."""
PLACE_COLUMNS = ("environment", "env_parameters", "algorithm", "reward_mode", "seed", "protocol", "scenario")
"""Columns of ``runs`` that make up `RunSpec.place`."""


class FolderInUseError(RuntimeError):
    """Another process is writing to the same folder."""


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Keep other processes from writing to a folder.

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
            "folder with --out"
        ) from None
    try:
        holder.write_text(f"pid {os.getpid()}", encoding="utf-8")
        yield
    finally:
        lock.release()


def amend_runs(shard: Path, changes: Mapping[str, Mapping[str, Any]]) -> None:
    """Set columns of some runs of a shard; every other value, and what the shard says of its origin, stays.

    Args:
        shard: a file of ``runs``, replaced as a whole or not at all.
        changes: run id to column to value.

    Raises:
        CorpusError: the shard is damaged.
        ValueError: a value does not fit its column.
    """
    labels, runs = open_shard(shard, "runs").schema_arrow.metadata, read_shard(shard, "runs")
    ids = runs.column("run_id").to_pylist()
    for name in dict.fromkeys(name for change in changes.values() for name in change):
        before = runs.column(name).to_pylist()
        after = [changes.get(run_id, {}).get(name, value) for run_id, value in zip(ids, before, strict=True)]
        place = runs.schema.get_field_index(name)
        runs = runs.set_column(place, runs.schema.field(place), pa.array(after, runs.schema.field(place).type))
    origin = {"study_hash": labels[STUDY_HASH_KEY].decode(), "package_version": labels[PACKAGE_VERSION_KEY].decode()}
    write_table("runs", runs, shard, **origin)


class RunStore:
    """Shards of a study's results. Use as a context manager: it holds the folder's lock.

    A job's policies, curves and steps are written before its runs, and a shard counts only with its runs, so a kill at
    any moment leaves either the whole job or none of it. Of a training that was killed, its last checkpoint stays.
    """

    def __init__(self, folder: Path, study: Study) -> None:
        self.folder = folder
        description = study.model_dump(mode="json", by_alias=True)
        self.study_json = canonical_json(description)
        self.study_hash = content_hash(description)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as opening:
            opening.enter_context(lock_folder(self.folder))
            remove_leftovers(self.folder)
            self._remove_orphans()
            write_atomically(self.folder / STUDY_FILE, self.study_json.encode())
            self._open = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def finished(self) -> set[str]:
        """Ids of the runs that need not be computed again: all but the failed ones.

        Raises:
            CorpusError: a shard is damaged, of these runs or of their curves and steps.
        """
        for shard in run_shards(self.folder):
            for name in DETAILS:
                if (self.folder / name / shard.name).exists():
                    open_shard(self.folder / name / shard.name, name)
        tables = [read_shard(shard, "runs", ("run_id", "status")) for shard in run_shards(self.folder)]
        completed = [table.filter(pc.not_equal(table.column("status"), "failed")) for table in tables]
        return {run_id for table in completed for run_id in table.column("run_id").to_pylist()}

    def drop_replaced(self, planned: Iterable[RunSpec]) -> int:
        """Remove failed runs, and runs whose place in the study now has another specification.

        Returns:
            How many completed runs gave way to another specification; failed ones are merely tried again.
        """
        specs = list(planned)
        ids, places = {spec.run_id for spec in specs}, {spec.place for spec in specs}
        replaced = 0
        for shard in run_shards(self.folder):
            rows = read_shard(shard, "runs", (*PLACE_COLUMNS, "run_id", "status")).to_pylist()
            completed = [row["status"] != "failed" for row in rows]
            current = [row["run_id"] in ids or _place(row) not in places for row in rows]
            replaced += sum(done and not right for done, right in zip(completed, current, strict=True))
            keep = [done and right for done, right in zip(completed, current, strict=True)]
            if not all(keep):
                self._keep(shard, read_shard(shard, "runs").filter(pa.array(keep)))
        return replaced

    def drop(self, specs: Iterable[RunSpec]) -> None:
        """Remove runs, so that they are computed anew."""
        unwanted = pa.array([spec.run_id for spec in specs], pa.string())
        for shard in run_shards(self.folder):
            runs = read_shard(shard, "runs")
            named = pc.is_in(runs.column("run_id"), unwanted)
            if pc.any(named).as_py():
                self._keep(shard, runs.filter(pc.invert(named)))

    def supplied(self, jobs: Iterable[Job], *, checkpoints: bool = False) -> list[Job]:
        """Return jobs with the policies that they need, or with the reasons why those cannot be had.

        Args:
            jobs: what is about to run.
            checkpoints: whether trainings leave checkpoints in this folder and go on from those that are there.
        """
        home = {
            run_id: shard.stem
            for shard in run_shards(self.folder)
            for run_id in read_shard(shard, "runs", ("run_id",)).column("run_id").to_pylist()
        }
        waiting = list(jobs)
        teachers = {run_id: run for job in waiting for run_id, run in job.teachers.items()}
        kept = {run_id: trained_agents(run, home.get(run_id), self.folder) for run_id, run in teachers.items()}
        return [
            job.supplied(
                {run_id: kept[run_id] for run_id in job.teachers},
                self.folder / CHECKPOINTS / job.id if checkpoints and job.training else None,
            )
            for job in waiting
        ]

    def write(self, job: Job, result: JobResult) -> None:
        """Add the shards of a finished job, and the policies of a learner."""
        if result.policies:
            keep_policies(self.folder, job.id, result.policies)
        for name in DETAILS:
            if len(result.tables.get(name, ())):
                self._write(name, f"{job.id}.parquet", result.tables[name])
        self._write("runs", f"{job.id}.parquet", result.tables["runs"])
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

    def _keep(self, shard: Path, runs: pa.Table) -> None:
        """Reduce a shard to some of its runs; as when writing, the runs come last."""
        if not len(runs):
            shard.unlink()
            self._remove_orphans()
            return
        for name in DETAILS:
            path = self.folder / name / shard.name
            if path.exists():
                rows = read_shard(path, name)
                self._write(name, shard.name, rows.filter(pc.is_in(rows.column("run_id"), runs.column("run_id"))))
        self._write("runs", shard.name, runs)

    def _write(self, name: TableName, file: str, table: pa.Table) -> None:
        write_table(
            name,
            table,
            self.folder / name / file,
            study_hash=self.study_hash,
            package_version=package_version(),
        )

    def _remove_orphans(self) -> None:
        complete = {shard.name for shard in run_shards(self.folder)}
        for name in DETAILS:
            for shard in (self.folder / name).glob("*.parquet"):
                if shard.name not in complete:
                    shard.unlink()
        for kept in (self.folder / POLICIES).glob("*"):
            if kept.is_dir() and f"{kept.name}.parquet" not in complete:
                shutil.rmtree(kept)


def _place(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return where a stored run stands in a study."""
    where = {name: row[name] for name in PLACE_COLUMNS}
    return tuple((where | {"protocol": "self_play"} if is_self_play(row) else where).values())
