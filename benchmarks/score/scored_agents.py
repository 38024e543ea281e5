"""Scores laid out by agent: a learner once for every reward that it was trained on, everybody else once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from coopgym.benchmarks.score.grid import Algorithm, Task
from coopgym.benchmarks.score.seed_scores import SeedScores
from coopgym.benchmarks.score.settings import LEARNER
from coopgym.typing import BoolArray, FloatArray, IntArray


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


@dataclass(frozen=True, eq=False)
class AgentLayout:
    """Where what is told of algorithms and tasks ``(A, T, ...)`` stands among agents and games."""

    agents: tuple[ScoredAgent, ...]
    games: tuple[Task, ...]
    """A task for each, the first that is played."""
    row: IntArray
    """``(agents, 1)`` place on the first axis."""
    task: IntArray
    """``(agents, games)`` place on the second, -1 where an agent has not played."""

    @classmethod
    def of(cls, algorithms: Sequence[Algorithm], tasks: Sequence[Task], played: BoolArray) -> Self:
        """Tell agents by what they played ``(A, T)``; whom nobody trained counts with the first mode that it played."""
        games = {task.game: task for task in reversed(tasks)}
        names = list(dict.fromkeys(task.game for task in tasks))
        found: dict[tuple[ScoredAgent, int], dict[str, int]] = {}
        for row, place in np.argwhere(played).tolist():
            agent = ScoredAgent.of(algorithms[row], tasks[place].reward_mode)
            found.setdefault((agent, row), {}).setdefault(tasks[place].game, place)
        places = [[own.get(name, -1) for name in names] for own in found.values()]
        return cls(
            tuple(agent for agent, _ in found),
            tuple(games[name] for name in names),
            np.array([row for _, row in found], dtype=np.int64)[:, None],
            np.array(places, dtype=np.int64).reshape(len(found), len(names)),
        )

    @property
    def present(self) -> BoolArray:
        """``(agents, games)`` whether an agent has played."""
        return self.task >= 0

    def place(self, values: FloatArray | BoolArray) -> FloatArray:
        """Lay out ``(A, T, ...)`` as ``(agents, games, ...)``, NaN where an agent has not played."""
        laid_out = np.full((*self.task.shape, *values.shape[2:]), np.nan)
        laid_out[self.present] = values[self.row, self.task][self.present]
        return laid_out


def by_agent(table: SeedScores) -> AgentScores:
    """Lay out scores of algorithms and tasks as those of agents and games, ``(A, G, S)``.

    The scores must mean the same under every reward mode, as those of welfare do. Whom nobody trained counts with what
    it did under the first mode that it played: private, where there is that.
    """
    scored: BoolArray = np.asarray(np.isfinite(table.scores).any(-1))
    layout = AgentLayout.of(table.algorithms, table.tasks, scored)
    return AgentScores(
        scale=table.scale,
        algorithms=layout.agents,
        tasks=layout.games,
        seeds=table.seeds,
        scores=layout.place(table.scores),
        deterministic=layout.place(table.deterministic) > 0,
        diverged=layout.place(table.diverged) > 0,
    )
