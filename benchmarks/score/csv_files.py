"""The scores of a corpus as CSV: every cell of algorithm and task, and every ranking with what stands in its rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from coopgym.benchmarks.score.comparison_sets import Ranking, all_rankings
from coopgym.benchmarks.score.estimates import Estimate, mean_estimate
from coopgym.benchmarks.score.failures import last_line
from coopgym.benchmarks.score.first_table import FirstRow, FirstTable
from coopgym.benchmarks.score.leaderboards import Leaderboard, Leaderboards
from coopgym.benchmarks.score.worlds import WorldBoard
from coopgym.corpus.export import inert

MEASURES = (
    "welfare",
    "return_private",
    "return_integrated",
    "return_cooperative",
    "return_mode",
    "cooperation_rate",
    "mean_trust_final",
    "mean_reputation_damage",
    "gini_payoff",
    "episode_length",
    "exploitability",
)
"""Columns of ``runs`` that are averaged over seeds."""
FIRST = ("algorithm", "algorithm_kind", "among", "alike")
CELL = (
    "environment",
    "world",
    "env_parameters",
    "reward_mode",
    "mechanism_class",
    "objective",
    "algorithm",
    "algorithm_kind",
)
RANKING = ("ranking", "algorithm", "algorithm_kind", "rank", "rank_low", "rank_high", "group")
INTERVAL = ("", "_low", "_high")
EXPLOITED = ("exploited_by", *(f"exploited_by_normalised{part}" for part in INTERVAL))


def cells_csv(leaderboards: Leaderboards) -> str:
    """Return a line per algorithm and task: numbers of runs, the score and every measure with its interval.

    ``score_by_seed`` holds a score per seed; intervals are empty below five of them. ``error`` is the last line of what
    the first failed run said.
    """
    numbers = [f"{name}{part}" for name in ("score", *MEASURES) for part in INTERVAL]
    head = [*CELL, "seeds", "diverged", "failed", "error", "score_by_seed", *numbers]
    return _csv(head, (line for board in leaderboards.boards for line in _cells(board)))


def first_table_csv(leaderboards: Leaderboards) -> str:
    """Return a line per row of the table that stands first: who it is, who else is alike, and all its numbers.

    ``among`` tells whom it stands with: agents, learners of private reward, or references. Each question has its number
    with its interval, the replicates behind it, and the letters, of which two rows share one that cannot be told apart.
    Where strangers were met, the last columns name the partner with whom an agent earned least, and that number.

    >>> from coopgym.benchmarks.score import Leaderboards
    >>> first_table_csv(Leaderboards(coopgym.load_corpus("learners-v1").runs)).splitlines()[1][:40]
    '"IPPO, cooperative",learner,agents,,1.00'
    """
    table = leaderboards.first_table
    names = [question.name.replace(" ", "_") for question in table.questions]
    parts = (*INTERVAL, "_seeds", "_group")
    exploited = EXPLOITED if table.tells_exploited else ()
    head = [*FIRST, *(f"{name}{part}" for name in names for part in parts), *exploited]
    return _csv(head, (_first(row, among, table) for among, rows in table.parts.items() for row in rows))


def _first(row: FirstRow, among: str, table: FirstTable) -> Sequence[Any]:
    first, *others = row.agents
    answers = [(row.answers[question.name], row.groups[question.name]) for question in table.questions]
    return [
        *(first.name, first.kind, among, "; ".join(each.name for each in others)),
        *(cell for answer, group in answers for cell in (*_three(answer), answer.n if answer else None, group)),
        *(_exploited(row) if table.tells_exploited else ()),
    ]


def _exploited(row: FirstRow) -> Sequence[Any]:
    worst = row.exploited_by
    return (worst.partner, *_three(worst.normalised)) if worst else (None,) * len(EXPLOITED)


def rankings_csv(leaderboards: Leaderboards) -> str:
    """Return a line per number that stands in a ranking: whose it is, what it measures, and how sure it is."""
    head = [*RANKING, "measure", "value", "low", "high", "seeds", "by_seed"]
    return _csv(head, (line for compared in all_rankings(leaderboards) for line in _ranking(compared)))


def _cells(leaderboard: Leaderboard | WorldBoard) -> Iterator[Sequence[Any]]:
    table, grid = leaderboard.table(), leaderboard.grid
    columns = {name: grid.column(name) for name in MEASURES}
    diverged, failed = grid.ended("diverged"), grid.ended("failed")
    objectives, errors = (grid.runs.column(name).to_pylist() for name in ("objective", "error"))
    for t, a in np.argwhere(grid.present.any(-1).T).tolist():
        algorithm, task, setting = grid.algorithms[a], grid.tasks[t], grid.tasks[t].setting
        rows = grid.row[a, t][grid.present[a, t]].tolist()
        objective = next((objectives[row] for row in rows if objectives[row]), None)
        if objective is None and leaderboard.objective != leaderboard.first_objective:
            continue  # agents without an objective take part in every leaderboard and are listed in the first
        said = next((last_line(errors[row]) for row in rows if errors[row]), "")
        estimates = [table.cell(algorithm.name, task), *(mean_estimate(values[a, t]) for values in columns.values())]
        yield [
            *(setting.environment, setting.world, setting.env_parameters, setting.reward_mode),
            *(task.mechanism_class, objective),
            *(algorithm.name, algorithm.kind, len(rows), int(diverged[a, t].sum()), int(failed[a, t].sum()), said),
            _by_seed(table.of_tasks([table.tasks.index(task)]).by_seed(algorithm.name) if task in table.tasks else ()),
            *(number for estimate in estimates for number in _three(estimate)),
        ]


def _ranking(compared: Ranking) -> Iterator[Sequence[Any]]:
    for row in compared.ranks.rows:
        identity = [
            compared.heading,
            row.algorithm.name,
            row.algorithm.kind,
            row.rank,
            row.low,
            row.high,
            row.significance_groups,
        ]
        for number, (measure, estimate) in enumerate(compared.numbers(row.algorithm.name).items()):
            by_seed = _by_seed(compared.table.by_seed(row.algorithm.name)) if number == 0 else ""
            yield [*identity, measure, *_three(estimate), estimate.n, by_seed]


def _three(estimate: Estimate | None) -> tuple[float | None, float | None, float | None]:
    return (estimate.value, estimate.low, estimate.high) if estimate else (None, None, None)


def _by_seed(values: Iterable[float]) -> str:
    return " ".join(f"{value:.12g}" for value in values if np.isfinite(value))


def _csv(head: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([inert(cell) if isinstance(cell, str) else cell for cell in line] for line in lines)
    return text.getvalue()
