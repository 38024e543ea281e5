"""A corpus as a set of leaderboards: self-play that may be compared, one leaderboard per objective of its learners."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc

from coopgym.benchmarks.score.distribution import Distribution, distributions
from coopgym.benchmarks.score.exploited import exploitability_table
from coopgym.benchmarks.score.failures import Failure, failures
from coopgym.benchmarks.score.first_table import FirstTable, first_table
from coopgym.benchmarks.score.grid import RunGrid, run_grid, self_play, self_play_in_worlds
from coopgym.benchmarks.score.scores import Diverged, Metric, ScoreTable, score_table
from coopgym.benchmarks.score.seed_scores import SeedScores
from coopgym.benchmarks.score.stranger_scores import among_strangers
from coopgym.benchmarks.score.worlds import WorldBoard


@dataclass(frozen=True, eq=False)
class Leaderboard:
    """Self-play that may be compared: agents without an objective, and the learners of one."""

    objective: str | None
    """Whose reward learners maximise; None where the corpus has no two kinds of them."""
    runs: pa.Table
    first_objective: str | None = None
    """The first of the corpus's objectives."""
    memo: dict[Hashable, object] = field(default_factory=dict, repr=False)
    """What was computed from it already."""

    def table(self, metric: Metric = "return_mode", diverged: Diverged = "worst") -> ScoreTable:
        """Return scores, computed when first asked for."""
        key = ("table", metric, diverged)
        if key not in self.memo:
            self.memo[key] = score_table(self.runs, metric, diverged)
        return cast(ScoreTable, self.memo[key])

    @cached_property
    def grid(self) -> RunGrid:
        """Its runs by algorithm, task and seed."""
        return run_grid(self.runs)

    @cached_property
    def exploitability(self) -> SeedScores:
        """How exploitable private play is."""
        return exploitability_table(self.runs)

    @cached_property
    def distributions(self) -> tuple[Distribution, ...]:
        """What every algorithm brings on every task, and to whom."""
        return distributions(self.runs)

    @cached_property
    def failures(self) -> Mapping[str, Failure]:
        """Algorithms of which runs failed, by name."""
        return failures(self.runs)

    @property
    def suffix(self) -> str:
        """Part of the names of files about it."""
        return "" if self.objective is None else f"-{self.objective}"

    @property
    def title(self) -> str:
        """Part of headings about it."""
        return "" if self.objective is None else f"{self.objective} objective"


@dataclass(frozen=True, eq=False)
class Leaderboards:
    """How good the agents of a corpus are; the terminal, the CSV files and the page read nothing else about it."""

    runs: pa.Table
    """The ``runs`` table."""

    @cached_property
    def inconsistency(self) -> str:
        """Why runs cannot be compared; empty where they can."""
        try:
            for board in self._boards:
                _ = board.grid
            run_grid(among_strangers(self.runs))
        except ValueError as error:
            return str(error)
        return ""

    @property
    def found(self) -> Sequence[Leaderboard]:
        """Self-play by objective of the learners; none where there is none, or where runs contradict one another."""
        return () if self.inconsistency else self._split

    @property
    def worlds(self) -> Sequence[WorldBoard]:
        """Self-play in worlds, likewise: what is played there is scored by itself."""
        return () if self.inconsistency else self._split_worlds

    @property
    def boards(self) -> Sequence[Leaderboard | WorldBoard]:
        """All of them."""
        return () if self.inconsistency else self._boards

    @property
    def _boards(self) -> tuple[Leaderboard | WorldBoard, ...]:
        return (*self._split, *self._split_worlds)

    @cached_property
    def first_table(self) -> FirstTable:
        """One number for each question about every entrant; empty where runs contradict one another."""
        return FirstTable((), ()) if self.inconsistency else first_table(self.runs)

    @cached_property
    def _split(self) -> tuple[Leaderboard, ...]:
        return tuple(Leaderboard(*each) for each in _by_objective(self_play(self.runs)))

    @cached_property
    def _split_worlds(self) -> tuple[WorldBoard, ...]:
        return tuple(WorldBoard(*each) for each in _by_objective(self_play_in_worlds(self.runs)))


def _by_objective(played: pa.Table) -> Iterator[tuple[str | None, pa.Table, str | None]]:
    """Yield each objective of learners with the runs that may be compared, and the first of all objectives."""
    objectives = sorted(set(played.column("objective").drop_null().to_pylist()))
    given = played.column("objective")
    if len(objectives) < 2 and len(played):
        yield None, played, None
    for each in objectives if len(objectives) > 1 else ():
        yield each, played.filter(pc.or_kleene(pc.is_null(given), pc.equal(given, each))), objectives[0]
