"""Fields of comparison: algorithms that all have scores on the same tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import cast

import numpy as np

from benchmarks.analysis import LANDMARKS, Bootstrap, RankTable, ScoreTable, Task, rank_table
from benchmarks.analysis.estimates import BoolArray
from benchmarks.analysis.grid import task_order
from benchmarks.analysis.scores import Diverged, Yardstick
from benchmarks.report.evidence import LEARNERS, Contest
from benchmarks.report.words import counted
from benchmarks.summary import SHOWN_CONSTANTS
from coopgym.rewards import MODES

LANDMARK_TITLES = dict(zip(LANDMARKS, ("constant 50 %", "stage Nash"), strict=True))
MOST_FIELDS = 4
"""Fields of a contest at most: learners that played other games than all the rest are shown with those who did."""


@dataclass(frozen=True, eq=False)
class Field:
    """Algorithms with scores on every task of a table; of a scan of constants only landmarks and the best."""

    contest: Contest
    table: ScoreTable
    number: int
    """Its place among the fields of the contest, from 0."""
    landmarks: Mapping[str, float]
    """Mean scores of well-known play on the same tasks, by title."""
    games: int
    """How many games the contest has."""
    absent: tuple[str, ...]
    """Algorithms with scores elsewhere but not on all these tasks; no constants."""
    settings: Bootstrap

    @cached_property
    def ranks(self) -> RankTable:
        """The algorithms, best first."""
        return rank_table(self.table, self.settings)

    @property
    def title(self) -> str:
        """What it covers."""
        own = len(self.table.games)
        scope = f"All {counted(own, 'game')}" if own == self.games else f"{own} of {counted(self.games, 'game')}"
        return scope + (f", {self.contest.title}" if self.contest.objective else "")

    @property
    def name(self) -> str:
        """Part of the names of files about it."""
        return (
            "all-games" if len(self.table.games) == self.games else f"games-{self.number + 1}"
        ) + self.contest.suffix

    @property
    def learners(self) -> tuple[str, ...]:
        """Names of its learners and of agents of the user, in order of rank."""
        return tuple(row.entrant.name for row in self.ranks.rows if row.entrant.kind in LEARNERS)

    @property
    def has_diverged(self) -> bool:
        """Whether a run of it diverged."""
        return bool(self.table.diverged.any())


def fields(
    contest: Contest, settings: Bootstrap, yardstick: Yardstick = "return_mode", diverged: Diverged = "worst"
) -> list[Field]:
    """Return what can be compared: everybody who played all games, and then, for learners that did not, what they did.

    Learners that played the same games share a field, and so does everybody else who played these; a last field has the
    games common to all learners. Points of the mutuality continuum stay out where named reward modes were played: they
    are the same games again.
    """
    key = ("fields", settings, yardstick, diverged)
    if key not in contest.memo:
        contest.memo[key] = _fields(contest, settings, yardstick, diverged)
    return cast(list[Field], contest.memo[key])


def _fields(contest: Contest, settings: Bootstrap, yardstick: Yardstick, diverged: Diverged) -> list[Field]:
    table = contest.table(yardstick, diverged)
    named = table.where(lambda task: task.reward_mode in MODES)
    table = named if named.tasks else table
    scored: BoolArray = np.asarray(np.isfinite(table.scores).any(axis=-1))
    if not scored.any():
        return []
    found = [table.where(partial(_among, played)).covering() for played in _task_sets(table, scored)]
    filled = [each for each in found if each.algorithms and _worth_showing(each, contest)]
    return [_field(contest, each, number, table, settings) for number, each in enumerate(filled)]


def principal(found: Sequence[Field]) -> Field | None:
    """Return the field with most learners and, among those, most games."""
    return max(found, key=lambda each: (len(each.learners), len(each.table.tasks)), default=None)


def _task_sets(table: ScoreTable, scored: BoolArray) -> list[frozenset[Task]]:
    """Return all tasks, those of each group of learners that lack some, and those that all learners have."""
    everything = frozenset(table.tasks)
    played = {
        entrant: frozenset(task for task, has in zip(table.tasks, own, strict=True) if has)
        for entrant, own in zip(table.algorithms, scored, strict=True)
        if own.any() and entrant.kind != "constant"
    }
    learners = [tasks for entrant, tasks in played.items() if entrant.kind in LEARNERS] or list(played.values())
    partial_sets = sorted(
        {tasks for tasks in learners if tasks != everything},
        key=lambda each: (-len(each), sorted(map(task_order, each))),
    )
    common = frozenset.intersection(*learners) if learners else frozenset()
    return list(dict.fromkeys([everything, *partial_sets[: MOST_FIELDS - 2], *([common] if common else [])]))


def _among(played: frozenset[Task], task: Task) -> bool:
    return task in played


def _worth_showing(table: ScoreTable, contest: Contest) -> bool:
    """Whether a field has learners; of one objective among several, only those tell it from the others."""
    return contest.objective in (None, contest.first_objective) or any(
        each.kind in LEARNERS for each in table.algorithms
    )


def _field(contest: Contest, table: ScoreTable, number: int, whole: ScoreTable, settings: Bootstrap) -> Field:
    landmarks = {title: table.landmark(name) for name, title in LANDMARK_TITLES.items()}
    absent = [each.name for each in whole.algorithms if each.kind != "constant" and each.name not in table.names]
    return Field(
        contest=contest,
        table=table.only(_shown(table)),
        number=number,
        landmarks={title: float(scores.mean()) for title, scores in landmarks.items() if scores is not None},
        games=len(whole.games),
        absent=tuple(absent),
        settings=settings,
    )


def _shown(table: ScoreTable) -> list[str]:
    constants = [entrant.name for entrant in table.algorithms if entrant.kind == "constant"]
    means = {name: float(np.nanmean(table.scores[table.index(name)])) for name in constants}
    best = max(constants, key=lambda name: (means[name], name), default="")
    kept = {*SHOWN_CONSTANTS, best}
    return [each.name for each in table.algorithms if each.kind != "constant" or each.name in kept]
