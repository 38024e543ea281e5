"""Solve many games into a folder: only what it does not hold yet, the longest first, several at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.executors import WorkerDiedError, worker_pool
from benchmarks.solve.files import Solved, read_solved, write_solved
from benchmarks.solve.solution import solve
from benchmarks.store import lock_folder
from coopgym.games.registry import make_game


@dataclass(frozen=True)
class GameToSolve:
    """A game whose certificate is wanted."""

    id: str

    @property
    def specs(self) -> tuple[str]:
        """The game, as progress counts it."""
        return (self.id,)

    @property
    def expected_seconds(self) -> float:
        """Rough duration on one core."""
        spec = make_game(self.id).spec
        return 1.5 + spec.n_agents * spec.horizon * (0.015 if spec.edition == "formal" else 0.005)


@dataclass(frozen=True)
class Attempt:
    """What came of solving a game."""

    solved: Solved | None
    fault: str | None = None

    @property
    def failures(self) -> int:
        """1 where it could not be solved."""
        return int(self.solved is None)


class Progress(Protocol):
    """Watches games being solved."""

    def begin(self, jobs: Sequence[GameToSolve]) -> None:
        """The games that are about to be solved."""

    def finish(self, job: GameToSolve, result: Attempt) -> None:
        """A game is done and on disk."""

    def end(self) -> None:
        """No more games, for whatever reason."""


@dataclass(frozen=True)
class Outcome:
    """What a folder of solved games holds now."""

    solved: tuple[Solved, ...]
    """In the order in which the games were asked for."""
    computed: int
    faults: dict[str, str]
    """Games that could not be solved, and why."""


def solve_all(ids: Sequence[str], folder: Path, workers: int, fresh: bool, progress: Progress) -> Outcome:
    """Solve games that a folder does not hold yet, and write them there one by one.

    Args:
        ids: the games.
        folder: made if it is missing; other files in it stay as they are.
        workers: processes; 0 solves in this one.
        fresh: solve everything again.
        progress: told what happens.

    Raises:
        FolderInUseError: another process writes to the folder.
        WorkerDiedError: a worker process was killed; games solved before are kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with lock_folder(folder):
        held = {} if fresh else {id: found for id in ids if (found := read_solved(folder, make_game(id)))}
        jobs = sorted((GameToSolve(id) for id in ids if id not in held), key=lambda job: -job.expected_seconds)
        faults: dict[str, str] = {}
        progress.begin(jobs)
        try:
            for job, attempt in _attempts(jobs, workers):
                if attempt.solved is None:
                    faults[job.id] = attempt.fault or "no reason given"
                else:
                    held[job.id] = attempt.solved
                    write_solved(folder, attempt.solved)
                progress.finish(job, attempt)
        finally:
            progress.end()
    return Outcome(tuple(held[id] for id in ids if id in held), len(jobs) - len(faults), faults)


def _attempts(jobs: Sequence[GameToSolve], workers: int) -> Iterator[tuple[GameToSolve, Attempt]]:
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
                    "a worker process died, perhaps for lack of memory; solved games are kept: run the same command "
                    "again, with fewer --workers if it repeats"
                ) from error


def attempt(job: GameToSolve) -> Attempt:
    """Solve a game and draw it, or say why it is impossible."""
    try:
        solution = solve(job.id)
        return Attempt(Solved(solution.record(), solution.figure().svg()))
    except Exception as error:  # the other games are worth having
        return Attempt(None, f"{type(error).__name__}: {error}")
