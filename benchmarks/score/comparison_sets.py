"""Comparison sets: algorithms that all have scores on the same tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TypeAlias, cast

import numpy as np

from coopgym.benchmarks.score.estimates import Estimate
from coopgym.benchmarks.score.grid import Algorithm, Task, task_order
from coopgym.benchmarks.score.leaderboards import Leaderboard, Leaderboards
from coopgym.benchmarks.score.ranks import RankTable, rank_table
from coopgym.benchmarks.score.scores import REFERENCES, Diverged, Metric, ScoreTable
from coopgym.benchmarks.score.seed_scores import SeedScores, shown
from coopgym.benchmarks.score.settings import LEARNER, PRIVATE
from coopgym.benchmarks.score.verdicts import verdict
from coopgym.benchmarks.score.worlds import WorldRanking
from coopgym.rewards import MODES
from coopgym.typing import BoolArray

REFERENCE_TITLES = dict(zip(REFERENCES, ("constant 50 %", "stage Nash"), strict=True))
MOST_FIELDS = 4
"""Sets of a leaderboard at most: learners that played other games than all the rest are shown with those who did."""


@dataclass(frozen=True, eq=False)
class ComparisonSet:
    """Algorithms with scores on every task of a table; of a scan of constants only references and the best."""

    leaderboard: Leaderboard
    table: SeedScores
    number: int
    """Its place among the sets of the leaderboard, from 0."""
    reference_scores: Mapping[str, float]
    """Mean scores of well-known play on the same tasks, by title."""
    games: int
    """How many games the leaderboard has."""
    tasks: int
    """How many games × rewards of it are ranked like these."""
    absent: Mapping[str, str]
    """Algorithms that are not on all these tasks, and why; no constants."""

    @cached_property
    def ranks(self) -> RankTable:
        """The algorithms, best first."""
        return rank_table(self.table)

    @property
    def title(self) -> str:
        """What it covers."""
        own, tasks = len(self.table.games), len(self.table.tasks)
        scope = f"All {_games(own)}" if own == self.games else f"{_games(own)} of {self.games}"
        if own == self.games and tasks < self.tasks:
            scope += f" ({tasks} of {self.tasks} games × rewards)"
        return scope + (f", {self.leaderboard.title}" if self.leaderboard.objective else "")

    @property
    def name(self) -> str:
        """Part of the names of files about it."""
        whole = len(self.table.tasks) == self.tasks
        return ("all-games" if whole else f"games-{self.number + 1}") + self.leaderboard.suffix

    @property
    def absences(self) -> dict[str, list[str]]:
        """Why algorithms are not in it, with the names that each reason holds for."""
        found: dict[str, list[str]] = {}
        for name, reason in self.absent.items():
            found.setdefault(reason, []).append(name)
        return found

    @property
    def learners(self) -> tuple[str, ...]:
        """Names of its learners, in order of rank."""
        return tuple(row.algorithm.name for row in self.ranks.rows if row.algorithm.kind == LEARNER)

    @property
    def has_diverged(self) -> bool:
        """Whether a run of it diverged."""
        return bool(self.table.diverged.any())

    @property
    def heading(self) -> str:
        """What is ranked by what, on what."""
        if not self.table.lower_is_better:
            return self.title
        return f"Private reward, {self.title[0].lower()}{self.title[1:]}"

    @property
    def measure(self) -> str:
        """What the set is ordered by."""
        return "exploitability" if self.table.lower_is_better else "score"

    def numbers(self, name: str) -> dict[str, Estimate]:
        """Return what stands in an algorithm's row, by what it is: first the number by which the set is ordered.

        Where there are several reward modes, which is where scores rank, the score is told by mode too.
        """
        found = {self.measure: self.table.estimate(name)}
        if len(self.table.modes) > 1:
            found |= {mode: self.table.of_mode(mode).estimate(name) for mode in self.table.modes}
        found |= {"played": self._played(name)}
        return {measure: estimate for measure, estimate in found.items() if estimate is not None}

    def _played(self, name: str) -> Estimate | None:
        """Mean share of endowment put in, over tasks."""
        tasks = set(self.table.tasks)
        shares = [
            each.cooperation.value
            for each in self.leaderboard.distributions
            if each.algorithm.name == name and each.task in tasks and each.cooperation is not None
        ]
        return Estimate(float(np.mean(shares)), None, None, 0) if shares else None

    @property
    def verdict(self) -> str:
        """Who comes first, in words; nobody is called best who may be equalled by another."""
        own = len(self.table.games)
        everywhere = f"Averaged over all {_games(own)}" if own > 1 else "In the only game"
        scope = everywhere if own == self.games else f"On {_games(own)} (of {self.games})"
        best = "the hardest to exploit" if self.table.lower_is_better else "the best"
        return verdict(scope, self.measure, best, self.table, self.ranks)


Ranking: TypeAlias = ComparisonSet | WorldRanking
"""Algorithms in their order, with the numbers that stand in their rows."""


def comparison_sets(
    leaderboard: Leaderboard, metric: Metric = "return_mode", diverged: Diverged = "worst"
) -> list[ComparisonSet]:
    """Return what can be compared: everybody who played all games, and then, for learners that did not, what they did.

    Learners that played the same games share a set, and so does everybody else who played these; a last set has the
    games common to all learners. Points of the mutuality continuum stay out where named reward modes were played: they
    are the same games again. So do tasks of private reward where returns are compared (`private_comparison_sets`).
    """
    key = ("comparison_sets", metric, diverged)
    if key not in leaderboard.memo:
        leaderboard.memo[key] = _comparison_sets(leaderboard, ranked_scores(leaderboard, metric, diverged))
    return cast(list[ComparisonSet], leaderboard.memo[key])


def ranked_scores(leaderboard: Leaderboard, metric: Metric = "return_mode", diverged: Diverged = "worst") -> ScoreTable:
    """Return the scores that `comparison_sets` compare."""
    table = leaderboard.table(metric, diverged)
    by_return = metric.endswith("return_mode")
    named = table.where(lambda task: task.reward_mode in MODES)
    return (named if named.tasks else table).where(lambda task: not (by_return and task.reward_mode == PRIVATE))


def private_comparison_sets(leaderboard: Leaderboard) -> list[ComparisonSet]:
    """Return the same for private reward, where the less anybody could gain by deviating the better."""
    key = ("private",)
    if key not in leaderboard.memo:
        leaderboard.memo[key] = _comparison_sets(leaderboard, leaderboard.exploitability)
    return cast(list[ComparisonSet], leaderboard.memo[key])


def rankings(leaderboard: Leaderboard) -> list[ComparisonSet]:
    """Return every ranking of a leaderboard in the order in which they are shown: by return, then of private play."""
    return [*_principal_first(comparison_sets(leaderboard)), *_principal_first(private_comparison_sets(leaderboard))]


def all_rankings(leaderboards: Leaderboards) -> list[Ranking]:
    """Return every ranking of a corpus in the order in which they are shown, those of worlds last.

    >>> from coopgym.benchmarks.score import Leaderboards
    >>> found = all_rankings(Leaderboards(coopgym.load_corpus("learners-v1").runs.arrow))
    >>> sorted({ranking.measure for ranking in found})
    ['exploitability', 'score']
    """
    return [
        *(compared for leaderboard in leaderboards.found for compared in rankings(leaderboard)),
        *(ranking for board in leaderboards.worlds for ranking in board.rankings),
    ]


def principal(found: Sequence[ComparisonSet]) -> ComparisonSet | None:
    """Return the set with most learners and, among those, most games."""
    return max(found, key=lambda each: (len(each.learners), len(each.table.tasks)), default=None)


def _principal_first(found: Sequence[ComparisonSet]) -> list[ComparisonSet]:
    chosen = principal(found)
    return sorted(found, key=lambda each: (each is not chosen, each.number))


def _comparison_sets(leaderboard: Leaderboard, table: SeedScores) -> list[ComparisonSet]:
    scored: BoolArray = np.asarray(np.isfinite(table.scores).any(axis=-1))
    if not scored.any():
        return []
    found = [table.where(partial(_among, played)).covering() for played in _task_sets(table, scored)]
    filled = [each for each in found if each.algorithms and _worth_showing(each, leaderboard)]
    return [_comparison_set(leaderboard, each, number, table) for number, each in enumerate(filled)]


def _task_sets(table: SeedScores, scored: BoolArray) -> list[frozenset[Task]]:
    """Return all tasks, those of each group of learners that lack some, and those that all learners have."""
    everything = frozenset(table.tasks)
    played = {
        algorithm: frozenset(task for task, has in zip(table.tasks, own, strict=True) if has)
        for algorithm, own in zip(table.algorithms, scored, strict=True)
        if own.any() and algorithm.kind != "constant"
    }
    learners = [tasks for algorithm, tasks in played.items() if algorithm.kind == LEARNER] or list(played.values())
    partial_sets = sorted(
        {tasks for tasks in learners if tasks != everything},
        key=lambda each: (-len(each), sorted(map(task_order, each))),
    )
    common = frozenset.intersection(*learners) if learners else frozenset()
    return list(dict.fromkeys([everything, *partial_sets[: MOST_FIELDS - 2], *([common] if common else [])]))


def _among(played: frozenset[Task], task: Task) -> bool:
    return task in played


def _worth_showing(table: SeedScores, leaderboard: Leaderboard) -> bool:
    """Whether a set has learners; of one objective among several, only those tell it from the others."""
    return leaderboard.objective in (None, leaderboard.first_objective) or any(
        each.kind == LEARNER for each in table.algorithms
    )


def _comparison_set(leaderboard: Leaderboard, table: SeedScores, number: int, whole: SeedScores) -> ComparisonSet:
    known = {title: table.reference_score(name) for name, title in REFERENCE_TITLES.items()}
    return ComparisonSet(
        leaderboard=leaderboard,
        table=table.only(shown(table)),
        number=number,
        reference_scores={title: float(scores.mean()) for title, scores in known.items() if scores is not None},
        games=len({task.game for task in leaderboard.grid.tasks}),
        tasks=len(whole.tasks),
        absent=dict(_absent(leaderboard, table, whole)),
    )


def _absent(leaderboard: Leaderboard, table: SeedScores, whole: SeedScores) -> list[tuple[str, str]]:
    absent = [each for each in whole.algorithms if each.kind != "constant" and each.name not in table.names]
    return [(each.name, _why(leaderboard, each, table, whole)) for each in absent]


def _why(leaderboard: Leaderboard, algorithm: Algorithm, table: SeedScores, whole: SeedScores) -> str:
    if failure := leaderboard.failures.get(algorithm.name):
        return failure.reason
    own = np.isfinite(whole.scores[whole.index(algorithm.name)]).any(axis=-1)
    has = {task for task, scored in zip(whole.tasks, own, strict=True) if scored}
    return f"no score in {sum(task not in has for task in table.tasks)} of {len(table.tasks)} games × rewards"


def _games(number: int) -> str:
    return "1 game" if number == 1 else f"{number} games"
