"""Work on many games into a folder: only what it does not hold yet, the longest first, several at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from coopgym.benchmarks.execute.executors import WorkerDiedError, worker_pool
from coopgym.benchmarks.execute.store import lock_folder
from coopgym.benchmarks.progress import Progress
from coopgym.games.game import AnyGame
from coopgym.games.registry import make_game

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Work(Generic[ResultT]):
    """What is done to each game, and how its result is kept."""

    compute: Callable[[str], ResultT]
    """From a game's id to its result; a function of a module, for worker processes look it up by name."""
    read: Callable[[Path, AnyGame], ResultT | None]
    """What a folder holds of a game; None unless it is what computing it again would give."""
    write: Callable[[Path, ResultT], object]
    seconds: Callable[[AnyGame], float]
    """Rough duration on one core."""


@dataclass(frozen=True)
class GameJob(Generic[ResultT]):
    """One game to work on."""

    id: str
    work: Work[ResultT]

    @property
    def specs(self) -> tuple[str]:
        """The game, as progress counts it."""
        return (self.id,)

    @property
    def expected_seconds(self) -> float:
        """Rough duration on one core."""
        return self.work.seconds(make_game(self.id))


@dataclass(frozen=True)
class Attempt(Generic[ResultT]):
    """What came of a game."""

    result: ResultT | None
    fault: str | None = None

    @property
    def failures(self) -> int:
        """1 where there is no result."""
        return int(self.result is None)


@dataclass(frozen=True)
class BatchOutcome(Generic[ResultT]):
    """What a folder of results holds now."""

    results: tuple[ResultT, ...]
    """In the order in which the games were asked for."""
    computed: int
    faults: dict[str, str]
    """Games without a result, and why."""


def work_through(
    work: Work[ResultT], ids: Sequence[str], folder: Path, workers: int, fresh: bool, progress: Progress
) -> BatchOutcome[ResultT]:
    """Work on games that a folder does not hold yet, and write each result as it comes.

    Args:
        work: what to do.
        ids: the games.
        folder: made if it is missing; other files in it stay as they are.
        workers: processes; 0 works in this one.
        fresh: do everything again.
        progress: told what happens.

    Raises:
        FolderInUseError: another process writes to the folder.
        WorkerDiedError: a worker process was killed; earlier results are kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with lock_folder(folder):
        held = {} if fresh else {id: found for id in ids if (found := work.read(folder, make_game(id))) is not None}
        jobs = sorted((GameJob(id, work) for id in ids if id not in held), key=lambda job: -job.expected_seconds)
        faults: dict[str, str] = {}
        progress.begin(jobs)
        try:
            for job, attempt in _attempts(jobs, workers):
                if attempt.result is None:
                    faults[job.id] = attempt.fault or "no reason given"
                else:
                    held[job.id] = attempt.result
                    work.write(folder, attempt.result)
                progress.finish(job, attempt)
        finally:
            progress.end()
    return BatchOutcome(tuple(held[id] for id in ids if id in held), len(jobs) - len(faults), faults)


def _attempts(jobs: Sequence[GameJob[ResultT]], workers: int) -> Iterator[tuple[GameJob[ResultT], Attempt[ResultT]]]:
    if not workers or not jobs:
        yield from ((job, attempt(job)) for job in jobs)
        return
    with worker_pool(min(workers, len(jobs))) as pool:
        pending = {pool.submit(attempt, job): job for job in jobs}
        for future in as_completed(pending):
            try:
                yield pending[future], future.result()
            except BrokenProcessPool as error:
                raise WorkerDiedError(
                    "a worker process died, perhaps for lack of memory; finished games are kept: run the same command "
                    "again, with fewer --workers if it repeats"
                ) from error


def attempt(job: GameJob[ResultT]) -> Attempt[ResultT]:
    """Compute a game's result, or say why it is impossible."""
    try:
        return Attempt(job.work.compute(job.id))
    except Exception as error:  # the other games are worth having
        return Attempt(None, f"{type(error).__name__}: {error}")
