"""Scores laid out by agent: a learner once for every reward that it was trained on, everybody else once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from coopgym.benchmarks.score.grid import Algorithm
from coopgym.benchmarks.score.seed_scores import SeedScores
from coopgym.benchmarks.score.settings import LEARNER


@dataclass(frozen=True)
class ScoredAgent(Algorithm):
    """An algorithm, and the reward that it was trained on."""

    algorithm: str
    reward: str | None
    """None for whom nobody trained."""

    @classmethod
    def of(cls, algorithm: Algorithm, reward: str) -> Self:
        """Return who an algorithm is that was trained on a reward, or told of it.

        >>> ScoredAgent.of(Algorithm("IPPO", "learner"), "cooperative").name
        'IPPO, cooperative'
        >>> ScoredAgent.of(Algorithm("TitForTat", "heuristic"), "cooperative").name
        'TitForTat'
        """
        if algorithm.kind != LEARNER:
            return cls(algorithm.name, algorithm.kind, algorithm.name, None)
        return cls(f"{algorithm.name}, {reward}", algorithm.kind, algorithm.name, reward)


@dataclass(frozen=True, eq=False)
class AgentScores(SeedScores):
    """Scores of agents ``(A, G, S)``, with one task for each game."""

    algorithms: tuple[ScoredAgent, ...]


def by_agent(table: SeedScores) -> AgentScores:
    """Lay out scores of algorithms and tasks as those of agents and games, ``(A, G, S)``.

    The scores must mean the same under every reward mode, as those of welfare do. Whom nobody trained counts with what
    it did under the first mode that it played: private, where there is that.
    """
    games = {task.game: task for task in reversed(table.tasks)}
    names = table.games
    found = list(_sources(table))
    rows = np.array([row for _, row, _ in found], dtype=np.int64)[:, None]
    tasks = np.array([[played.get(name, -1) for name in names] for *_, played in found], dtype=np.int64)
    tasks = tasks.reshape(len(found), len(names))
    missing = tasks < 0
    return AgentScores(
        scale=table.scale,
        algorithms=tuple(each for each, *_ in found),
        tasks=tuple(games[name] for name in names),
        seeds=table.seeds,
        scores=np.where(missing[..., None], np.nan, table.scores[rows, tasks]),
        deterministic=table.deterministic[rows, tasks] & ~missing,
        diverged=table.diverged[rows, tasks] & ~missing[..., None],
    )


def _sources(table: SeedScores) -> Iterator[tuple[ScoredAgent, int, dict[str, int]]]:
    """Yield each agent, its row, and its task of every game that it has a score on."""
    for row, algorithm in enumerate(table.algorithms):
        scored = np.flatnonzero(np.isfinite(table.scores[row]).any(-1)).tolist()
        own: dict[ScoredAgent, dict[str, int]] = {}
        for task in scored:
            played = own.setdefault(ScoredAgent.of(algorithm, table.tasks[task].reward_mode), {})
            played.setdefault(table.tasks[task].game, task)
        yield from ((each, row, played) for each, played in own.items())
