"""Progress of a study on a terminal, or as a plain line now and then where there is none."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Protocol, TypeAlias

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bars

LINE_SECONDS = 10.0
Report: TypeAlias = Callable[[float], None]
"""Is told the finished fraction of some work."""


class Work(Protocol):
    """A piece of work that progress counts."""

    @property
    def id(self) -> str:
        """Its name, like no other's."""

    @property
    def specs(self) -> Sequence[object]:
        """The runs it is about."""

    @property
    def expected_seconds(self) -> float:
        """Rough duration."""


class Done(Protocol):
    """What came of a piece of work."""

    @property
    def failures(self) -> int:
        """How many of its runs failed."""


class Progress(Protocol):
    """Watches work being done."""

    def begin(self, jobs: Sequence[Work]) -> None:
        """The work that is about to start."""

    def advance(self, job: Work, fraction: float) -> None:
        """A piece of it has come this far."""

    def finish(self, job: Work, result: Done) -> None:
        """A piece of it is done, and on disk where it is kept."""

    def end(self) -> None:
        """Nothing follows, for whatever reason."""


class Tally:
    """Counts what is done and estimates what is left, weighing jobs by their expected duration."""

    def __init__(self, jobs: Sequence[Work], unit: str = "runs") -> None:
        self.unit = unit
        self.runs = sum(len(job.specs) for job in jobs)
        self.finished_runs = 0
        self.failures = 0
        self.total = sum(job.expected_seconds for job in jobs)
        self._done = 0.0
        self._underway: dict[str, float] = {}
        self._started = time.monotonic()

    def advance(self, job: Work, fraction: float) -> None:
        """Note how far a job has come."""
        self._underway[job.id] = fraction * job.expected_seconds

    def finish(self, job: Work, result: Done) -> None:
        """Note that a job is done."""
        self._underway.pop(job.id, None)
        self._done += job.expected_seconds
        self.finished_runs += len(job.specs)
        self.failures += result.failures

    @property
    def work_done(self) -> float:
        """Expected seconds of the work done so far."""
        return self._done + sum(self._underway.values())

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def __str__(self) -> str:
        parts = [f"{self.finished_runs}/{self.runs} {self.unit}"]
        if self.finished_runs:
            parts.append(f"{self.finished_runs / max(self.elapsed, 1e-9):.1f}/s")
        if 0 < self.work_done < self.total:
            parts.append(f"{duration(self.elapsed * (self.total / self.work_done - 1))} left")
        if self.failures:
            parts.append(f"{self.failures} failed")
        return " · ".join(parts)


def duration(seconds: float) -> str:
    """Return a duration in words, like ``1 h 05 min``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


class _CountedProgress(ABC):
    """Counts, and shows the count whenever it has changed."""

    def __init__(self, unit: str) -> None:
        self._unit = unit

    def begin(self, jobs: Sequence[Work]) -> None:
        """Start counting."""
        self._tally = Tally(jobs, self._unit)

    def advance(self, job: Work, fraction: float) -> None:
        """Count within a job."""
        self._tally.advance(job, fraction)
        self._show()

    def finish(self, job: Work, result: Done) -> None:
        """Count a job."""
        self._tally.finish(job, result)
        self._show()

    @abstractmethod
    def _show(self) -> None: ...


class BarProgress(_CountedProgress):
    """A live bar on a terminal."""

    def __init__(self, console: Console, unit: str = "runs") -> None:
        super().__init__(unit)
        self._bars = Bars(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[tally]}"), console=console
        )

    def begin(self, jobs: Sequence[Work]) -> None:
        """Show the empty bar."""
        super().begin(jobs)
        self._task: TaskID = self._bars.add_task("running", total=self._tally.total, tally=str(self._tally))
        self._bars.start()

    def end(self) -> None:
        """Leave the bar as it stands."""
        self._bars.stop()

    def _show(self) -> None:
        self._bars.update(self._task, completed=self._tally.work_done, tally=str(self._tally))


class LineProgress(_CountedProgress):
    """A plain line at most every few seconds, for logs and pipes."""

    def __init__(self, stream: IO[str], unit: str = "runs") -> None:
        super().__init__(unit)
        self._stream, self._last = stream, 0.0

    def begin(self, jobs: Sequence[Work]) -> None:
        """Start counting."""
        super().begin(jobs)
        self._last = time.monotonic()

    def end(self) -> None:
        """Write the last count."""
        if self._tally.runs:
            self._write()

    def _show(self) -> None:
        if time.monotonic() - self._last > LINE_SECONDS:
            self._write()

    def _write(self) -> None:
        self._last = time.monotonic()
        print(f"running: {self._tally} · {duration(self._tally.elapsed)} elapsed", file=self._stream, flush=True)


def progress_on(console: Console, unit: str = "runs") -> BarProgress | LineProgress:
    """Return the progress display that suits a console; ``unit`` is what it counts."""
    if console.is_terminal:
        return BarProgress(console, unit)
    return LineProgress(console.file, unit)


@contextmanager
def fraction_on(console: Console, what: str) -> Iterator[Report]:
    """Show the finished fraction of what is done inside, on a terminal only; give what has to be told it."""
    with Bars(console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(what, total=1.0)
        yield lambda fraction: bars.update(task, completed=fraction)


def part_of(report: Report, number: int, parts: int) -> Report:
    """Return what is to be told the finished fraction of one of several parts, in order."""
    return lambda fraction: report((number + fraction) / parts)
