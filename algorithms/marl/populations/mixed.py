"""Different learners in different seats of one training. To each of them the others are part of the environment."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, TypeAlias, TypeGuard

import torch
from torch import Tensor

from coopgym.algorithms import learners
from coopgym.algorithms.marl.core.agent_learner import AgentLearner, Context
from coopgym.algorithms.marl.core.rollout_buffer import Rollout
from coopgym.algorithms.marl.core.trainer import ReplicaLearner
from coopgym.games.game import Game

Translation: TypeAlias = Callable[[type[ReplicaLearner], Mapping[str, Any]], dict[str, Any]]
"""Settings of a learner by other names."""


class Member(NamedTuple):
    """A learner and the seats that it learns to play."""

    learner: ReplicaLearner
    seats: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Mixed(ReplicaLearner):
    """Learners side by side. Blocks are common to all, so a member's own ``rollout_steps`` does not count.

    Attributes:
        members: pairs of a learner and its seats, or tables with the keys ``learner`` (a name), ``seats`` and the
            learner's hyper-parameters, as study files have them. Objective, environment copies, treatment of
            truncation and history are those of the mixture: tables inherit them, learners have to agree with them.

    Raises:
        TypeError: a member that is neither a pair nor a table, or a hyper-parameter that its learner does not have.
        ValueError: an unknown learner, one that disagrees with the mixture, or a seat taken twice.
    """

    version: ClassVar[int] = 1
    needs_state: ClassVar[bool] = True

    members: tuple[Member, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.members, Sequence):
            raise TypeError(f"members={self.members!r}: expected a list of pairs or tables")
        object.__setattr__(self, "members", tuple(self._member(given) for given in self.members))
        super().__post_init__()
        taken = sorted(seat for member in self.members for seat in member.seats)
        if len(set(taken)) < len(taken):
            raise ValueError(f"members play seats {taken}; expected every seat once")

    def _member(self, given: Any) -> Member:
        common = {name: getattr(self, name) for name in COMMON}
        if isinstance(given, Mapping):
            settings = {name: value for name, value in given.items() if name not in ("learner", "seats")}
            given = _learner_named(given.get("learner"))(**common, **settings), given.get("seats")
        if not (isinstance(given, tuple | list) and len(given) == 2 and _may_be_member(type(given[0]))):
            raise TypeError(f"member {given!r}: expected a pair of a learner and its seats, or a table")
        learner, seats = given
        for name, value in common.items():
            if getattr(learner, name) != value:
                raise ValueError(
                    f"{name}={getattr(learner, name)!r} of {type(learner).__name__} differs from the mixture's "
                    f"{value!r}; give both the same"
                )
        return Member(learner, _seats(seats))

    def check(self, game: Game[Any]) -> None:
        """Make sure that every member applies to the game and every seat of it has a learner.

        Raises:
            ValueError: otherwise.
        """
        for member in self.members:
            member.learner.check(game)
        taken = sorted(seat for member in self.members for seat in member.seats)
        if taken != list(range(len(game.spec.endowments))):
            raise ValueError(
                f"members play seats {taken}, but {game.spec.id} has seats 0 to {len(game.spec.endowments) - 1}; "
                "give every seat one learner"
            )

    def values(self) -> dict[str, Any]:
        own = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        tables = []
        for member in self.members:
            settings = {name: value for name, value in member.learner.values().items() if name not in COMMON}
            tables.append({"learner": type(member.learner).__name__, "seats": list(member.seats), **settings})
        return {**super().recorded(own), "members": tables}

    @classmethod
    def recorded(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        return _members_translated(super().recorded(given), lambda kind, table: kind.recorded(table))

    @classmethod
    def current(cls, recorded: Mapping[str, Any]) -> dict[str, Any]:
        return _members_translated(recorded, lambda kind, table: kind.current(table))

    def agent_learner(self, context: Context) -> MixedSeats:
        return MixedSeats(self.members, context)


COMMON = ("objective", "num_envs", "bootstrap_truncation", "history", "partners")
"""Settings that all members of a mixture have in common."""


def _may_be_member(kind: type) -> TypeGuard[type[ReplicaLearner]]:
    return issubclass(kind, ReplicaLearner) and not issubclass(kind, Mixed)


def _learner_named(name: Any) -> type[ReplicaLearner]:
    if isinstance(name, str) and name in learners() and _may_be_member(kind := learners()[name]):
        return kind
    known = [title for title, kind in learners().items() if _may_be_member(kind)]
    raise ValueError(f"learner={name!r}: expected one of {', '.join(known)}")


def _members_translated(settings: Mapping[str, Any], translated: Translation) -> dict[str, Any]:
    """Return settings of a mixture with those of its members, where they are tables, by other names."""
    if not isinstance(members := settings.get("members"), Sequence):
        return dict(settings)
    tables = [
        translated(_learner_named(each["learner"]), each) if isinstance(each, Mapping) and "learner" in each else each
        for each in members
    ]
    return {**settings, "members": tables}


def _seats(given: Any) -> tuple[int, ...]:
    if not isinstance(given, tuple | list | range) or not given or not all(type(seat) is int for seat in given):
        raise TypeError(f"seats={given!r}: expected a list of seat numbers")
    return tuple(sorted(given))


class MixedSeats(AgentLearner):
    """Agent learners of one training, each with some of the seats."""

    def __init__(self, members: Sequence[Member], context: Context) -> None:
        super().__init__(context)
        self.learners = {
            str(position): member.learner.agent_learner(
                dataclasses.replace(
                    context,
                    seats=member.seats,
                    memory=member.learner.memory,
                    needs_state=member.learner.needs_state,
                )
            )
            for position, member in enumerate(members)
        }
        for name, learner in self.learners.items():
            self.keep(name, learner)
        self.positions = [torch.tensor(member.seats, device=context.device) for member in members]

    def begin(self, progress: float) -> None:
        for learner in self.learners.values():
            learner.begin(progress)

    def act(self, t: int, observation: Tensor) -> Tensor:
        shares = observation.new_empty(observation.shape[:-1])
        for learner, positions in zip(self.learners.values(), self.positions, strict=True):
            shares[:, positions] = learner.act(t, observation.index_select(1, positions))
        return shares

    def forget(self, ended: Tensor) -> None:
        for learner in self.learners.values():
            learner.forget(ended)

    def update(self, block: Rollout, progress: float) -> dict[str, Tensor]:
        """Let every member learn from the block as its seats see it; metrics carry the member's position."""
        metrics: dict[str, Tensor] = {}
        for name, learner in self.learners.items():
            found = learner.update(block.of(learner.context.seats), progress)
            metrics |= {f"{metric}/{name}": values for metric, values in found.items()}
        return metrics

    def policy_facts(self) -> list[dict[str, Any]]:
        return [
            {**facts, "prefix": f"{name}.{facts['prefix']}"}
            for name, learner in self.learners.items()
            for facts in learner.policy_facts()
        ]

    def policy_tensors(self) -> dict[str, Tensor]:
        return {
            f"{name}.{tensor}": values
            for name, learner in self.learners.items()
            for tensor, values in learner.policy_tensors().items()
        }

    @property
    def gradient_updates(self) -> int:
        return max(learner.gradient_updates for learner in self.learners.values())
