"""Match sampling: the rollouts of a group play each other (ArenaRL's tournaments by actual play)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coopgym.algorithms.llm.method.slots import Sampler
from coopgym.algorithms.llm.method.training_services import Services
from coopgym.algorithms.llm.play.conversation import Rollout, converse
from coopgym.algorithms.llm.play.sessions import SeatSession
from coopgym.algorithms.llm.play.tasks import Task
from coopgym.algorithms.llm.play.trajectories import Group, Match, Trajectory


@dataclass(frozen=True)
class Matches(Sampler):
    """Fills all seats of a game with rollouts, until G of them have played; each is judged in its own seat.

    A group of G takes ⌈G/N⌉ matches; members beyond G are dropped after they have played.
    """

    def sample(self, tasks: Sequence[Task], size: int, services: Services, step: int) -> list[Group]:
        tables = [
            [self._table(task, services, (step, number, start)) for start in range(0, size, _seats(task))]
            for number, task in enumerate(tasks)
        ]
        converse([rollout for tables_of in tables for table in tables_of for rollout in table], services.decoding)
        return [_group(task, tables_of, size) for task, tables_of in zip(tasks, tables, strict=True)]

    def _table(self, task: Task, services: Services, place: tuple[int, int, int]) -> list[Rollout]:
        seats = tuple(range(_seats(task)))
        match = task.table(seats)
        return [
            Rollout(SeatSession(match, seat), services.model, services.stream("match", *place, seat)) for seat in seats
        ]


def _seats(task: Task) -> int:
    return task.settings.made.n_agents


def _group(task: Task, tables: Sequence[Sequence[Rollout]], size: int) -> Group:
    members: list[Trajectory] = []
    matches: list[Match] = []
    generated = 0
    for table in tables:
        numbers = range(len(members), min(len(members) + len(table), size))
        played = [rollout.trajectory(task) for rollout in table]
        generated += sum(each.written for each in played)
        members += played[: len(numbers)]
        matches.append(Match(tuple(numbers), tuple(member.outcome for member in played[: len(numbers)])))
    return Group(task, members, matches=matches, generated=generated)
